from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from astro_emulator import Emulator
from astro_provider.provider import DeploymentOrgTokenBindingProvider
from tests.support.provider_process import PICKLED, UNKNOWN, CallFailed, Properties, ProviderProcess, provider_process
from tests.support.writes import writes


def test_the_class_is_pickled_by_reference_and_never_by_another_name() -> None:
    pickled = serialize_provider(DeploymentOrgTokenBindingProvider())

    assert pickled == PICKLED


def test_a_binding_lives_its_whole_life(  # noqa: PLR0913, PLR0917  fixtures
    process: ProviderProcess,
    astro: Emulator,
    environment: dict[str, str],
    wanted: Properties,
    token_id: str,
    deployment_id: str,
) -> None:
    identifier = f"{astro.organization_id}/{deployment_id}/{token_id}"
    before = astro.store.token(token_id)["roles"]

    checked = process.check(wanted)
    created = process.create(checked.inputs)

    completed = {
        **wanted,
        "organization_id": astro.organization_id,
        "deployment_name": "orders",
        "org_token_id": token_id,
        "overwrite": False,
    }
    assert checked.failures == []
    assert completed == checked.inputs
    assert identifier == created.id
    assert {
        **completed,
        "created_at": astro.store.token(token_id)["createdAt"],
        "created_by": "Ada Byron",
        "description": "Loads what came in over night",
        "scope": "ORGANIZATION",
    } == created.outputs
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"

    rechecked = process.check({**wanted, "role": "DEPLOYMENT_ACCESSOR"}, checked.inputs)
    difference = process.diff(identifier, created.outputs, rechecked.inputs)
    updated = process.update(identifier, created.outputs, rechecked.inputs)

    assert difference.changes
    assert difference.replaces == []
    assert {**created.outputs, "role": "DEPLOYMENT_ACCESSOR"} == updated.outputs
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ACCESSOR"

    found = process.read(identifier, updated.outputs)

    assert identifier == found.id
    assert updated.outputs == found.outputs
    assert rechecked.inputs == found.inputs
    assert process.stderr == ""

    # A destroy is a process of its own, in which nothing is checked and so nothing is held.
    with provider_process(environment, forked=True) as destroying:
        destroying.delete(identifier, found.outputs)

    assert writes(astro) == 3
    assert before == astro.store.token(token_id)["roles"]


def test_a_delete_takes_the_role_away_and_a_second_one_finds_nothing_to_do(
    process: ProviderProcess, astro: Emulator, token_id: str, deployment_id: str
) -> None:
    before = astro.store.token(token_id)["roles"]
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ADMIN")
    identifier = f"{astro.organization_id}/{deployment_id}/{token_id}"

    process.delete(identifier, {"role": "DEPLOYMENT_ADMIN"})
    process.delete(identifier, {"role": "DEPLOYMENT_ADMIN"})

    assert before == astro.store.token(token_id)["roles"]
    assert writes(astro) == 1


def test_another_deployment_organization_or_token_is_a_replacement_that_deletes_first(
    process: ProviderProcess, wanted: Properties
) -> None:
    inputs = process.check(wanted).inputs
    for name in ("deployment_id", "organization_id", "org_token_id"):
        for changed in ("another", UNKNOWN):
            difference = process.diff("a/b/c", inputs, {**inputs, name: changed})

            assert difference.changes
            assert [name] == difference.replaces
            assert difference.delete_before_replace

    assert not process.diff("a/b/c", inputs, inputs).changes


def test_a_get_returns_everything_about_a_binding_that_exists(
    process: ProviderProcess, astro: Emulator, token_id: str, deployment_id: str
) -> None:
    astro.store.bind(token_id, deployment_id, "DEPLOYMENT_ACCESSOR")

    found = process.read(f"{astro.organization_id}/{deployment_id}/{token_id}")

    assert found.outputs["role"] == "DEPLOYMENT_ACCESSOR"
    assert found.outputs["org_token_name"] == "nightly-loads"
    assert found.outputs["created_by"] == "Ada Byron"


