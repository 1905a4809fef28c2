"""The command without HOME, without an entry in the list of users, and with the barest locale."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from astro_emulator import Emulator
from tests.support.as_user import UNKNOWN, only_root, open_to_all, run_as
from tests.support.shell import environment

LOCALES = [{"LANG": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]


@pytest.fixture
def service(astro: Emulator) -> dict[str, str]:
    token = astro.store.add_token("café")
    astro.store.bind(token, astro.store.add_deployment("naïve"), "DEPLOYMENT_ADMIN")
    return {"ASTRO_API_HOST": astro.url, "ASTRO_API_TOKEN": astro.credential, "TMPDIR": "/tmp"}


@only_root
@pytest.mark.parametrize("locale", LOCALES)
def test_help_and_list_work(service: dict[str, str], locale: dict[str, str]) -> None:
    variables = {**service, **locale}

    helped = run_as(UNKNOWN, "-m", "astro_provider", "--help", environment=variables)
    listed = run_as(
        UNKNOWN, "-m", "astro_provider", "list", "--all-deployments", "--output", "json", environment=variables
    )

    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("Usage: astro-provider ")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "café" in {row["name"] for row in json.loads(listed.stdout)}


@only_root
def test_doctor_says_where_locks_stand(service: dict[str, str], tmp_path: Path) -> None:
    open_to_all(tmp_path)
    variables = {**service, "LANG": "C", "TMPDIR": str(tmp_path)}

    ended = run_as(UNKNOWN, "-m", "astro_provider", "doctor", "--output", "json", environment=variables)

    assert ended.stderr == ""
    found = {check["name"]: check for check in json.loads(ended.stdout)["checks"]}
    assert (
        f"A lock was taken in {tmp_path}/astro-provider-locks-{UNKNOWN} and released."
        == found["lock directory"]["found"]
    )
    assert found["service"]["status"] == "ok"


def test_bytes_that_are_no_text_are_one_sentence(astro: Emulator) -> None:
    command: list[str | bytes] = [sys.executable, "-m", "astro_provider", "list", "--deployment-id", b"\xff"]

    ended = subprocess.run(command, env=environment(astro), capture_output=True, check=False)

    assert (ended.returncode, ended.stdout) == (2, b"")
    assert b"it has bytes that are no text in this locale; write an id or a name." in ended.stderr
    assert b"Traceback" not in ended.stderr
