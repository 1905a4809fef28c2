"""States that version 0.1.0 (commit 7ef34af) left behind go on as if nothing had happened.

`states/` holds what `pulumi stack export` gave there: once made with checks, once with `previewChecks=off`, where the
inputs lack whatever a check would have filled in. The tokens and deployments are those of the emulator's organization.
Only what tells of the machine was taken out (`sourcePosition`, `stackTrace`, the salt of its secrets).
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from astro_emulator import Emulator
from tests.support import cast
from tests.support.beginnings import begin_after
from tests.support.programs import bindings
from tests.support.stack import BINDING_TYPE, Outcome, Stack
from tests.support.writes import writes

STATES = Path(__file__).parent / "states"
PROGRAM: dict[str, dict[str, Any]] = {
    "by-name": {"deployment_id": cast.STAGING, "org_token_name": "model-trainer", "role": "Release Engineer"},
    "by-id": {
        "deployment_id": cast.PRODUCTION,
        "org_token_id": cast.DEPLOYERS[0],
        "role": "DEPLOYMENT_ADMIN",
        "workspace_id": cast.DATA_PLATFORM_ID,
    },
    "adopted": {"deployment_id": cast.PRODUCTION, "org_token_name": "observability", "role": "DEPLOYMENT_ACCESSOR"},
    "overwritten": {
        "deployment_id": cast.TRAINING,
        "org_token_id": cast.TRAINER,
        "role": "DEPLOYMENT_ADMIN",
        "overwrite": True,
    },
    "small-letters": {"deployment_id": cast.FINANCE, "org_token_name": "observability", "role": "ledger auditor"},
}
GRANTS = {
    (cast.TRAINER, cast.STAGING): "Release Engineer",
    (cast.DEPLOYERS[0], cast.PRODUCTION): "DEPLOYMENT_ADMIN",
    (cast.OBSERVABILITY, cast.PRODUCTION): "DEPLOYMENT_ACCESSOR",
    (cast.TRAINER, cast.TRAINING): "DEPLOYMENT_ADMIN",
    (cast.OBSERVABILITY, cast.FINANCE): "Ledger Auditor",
}
COMMANDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("preview", {}),
    ("up", {}),
    ("preview", {"refresh": True}),
    ("up", {"refresh": True}),
    ("refresh", {}),
    ("up", {}),
)
# An update checks and compares as a preview does.
WITHOUT_PREVIEWS = tuple((command, options) for command, options in COMMANDS if command != "preview")


@pytest.fixture(params=["checks_on", "checks_off"])
def earlier(request: pytest.FixtureRequest, stack: Stack, astro: Emulator) -> Stack:
    """A stack with such a state, its program, and a service that holds what the state tells."""
    stored = json.loads((STATES / f"{request.param}.json").read_text())
    begin_after(
        stack,
        astro,
        request.param,
        lambda: stack.stack.import_stack(automation.Deployment(stored["version"], stored["deployment"])),
    )
    for (token_id, deployment_id), role in GRANTS.items():
        astro.store.bind(token_id, deployment_id, role)
    with astro.store.locked() as records:  # the seed holds ages, and the state the dates of its day
        for resource in stored["deployment"]["resources"]:
            made_at = resource.get("outputs", {}).get("created_at")
            if made_at is not None:
                records.tokens[resource["id"].rsplit("/", 1)[1]]["createdAt"] = made_at
    stack.program = bindings(**PROGRAM)
    astro.clear_calls()
    return stack


def _grants(astro: Emulator) -> dict[tuple[str, str], str | None]:
    return {pair: astro.store.deployment_role(*pair) for pair in GRANTS}


def _outputs(stack: Stack) -> dict[str, dict[str, Any]]:
    return {name: resource["outputs"] for name, resource in deepcopy(stack.resources()).items()}


def test_the_states_bind_what_the_program_declares_by_the_pickled_name_of_the_provider() -> None:
    for path in sorted(STATES.glob("*.json")):
        resources = json.loads(path.read_text())["deployment"]["resources"]
        found = {r["urn"].rsplit("::", 1)[1]: r["id"].split("/") for r in resources if r["type"] == BINDING_TYPE}

        assert PROGRAM.keys() == found.keys(), path.name
        assert GRANTS.keys() == {(token, deployment) for _, deployment, token in found.values()}, path.name


@pytest.mark.parametrize("checks", ["warn", "strict", "off"])
def test_nothing_changes_whatever_the_command(earlier: Stack, astro: Emulator, checks: str) -> None:
    earlier.set_environment(ASTRO_PREVIEW_CHECKS=checks)
    before = _outputs(earlier)

    for command, options in COMMANDS if checks == "warn" else WITHOUT_PREVIEWS:
        outcome: Outcome = getattr(earlier, command)(**options)

        assert not outcome.failed, outcome.text
        assert [step for step in outcome.steps if not step.startswith("refresh ")] == [], command
        assert {"same": len(PROGRAM) + 1} == outcome.changes, command
        assert before == _outputs(earlier), command
        assert _grants(astro) == GRANTS, command
    assert writes(astro) == 0


@pytest.mark.parametrize("refresh", [False, True], ids=["up", "up --refresh"])
def test_what_leaves_the_program_is_revoked_and_the_rest_stays(earlier: Stack, astro: Emulator, refresh: bool) -> None:  # noqa: FBT001  a parameter of the test
    earlier.program = bindings(**{name: row for name, row in PROGRAM.items() if name not in ("by-id", "small-letters")})

    outcome = earlier.up(refresh=refresh)

    assert not outcome.failed, outcome.text
    gone = dict.fromkeys([(cast.DEPLOYERS[0], cast.PRODUCTION), (cast.OBSERVABILITY, cast.FINANCE)])
    assert GRANTS | gone == _grants(astro)
    assert {"by-name", "adopted", "overwritten"} == earlier.resources().keys()


def test_a_rename_keeps_the_grant(earlier: Stack, astro: Emulator) -> None:
    earlier.program = bindings(**{f"{name}-renamed": row for name, row in PROGRAM.items()})

    outcome = earlier.up(refresh=True)

    assert not outcome.failed, outcome.text
    assert _grants(astro) == GRANTS
    assert {f"{name}-renamed" for name in PROGRAM} == earlier.resources().keys()
    assert writes(astro) == 0


@pytest.mark.parametrize("refresh", [False, True], ids=["destroy", "destroy --refresh"])
def test_destroy_revokes_all_and_leaves_everything_else(earlier: Stack, astro: Emulator, refresh: bool) -> None:  # noqa: FBT001  as above
    outcome = earlier.destroy(refresh=refresh)

    assert not outcome.failed, outcome.text
    assert dict.fromkeys(GRANTS) == _grants(astro)
    assert earlier.resources() == {}
    in_a_dag = cast.entry("DAG", "train_demand_model", "DAG_AUTHOR", deploymentId=cast.TRAINING)
    assert [cast.MEMBER, in_a_dag] == astro.store.token(cast.TRAINER)["roles"]
    assert astro.store.token(cast.OBSERVABILITY)["roles"] == [cast.MEMBER]
