"""The three changes: what fulfils them, what they refuse, what they make of a list."""

from __future__ import annotations

import pytest

from astro_provider.astro.api import ApiTokenRole
from astro_provider.astro.identity import BindingId
from astro_provider.astro.roles import role_in
from astro_provider.astro.writing.changes import Add, Change, Put, Remove, apply_all

BINDING = BindingId("o", "d", "t")
ORGANIZATION = ApiTokenRole(entity_type="ORGANIZATION", entity_id="o", role="ORGANIZATION_MEMBER")
ELSEWHERE = ApiTokenRole(entity_type="DEPLOYMENT", entity_id="other", role="DEPLOYMENT_ADMIN")
ACCESSOR = ApiTokenRole(entity_type="DEPLOYMENT", entity_id="d", role="DEPLOYMENT_ACCESSOR")
ADMIN = ApiTokenRole(entity_type="DEPLOYMENT", entity_id="d", role="DEPLOYMENT_ADMIN")


@pytest.mark.parametrize(
    ("change", "held", "fulfilled"),
    [
        (Put(BINDING, "DEPLOYMENT_ADMIN"), "DEPLOYMENT_ADMIN", True),
        (Put(BINDING, "DEPLOYMENT_ADMIN"), "deployment_admin", True),
        (Put(BINDING, "DEPLOYMENT_ADMIN"), "DEPLOYMENT_ACCESSOR", False),
        (Put(BINDING, "DEPLOYMENT_ADMIN"), None, False),
        (Add(BINDING, "DEPLOYMENT_ADMIN"), "Deployment_Admin", True),
        (Add(BINDING, "DEPLOYMENT_ADMIN"), None, False),
        (Remove(BINDING), None, True),
        (Remove(BINDING), "DEPLOYMENT_ADMIN", False),
    ],
)
def test_a_change_says_by_itself_whether_it_is_fulfilled(change: Change, held: str | None, fulfilled: bool) -> None:  # noqa: FBT001
    assert fulfilled is change.fulfilled_by(held)


@pytest.mark.parametrize(
    ("change", "held"),
    [
        (Add(BINDING, "DEPLOYMENT_ADMIN"), None),
        (Add(BINDING, "DEPLOYMENT_ADMIN"), "deployment_admin"),
        (Add(BINDING, "DEPLOYMENT_ADMIN", overwrite=True), "DEPLOYMENT_ACCESSOR"),
        (Put(BINDING, "DEPLOYMENT_ADMIN"), "DEPLOYMENT_ACCESSOR"),
        (Remove(BINDING), "DEPLOYMENT_ACCESSOR"),
    ],
)
def test_a_change_that_contradicts_nothing_is_not_refused(change: Change, held: str | None) -> None:
    assert change.refusal(held) is None


def test_an_add_refuses_another_role_and_names_both() -> None:
    refusal = Add(BINDING, "DEPLOYMENT_ADMIN").refusal("DEPLOYMENT_ACCESSOR")

    assert str(refusal) == (
        "Token t in deployment d already has the role DEPLOYMENT_ACCESSOR, and DEPLOYMENT_ADMIN is asked for. Set "
        "overwrite to true to change it. Another resource of this stack may have it (if resources are named by list index, "
        "removing the first entry renames all others; name them by deployment and token), another stack, or a person."
    )


@pytest.mark.parametrize("change", [Put(BINDING, "DEPLOYMENT_ADMIN"), Add(BINDING, "DEPLOYMENT_ADMIN", overwrite=True)])
def test_put_and_add_give_the_role_in_the_place_of_the_one_held(change: Put) -> None:
    roles = (ORGANIZATION, ACCESSOR, ELSEWHERE)

    assert apply_all([change], roles) == (ORGANIZATION, ADMIN, ELSEWHERE)


def test_a_remove_takes_the_one_entry() -> None:
    roles = (ORGANIZATION, ACCESSOR, ELSEWHERE)

    assert apply_all([Remove(BINDING)], roles) == (ORGANIZATION, ELSEWHERE)


@pytest.mark.parametrize("change", [Put(BINDING, "R"), Add(BINDING, "R"), Remove(BINDING)])
def test_every_change_fulfils_itself(change: Change) -> None:
    after = apply_all([change], (ORGANIZATION, ACCESSOR, ELSEWHERE))

    assert change.fulfilled_by(role_in(after, BINDING.deployment_id))
