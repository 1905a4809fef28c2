"""The rule by which Pulumi's Python language host finds the plugins that an environment's packages need.

It is written down here from the host's source (`determinePulumiPackages`, `determinePackageDependency` and
`readPulumiPluginJSON` in sdk/python/cmd/pulumi-language-python/main.go), because the host itself is not to be had as a
Go module. So this shows that the installed files are as that rule wants them. It does not show the host's own code, nor
what a later host will do. The host does not look into an environment by any other way than these two:

- until 3.226 it joins the location that `pip list --verbose` tells with the distribution's name, hyphens made underscores;
- since then it asks the import system of the environment for the module of that name.

Both are asked, and a plugin that either of them wants is one that `pulumi install` would download.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

# The host knows these by name; the file that says so stands in neither of them.
WITHOUT_PLUGINS = {"pulumi-policy", "pulumi-esc-sdk"}


def required_plugins(site_packages: Path) -> set[str]:
    """The plugins that `pulumi install` would download for what is installed in that directory, as `name version`."""
    listed = metadata.distributions(path=[str(site_packages)])  # `pip list` has them from there
    return {plugin for distribution in listed for plugin in _plugins_of(distribution, site_packages)}


def _plugins_of(distribution: metadata.Distribution, site_packages: Path) -> Iterator[str]:
    name = distribution.metadata["Name"]
    module = name.replace("-", "_")
    if name.replace("_", "-") in WITHOUT_PLUGINS:
        return
    for directory in (site_packages / module, _imported_from(module, site_packages)):
        mark = directory / "pulumi-plugin.json" if directory else None
        told = json.loads(mark.read_text()) if mark and mark.is_file() else None
        named_like_one = module.startswith("pulumi_")
        if told["resource"] if told else named_like_one:
            told = told or {}
            version = told.get("version") or distribution.version
            yield f"{told.get('name') or name.removeprefix('pulumi-')} {version}"


def _imported_from(module: str, site_packages: Path) -> Path | None:
    spec = PathFinder.find_spec(module, [str(site_packages)])
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]) if places else None
