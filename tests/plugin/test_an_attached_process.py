"""A process that was started by hand and serves several runs and providers (PULUMI_DEBUG_PROVIDERS), each by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from astro_emulator import Emulator
from tests.support.cast import OBSERVABILITY, STAGING
from tests.support.listening_engine import Engine
from tests.support.native_process import NativeProcess, urn_of
from tests.support.provider_process import Properties
from tests.support.stack import led_to


@pytest.fixture
def little() -> Iterator[Emulator]:
    """Another organization."""
    with Emulator.running() as emulator:
        yield emulator


def connected(process: NativeProcess, engine: Engine, configuration: Properties | None = None) -> NativeProcess:
    """The process as another provider of a run has it, or another run."""
    found = NativeProcess(process.running.connected_again())
    found.handshake(engine.address)
    found.attach(engine.address)
    found.configure(configuration, name="theirs" if configuration else "default")
    return found


def test_a_removal_of_a_later_run_is_not_kept_back_by_a_claim_of_an_earlier_one(
    process: NativeProcess, engine_log: Engine, astro: Emulator, wanted: Properties, token_id: str
) -> None:
    made = process.create(process.check(wanted).inputs)
    process.cancel()

    connected(process, engine_log).delete(made.id, made.outputs)

    assert astro.store.deployment_role(token_id, wanted["deploymentId"]) is None


def test_a_note_is_printed_in_each_run(process: NativeProcess, engine_log: Engine, astro: Emulator) -> None:
    astro.store.bind(OBSERVABILITY, STAGING, "DEPLOYMENT_ADMIN")
    adopted = {"deploymentId": STAGING, "orgTokenName": "observability", "role": "DEPLOYMENT_ADMIN"}

    process.check(adopted)
    process.cancel()
    connected(process, engine_log).check(adopted)

    assert len([text for _, text in engine_log.told if "It will be adopted unchanged" in text]) == 2


def test_two_providers_of_one_run_have_their_own_credentials(
    process: NativeProcess, engine_log: Engine, astro: Emulator, little: Emulator, wanted: Properties
) -> None:
    token, deployment = little.store.add_token("nightly-loads"), little.store.add_deployment("loads")
    environment = led_to(little)
    theirs = connected(
        process, engine_log, {"host": environment["ASTRO_API_HOST"], "token": environment["ASTRO_API_TOKEN"]}
    )
    astro.clear_calls()

    ours = process.check(wanted)
    made = theirs.create(theirs.check({**wanted, "deploymentId": deployment}, urn=urn_of(name="t")).inputs)
    calls_to_ours = astro.calls()["by_operation"]

    assert ours.failures == []
    assert made.id.endswith(f"/{deployment}/{token}")
    assert little.store.deployment_role(token, deployment) == "DEPLOYMENT_ADMIN"
    assert "UpdateApiTokenRoles" not in calls_to_ours
