"""A table that fails: what may stand is kept, and the error says what was sent, what may stand, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.account import Account, NotStanding, Reason
from astro_provider.astro.writing.changes import Put
from astro_provider.astro.writing.writer import Writer, Written
from astro_provider.errors import AstroProviderError, Forbidden, WriteNotConfirmed
from astro_provider.lifecycle.engine_call import EngineCall
from tests.support.engine_process import wait_until
from tests.support.processes import StartProcess
from tests.support.tables import ACCESSOR, ADMIN, POST, Stored, Town, checked, refreshed, tables, up
from tests.support.writers import in_background

LIST_DEPLOYMENTS = "ListDeployments"
ONE = {"d-0": {"t-0": ADMIN}}
BOTH = {"d-0": {"t-0": ADMIN, "t-1": ADMIN}}
NEIGHBOUR = NotStanding(Put(BindingId("o", "d", "n"), ADMIN, called="token 'neighbour'"), Reason.UNDONE)
BEFORE_AGAIN = "Run again to remove it; before you declare it again, run `pulumi refresh`."


def failing(call: Callable[[], Any]) -> AstroProviderError:
    with pytest.raises(AstroProviderError) as raised:
        call()
    return raised.value


def losing(monkeypatch: pytest.MonkeyPatch, *lost: NotStanding) -> None:
    """Let the writer report, beside what it did, that these changes of the burst do not stand."""
    write_all = Writer.write_all
    monkeypatch.setattr(
        Writer, "write_all", lambda self, changes: Written(write_all(self, changes).outcomes, Account(lost))
    )


def first_and_second(town: Town) -> tuple[str, str]:
    first, second = sorted(["t-0", "t-1"], key=lambda token: town.tokens[token])
    return first, second


def moving(town: Town) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """A table in which the token that is written first gets another role, and the other one leaves."""
    first, second = first_and_second(town)
    return first, second, {"d-0": {first: ACCESSOR, second: ADMIN}}, {"d-0": {first: ADMIN}}


def refuse_the_removal(town: Town, second: str) -> None:
    """The second token's removal is refused, and from then on no deployment is listed."""
    town.astro.fault(status=400, operation=POST, path=town.tokens[second])
    town.astro.fault(status=503, operation=LIST_DEPLOYMENTS)


def test_what_was_written_is_taken_back_also_if_no_deployment_is_listed(start: StartProcess, town: Town) -> None:
    _, second, before, after = moving(town)
    stored = up(tables(start()), {"roles": before})
    process = tables(start(timeout_seconds=3.0))
    inputs = checked(process, {"roles": after}, stored)
    refuse_the_removal(town, second)

    error = failing(lambda: process.update(EngineCall(id=stored.id), stored.outputs, inputs))

    assert town.held() == before
    assert error.kept is None
    assert str(error).endswith("What this run had written was taken back, so all is as it was before.")


def test_what_cannot_be_taken_back_while_no_deployment_is_listed_is_kept(start: StartProcess, town: Town) -> None:
    first, second, before, after = moving(town)
    stored = up(tables(start()), {"roles": before})
    process = tables(start(timeout_seconds=3.0))
    inputs = checked(process, {"roles": after}, stored)
    refuse_the_removal(town, second)
    town.astro.fault(status=403, operation=POST, path=town.tokens[first], skip=1)

    error = failing(lambda: process.update(EngineCall(id=stored.id), stored.outputs, inputs))
    left = town.held()
    town.astro.clear_faults()
    assert error.kept is not None
    kept = Stored(error.kept.identifier, stored.inputs, dict(error.kept.outputs))
    put_right = up(tables(start()), {"roles": before}, kept)

    assert left == {"d-0": {first: ADMIN, second: ADMIN}}
    assert kept.id == stored.id
    assert kept.outputs == {**stored.outputs, "unfinished": {"d-0": [first]}}
    assert f'could not be taken back, and may stand: roles["d-0"]["{first}"].' in str(error)
    assert str(error).endswith("the next `pulumi up` writes what the program asks for then.")
    assert put_right.outputs == stored.outputs
    assert town.held() == before


