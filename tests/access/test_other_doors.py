"""Resources that this package may register in other ways: a set of bindings, and both through the native door.

They are written by hand, in the shape of the real digests, because those resources are not there yet.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from astro_provider.access.digest import Digest, read_digest
from astro_provider.access.model import Hidden, Kind, Text, Unseen
from tests.support.outcomes import changed, offline

DYNAMIC, NATIVE = "pulumi-python:dynamic/astro:", "astro:index:"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
TOKEN, DEPLOYMENT = "cln7c3v5p000d08l6q4h8w2aj", "clm9x2k4t000408l6c3f7h8va"


def step(op: str, kind: str, old: dict[str, Any] | None, new: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:test::bindings::{kind}::access"
    found: dict[str, Any] = {"op": op, "urn": urn, **more}
    if old is not None:
        found["oldState"] = {"urn": urn, "type": kind, "id": "clo/access", "outputs": old}
    if new is not None:
        found["newState"] = {"urn": urn, "type": kind, "inputs": new}
    return found


def digest(*steps: dict[str, Any]) -> Digest:
    return read_digest(json.dumps({"steps": steps, "changeSummary": {}}), "digest.json")


def rows(found: Digest) -> set[tuple[Text, Text, str]]:
    return {
        (
            one.subject.deployment_id or one.subject.deployment_name,
            one.subject.org_token_id or one.subject.org_token_name,
            one.kind,
        )
        for one in changed(found)
    }


@pytest.mark.parametrize("kind", [f"{DYNAMIC}DeploymentOrgTokenBindings", f"{NATIVE}DeploymentOrgTokenBindings"])
def test_of_a_set_of_bindings_only_the_rows_that_change_are_changes(kind: str) -> None:
    organization = {"organization_id" if kind.startswith(DYNAMIC) else "organizationId": "clo"}
    old = {**organization, "roles": {DEPLOYMENT: {TOKEN: "A", "observability": "B"}, "etl-staging": {TOKEN: "A"}}}
    new = {**organization, "roles": {DEPLOYMENT: {TOKEN: "B", "observability": "B"}, "etl-dev": {TOKEN: "A"}}}

    assert {
        (DEPLOYMENT, TOKEN, Kind.CHANGE),
        ("etl-staging", TOKEN, Kind.LOSE),
        ("etl-dev", TOKEN, Kind.GAIN),
    } == rows(digest(step("update", kind, old, new)))


def test_the_native_door_spells_names_in_camel_case() -> None:
    new = {"organizationId": "clo", "deploymentId": DEPLOYMENT, "orgTokenId": TOKEN, "orgTokenName": "ci", "role": "A"}

    found = digest(step("create", f"{NATIVE}DeploymentOrgTokenBinding", None, new))

    assert [
        (one.subject.deployment_id, one.subject.org_token_id, one.org_token_name, one.subject.organization_id)
        for one in offline(found).after
    ] == [(DEPLOYMENT, TOKEN, "ci", "clo")]


def test_a_move_from_singles_through_one_door_to_a_set_through_the_other_is_no_change() -> None:
    old = {"organization_id": "clo", "deployment_id": DEPLOYMENT, "org_token_id": TOKEN, "role": "A"}
    new = {"organizationId": "clo", "roles": {DEPLOYMENT: {TOKEN: "A"}}}

    found = digest(
        step("delete", f"{DYNAMIC}DeploymentOrgTokenBinding", old, None),
        step("create", f"{NATIVE}DeploymentOrgTokenBindings", None, new),
    )

    assert set() == rows(found)


@pytest.mark.parametrize(("hidden", "why"), [(UNKNOWN, Hidden.UNKNOWN), ("[secret]", Hidden.SECRET)])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_part_of_a_set_that_is_not_shown_hides_what_stands_beneath_it(hidden: str, why: Hidden, depth: int) -> None:
    roles: Any = hidden
    for key in (TOKEN, DEPLOYMENT)[2 - depth :]:
        roles = {key: roles}

    found = digest(
        step("create", f"{DYNAMIC}DeploymentOrgTokenBindings", None, {"organization_id": "clo", "roles": roles})
    )

    (grant,) = offline(found).after
    assert isinstance(grant.role, Unseen)
    assert why is grant.role.why
    assert [depth >= 1, depth >= 2] == [grant.subject.deployment_id == DEPLOYMENT, grant.subject.org_token_id == TOKEN]


def test_a_refresh_with_a_detailed_difference_is_a_refresh() -> None:
    """The engine's shape where a provider leaves the difference to it: seen on 3.259 with such a provider."""
    kind = f"{DYNAMIC}DeploymentOrgTokenBinding"
    one = {"organization_id": "clo", "deployment_id": DEPLOYMENT, "org_token_id": TOKEN}
    drifted = step("update", kind, {**one, "role": "A"}, None, detailedDiff={"role": {"kind": "update"}})
    drifted["newState"] = {**drifted["oldState"], "outputs": {**one, "role": "B"}}

    whole = digest({"op": "refresh", "urn": "urn:pulumi:test::bindings::pulumi:pulumi:Stack::x"}, drifted)
    targeted = digest(drifted)

    for found in (whole, targeted):
        assert found.is_refresh
        assert {(DEPLOYMENT, TOKEN, Kind.CHANGE)} == rows(found)


