"""Each tick and each cross of `astro-provider doctor`, and that it neither writes nor shows the credential."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_emulator.organization import ORGANIZATION_ID, OWNER_TOKEN_ID, entry
from astro_provider.astro.api import retry
from astro_provider.commands.diagnosis import Check, Status, diagnose, service
from astro_provider.commands.diagnosis.installation import CHECKS
from astro_provider.commands.diagnosis.network import check_network
from astro_provider.commands.diagnosis.service import check_service
from astro_provider.commands.diagnosis.stack import Configuration
from astro_provider.version import __version__
from tests.support.shell import environment, run, run_in_terminal, run_process

MINUTE = 60.0  # a busy machine takes seconds
NAMES = [
    "credential",
    "expiry",
    "organization",
    "service",
    "read tokens",
    "write tokens",
    "stack config",
    "proxy",
    "certificates",
    "trace",
    "pulumi",
    "language host",
    "package",
    "native plugin",
    "lock directory",
]
OWNER = f"'platform-owner' ({OWNER_TOKEN_ID})"
AIRLINES = f"'Example Airlines' ({ORGANIZATION_ID})"
NOTHING = {"ASTRO_API_TOKEN": "", "PATH": "/nowhere", "PULUMI_PYTHON_CMD": ""}  # no credential, and nothing to run
ROOT = Path(__file__).parents[2]
LATER_SDK = ROOT / "tests" / "support" / "later_sdk"
OK, WARNING, UNKNOWN, FAILED = Status.OK, Status.WARNING, Status.UNKNOWN, Status.FAILED


def seen(astro: Emulator, **changes: str) -> dict[str, Check]:
    """What is said of the service with these variables beside host and credential; a blank takes one out."""
    return {check.name: check for check in check_service(environment(astro, changes))}


def said(check: Check) -> tuple[Status, str]:
    return check.status, check.found


def script(directory: Path, name: str, body: str) -> Path:
    directory.mkdir(exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file


def installed(path: Path, directory: Path, **changes: str) -> dict[str, Check]:
    """What is said of this machine where PATH is one directory."""
    found = [Check(name, *check({"PATH": str(path), **changes}, directory)) for name, check in CHECKS.items()]
    return {check.name: check for check in found}


@pytest.fixture
def machine(tmp_path: Path, engine: PulumiCommand, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables of a machine on which everything is there.

    The language host is a stand-in that is never started, and the interpreter one that answers without loading anything.
    """
    monkeypatch.chdir(tmp_path)  # no project
    host = script(tmp_path / "host", "pulumi-language-python", "exit 1")
    path = ":".join(map(str, (Path(engine.command).parent, host.parent, "/usr/bin", "/bin")))
    python = script(tmp_path / "host", "python", f"echo {__version__}")
    return {"PATH": path, "PULUMI_PYTHON_CMD": str(python), "ASTRO_LOCK_DIR": str(tmp_path / "locks")}


def test_a_machine_on_which_everything_is_there_gets_ticks(
    astro: Emulator, engine: PulumiCommand, machine: dict[str, str], tmp_path: Path
) -> None:
    ended = run(astro, "doctor", **{**machine, "PULUMI_PYTHON_CMD": sys.executable})

    assert (ended.status, ended.err) == (0, "")
    assert [
        f"✓ credential      ASTRO_API_TOKEN is set, the secret of token {OWNER}.",
        "✓ expiry          The credential does not expire.",
        f"✓ organization    {AIRLINES}, from the credential's claims.",
        ended.lines[3],
        "✓ read tokens     Astro shows 9 tokens, with their roles.",
        "✓ write tokens    The credential's role is ORGANIZATION_OWNER, which has organization.apiTokens.access; not tried.",
        "? stack config    Not looked at, because there is no Pulumi.yaml here or above.",
        f"✓ proxy           Calls to {astro.url} go through no proxy.",
        f"✓ certificates    No certificates are needed: {astro.url} is this machine, in clear.",
        "✓ trace           ASTRO_TRACE is not set; ASTRO_TRACE=<file> records each call to Astro.",
        f"✓ pulumi          {engine.version} ({engine.command}).",
        f"✓ language host   {tmp_path}/host/pulumi-language-python.",
        f"✓ package         {sys.executable} (PULUMI_PYTHON_CMD) loads astro_provider {__version__}.",
        "✓ native plugin   There is no pulumi-resource-astro here; only programs with the native provider need it.",
        f"✓ lock directory  A lock was taken in {tmp_path}/locks and released.",
    ] == ended.lines
    answered = re.fullmatch(rf"✓ service         {re.escape(astro.url)} answered in (\d+\.\d\d) s\.", ended.lines[3])
    assert answered
    assert float(answered[1]) < MINUTE
    assert astro.calls()["by_verb"].keys() == {"GET"}
    assert astro.credential not in ended.out