def test_a_get_of_a_binding_that_is_not_there_is_an_error(
    process: ProviderProcess, astro: Emulator, token_id: str, deployment_id: str
) -> None:
    identifier = f"{astro.organization_id}/{deployment_id}/{token_id}"

    with pytest.raises(CallFailed) as failed:
        process.read(identifier)

    assert failed.value.message == (
        f"There is no binding {identifier}: token {token_id} in deployment "
        f"{deployment_id} has no role. Check the three ids."
    )


def test_a_refresh_of_a_binding_that_is_gone_takes_it_out_of_the_state_and_says_so(
    process: ProviderProcess, astro: Emulator, token_id: str, deployment_id: str
) -> None:
    identifier = f"{astro.organization_id}/{deployment_id}/{token_id}"

    found = process.read(identifier, {"role": "DEPLOYMENT_ADMIN"})

    assert found.id == ""
    assert process.notices == [
        (
            f"astro: note: Token {token_id} has no role in deployment {deployment_id} any more, so a refresh takes the "
            "binding out of the state."
        )
    ]


def test_a_malformed_id_is_refused_with_the_form_of_a_right_one(process: ProviderProcess) -> None:
    for identifier in ("", "a", "a/b", "a//c", "a/b/c/d", "a/ b/c"):
        for call in (process.read, lambda id_: process.read(id_, {"role": "x"}), lambda id_: process.delete(id_, {})):
            with pytest.raises(CallFailed) as failed:
                call(identifier)

            assert failed.value.message == (
                f"id: {identifier!r} is no binding's id: write <organization id>/<deployment id>/<token id>."
            )


def test_what_a_process_says_twice_it_prints_once(process: ProviderProcess, wanted: Properties) -> None:
    for _ in range(3):
        process.check({**wanted, "role": "Release Enginer"})

    assert len(process.notices) == 1
    assert process.notices[0].startswith(
        "astro: warning: No deployment role is named 'Release Enginer' in organization"
    )
    assert "(nearest: 'Release Engineer')" in process.notices[0]


def test_four_threads_create_four_bindings_of_one_token_and_none_is_lost(
    process: ProviderProcess, astro: Emulator, token_id: str
) -> None:
    astro.settings(latency_ms=20)
    deployments = [astro.store.add_deployment(f"d{number}") for number in range(4)]
    checked = [
        process.check({"deployment_id": d, "org_token_id": token_id, "role": "DEPLOYMENT_ADMIN"}) for d in deployments
    ]

    with ThreadPoolExecutor(4) as threads:
        created = list(threads.map(lambda one: process.create(one.inputs), checked))

    assert len({one.id for one in created}) == 4
    assert [astro.store.deployment_role(token_id, d) for d in deployments] == ["DEPLOYMENT_ADMIN"] * 4


def test_four_threads_create_and_delete_bindings_of_four_tokens(process: ProviderProcess, astro: Emulator) -> None:
    astro.settings(latency_ms=20)
    deployment_id = astro.store.add_deployment("shared")
    tokens = [astro.store.add_token(f"token-{number}") for number in range(4)]
    before = [astro.store.token(token)["roles"] for token in tokens]
    leaving = astro.store.add_deployment("leaving")
    for token in tokens[2:]:
        astro.store.bind(token, leaving, "DEPLOYMENT_ADMIN")
    checked = [
        process.check({"deployment_id": deployment_id, "org_token_id": token, "role": "DEPLOYMENT_ADMIN"})
        for token in tokens
    ]

    with ThreadPoolExecutor(4) as threads:
        created = [threads.submit(process.create, one.inputs) for one in checked[:2]]
        removed = [
            threads.submit(process.delete, f"{astro.organization_id}/{leaving}/{token}", {}) for token in tokens[2:]
        ]
        for creation in created:
            creation.result()
        for removal in removed:
            removal.result()

    assert [astro.store.deployment_role(token, deployment_id) for token in tokens] == [
        "DEPLOYMENT_ADMIN",
        "DEPLOYMENT_ADMIN",
        None,
        None,
    ]
    assert before[2:] == [astro.store.token(token)["roles"] for token in tokens[2:]]
