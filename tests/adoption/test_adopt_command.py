from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from astro_emulator.organization import FINANCE_ID
from astro_provider.commands.adoption import files
from astro_provider.errors import InputError
from tests.support.cast import PRODUCTION, STAGING
from tests.support.shell import Ending, run, run_in_terminal

TEXTS = {"__main__.py": "a program\n", "import.json": "an import file\n"}


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
        f"  {out}/import.json  their state, for pulumi import",
        "",
        "Nothing in Astro was changed. Next:",
        f"  cd '{out}'",
        "  pulumi import --file import.json --yes --protect=false --generate-code=false",
        "  pulumi preview                 # shows no change",
        "",
        (
            "Import and program belong in one step, one pull request or one run: with the program alone, an update adopts "
            "each binding anew; with the import alone, the next update revokes them all."
        ),
        "",
        (
            "With previewChecks=strict, a role or token that does not exist is an error of the pull request. Recommended, "
            "unless this project makes tokens or roles itself:"
        ),
        "  pulumi config set astro:previewChecks strict",
    ] == ended.lines
    assert (out / "Pulumi.yaml").read_text() == "name: infra\n"
    assert ended.err.startswith("\nLeft out, 2:\n  token 'staging-deploys' (clw1s5z9d000k08l6g7a2j3fq) in deployment ")
    assert "\nAdopted, with remarks:\n  Token 'model-trainer' " in ended.err
    assert set(inside(out)) == {"Pulumi.yaml", "__main__.py", "import.json"}