def test_programs_get_the_same_as_json(astro: Emulator, machine: dict[str, str]) -> None:
    well = run(astro, "doctor", "--output", "json", **machine)
    ill = run(astro, "doctor", "--output", "json", **{**machine, **NOTHING})

    answer: dict[str, Any] = json.loads(well.out)
    assert (well.status, answer["ok"]) == (0, True)
    assert [check["name"] for check in answer["checks"]] == NAMES
    assert answer["checks"][1] == {
        "name": "expiry",
        "status": "ok",
        "found": "The credential does not expire.",
        "advice": "",
    }
    assert (ill.status, json.loads(ill.out)["ok"]) == (1, False)
    assert [check["name"] for check in json.loads(ill.out)["checks"]] == NAMES


def test_a_narrow_terminal_breaks_sentences_beside_their_marks(astro: Emulator, machine: dict[str, str]) -> None:
    changes: dict[str, Any] = {**machine, **NOTHING, "NO_COLOR": "1"}

    ended = run_in_terminal(astro, "doctor", columns=60, **changes)

    assert ended.status == 1
    assert ended.screen_text.split("\n")[:6] == [
        "✗ credential      ASTRO_API_TOKEN is not set.",
        "                  Export it: an API token of the",
        "                  organization. astro:token in a stack's",
        "                  configuration serves Pulumi only, and was",
        "                  not looked at.",
        "? expiry          Not looked at, because there is no",
    ]
    assert "\x1b[3" not in ended.screen


def test_a_terminal_without_ticks_gets_letters(astro: Emulator, machine: dict[str, str]) -> None:
    ended = run_process(astro, "doctor", **{**machine, **NOTHING}, PYTHONIOENCODING="ascii")

    assert ended.status == 1
    assert {line[:2] for line in ended.lines} == {"+ ", "x ", "? ", "  "}


def test_no_credential(astro: Emulator) -> None:
    found = seen(astro, ASTRO_API_TOKEN="")

    assert said(found["credential"]) == (FAILED, "ASTRO_API_TOKEN is not set.")
    assert found["service"].status is OK
    assert {found[n].found for n in ("expiry", "organization", "read tokens", "write tokens")} == {
        "Not looked at, because there is no credential."
    }


def test_an_expired_credential(astro: Emulator) -> None:
    found = seen(astro, ASTRO_API_TOKEN=astro.store.add_credential(expired=True))

    assert said(found["credential"]) == (FAILED, "ASTRO_API_TOKEN is set, and Astro refuses it.")
    assert said(found["expiry"]) == (FAILED, "The credential expired on 2025-02-01.")
    assert found["service"].status is OK
    assert said(found["read tokens"]) == (UNKNOWN, "Not looked at, because the credential is refused.")


