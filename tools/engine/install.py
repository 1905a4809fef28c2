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
    _say("no pulumi on PATH: trying the official download")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    try:
        return PulumiCommand.install(root=str(ROOT))
    finally:
        socket.setdefaulttimeout(before)


def _built() -> PulumiCommand:
    if shutil.which("go") is None:
        raise NoEngine("go is not on PATH")
    _say(f"building pulumi {BUILT} with Go: about five minutes the first time, seconds when Go's cache is warm")
    target = ROOT / "bin" / "pulumi"
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    version = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{BUILT}"
    flags = ["-trimpath", "-tags", "osusergo,grpcnotrace", "-ldflags", f"-s -w {version}", "-o", str(unfinished)]
    subprocess.run(  # noqa: S603  fixed words
        ["go", "build", *flags, COMMAND],  # noqa: S607  whichever Go is on PATH
        cwd=Path(__file__).parent,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
        check=True,
    )
    shim = target.with_name("pulumi-resource-pulumi-python")
    shim.write_text(SHIM)
    shim.chmod(0o755)
    unfinished.rename(target)
    return _left_by_an_earlier_run()


def _say(text: str) -> None:
    print(f"engine: {text}", file=sys.stderr, flush=True)  # noqa: T201  a build step talks to its terminal


if __name__ == "__main__":
    try:
        engine = find_engine()
    except NoEngine as none:
        sys.exit(str(none))
    _say(f"pulumi {engine.version} ({engine.command})")
