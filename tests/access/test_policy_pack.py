"""The rules as a policy pack on the real engine: in a preview, in an update, and on an export alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.cast import DIRECT, PRODUCTION, STAGING, TRAINING
from tests.support.digests import Digest, ran
from tests.support.made import Made
from tests.support.policy_packs import policy_pack
from tests.support.previews import ACCESSOR, ADMIN, BINDINGS, OLD_DEPLOYER, exported
from tests.support.programs import bindings
from tests.support.stack import Stack

RULES = """
production = ["*-production"]
[roles]
"*-production" = ["DEPLOYMENT_ACCESSOR"]
[admin]
tokens = ["ci-*"]
most = 1
[binding]
protect = "production"
no_overwrite = "everywhere"
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The executable of docs/rules.md, beside its rules."""
    return policy_pack(tmp_path, RULES)


def broken(ran_: Digest) -> list[str]:
    """`[level] rule resource` of each violation that the engine shows."""
    lines = [line.strip() for line in ran_.text.splitlines()]
    found = [line.removeprefix("- ") for line in lines if line.startswith(("- [mandatory]", "- [advisory]"))]
    return sorted(f"{line.split()[0]} {line.split()[1]} {line.rpartition(' ')[2].removesuffix(')')}" for line in found)


def test_a_preview_stops_where_rules_are_broken_and_says_each(stack: Stack, pack: Path) -> None:
    def program() -> None:
        DeploymentOrgTokenBinding("etl", **BINDINGS["etl"])
        DeploymentOrgTokenBinding("training", **BINDINGS["training"])
        DeploymentOrgTokenBinding(
            "second", deployment_id=TRAINING, org_token_id=OLD_DEPLOYER, role=ADMIN, overwrite=True
        )

    stack.program = program
    preview = ran(stack, "preview", "--policy-pack", str(pack))

    assert preview.status == 1
    assert broken(preview) == [
        "[mandatory] admin-not-allowed training",
        "[mandatory] not-protected etl",
        "[mandatory] overwrites second",
        "[mandatory] role-not-allowed etl",
        "[mandatory] too-many-admins bindings-test",
    ]
    assert (
        f"Token 'ci-deployer' ({OLD_DEPLOYER}) in deployment 'etl-production' ({PRODUCTION}): the role DEPLOYMENT_ADMIN may "
        "not be given there."
    ) in preview.text


def test_production_may_be_chosen_by_the_name_of_a_workspace(stack: Stack, tmp_path: Path) -> None:
    pack = policy_pack(tmp_path, 'production = ["Finance"]\n[binding]\nprotect = "production"\n')
    stack.program = bindings(close=BINDINGS["close"], etl=BINDINGS["etl"])

    preview = ran(stack, "preview", "--policy-pack", str(pack))

    assert (preview.status, broken(preview)) == (1, ["[mandatory] not-protected close"])


def test_rules_that_are_kept_stop_nothing(stack: Stack, pack: Path) -> None:
    stack.program = bindings(
        etl={**BINDINGS["etl"], "role": ACCESSOR, "opts": pulumi.ResourceOptions(protect=True)},
        staging=BINDINGS["staging"],
    )

    preview = ran(stack, "preview", "--policy-pack", str(pack))

    assert (preview.status, broken(preview)) == (0, [])
    assert "✅ astro-access" in preview.text


def test_what_a_preview_does_not_know_is_decided_at_the_update(stack: Stack, pack: Path, astro: Emulator) -> None:
    def program() -> None:
        made = Made("made", DIRECT)
        DeploymentOrgTokenBinding("later", deployment_id=STAGING, org_token_id=made.made_id, role=ADMIN)

    stack.program = program
    preview = ran(stack, "preview", "--policy-pack", str(pack))
    update = ran(stack, "up", "--yes", "--skip-preview", "--policy-pack", str(pack))

    assert (preview.status, broken(preview)) == (0, ["[advisory] admin-not-allowed later"])
    assert "can't be known during preview" in preview.text
    assert (update.status, broken(update)) == (1, ["[mandatory] admin-not-allowed later"])
    assert astro.store.deployment_role(DIRECT, STAGING) is None


def test_without_a_credential_a_rule_that_needs_a_name_is_broken_and_others_are_kept(stack: Stack, pack: Path) -> None:
    stack.program = bindings(staging=BINDINGS["staging"])
    stack.set_environment(ASTRO_API_TOKEN="", ASTRO_PREVIEW_CHECKS="off")

    preview = ran(stack, "preview", "--policy-pack", str(pack))

    assert (preview.status, broken(preview)) == (1, ["[mandatory] not-protected staging"])
    assert "Export ASTRO_API_TOKEN, so that names can be read." in preview.text


def test_the_pack_looks_at_no_other_resource(stack: Stack, pack: Path) -> None:
    def program() -> None:
        Made("made", "DEPLOYMENT_ADMIN")

    stack.program = program

    preview = ran(stack, "preview", "--policy-pack", str(pack))

    assert (preview.status, broken(preview)) == (0, [])


def test_an_export_is_analyzed_without_program_and_provider(stack: Stack, pack: Path, tmp_path: Path) -> None:
    stack.program = bindings(training=BINDINGS["training"], staging=BINDINGS["staging"])
    stack.up()
    export = tmp_path / "export.json"
    export.write_text(exported(stack))
    command = stack.stack.workspace.pulumi_command.command

    environment = {**os.environ, **stack.environment, "PATH": f"{Path(command).parent}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(
        [command, "policy", "analyze", "--file", str(export), "--policy-pack", str(pack), "--non-interactive"],
        env={name: value for name, value in environment.items() if value},
        cwd=stack.directory / "work",
        capture_output=True,
        text=True,
        check=False,
    )

    analyzed = Digest(ended.stdout, ended.stderr, ended.returncode)
    assert (analyzed.status, broken(analyzed)) == (1, ["[mandatory] admin-not-allowed training"])


def test_wrong_rules_name_their_line(stack: Stack, pack: Path) -> None:
    pack.with_name("access.toml").write_text("[admin]\nmots = 1\n")

    preview = ran(stack, "preview", "--policy-pack", str(pack))

    assert preview.status == 1
    assert (
        "access.toml, line 2: unknown key 'mots' in [admin]: the keys there are tokens, most."
        in preview.text + preview.complaints
    )
