"""Find Pulumi's YAML language host for the tests, or build it. The demo needs none.

With it an ordinary project (`runtime: yaml`) runs from a shell, as a user's does: `pulumi up`, `import`, `refresh`. The
official download of Pulumi has it beside `pulumi`; otherwise it is built with Go from the versions that `go.mod` beside
this file pins, into a directory of `.engine` that is named by those versions, so that another checkout with other
versions can share `.engine`. Run it with `python -m tools.yaml_host.install`, which finds the engine as well.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from pulumi.automation import PulumiCommand

from tools.engine.install import ROOT, NoEngine, build, find_engine, say

HERE = Path(__file__).parent
NAME = "pulumi-language-yaml"
COMMAND = f"github.com/pulumi/pulumi-yaml/cmd/{NAME}"
BUILT = "1.25.0"  # what go.mod pins


class NoYamlHost(Exception):
    """There is no YAML language host, and none could be built."""


def find_yaml_host(engine: PulumiCommand) -> Path:
    """Return the executable of the host that goes with an engine.

    Raises:
        NoYamlHost: the engine brings none, and there is no Go to build one.
    """
    pulumi = shutil.which(engine.command)
    beside = Path(pulumi).resolve().with_name(NAME) if pulumi else None
    if beside and beside.exists():
        return beside
    built = _directory() / NAME
    if not built.exists():
        _build(built)
    return built


def _directory() -> Path:
    pinned = (HERE / "go.mod").read_bytes() + (HERE / "go.sum").read_bytes()
    return ROOT / f"yaml-host-{hashlib.sha256(pinned).hexdigest()[:12]}"


def _build(target: Path) -> None:
    if shutil.which("go") is None:
        raise NoYamlHost(
            f"No {NAME} beside the engine, and go is not on PATH. Install Go 1.26 to have it built, or the official "
            "Pulumi from https://www.pulumi.com/docs/install/, which brings it."
        )
    say(f"building {NAME} {BUILT} with Go: about a minute the first time")
    version = f"github.com/pulumi/pulumi-yaml/pkg/version.Version=v{BUILT}"
    try:
        build(COMMAND, module=HERE, version=version, target=target)
    except subprocess.CalledProcessError:
        raise NoYamlHost(f"{NAME} could not be built; what Go says stands above.") from None


if __name__ == "__main__":
    try:
        engine = find_engine()
        host = find_yaml_host(engine)
    except (NoEngine, NoYamlHost) as none:
        sys.exit(str(none))
    say(f"pulumi {engine.version} ({engine.command}), {host}")