def test_a_secret_role_that_the_engine_does_not_call_changed_is_not() -> None:
    kind = f"{DYNAMIC}DeploymentOrgTokenBinding"
    one = {"organization_id": "clo", "deployment_id": DEPLOYMENT, "org_token_id": TOKEN, "role": "[secret]"}

    renamed = digest(step("update", kind, one, one, detailedDiff={"org_token_name": {"kind": "update"}}))
    given = digest(step("update", kind, one, one, detailedDiff={"role": {"kind": "update"}}))

    assert set() == rows(renamed)
    assert {(DEPLOYMENT, TOKEN, Kind.CHANGE)} == rows(given)


def test_what_an_earlier_run_could_not_delete_is_lost_now() -> None:
    kind = f"{DYNAMIC}DeploymentOrgTokenBinding"
    one = {"organization_id": "clo", "deployment_id": DEPLOYMENT, "org_token_id": TOKEN, "role": "A"}

    assert {(DEPLOYMENT, TOKEN, Kind.LOSE)} == rows(digest(step("delete-replaced", kind, one, None)))


def test_what_is_imported_is_adopted() -> None:
    new = {"organizationId": "clo", "deploymentId": DEPLOYMENT, "orgTokenId": TOKEN, "role": "A"}

    found = digest(step("import", f"{NATIVE}DeploymentOrgTokenBinding", None, new))

    (change,) = offline(found).changes
    assert (change.kind, change.is_new, change.before and change.before.role) == (Kind.KEEP, True, "A")


def test_a_count_that_the_steps_do_not_show_is_a_problem() -> None:
    found = read_digest('{"steps": [], "changeSummary": {"delete": 2, "same": 1}}', "digest.json")
    unended = read_digest('{"steps": []}', "digest.json")

    assert found.problems == ["The engine counts 2 deletes that the digest does not show."]
    assert unended.problems == ["The digest has no end, so steps may be missing."]


def test_a_binding_by_names_alone_is_the_one_that_the_state_has_by_ids() -> None:
    kind = f"{DYNAMIC}DeploymentOrgTokenBinding"
    names = {"deployment_name": "etl", "org_token_name": "ci", "role": "A"}
    ids = {**names, "organization_id": "clo", "deployment_id": DEPLOYMENT, "org_token_id": TOKEN}

    renamed = digest(step("delete", kind, ids, None), step("create", kind, None, names))
    alone = digest(step("create", kind, None, names))

    assert set() == rows(renamed)
    assert {("etl", "ci", Kind.GAIN)} == rows(alone)
