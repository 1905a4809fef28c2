"""What is said of many deployments at once is what is said of each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from astro_provider.astro.api import ApiTokenRole
from astro_provider.astro.roles import held_roles, role_in, with_changes

DEPLOYMENTS = ("d1", "d2", "d3", "d4")
entries = st.builds(
    lambda kind, entity, role: ApiTokenRole(entity_type=kind, entity_id=entity, role=role),
    st.sampled_from(("DEPLOYMENT", "DAG", "ORGANIZATION")),
    st.sampled_from(DEPLOYMENTS),
    st.sampled_from(("A", "a", "B", None)),
)
lists = st.lists(entries, max_size=8).map(tuple)
wanted = st.dictionaries(st.sampled_from(DEPLOYMENTS), st.sampled_from(("A", "B", None)))


@given(lists)
def test_the_roles_of_all_deployments_are_those_of_each(roles: tuple[ApiTokenRole, ...]) -> None:
    each = {deployment: role_in(roles, deployment) for deployment in DEPLOYMENTS}

    assert held_roles(roles) == {deployment: role for deployment, role in each.items() if role is not None}


@given(lists, wanted)
def test_changes_at_once_leave_what_changes_one_after_the_other_leave(
    roles: tuple[ApiTokenRole, ...], changes: dict[str, str | None]
) -> None:
    one_by_one = roles
    for deployment, role in changes.items():
        one_by_one = with_changes(one_by_one, {deployment: role})

    assert with_changes(roles, changes) == one_by_one
