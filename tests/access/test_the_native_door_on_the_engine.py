"""Review, audit and policies of resources that stand there through the native door, from what the real engine prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.access.digest import read_digest
from astro_provider.access.model import Text
from tests.support.beginnings import begin_with
from tests.support.cast import DEPLOYERS, OBSERVABILITY, PRODUCTION, STAGING, TRAINING
from tests.support.digests import RECOMMENDED, digest, ran
from tests.support.outcomes import changed, roles
from tests.support.policy_packs import policy_pack
from tests.support.previews import exported
from tests.support.programs import bindings, natively
from tests.support.schemas import valid
from tests.support.shell import run
from tests.support.stack import Stack

ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
BINDING = {"deployment_name": "etl-staging", "org_token_name": "observability", "role": ADMIN}
TABLE = {"roles": {"ml-training": {"observability": ACCESSOR}}, "exclusive": True}
RULES = f"""
[admin]
tokens = ["{DEPLOYERS[0]}"]
"""


def changes(stack: Stack, command: str = "preview") -> set[tuple[Text, Text, Text, Text]]:
    """Deployment, token, role before and after of all that the preview changes."""
    made = digest(stack, command, *(RECOMMENDED if command == "preview" else ("--preview-only",)))
    found = read_digest(made.text, "digest.json")
    assert found.problems == [], made.complaints
    return {
        (
            one.subject.deployment_id or one.subject.deployment_name,
            one.subject.org_token_id or one.subject.org_token_name,
            *roles(one),
        )
        for one in changed(found)
    }


def test_a_review_tells_who_gains_changes_and_loses(stack: Stack, astro: Emulator) -> None:
    stranger = astro.store.add_token("stranger")
    astro.store.bind(stranger, TRAINING, ADMIN)
    stack.program = natively(b=BINDING, t=TABLE)
    first = changes(stack)
    stack.up()
    stack.program = natively(b={**BINDING, "role": ACCESSOR}, t=TABLE)
    second = changes(stack)
    stack.program = natively(t=TABLE)
    third = changes(stack)

    trainer = {row for row in first if row[1] not in (OBSERVABILITY, stranger, "stranger")}
    assert first - trainer == {
        (STAGING, OBSERVABILITY, None, ADMIN),
        (TRAINING, OBSERVABILITY, None, ACCESSOR),
        (TRAINING, "stranger", ADMIN, None),
    }
    assert second == {(STAGING, OBSERVABILITY, ADMIN, ACCESSOR)}
    assert third == {(STAGING, OBSERVABILITY, ADMIN, None)}


def test_drift_and_a_destroy_are_told(stack: Stack, astro: Emulator) -> None:
    begin_with(stack, astro, natively(b=BINDING))
    destroyed = changes(stack, "destroy")
    astro.store.bind(OBSERVABILITY, STAGING, ACCESSOR)
    drifted = changes(stack, "refresh")

    assert destroyed == {(STAGING, OBSERVABILITY, ADMIN, None)}
    assert drifted == {(STAGING, OBSERVABILITY, ADMIN, ACCESSOR)}


@pytest.mark.parametrize("back", [False, True])
def test_a_move_between_the_doors_is_no_change_of_access(stack: Stack, astro: Emulator, back: bool) -> None:  # noqa: FBT001
    dynamic, native = bindings(b=BINDING), natively(b=BINDING)
    begin_with(stack, astro, native if back else dynamic)
    stack.program = dynamic if back else native

    assert changes(stack) == set()


def test_an_audit_knows_what_the_stack_manages(stack: Stack, astro: Emulator, tmp_path: Path) -> None:
    begin_with(stack, astro, natively(b=BINDING, t=TABLE))
    state = tmp_path / "state.json"
    state.write_text(exported(stack))

    ended = run(astro, "audit", "--state", str(state), "--output", "json")

    document: dict[str, Any] = valid("audit-1", ended.out)
    unmanaged = {
        (one["deployment_id"], one["org_token_id"]) for one in document["findings"] if one["finding"] == "unmanaged"
    }
    assert (PRODUCTION, OBSERVABILITY) in unmanaged
    assert unmanaged.isdisjoint({(STAGING, OBSERVABILITY), (TRAINING, OBSERVABILITY)})


def test_a_policy_pack_stops_what_breaks_a_rule(stack: Stack, tmp_path: Path) -> None:
    stack.program = natively(b=BINDING, t={"roles": {"ml-training": {"observability": ADMIN}}})

    preview = ran(stack, "preview", "--policy-pack", str(policy_pack(tmp_path, RULES)))

    lines = [line.strip() for line in preview.text.splitlines()]
    broken = [line for line in lines if line.startswith("- [mandatory]")]
    assert preview.status == 1
    assert sorted(line.rpartition(" ")[2] for line in broken) == ["b)", "t)"]
    assert all("admin-not-allowed" in line and "astro:index:DeploymentOrgTokenBinding" in line for line in broken)
