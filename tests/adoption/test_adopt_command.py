from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from astro_provider.adoption import files
from astro_provider.emulator import Emulator
from astro_provider.emulator.organization import FINANCE_ID
from astro_provider.errors import InputError
from tests.support.shell import Ending, run

ETL_PRODUCTION = "clm9x2k4t000408l6c3f7h8va"
ETL_STAGING = "clm9x5p7w000508l6e1j9d2rb"
TEXTS = {"program": "a program\n", "import_file": "an import file\n"}


def adopt(astro: Emulator, out: Path, *arguments: str) -> Ending:
    return run(astro, "adopt", *(arguments or ("--all-deployments",)), "--out", str(out))


def inside(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_it_says_what_it_wrote_what_it_left_out_and_what_to_type_next(astro: Emulator, tmp_path: Path) -> None:
    out = tmp_path / "my infra"
    (out / "Pulumi.yaml").parent.mkdir()
    (out / "Pulumi.yaml").write_text("name: infra\n")

    ended = adopt(astro, out)

    assert ended.status == 0
    assert [
        "Wrote 2 bindings: 2 organization tokens in 2 deployments.",
        f"  {out}/__main__.py  the program that declares them",
        f"  {out}/import.json  their state, for pulumi import (3.254 or later)",
        "",
        "Nothing in Astro was changed. Next:",
        f"  cd '{out}'",
        "  pulumi import --file import.json --yes --protect=false --generate-code=false",
        "  pulumi preview",
    ] == ended.lines
    assert ended.err.startswith("\nLeft out, 2:\n  token 'staging-deploys' (clw1s5z9d000k08l6g7a2j3fq) in deployment ")
    assert "\nAdopted, but worth knowing:\n  token 'model-trainer' " in ended.err
    assert set(inside(out)) == {"Pulumi.yaml", "__main__.py", "import.json"}


def test_a_directory_without_a_project_is_told_apart(astro: Emulator, tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra")

    assert f"{tmp_path}/infra has no Pulumi.yaml yet: it needs one, and a stack (pulumi stack init)." in ended.lines


@pytest.mark.parametrize("name", ["__main__.py", "import.json"])
def test_a_file_that_is_there_is_replaced_with_force_only(astro: Emulator, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")

    refused = adopt(astro, tmp_path)
    left = inside(tmp_path)
    forced = adopt(astro, tmp_path, "--all-deployments", "--force")

    assert refused.status == 1
    assert (
        f"Error: --out: {tmp_path} holds {name} already. Nothing was written: choose another directory, or replace what is "
        "there with --force.\n"
    ) == refused.err
    assert {name: "mine"} == left
    assert forced.status == 0
    assert set(inside(tmp_path)) == {"__main__.py", "import.json"}
    assert "mine" not in inside(tmp_path).values()


def test_a_directory_below_a_file_is_refused_before_astro_is_asked(astro: Emulator, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ended = adopt(astro, tmp_path / "file" / "infra")

    assert (1, f"Error: --out: {tmp_path}/file is no directory. Nothing was written.\n") == (ended.status, ended.err)
    assert astro.calls()["total"] == 0


def test_an_unknown_deployment_is_refused_with_the_nearest_names(astro: Emulator, tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra", "--deployment-id", "etl-productoin")

    assert ended.status == 1
    assert ended.err.startswith("Error: --deployment-id: no deployment with the id etl-productoin in organization ")
    assert "nearest: 'etl-production'" in ended.err
    assert not (tmp_path / "infra").exists()


def test_a_deployment_of_another_workspace_is_refused(astro: Emulator, tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra", "--deployment-id", ETL_PRODUCTION, "--workspace-id", FINANCE_ID)

    assert ended.status == 1
    assert ended.err.startswith("Error: --workspace-id: deployment 'etl-production'")
    assert not (tmp_path / "infra").exists()


def test_nothing_to_adopt_writes_nothing_and_says_why(astro: Emulator, tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra", "--deployment-id", ETL_STAGING)

    assert (1, "") == (ended.status, ended.out)
    assert ended.err.startswith("\nLeft out, 1:\n  token 'staging-deploys'")
    assert ended.err.endswith("Nothing was written: there is no assignment that could be adopted.\n")
    assert not (tmp_path / "infra").exists()


@pytest.mark.parametrize("arguments", [["--all-deployments"], ["--out", "infra"]])
def test_usage_is_an_error_of_status_two(astro: Emulator, arguments: list[str]) -> None:
    ended = run(astro, "adopt", *arguments)

    assert ended.status == 2
    assert ended.err.startswith("Usage: astro-provider adopt")


@pytest.mark.parametrize("fault", [{"status": 403}, {"kind": "no_roles", "operation": "GetApiToken"}])
def test_a_refusal_of_the_service_leaves_nothing_behind(
    astro: Emulator, tmp_path: Path, fault: dict[str, object]
) -> None:
    astro.fault(**fault)

    ended = adopt(astro, tmp_path / "infra")

    assert (1, "") == (ended.status, ended.out)
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "infra").exists()


@pytest.mark.parametrize("there", [{}, {"__main__.py": "old program", "import.json": "old import"}])
@pytest.mark.parametrize("failing", ["__main__.py", "import.json"])
def test_an_error_between_the_files_leaves_both_places_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, there: dict[str, str]
) -> None:
    for name, text in there.items():
        (tmp_path / name).write_text(text)
    replace = Path.replace

    def failing_replace(self: Path, target: Path) -> Path:
        if self.name == failing:
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing_replace)

    with pytest.raises(InputError, match=f"{failing} cannot be written .No space left on device.. Nothing was written"):
        files.write(tmp_path, **TEXTS)

    assert there == inside(tmp_path)


@pytest.mark.parametrize("killed_before", ["__main__.py", "import.json"])
def test_after_a_kill_an_import_file_stands_only_beside_its_own_program(tmp_path: Path, killed_before: str) -> None:
    old = {"__main__.py": "old program", "import.json": "old import"}
    for name, text in old.items():
        (tmp_path / name).write_text(text)
    script = f"""
import os, pathlib, signal
from astro_provider.adoption import files
replace = pathlib.Path.replace
def killing(self, target):
    if self.name == {killed_before!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
pathlib.Path.replace = killing
files.write(pathlib.Path({str(tmp_path)!r}), **{TEXTS!r})
"""

    ended = subprocess.run([sys.executable, "-c", script], check=False)

    left = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert ended.returncode == -9
    assert "import.json" not in left
    assert left["__main__.py"] in ("old program", "a program\n")
