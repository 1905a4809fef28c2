"""SDKs for other languages, generated from the schema and compiled; and, with Pulumi's language hosts, programs that run.

`make test-languages` runs this folder; `make test` does not, because it takes npm, Go, and minutes. The language hosts for
Node.js, Go and Python are in no registry: the tests take them from PATH, where an ordinary installation of Pulumi has
them. A test that needs one and finds none is skipped, with a sentence that says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_provider import __version__
from tests.support.stack import FOREIGN, hermetic, led_to
from tools.engine.install import BUILT, build
from tools.engine.install import ROOT as ENGINES

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "astro_provider" / "engine" / "plugin" / "schema.json").read_text())
GENERATOR = "astro-provider/tools/engine/generate"
LONGEST_SECONDS = 1800.0  # Go compiles Pulumi's SDK anew on a machine that has never done so


def _inherited() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    # A build of the plugin must not find the tools of the tests.
    kept["PATH"] = os.pathsep.join(
        one for one in kept["PATH"].split(os.pathsep) if one != str(Path(sys.executable).parent)
    )
    return kept


@dataclass(frozen=True)
class Shell:
    """A directory in which commands are typed."""

    directory: Path
    environment: dict[str, str] = field(default_factory=_inherited)

    def run(self, *command: object, input_: str | None = None) -> str:
        """Type a command that must succeed; return what it printed."""
        ended = subprocess.run(
            [str(word) for word in command],
            cwd=self.directory,
            env=self.environment,
            input=input_,
            stdin=subprocess.DEVNULL if input_ is None else None,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr


@pytest.fixture(scope="session")
def sdks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDKs for Node.js and Go, as `pulumi package add` writes them, in folders of their names."""
    directory = tmp_path_factory.mktemp("sdks")
    generator = ENGINES / "bin" / "astro-generate-sdks"
    version = f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{BUILT}"
    build(GENERATOR, module=ROOT / "tools" / "engine", version=version, target=generator)
    Shell(directory).run(generator, directory, input_=json.dumps({**SCHEMA, "version": __version__}))
    module = "module example.com/pulumi-astro/sdk/go\n\ngo 1.25\n\nrequire github.com/pulumi/pulumi/sdk/v3 v3.269.0\n"
    (directory / "go" / "go.mod").write_text(module)  # which `pulumi package add` writes beside it
    return directory


def example(name: str, into: Path) -> Path:
    """A copy of an example, whose `packages` leads to this checkout."""
    made = shutil.ignore_patterns("node_modules", "sdks", "package-lock.json")
    directory = Path(shutil.copytree(ROOT / "examples" / name, into / name, ignore=made))
    project = directory / "Pulumi.yaml"
    project.write_text(project.read_text().replace("../../plugin", str(ROOT / "plugin")))
    return directory


@pytest.fixture
def project(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> Shell:
    """A shell in an empty directory, with a backend of its own, whose provider is led to the Astro."""
    (tmp_path / "work").mkdir()
    (tmp_path / "state").mkdir()
    found = shutil.which(engine.command)
    assert found
    environment = {**_inherited(), **hermetic(tmp_path), **led_to(astro)}
    environment.pop("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", None)
    environment.pop("PYTHONPATH", None)  # the plugin has a virtual environment of its own
    environment["PATH"] = os.pathsep.join([str(Path(found).parent), environment["PATH"]])
    return Shell(tmp_path / "work", environment)


def needs_host(*languages: str) -> pytest.MarkDecorator:
    """Skip a test without the hosts that it needs, and say so."""
    missing = [name for name in (f"pulumi-language-{one}" for one in languages) if shutil.which(name) is None]
    reason = f"There is no {' and no '.join(missing)} on PATH: what it would run was compiled only."
    return pytest.mark.skipif(bool(missing), reason=reason)