def test_a_credential_that_is_no_jwt_and_that_nobody_knows(astro: Emulator) -> None:
    found = seen(astro, ASTRO_API_TOKEN="copied-by-halves")
    in_its_organization = seen(astro, ASTRO_API_TOKEN="copied-by-halves", ASTRO_ORGANIZATION_ID=ORGANIZATION_ID)

    assert said(found["credential"]) == (
        UNKNOWN,
        "ASTRO_API_TOKEN is set, and Astro refuses it for the list of organizations, which it documents for personal tokens.",
    )
    assert found["credential"].advice == (
        "Export ASTRO_ORGANIZATION_ID: then another call shows whether Astro takes the credential."
    )
    assert said(found["organization"]) == (
        FAILED,
        "Neither ASTRO_ORGANIZATION_ID nor the credential names it, and the credential may not list organizations.",
    )
    assert said(in_its_organization["credential"]) == (FAILED, "ASTRO_API_TOKEN is set, and Astro refuses it.")
    assert said(found["expiry"]) == (UNKNOWN, "The credential's claims do not contain its expiry.")
    assert "copied-by-halves" not in str(found)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_list_of_organizations_alone_does_not_condemn_a_credential(astro: Emulator, status: int) -> None:
    astro.fault(status=status, operation="ListOrganizations")

    found = seen(astro)

    assert found["credential"].status is OK
    assert said(found["read tokens"]) == (OK, "Astro shows 9 tokens, with their roles.")
    assert found["write tokens"].status is OK


def test_a_credential_that_previews_and_cannot_write_is_said_not_to_exist(astro: Emulator) -> None:
    astro.fault(status=403, operation="ListApiTokens")

    found = seen(astro)["read tokens"]

    assert found.status is FAILED
    assert found.advice == (
        "Astro's published API has this one permission for reading and for writing tokens, so a credential that previews "
        "and cannot write does not exist."
    )


def test_the_zero_time_is_no_end(astro: Emulator) -> None:
    with astro.store.locked() as state:
        state.tokens[OWNER_TOKEN_ID]["endAt"] = "0001-01-01T00:00:00Z"

    assert said(seen(astro)["expiry"]) == (OK, "The credential does not expire.")


@pytest.mark.parametrize("zone", ["+00:00", ""])
@pytest.mark.parametrize(("days", "status"), [(3, WARNING), (90, OK)])
def test_a_token_that_expires_soon_is_a_warning(astro: Emulator, days: int, status: Status, zone: str) -> None:
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    with astro.store.locked() as state:
        state.tokens[OWNER_TOKEN_ID]["endAt"] = end.isoformat().removesuffix("+00:00") + zone

    found = seen(astro)["expiry"]

    assert said(found) == (status, f"The credential expires on {end:%Y-%m-%d}, in {days} days.")


def test_a_credential_that_may_not_read(astro: Emulator) -> None:
    found = seen(astro, ASTRO_API_TOKEN=astro.store.add_credential(can_read=False))

    assert found["service"].status is OK
    assert found["read tokens"].status is FAILED
    assert "HTTP 403 Forbidden" in found["read tokens"].found
    assert "organization.apiTokens.access (the role Organization Owner has it)" in found["read tokens"].found


def test_a_credential_that_sees_tokens_without_their_roles(astro: Emulator) -> None:
    astro.fault(kind="no_roles")

    found = seen(astro)

    assert said(found["read tokens"]) == (
        FAILED,
        "Astro shows the 9 tokens of the organization without their roles.",
    )
    assert said(found["write tokens"]) == (
        UNKNOWN,
        "Cannot be seen without a write: Astro does not show the role of the credential's own token.",
    )


