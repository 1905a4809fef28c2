"""A change of one entry leaves every other entry of a token's role list as it came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astro_provider.astro.api import ApiToken, ApiTokenRole, SubjectRoles
from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import dag_roles_in, require_roles, role_in, same_role, with_changes
from astro_provider.astro.writing.changes import Put, apply_all
from astro_provider.errors import RolesUnknown

Wire = dict[str, Any]

OURS = "our-deployment"
DEPLOYMENT_IDS = st.sampled_from([OURS, "another-deployment", "a-third"])
KINDS = st.sampled_from(["ORGANIZATION", "WORKSPACE", "DEPLOYMENT", "DAG", "DAG_TAG", "POOL", "deployment", ""])
OWN_NAMES = {"entityType", "entityId", "role", "deploymentId", "entity_type", "entity_id", "deployment_id"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)
UNKNOWN_FIELDS = st.dictionaries(
    st.text(max_size=12).filter(lambda name: name not in OWN_NAMES), JSON_VALUES, max_size=3
)
ROLE_NAMES = st.sampled_from(["DEPLOYMENT_ADMIN", "Release Engineer"]) | st.text(min_size=1, max_size=10)


@st.composite
def wire_entries(draw: st.DrawFn) -> Wire:
    """An entry as a service may send it: any kind, fields left out, fields that are null, fields nobody knows."""
    entry: Wire = {"entityType": draw(KINDS)}
    for name, values in (("entityId", DEPLOYMENT_IDS), ("role", ROLE_NAMES), ("deploymentId", DEPLOYMENT_IDS)):
        if draw(st.booleans()):
            entry[name] = draw(st.none() | values)
    return {**entry, **draw(UNKNOWN_FIELDS)}


LISTS = st.lists(wire_entries(), max_size=5)

varied = settings(max_examples=50, deadline=None)


def roles_of(wire: list[Wire]) -> tuple[ApiTokenRole, ...]:
    return tuple(ApiTokenRole.model_validate(entry) for entry in wire)


def wire_of(roles: tuple[ApiTokenRole, ...]) -> list[Wire]:
    return [entry.to_wire() for entry in roles]


def with_role(roles: tuple[ApiTokenRole, ...], deployment_id: str, role: str) -> tuple[ApiTokenRole, ...]:
    return with_changes(roles, {deployment_id: role})


def without_role(roles: tuple[ApiTokenRole, ...], deployment_id: str) -> tuple[ApiTokenRole, ...]:
    return with_changes(roles, {deployment_id: None})


def is_ours(entry: Wire) -> bool:
    return entry["entityType"] == "DEPLOYMENT" and entry.get("entityId") == OURS


@varied
@given(LISTS)
def test_an_entry_goes_back_as_it_came(wire: list[Wire]) -> None:
    assert wire == wire_of(roles_of(wire))


@varied
@given(LISTS, ROLE_NAMES)
def test_giving_a_role_leaves_every_other_entry_field_for_field_and_in_order(wire: list[Wire], role: str) -> None:
    after = wire_of(with_role(roles_of(wire), OURS, role))

    assert [entry for entry in wire if not is_ours(entry)] == [entry for entry in after if not is_ours(entry)]


@varied
@given(LISTS)
def test_taking_a_role_leaves_every_other_entry_field_for_field_and_in_order(wire: list[Wire]) -> None:
    after = wire_of(without_role(roles_of(wire), OURS))

    assert [entry for entry in wire if not is_ours(entry)] == after


@varied
@given(LISTS, ROLE_NAMES)
def test_giving_a_role_leaves_exactly_one_entry_for_the_deployment_with_that_role(wire: list[Wire], role: str) -> None:
    after = with_role(roles_of(wire), OURS, role)

    assert [role] == [entry["role"] for entry in wire_of(after) if is_ours(entry)]
    assert role == role_in(after, OURS)


@varied
@given(LISTS, ROLE_NAMES)
def test_a_role_is_changed_in_its_place_and_with_its_unknown_fields(wire: list[Wire], role: str) -> None:
    held = next((entry for entry in wire if is_ours(entry)), None)
    expected = {**held, "role": role} if held else {"entityType": "DEPLOYMENT", "entityId": OURS, "role": role}
    place = wire.index(held) if held else len(wire)

    after = wire_of(with_role(roles_of(wire), OURS, role))

    assert expected == after[place]


@varied
@given(LISTS, ROLE_NAMES)
def test_giving_a_role_twice_is_giving_it_once(wire: list[Wire], role: str) -> None:
    once = with_role(roles_of(wire), OURS, role)

    assert once == with_role(once, OURS, role)


@varied
@given(LISTS)
def test_taking_a_role_twice_is_taking_it_once(wire: list[Wire]) -> None:
    once = without_role(roles_of(wire), OURS)

    assert once == without_role(once, OURS)
    assert role_in(once, OURS) is None


@varied
@given(LISTS, ROLE_NAMES)
def test_taking_undoes_giving(wire: list[Wire], role: str) -> None:
    unbound = without_role(roles_of(wire), OURS)

    assert unbound == without_role(with_role(unbound, OURS, role), OURS)


@varied
@given(LISTS, ROLE_NAMES)
def test_the_list_that_came_in_is_never_changed(wire: list[Wire], role: str) -> None:
    roles = roles_of(wire)

    with_role(roles, OURS, role)
    without_role(roles, OURS)

    assert wire == wire_of(roles)


@varied
@given(LISTS, ROLE_NAMES)
def test_untouched_entries_are_the_very_objects_that_came_in(wire: list[Wire], role: str) -> None:
    roles = roles_of(wire)
    others = {id(entry) for entry in roles if not is_ours(entry.to_wire())}

    after = with_role(roles, OURS, role)

    assert others <= {id(entry) for entry in after}


def test_a_new_entry_has_no_fields_but_the_three_that_the_service_asks_for() -> None:
    (added,) = with_role((), OURS, "DEPLOYMENT_ADMIN")

    assert added.to_wire() == {"entityType": "DEPLOYMENT", "entityId": OURS, "role": "DEPLOYMENT_ADMIN"}


def test_an_explicit_null_of_the_entry_that_is_changed_stays_null() -> None:
    roles = roles_of([{"entityType": "DEPLOYMENT", "entityId": OURS, "role": "A", "deploymentId": None, "until": None}])

    (changed,) = with_role(roles, OURS, "B")

    expected = {"entityType": "DEPLOYMENT", "entityId": OURS, "role": "B", "deploymentId": None, "until": None}
    assert expected == changed.to_wire()


def test_a_role_in_a_workspace_or_dag_of_that_id_is_no_role_in_the_deployment() -> None:
    roles = roles_of(
        [
            {"entityType": "WORKSPACE", "entityId": OURS, "role": "WORKSPACE_MEMBER"},
            {"entityType": "DAG", "entityId": "dag", "role": "DAG_VIEWER", "deploymentId": OURS},
        ]
    )

    assert role_in(roles, OURS) is None
    assert roles == without_role(roles, OURS)


def test_roles_in_dags_are_found_by_their_deployment_and_by_nothing_else() -> None:
    dag = {"entityType": "DAG", "entityId": "train", "role": "DAG_VIEWER", "deploymentId": OURS}
    tag = {"entityType": "DAG_TAG", "entityId": "nightly", "role": "DAG_VIEWER", "deploymentId": OURS}
    elsewhere = {"entityType": "DAG", "entityId": "train", "role": "DAG_VIEWER", "deploymentId": "another-deployment"}
    binding = {"entityType": "DEPLOYMENT", "entityId": OURS, "role": "DEPLOYMENT_ADMIN"}

    found = dag_roles_in(roles_of([dag, binding, elsewhere, tag]), OURS)

    assert [dag, tag] == wire_of(found)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("DEPLOYMENT_ADMIN", "deployment_admin", True),
        ("Straße", "STRAßE", True),
        ("Straße", "STRASSE", False),
        ("DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR", False),
        (None, "DEPLOYMENT_ADMIN", False),
        (None, None, True),
    ],
)
def test_roles_are_compared_without_case(one: str | None, other: str | None, same: bool) -> None:  # noqa: FBT001
    assert same is same_role(one, other)


def test_a_token_without_roles_is_refused_with_its_name_its_id_and_the_permission_it_takes() -> None:
    token = ApiToken.model_validate({"id": "t1", "name": "ci"})

    with pytest.raises(RolesUnknown) as refusal:
        require_roles(token)

    assert str(refusal.value) == (
        "The service left the roles out of its answer about token 'ci' (t1), so they are unknown and nothing was "
        "written. The credential may not see them: it needs the permission organization.apiTokens.access (the role "
        "Organization Owner has it)."
    )


def test_a_token_with_an_empty_role_list_holds_no_role() -> None:
    token = ApiToken.model_validate({"id": "t1", "name": "ci", "roles": []})

    assert require_roles(token) == ()


ORGANIZATION_ENTRY = {"entityType": "ORGANIZATION", "entityId": "o", "role": "ORGANIZATION_MEMBER"}


def deployment_entry(role: str | None, deployment_id: str = OURS) -> Wire:
    return {"entityType": "DEPLOYMENT", "entityId": deployment_id, "role": role}


@pytest.mark.parametrize("roles", [[], [deployment_entry("DEPLOYMENT_ADMIN")]], ids=["none", "others"])
def test_an_organization_token_without_its_organization_entry_is_refused(roles: list[Wire]) -> None:
    token = ApiToken.model_validate({"id": "t", "name": "ci", "scope": "ORGANIZATION", "roles": roles})

    with pytest.raises(RolesUnknown) as error:
        require_roles(token)

    assert str(error.value) == (
        "The service's answer about token 'ci' (t) cannot be right: its ORGANIZATION entry is missing, so the list is not "
        "whole, and nothing was written. The credential may not see all roles: it needs the permission "
        "organization.apiTokens.access (the role Organization Owner has it)."
    )


@pytest.mark.parametrize(
    ("scope", "roles"), [("ORGANIZATION", [ORGANIZATION_ENTRY]), ("WORKSPACE", []), (None, [])], ids=str
)
def test_a_list_that_can_be_whole_is_taken(scope: str | None, roles: list[Wire]) -> None:
    token = ApiToken.model_validate({"id": "t", "name": "ci", "scope": scope, "roles": roles})

    assert roles == wire_of(require_roles(token))


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([], None),
        (["DEPLOYMENT_ADMIN"], "DEPLOYMENT_ADMIN"),
        (["DEPLOYMENT_ADMIN", "DEPLOYMENT_ADMIN"], "DEPLOYMENT_ADMIN"),
        (["Deployment_Admin", "DEPLOYMENT_ADMIN"], "Deployment_Admin"),
        (["DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"], "DEPLOYMENT_ACCESSOR and DEPLOYMENT_ADMIN"),
        (["DEPLOYMENT_ADMIN", None], "DEPLOYMENT_ADMIN and a role without a name"),
        ([None], "a role without a name"),
    ],
)
def test_entries_of_one_deployment_that_disagree_are_all_told(held: list[str | None], expected: str | None) -> None:
    roles = roles_of([deployment_entry("Release Engineer", "another-deployment"), *map(deployment_entry, held)])
    answer = SubjectRoles.model_validate(
        {"deploymentRoles": [{"deploymentId": OURS, "role": role} for role in held if role]}
    )

    assert expected == role_in(roles, OURS)
    if None not in held:
        assert expected == answer.roles_by_deployment.get(OURS)


@pytest.mark.parametrize("wanted", ["DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"])
def test_a_change_is_not_fulfilled_by_entries_that_disagree_and_makes_one_of_them(wanted: str) -> None:
    before = [ORGANIZATION_ENTRY, deployment_entry("DEPLOYMENT_ACCESSOR"), deployment_entry("DEPLOYMENT_ADMIN")]
    change = Put(BindingId("o", OURS, "t"), wanted)

    assert not change.fulfilled_by(role_in(roles_of(before), OURS))
    assert wire_of(apply_all([change], roles_of(before))) == [ORGANIZATION_ENTRY, deployment_entry(wanted)]
