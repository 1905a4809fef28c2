"""The recipe of docs/differences.md: another provider makes the token and ignores its roles, this one binds it."""

from __future__ import annotations

from collections.abc import Callable

import pulumi
import pytest

from astro_emulator import Emulator
from astro_provider import DeploymentOrgTokenBinding
from tests.support.cast import ORGANIZATION_ID, STAGING
from tests.support.stack import Stack
from tests.support.whole_list import WholeListToken

ACCESSOR, ADMIN = "DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"


@pytest.fixture(autouse=True)
def organization(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRO_ORGANIZATION_ID", ORGANIZATION_ID)
    stack.set_environment(ASTRO_ORGANIZATION_ID=ORGANIZATION_ID)


def program(description: str = "", generation: int = 1, role: str = ACCESSOR) -> Callable[[], None]:
    def declare() -> None:
        token = WholeListToken(
            "ci",
            description=description,
            generation=generation,
            opts=pulumi.ResourceOptions(ignore_changes=["roles"]),
        )
        DeploymentOrgTokenBinding("ci-in-staging", deployment_id=STAGING, org_token_id=token.id, role=role)

    return declare


def roles_of_ci(astro: Emulator) -> dict[str, str | None]:
    """The role in the deployment of each token that the other provider has made, by the token's name."""
    made = [one for one in astro.store.shown()["tokens"] if one["name"].startswith("ci-") and one["name"][3:].isdigit()]
    return {one["name"]: astro.store.deployment_role(one["id"], STAGING) for one in made}


def test_the_other_provider_makes_and_rotates_the_token_and_this_one_binds_it(stack: Stack, astro: Emulator) -> None:
    stack.program = program()
    first = stack.up()
    bound = roles_of_ci(astro)
    again = stack.up(refresh=True)
    stack.program = program("Deploys from main")
    described = stack.up(refresh=True)
    kept = roles_of_ci(astro)
    stack.program = program("Deploys from main", generation=2)
    rotated = stack.up(refresh=True)
    moved = roles_of_ci(astro)
    destroyed = stack.destroy()

    assert not any(one.failed for one in (first, again, described, rotated, destroyed))
    assert bound == kept == {"ci-1": ACCESSOR}
    assert again.changes == {"same": 3}
    assert described.changes == {"same": 2, "update": 1}
    assert moved == {"ci-2": ACCESSOR}
    assert roles_of_ci(astro) == {}


def test_an_update_there_without_a_refresh_takes_the_role_and_the_next_refresh_shows_it(
    stack: Stack, astro: Emulator
) -> None:
    stack.program = program()
    stack.up()
    stack.program = program("Deploys from main")

    careless = stack.up()
    lost = roles_of_ci(astro)
    mended = stack.up(refresh=True)

    assert not careless.failed
    assert lost == {"ci-1": None}
    assert [step for step in mended.steps if "ci" in step][-1] == "create ci-in-staging"
    assert roles_of_ci(astro) == {"ci-1": ACCESSOR}