def test_a_right_to_write_that_cannot_be_seen_is_said_to_be_unknown(astro: Emulator) -> None:
    elsewhere = seen(astro, ASTRO_API_TOKEN=astro.store.add_credential())["write tokens"]
    roles = [entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER")]
    astro.fault(kind="changed", operation="GetApiToken", only=OWNER_TOKEN_ID, change={"roles": roles})
    member = seen(astro)["write tokens"]

    assert said(elsewhere) == (
        UNKNOWN,
        "Cannot be seen without a write: the credential's own token is not known.",
    )
    assert member.status is UNKNOWN
    assert member.found == (
        "Cannot be seen without a write: the credential's role is ORGANIZATION_MEMBER, and only ORGANIZATION_OWNER is "
        "documented to have organization.apiTokens.access."
    )
    assert member.advice == (
        "Make sure that the credential has the permission organization.apiTokens.access; the first write will show. Astro's "
        "published API has this one permission for reading and for writing tokens, so a credential that previews and cannot "
        "write does not exist."
    )
    assert astro.calls()["by_verb"].keys() == {"GET"}


def test_where_the_organization_comes_from(astro: Emulator) -> None:
    unclaimed = astro.store.add_credential(claims=False)

    assert seen(astro)["organization"].found == f"{AIRLINES}, from the credential's claims."
    assert seen(astro, ASTRO_ORGANIZATION_ID=ORGANIZATION_ID)["organization"].found == (
        f"{AIRLINES}, from ASTRO_ORGANIZATION_ID."
    )
    assert seen(astro, ASTRO_API_TOKEN=unclaimed)["organization"].found == (
        f"{AIRLINES}, from the only one that the credential sees."
    )
    assert said(seen(astro, ASTRO_ORGANIZATION_ID="clother")["organization"]) == (
        WARNING,
        f"clother, from ASTRO_ORGANIZATION_ID, but the credential is for {ORGANIZATION_ID}.",
    )


def test_an_organization_that_nothing_tells(astro: Emulator) -> None:
    astro.fault(operation="ListOrganizations", status=200, body={"organizations": [], "totalCount": 0})

    found = seen(astro, ASTRO_API_TOKEN=astro.store.add_credential(claims=False))

    assert said(found["organization"]) == (
        FAILED,
        "Neither ASTRO_ORGANIZATION_ID nor the credential names it, and the credential sees none.",
    )
    assert said(found["read tokens"]) == (UNKNOWN, "Not looked at, because the organization is not known.")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BOUND_SECONDS", 0.2)
    monkeypatch.setattr(retry, "JITTER_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_service_that_does_not_answer(astro: Emulator) -> None:
    found = seen(astro, ASTRO_API_HOST="http://127.0.0.1:1")

    assert found["service"].status is FAILED
    assert "no answer from 127.0.0.1" in found["service"].found
    assert found["service"].advice == "Check the network, its proxy, and ASTRO_API_HOST."
    assert said(found["read tokens"]) == (UNKNOWN, "Not looked at, because the service cannot be reached.")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fault", "words"), [({"status": 503}, "HTTP 503"), ({"kind": "html"}, "the answer is no JSON")]
)
def test_a_service_that_is_out_of_order_or_not_astro(astro: Emulator, fault: dict[str, Any], words: str) -> None:
    astro.fault(**fault)

    found = seen(astro)["service"]

    assert found.status is FAILED
    assert words in found.found


def test_a_malformed_setting(astro: Emulator) -> None:
    found = seen(astro, ASTRO_API_HOST="http://example.com")

    assert list(found) == ["settings", *NAMES[:6]]
    assert found["settings"].status is FAILED
    assert "would send the credential in clear" in found["settings"].found
    assert found["service"].status is UNKNOWN


def test_a_misspelled_variable_is_a_cross_with_the_nearest_name(astro: Emulator, machine: dict[str, str]) -> None:
    ended = run(astro, "doctor", **machine, ASTRO_PREVIEW_CHEKS="strict", ASTRO_HOME="/home/ada")

    assert ended.status == 1
    assert ended.lines[0] == (
        "✗ environment     ASTRO_PREVIEW_CHEKS is no setting of this provider (nearest: 'ASTRO_PREVIEW_CHECKS'), so it has "
        "no effect. Correct the variable, or remove it."
    )
    assert [line for line in ended.lines if line.startswith("✗")] == ended.lines[:1]


def test_no_pulumi(tmp_path: Path) -> None:
    python = script(tmp_path / "own", "python", f"echo {__version__}")

    found = installed(tmp_path, tmp_path, PULUMI_PYTHON_CMD=str(python))

    assert said(found["pulumi"]) == (FAILED, "There is no pulumi on PATH.")
    assert found["language host"].status is UNKNOWN
    assert found["package"].status is OK


@pytest.mark.parametrize(("version", "status"), [("v3.259.9", FAILED), ("v3.260.0-dev", OK), ("3.1000.0", OK)])
def test_an_old_pulumi(tmp_path: Path, version: str, status: Status) -> None:
    command = script(tmp_path, "pulumi", f"echo {version}")

    found = installed(tmp_path, tmp_path)

    number = version.removeprefix("v").removesuffix("-dev")
    assert said(found["pulumi"]) == (status, f"{number} ({command}){' is too old' if status is FAILED else ''}.")
    assert found["pulumi"].advice.startswith("Install 3.260.0 or later" if status is FAILED else "")
    assert said(found["language host"])[0] is WARNING


def test_a_pulumi_that_does_not_run(tmp_path: Path) -> None:
    command = script(tmp_path, "pulumi", "echo broken >&2; exit 3")

    found = installed(tmp_path, tmp_path)

    assert said(found["pulumi"]) == (FAILED, f"{command} does not print its version: broken")


def test_an_interpreter_without_the_package(tmp_path: Path) -> None:
    python = script(tmp_path, "python3", "echo \"ModuleNotFoundError: No module named 'astro_provider'\" >&2; exit 1")

    found = installed(tmp_path, tmp_path)["package"]

    assert said(found) == (
        FAILED,
        f"{python} (on PATH) cannot load astro_provider: ModuleNotFoundError: No module named 'astro_provider'",
    )
    assert found.advice == (
        f"Install version {__version__} of this package with that interpreter's pip. If your project has a virtual "
        "environment, activate it, or call doctor beside its Pulumi.yaml."
    )


def test_an_interpreter_with_another_version_of_the_package(tmp_path: Path) -> None:
    python = script(tmp_path, "python3", "echo 0.0.1")

    found = installed(tmp_path, tmp_path)["package"]

    assert said(found) == (FAILED, f"{python} (on PATH) loads astro_provider 0.0.1, and this is {__version__}.")


def test_an_sdk_that_hides_the_engine_s_call_is_a_warning_that_says_what_follows(tmp_path: Path) -> None:
    later_sdk = f"{LATER_SDK}{os.pathsep}{ROOT}"

    found = installed(
        tmp_path,
        tmp_path,
        PULUMI_PYTHON_CMD=sys.executable,
        PYTHONPATH=later_sdk,
        LATER_SDK_HIDES="request context executor_reference",
    )["package"]

    assert found.advice == "All else works. Report the version of the SDK, or use an older one."
    assert said(found) == (
        WARNING,
        (
            f"{sys.executable} (PULUMI_PYTHON_CMD) loads astro_provider {__version__}. Its Pulumi SDK hides the engine's call "
            "from dynamic resources: notices are printed for the whole stack; errors come with a traceback, whose last line is "
            "the message; four operations run at once."
        ),
    )


def test_no_interpreter(tmp_path: Path) -> None:
    assert said(installed(tmp_path, tmp_path)["package"]) == (
        FAILED,
        "There is no python3 (on PATH), which Pulumi would start.",
    )


@pytest.mark.parametrize(
    ("runtime", "environment"),
    [
        ("{name: python, options: {virtualenv: own}}", "own"),
        ("{name: python, options: {toolchain: uv}}", ".venv"),
        ("{name: python, options: {toolchain: pip, virtualenv: own}}", "own"),
    ],
)
def test_the_virtual_environment_of_the_project_comes_before_the_variable(
    tmp_path: Path, runtime: str, environment: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: infra\nruntime: {runtime}\n")
    (tmp_path / "below").mkdir()
    missing = installed(tmp_path, tmp_path / "below", PULUMI_PYTHON_CMD=sys.executable)["package"]
    (tmp_path / environment / "bin").mkdir(parents=True)
    python = script(tmp_path / environment / "bin", "python", f"echo {__version__}")
    there = installed(tmp_path, tmp_path / "below", PULUMI_PYTHON_CMD=sys.executable)["package"]

    project = tmp_path / "Pulumi.yaml"
    assert said(missing) == (FAILED, f"{project} names the virtual environment {environment}, and there is none.")
    assert said(there) == (OK, f"{python} (virtualenv of Pulumi.yaml) loads astro_provider {__version__}.")


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("runtime: nodejs", OK, "is a project of the runtime nodejs, whose programs use the native provider."),
        ("runtime: {name: python, options: {toolchain: poetry}}", UNKNOWN, "leaves the interpreter to poetry."),
        ("runtime: [", FAILED, "cannot be read, so its interpreter is not known."),
        ("runtime: python", FAILED, "There is no python3 (on PATH), which Pulumi would start."),
    ],
)
def test_projects_that_name_no_virtual_environment(tmp_path: Path, text: str, status: Status, words: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text)

    found = installed(tmp_path, tmp_path)["package"]

    assert found.status is status
    assert words in found.found