def test_where_there_is_no_project_one_is_made_whose_stacks_are_strict(
    astro: Emulator, engine: PulumiCommand, tmp_path: Path
) -> None:
    ended = adopt(astro, tmp_path / "my infra")
    variables = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_HOME": str(tmp_path),
    }

    def pulumi(*arguments: str) -> str:
        return subprocess.run(
            [engine.command, *arguments, "--non-interactive"],
            cwd=tmp_path / "my infra",
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    pulumi("stack", "init", "dev")

    assert pulumi("config", "get", "astro:previewChecks") == "strict\n"
    assert f"  {tmp_path}/my infra/Pulumi.yaml  a new project, with astro:previewChecks strict" in ended.lines
    assert "  pulumi stack init" in ended.lines


def test_a_new_project_is_not_strict_if_that_would_refuse_what_is_adopted(astro: Emulator, tmp_path: Path) -> None:
    expired = astro.store.add_token("old", endAt="2024-03-30T13:37:00.000Z")
    astro.store.bind(expired, STAGING, "DEPLOYMENT_ADMIN")

    ended = adopt(astro, tmp_path / "infra")

    assert "previewChecks" not in (tmp_path / "infra" / "Pulumi.yaml").read_text()
    assert "Not set: it would turn the warnings below, about 1 of these bindings, into errors." in ended.out


def test_a_project_above_is_where_pulumi_is_called(astro: Emulator, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")

    ended = adopt(astro, tmp_path / "sub")

    assert f"  cd {tmp_path}" in ended.lines
    assert "  pulumi import --file sub/import.json --yes --protect=false --generate-code=false" in ended.lines
    assert (
        f"{tmp_path}/Pulumi.yaml is the project here, and its program does not run {tmp_path}/sub/__main__.py."
        in ended.out
    )
    assert set(inside(tmp_path / "sub")) == {"__main__.py", "import.json"}


def test_a_module_can_be_imported_by_the_projects_program(astro: Emulator, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: infra\nruntime: python\nmain: program\n")
    (tmp_path / "program").mkdir()

    ended = adopt(astro, tmp_path / "program" / "access", "--all-deployments", "--module", "tokens")
    found = subprocess.run(
        [sys.executable, "-c", "import importlib.util; print(importlib.util.find_spec('access.tokens').origin)"],
        cwd=tmp_path / "program",
        capture_output=True,
        text=True,
        check=True,
    )

    assert [f"Add this line to the program in {tmp_path}/program:", "  import access.tokens"] == ended.lines[4:6]
    assert f"{tmp_path}/program/access/tokens.py\n" == found.stdout
    assert (
        "  pulumi import --file program/access/import.json --yes --protect=false --generate-code=false" in ended.lines
    )
    assert set(inside(tmp_path / "program" / "access")) == {"tokens.py", "import.json"}


@pytest.mark.parametrize(
    ("directory", "module", "reason"),
    [
        ("access", "my-tokens", "'my-tokens' is no name that Python can import."),
        ("my-access", "tokens", "cannot import a module in"),
        ("../elsewhere", "tokens", "is in no Pulumi project whose program could import it."),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused_before_astro_is_asked(
    astro: Emulator, tmp_path: Path, directory: str, module: str, reason: str
) -> None:
    project = tmp_path / "infra"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")

    ended = adopt(astro, project / directory, "--all-deployments", "--module", module)

    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("Error: --module: ")
    assert reason in ended.err
    assert "Nothing was written" in ended.err
    assert astro.calls()["total"] == 0


def test_force_says_which_bindings_disappear(astro: Emulator, tmp_path: Path) -> None:
    adopt(astro, tmp_path)

    ended = adopt(astro, tmp_path, "--deployment-name", "etl-production", "--force")

    assert (
        "\nNo longer in the program, 1 (the next `pulumi up` revokes those that the stack has):\n"
        "  ml-training.model-trainer\n"
    ) in ended.err


def test_force_over_a_program_that_cannot_be_read_says_so(astro: Emulator, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("for x in y: DeploymentOrgTokenBinding(x)\n")

    ended = adopt(astro, tmp_path, "--all-deployments", "--force")

    assert f"The bindings that {tmp_path}/__main__.py declared before cannot be read from it" in ended.err


def test_a_dangling_link_is_never_written_through(astro: Emulator, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").symlink_to(tmp_path / "nowhere.py")

    ended = adopt(astro, tmp_path)

    expected = f"{tmp_path}/__main__.py is a link to a file that does not exist. Nothing was written: remove it."
    assert (1, f"Error: --out: {expected}\n") == (ended.status, ended.err)
    assert (tmp_path / "__main__.py").is_symlink()


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_lines_are_broken_between_words_and_commands_never(astro: Emulator, tmp_path: Path, columns: int) -> None:
    ended = run_in_terminal(astro, "adopt", "--all-deployments", "--out", str(tmp_path / "x"), columns=columns)

    lines = ended.screen_text.splitlines()
    text = " ".join(line.strip() for line in lines)
    assert "  pulumi import --file import.json --yes --protect=false --generate-code=false" in lines
    breakable = [line for line in lines if not line.startswith("  pulumi install") and str(tmp_path) not in line]
    assert all(len(line) <= columns for line in breakable)
    assert "the token is of scope WORKSPACE: only ORGANIZATION tokens can be bound." in text


@pytest.mark.parametrize("name", ["__main__.py", "import.json"])
def test_a_file_that_is_there_is_replaced_with_force_only(astro: Emulator, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")

    refused = adopt(astro, tmp_path)
    left = inside(tmp_path)
    forced = adopt(astro, tmp_path, "--all-deployments", "--force")

    assert refused.status == 1
    assert (
        f"Error: --out: {tmp_path} has {name} already. Nothing was written: choose another directory, or replace them "
        "with --force.\n"
    ) == refused.err
    assert {name: "mine"} == left
    assert forced.status == 0
    assert set(inside(tmp_path)) == {"Pulumi.yaml", "__main__.py", "import.json"}
    assert "mine" not in inside(tmp_path).values()


def test_a_directory_below_a_file_is_refused_before_astro_is_asked(astro: Emulator, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ended = adopt(astro, tmp_path / "file" / "infra")

    assert (1, f"Error: --out: {tmp_path}/file is no directory. Nothing was written.\n") == (ended.status, ended.err)
    assert astro.calls()["total"] == 0


def test_an_unknown_deployment_is_refused_with_the_nearest_names(astro: Emulator, tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra", "--deployment-id", "etl-productoin")

    assert ended.status == 1
    assert ended.err.startswith(
        "Error: --deployment-id: There is no deployment with the id etl-productoin in organization "
    )
    assert "nearest: 'etl-production'" in ended.err
    assert not (tmp_path / "infra").exists()


def test_a_deployment_of_another_workspace_is_refused(astro: Emulator, tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra", "--deployment-id", PRODUCTION, "--workspace-id", FINANCE_ID)

    assert ended.status == 1
    assert ended.err.startswith("Error: --workspace-id: Deployment 'etl-production'")
    assert not (tmp_path / "infra").exists()


def test_nothing_to_adopt_writes_nothing_and_says_why(astro: Emulator, tmp_path: Path) -> None:
    ended = adopt(astro, tmp_path / "infra", "--deployment-id", STAGING)

    assert (ended.status, ended.out) == (1, "")
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

    assert (ended.status, ended.out) == (1, "")
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
        files.write(tmp_path, TEXTS)

    assert there == inside(tmp_path)


@pytest.mark.parametrize("killed_before", ["__main__.py", "import.json"])
def test_after_a_kill_an_import_file_stands_only_beside_its_own_program(tmp_path: Path, killed_before: str) -> None:
    old = {"__main__.py": "old program", "import.json": "old import"}
    for name, text in old.items():
        (tmp_path / name).write_text(text)
    script = f"""
import os, pathlib, signal
from astro_provider.commands.adoption import files
replace = pathlib.Path.replace
def killing(self, target):
    if self.name == {killed_before!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
pathlib.Path.replace = killing
files.write(pathlib.Path({str(tmp_path)!r}), {TEXTS!r})
"""

    ended = subprocess.run([sys.executable, "-c", script], check=False)

    left = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert ended.returncode == -9
    assert "import.json" not in left
    assert left["__main__.py"] in ("old program", "a program\n")
