"""Find a Pulumi engine for the demo and the tests, or make one.

Looked at in this order: `pulumi` on PATH; what an earlier run left in `.engine/`; the official download; a build with
Go from the versions that `go.mod` beside this file pins. Run it with `python -m tools.engine.install`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

from astro_provider.version import OLDEST_PULUMI

OLDEST = VersionInfo(*OLDEST_PULUMI)
BUILT = VersionInfo(3, 274, 1)  # what go.mod pins
ROOT = Path(__file__).parents[2] / ".engine"
COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
DOWNLOAD_TIMEOUT_SECONDS = 20.0

# The engine starts Python dynamic providers through an executable of this name; the official download brings its own.
SHIM = """#!/bin/sh
exec "${PULUMI_PYTHON_CMD:-python3}" -u -m pulumi.dynamic "$@"
"""


class NoEngine(Exception):
    """There is no Pulumi engine, and none could be made."""


def find_engine() -> PulumiCommand:
    """Return a working engine.

    Raises:
        NoEngine: none of the four ways led to one; the text says how to get one.
    """
    os.environ.setdefault("PULUMI_HOME", str(ROOT / "home"))  # `pulumi version` leaves a log there, each time
    reasons: list[str] = []
    for way in (_on_path, _left_by_an_earlier_run, _downloaded, _built):
        try:
            return way()
        except Exception as error:  # noqa: BLE001  each way fails in its own manner, and the next one may do
            reasons.append(
                f"  {way.__name__.lstrip('_').replace('_', ' ')}: {str(error).strip() or type(error).__name__}"
            )
    raise NoEngine(
        f"No Pulumi engine ({OLDEST} or later) was found or made:\n" + "\n".join(reasons) + "\n"
        "Install one from https://www.pulumi.com/docs/install/ and put it on PATH, or install Go 1.26 to have it built."
    )


def _on_path() -> PulumiCommand:
    return PulumiCommand(version=OLDEST)


def _left_by_an_earlier_run() -> PulumiCommand:
    return PulumiCommand(root=str(ROOT), version=OLDEST)


def _downloaded() -> PulumiCommand:
    say("no pulumi on PATH: trying the official download")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    try:
        return PulumiCommand.install(root=str(ROOT))
    finally:
        socket.setdefaulttimeout(before)


def _built() -> PulumiCommand:
    if shutil.which("go") is None:
        raise NoEngine("go is not on PATH")
    say(f"building pulumi {BUILT} with Go: about five minutes the first time, seconds when Go's cache is warm")
    shim = ROOT / "bin" / "pulumi-resource-pulumi-python"
    shim.parent.mkdir(parents=True, exist_ok=True)
    shim.write_text(SHIM)
    shim.chmod(0o755)
    version = f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{BUILT}"
    build(COMMAND, module=Path(__file__).parent, version=version, target=shim.with_name("pulumi"))
    return _left_by_an_earlier_run()


def build(command: str, *, module: Path, version: str, target: Path) -> None:
    """Build a command with Go, as its project releases it; the target is there once all of it is.

    Args:
        command: its package.
        module: the directory of the go.mod that pins it.
        version: the variable that tells its version, and the value.
        target: where the executable goes.

    Raises:
        CalledProcessError: it could not be built; Go has said why.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:  # two builds at once do not meet
        unfinished = Path(scratch) / target.name
        flags = ["-trimpath", "-tags", "osusergo,grpcnotrace", "-ldflags", f"-s -w -X {version}", "-o", str(unfinished)]
        subprocess.run(  # noqa: S603  fixed words
            ["go", "build", *flags, command],  # noqa: S607  whichever Go is on PATH
            cwd=module,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
            check=True,
        )
        unfinished.rename(target)


def say(text: str) -> None:
    """Tell what is done, on the terminal."""
    print(f"engine: {text}", file=sys.stderr, flush=True)  # noqa: T201  a build step talks to its terminal


if __name__ == "__main__":
    try:
        engine = find_engine()
    except NoEngine as none:
        sys.exit(str(none))
    say(f"pulumi {engine.version} ({engine.command})")