PLUGIN = "plugins: {{providers: [{{name: random, path: elsewhere}}, {{name: astro, path: {path}}}]}}\n"


@pytest.mark.parametrize("path", ["own/bin", "./own/bin", "own/../own/bin/"])
def test_the_native_provider_is_the_one_that_the_project_names(tmp_path: Path, path: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: infra\nruntime: yaml\n{PLUGIN.format(path=path)}")
    (tmp_path / "own").mkdir()
    missing = installed(tmp_path, tmp_path)["native plugin"]
    command = script(tmp_path / "own" / "bin", "pulumi-resource-astro", f"echo {__version__}")
    script(tmp_path, "pulumi-resource-astro", "echo 0.0.1")
    (tmp_path / "below").mkdir()
    there = installed(tmp_path, tmp_path / "below")["native plugin"]

    assert said(missing) == (
        FAILED,
        f"{tmp_path}/Pulumi.yaml says that it is in {path}, and there is no pulumi-resource-astro.",
    )
    assert there.status is OK
    assert Path(there.found.split(" ")[0]).resolve() == command
    assert there.found.endswith(f"(plugins.providers of Pulumi.yaml) is of version {__version__}.")


def test_a_file_is_no_folder_of_the_native_provider(tmp_path: Path) -> None:
    command = script(tmp_path / "bin", "pulumi-resource-astro", f"echo {__version__}")
    (tmp_path / "Pulumi.yaml").write_text(f"name: infra\nruntime: yaml\n{PLUGIN.format(path=command)}")

    assert installed(tmp_path, tmp_path)["native plugin"].status is FAILED


def test_without_a_word_in_the_project_the_native_provider_is_the_one_on_path(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")
    command = script(tmp_path, "pulumi-resource-astro", "echo 0.0.1")

    found = installed(tmp_path, tmp_path)["native plugin"]

    assert said(found) == (FAILED, f"{command} (on PATH) is of version 0.0.1, and this is {__version__}.")
    assert found.advice == f"Install version {__version__} of this package there."


@pytest.mark.parametrize(("runtime", "status"), [("python", OK), ("yaml", FAILED)])
def test_only_programs_of_the_native_door_need_it(tmp_path: Path, runtime: str, status: Status) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: infra\nruntime: {runtime}\n")

    assert installed(tmp_path, tmp_path)["native plugin"].status is status


PLUGIN_FOLDER = "plugin/PulumiPlugin.yaml"


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("plugin", OK, "Pulumi runs it from the folder plugin (packages of Pulumi.yaml)."),
        ("./plugin", OK, "Pulumi runs it from the folder ./plugin (packages of Pulumi.yaml)."),
        (
            "../elsewhere",
            FAILED,
            "packages of Pulumi.yaml names the folder ../elsewhere, and there is no PulumiPlugin.yaml.",
        ),
        (
            "git.example.com/infra/astro.git/plugin@0c4f",
            OK,
            "Pulumi installs version 0c4f from git.example.com/infra/astro.git/plugin (packages of Pulumi.yaml).",
        ),
        (
            "{source: git.example.com/infra/astro.git/plugin, version: 0.1.0}",
            OK,
            "Pulumi installs version 0.1.0 from git.example.com/infra/astro.git/plugin (packages of Pulumi.yaml).",
        ),
        (
            "git.example.com/infra/astro.git/plugin",
            WARNING,
            (
                "packages of Pulumi.yaml names git.example.com/infra/astro.git/plugin without a commit or a version, so each "
                "machine may install another one."
            ),
        ),
        (
            "astro@0.1.0",
            WARNING,
            "packages of Pulumi.yaml names astro@0.1.0: Pulumi would download what is published under that name, which anyone may register.",
        ),
    ],
)
def test_the_native_provider_is_the_one_that_packages_names(
    tmp_path: Path, source: str, status: Status, words: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: infra\nruntime: nodejs\npackages:\n  astro: {source}\n")
    (tmp_path / "plugin").mkdir()
    (tmp_path / PLUGIN_FOLDER).write_text("runtime: python\n")

    found = installed(tmp_path, tmp_path)["native plugin"]

    assert said(found) == (status, words)
    assert (found.advice != "") == (status is not OK)


def test_a_virtual_environment_that_was_moved_is_reported_with_its_interpreter(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: yaml\n")
    command = script(tmp_path, "pulumi-resource-astro", "")
    command.write_text("#!/nowhere/.venv/bin/python3.11\nimport astro_provider\n")

    found = installed(tmp_path, tmp_path)["native plugin"]

    assert said(found) == (
        FAILED,
        (
            f"{command} (on PATH) starts /nowhere/.venv/bin/python3.11, which is not there: its virtual environment was "
            "moved or its Python removed."
        ),
    )
    assert found.advice == (
        f"Create that virtual environment again. Install version {__version__} of this package there."
    )


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_executable_of_this_package_prints_its_usage_and_ends(flag: str) -> None:
    command = Path(sys.executable).with_name("pulumi-resource-astro")

    answer = subprocess.run([command, flag], capture_output=True, text=True, check=True, timeout=60)

    assert answer.stdout.startswith("Usage: pulumi-resource-astro [--help | --version]")
    assert answer.stderr == ""


def test_the_executable_of_this_package_tells_its_version() -> None:
    command = Path(sys.executable).with_name("pulumi-resource-astro")

    answer = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)

    assert answer.stdout == f"{__version__}\n"


def test_the_language_host_is_that_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: yaml\n")
    script(tmp_path, "pulumi", "echo 3.274.1")
    host = script(tmp_path, "pulumi-language-yaml", "")

    assert said(installed(tmp_path, tmp_path)["language host"]) == (OK, f"{host}.")


def test_a_directory_of_locks_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    variables = {"PATH": str(tmp_path), "ASTRO_LOCK_DIR": str(tmp_path / "file" / "locks"), "ASTRO_API_TOKEN": "a b"}

    found = diagnose(variables, tmp_path)[-1]

    assert found.name == "lock directory"
    assert found.status is FAILED
    assert found.found.startswith(f"The locks' directory {tmp_path}/file/locks cannot be written (Not a directory)")


# The way to Astro


def way(**environ: str) -> dict[str, Check]:
    variables = {"ASTRO_API_HOST": "https://api.example.com", **environ}
    return {check.name: check for check in check_network(variables, Configuration())}


def test_the_proxy_is_told_without_its_password() -> None:
    assert said(way(HTTPS_PROXY="http://ada:hush@proxy:3128")["proxy"]) == (
        OK,
        "Calls to https://api.example.com go through the proxy http://proxy:3128 (HTTPS_PROXY).",
    )
    assert said(way(HTTPS_PROXY="http://proxy:3128", NO_PROXY="example.com")["proxy"]) == (
        OK,
        "Calls to https://api.example.com go through no proxy.",
    )


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy"])
@pytest.mark.parametrize("exceptions", [{}, {"no_proxy": "localhost"}, {"NO_PROXY": "127.0.0.1,localhost"}], ids=str)
def test_a_proxy_that_cuts_programs_off_from_their_engine_is_warned_of(
    variable: str, exceptions: dict[str, str]
) -> None:
    check = way(**{variable: "http://proxy:3128"}, **exceptions)["proxy"]

    assert check.status is WARNING
    assert check.found.endswith(
        f"{variable} in lower case cuts every Pulumi program in Python off from its engine on this machine."
    )
    assert check.advice == (
        f"Export no_proxy=127.0.0.1,localhost (in lower case), or set {variable.upper()} instead of {variable}."
    )


def test_a_proxy_that_leaves_this_machine_out_is_no_warning() -> None:
    assert way(https_proxy="http://proxy:3128", no_proxy="127.0.0.1,localhost")["proxy"].status is OK
    assert way(HTTPS_PROXY="http://proxy:3128")["proxy"].status is OK


def test_the_certificates_are_told(tmp_path: Path) -> None:
    assert said(way()["certificates"]) == (OK, "The certificates of this machine and of certifi are trusted.")
    assert said(way(SSL_CERT_FILE=certifi.where())["certificates"]) == (
        OK,
        f"The certificates in {certifi.where()} are trusted (SSL_CERT_FILE).",
    )
    unread = way(REQUESTS_CA_BUNDLE="/etc/company.pem")["certificates"]
    assert unread.status is WARNING
    assert unread.found.endswith("REQUESTS_CA_BUNDLE is set, but this package does not read it.")
    assert unread.advice == (
        "If https://api.example.com is not trusted, set SSL_CERT_FILE to the file in REQUESTS_CA_BUNDLE."
    )
    missing = way(SSL_CERT_FILE=str(tmp_path / "no.pem"))["certificates"]
    assert missing.status is FAILED
    assert "in SSL_CERT_FILE cannot be used (No such file or directory)" in missing.found


def test_a_way_that_cannot_be_used_is_a_finding_and_no_traceback(astro: Emulator) -> None:
    ended = run(astro, "doctor", ASTRO_API_HOST="https://api.example.com", HTTPS_PROXY="socks4://proxy:1")

    assert (ended.status, ended.err) == (1, "")
    assert "service         https://api.example.com: The proxy in HTTPS_PROXY cannot be used: write http" in ended.out


def test_the_trace_is_told(tmp_path: Path) -> None:
    assert said(way(ASTRO_TRACE=str(tmp_path / "t"))["trace"]) == (
        OK,
        f"Each call to Astro is recorded in {tmp_path / 't'} (ASTRO_TRACE).",
    )


def test_a_read_slower_than_half_the_settle_time_is_a_warning_with_the_number_to_set(astro: Emulator) -> None:
    astro.fault(kind="delay", operation="GetApiToken", delay_ms=300, times=None)

    slow = seen(astro, ASTRO_SETTLE_SECONDS="0.2")["service"]
    off = seen(astro, ASTRO_SETTLE_SECONDS="0")["service"]

    assert slow.status is WARNING
    assert re.fullmatch(
        r"Reading one token took \d+\.\d\d s\. No list is written that was read longer than half of settleSeconds \(0\.2\) "
        r"ago, so every write would fail\.",
        slow.found,
    )
    assert re.fullmatch(
        r"Set astro:settleSeconds \(or ASTRO_SETTLE_SECONDS\) to \d+ or more, wherever tokens of this organization are "
        r"written\.",
        slow.advice,
    )
    assert off.status is OK