def test_taking_back_has_its_own_time(start: StartProcess, town: Town) -> None:
    first, second = first_and_second(town)
    process = tables(start(timeout_seconds=4.0))
    inputs = checked(process, {"roles": BOTH})
    town.astro.fault(kind="delay", operation=POST, path=town.tokens[second], delay_ms=60_000, times=1)
    # Taking back has to be tried again, for which the time of the create, which has passed, would not do.
    town.astro.fault(status=503, operation=POST, path=town.tokens[first], skip=1, times=1)

    error = failing(lambda: process.create(EngineCall(), inputs))

    assert town.held() == {}
    assert error.kept is not None
    assert error.kept.outputs["roles"] == {}
    assert error.kept.outputs["unfinished"] == {"d-0": [second]}  # it had no answer, so Astro may carry it out later


def test_a_table_whose_own_changes_stand_stays_though_a_binding_of_another_resource_was_undone(
    start: StartProcess, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = tables(start())
    inputs = checked(process, {"roles": BOTH})
    losing(monkeypatch, NEIGHBOUR)

    error = failing(lambda: process.create(EngineCall(), inputs))

    assert town.held() == BOTH
    assert error.kept is not None
    assert (error.kept.outputs["roles"], error.kept.outputs.get("unfinished")) == (BOTH, None)
    assert str(error).startswith("All changes of this table were made. That stays. But ")
    assert str(error).count("token 'neighbour'") == 1


def test_a_table_that_fails_names_the_binding_of_another_resource_that_was_undone(
    start: StartProcess, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = first_and_second(town)
    process = tables(start())
    inputs = checked(process, {"roles": BOTH})
    town.astro.fault(status=403, operation=POST, path=town.tokens[second])
    losing(monkeypatch, NEIGHBOUR)

    error = failing(lambda: process.create(EngineCall(), inputs))

    assert town.held() == {}
    assert error.kept is None
    assert "all is as it was before" in str(error)
    assert "token 'neighbour'" in str(error)


@pytest.mark.parametrize("reason", [Reason.UNDONE, Reason.NOT_READ])
def test_a_table_that_lost_a_change_of_its_own_is_taken_back(
    start: StartProcess, town: Town, monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    process = tables(start())
    inputs = checked(process, {"roles": BOTH})
    binding = BindingId(town.astro.organization_id, town.deployments["d-0"], town.tokens["t-0"])
    write_all, first = Writer.write_all, list[bool]()

    def lose_one(self: Writer, changes: Any) -> Written:
        written = write_all(self, changes)
        lost = () if first else (NotStanding(Put(binding, ADMIN), reason),)
        first.append(True)
        return Written(written.outcomes, Account(lost))

    monkeypatch.setattr(Writer, "write_all", lose_one)

    error = failing(lambda: process.create(EngineCall(), inputs))

    assert town.held() == {}
    assert error.kept is None
    assert str(error).startswith("1 of 2 changes of this table could not be made: ")


def test_a_failed_delete_of_the_only_role_says_that_none_was_taken(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": ONE})
    town.astro.fault(status=403, operation=POST)

    error = failing(lambda: tables(start()).delete(EngineCall(id=stored.id), stored.outputs))

    assert town.held() == ONE
    assert "None was taken away." in str(error)
    assert "The others are gone" not in str(error)
    assert str(error).endswith(f"The table stays in the state. {BEFORE_AGAIN}")


def test_a_delete_without_an_answer_names_the_entry_that_may_be_gone(start: StartProcess, town: Town) -> None:
    stored = up(tables(start()), {"roles": ONE})
    town.astro.fault(kind="drop_after", operation=POST, times=1)
    town.astro.fault(status=503, operation="GetApiToken", skip=1)

    error = failing(lambda: tables(start(timeout_seconds=2.0)).delete(EngineCall(id=stored.id), stored.outputs))

    assert town.held() == {}
    assert (
        'The removal of roles["d-0"]["t-0"] was sent, and Astro has not shown since whether the role is gone.'
        in str(error)
    )
    assert "None was taken away" not in str(error)
    assert str(error).endswith(BEFORE_AGAIN)


def test_a_delete_reports_what_other_resources_have_lost(
    start: StartProcess, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = up(tables(start()), {"roles": ONE})
    losing(monkeypatch, NEIGHBOUR)

    error = failing(lambda: tables(start()).delete(EngineCall(id=stored.id), stored.outputs))

    assert town.held() == {}
    assert isinstance(error, WriteNotConfirmed)
    assert "All roles of this table are gone." in str(error)
    assert "token 'neighbour'" in str(error)


def test_what_a_delete_of_the_same_run_has_taken_is_given_back_by_the_update_of_a_table(
    start: StartProcess, town: Town
) -> None:
    stored = up(tables(start()), {"roles": BOTH})
    process = start()
    identifier = f"{town.astro.organization_id}/{town.deployments['d-0']}/{town.tokens['t-0']}"
    process.delete(EngineCall(id=identifier), {})
    taken = town.held()

    up(tables(process), {"roles": BOTH}, stored)

    assert taken == {"d-0": {"t-1": ADMIN}}
    assert town.held() == BOTH


def test_an_update_that_fails_before_a_write_claims_no_row_that_it_leaves_as_it_is(
    start: StartProcess, town: Town
) -> None:
    stored = up(tables(start()), {"roles": ONE})
    process = start(preview_checks="off")
    inputs = checked(tables(process), {"roles": {**ONE, "d-1": {"t-0": ADMIN}}}, stored)
    single = {
        "organization_id": town.astro.organization_id,
        "deployment_id": town.deployments["d-0"],
        "org_token_id": town.tokens["t-0"],
        "role": ADMIN,
    }
    town.astro.fault(status=403, operation=LIST_DEPLOYMENTS)

    error = failing(lambda: tables(process).update(EngineCall(id=stored.id), stored.outputs, inputs))
    town.astro.clear_faults()
    binding, _ = process.create(EngineCall(), single)  # a replacement that failed in an earlier run comes like this

    assert isinstance(error, Forbidden)
    assert str(binding).endswith(town.tokens["t-0"])


@pytest.mark.parametrize("word", [None, "not known since a run that failed"])
def test_a_refresh_shows_what_became_of_unfinished_entries(start: StartProcess, town: Town, word: str | None) -> None:
    stored = up(tables(start()), {"roles": BOTH})
    town.unbind("d-0", "t-0")
    if word is None:
        outputs = {**stored.outputs, "unfinished": {"d-0": ["t-0", "t-1"]}}
    else:  # as version 0.1.0 marked them
        outputs = {**stored.outputs, "roles": {"d-0": {"t-0": word, "t-1": word}}}

    found = refreshed(tables(start()), Stored(stored.id, stored.inputs, outputs))

    assert found is not None
    assert found.outputs["roles"] == {"d-0": {"t-1": ADMIN}}
    assert "unfinished" not in found.outputs


@pytest.mark.parametrize("then", [BOTH, ONE])
def test_an_entry_that_version_0_1_0_marked_by_a_role_is_written_or_taken(
    start: StartProcess, town: Town, then: dict[str, Any]
) -> None:
    stored = up(tables(start()), {"roles": BOTH})
    word = "not known since a run that failed"
    outputs = {**stored.outputs, "roles": {"d-0": {"t-0": ADMIN, "t-1": word}}}
    town.bind("d-0", "t-1", ACCESSOR)

    after = up(tables(start()), {"roles": then}, Stored(stored.id, stored.inputs, outputs))

    assert town.held() == then
    assert after.outputs["roles"] == then


def test_a_table_whose_time_is_over_names_the_resource_that_it_waited_for_before(
    start: StartProcess, town: Town
) -> None:
    process = start(timeout_seconds=5.0)
    binding = BindingId(town.astro.organization_id, town.deployments["d-0"], town.tokens["t-0"])
    town.bind("d-0", "t-0", ADMIN)
    inputs = checked(tables(process), {"roles": ONE})
    town.astro.fault(kind="delay", operation=POST, delay_ms=2_000, times=1)
    town.astro.fault(kind="delay", operation=POST, delay_ms=60_000)
    urn = "urn:pulumi:dev::project::pulumi-python:dynamic/astro:DeploymentOrgTokenBinding::old"
    deleting = in_background(lambda: process.delete(EngineCall(urn, str(binding)), {}))
    wait_until(lambda: process.shared.claims.is_taken(binding), "the delete is under way")

    error = failing(lambda: tables(process).create(EngineCall(), inputs))
    deleting.join()

    assert isinstance(error, WriteNotConfirmed)
    assert re.search(
        r"Before that it waited \d+ seconds for DeploymentOrgTokenBinding 'old' of the same program", str(error)
    )
    assert error.kept is not None
