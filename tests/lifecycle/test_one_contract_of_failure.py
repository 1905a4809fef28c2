"""A write that fails: what may stand is kept, and the error says what was sent, what may stand, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api.failures import Call, Failures
from astro_provider.astro.api.http import httpx
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.account import Account, NotStanding, Reason
from astro_provider.astro.writing.changes import Put
from astro_provider.astro.writing.writer import Writer, Written, _was_not_made
from astro_provider.errors import (
    AstroProviderError,
    Cancelled,
    Forbidden,
    SettingsError,
    Unavailable,
    UnexpectedAnswer,
    WriteNotConfirmed,
    WriteRefused,
)
from astro_provider.lifecycle.engine_call import EngineCall
from tests.support.cast import OBSERVABILITY, ORGANIZATION_ID, PRODUCTION, TRAINER
from tests.support.processes import StartProcess, Stored, checked, refreshed, up
from tests.support.writes import writes

ACCESSOR = {"deployment_id": PRODUCTION, "org_token_name": "model-trainer", "role": "DEPLOYMENT_ACCESSOR"}
ADMIN = {**ACCESSOR, "role": "DEPLOYMENT_ADMIN"}
CALLED = f"token 'model-trainer' ({TRAINER}) in deployment 'etl-production' ({PRODUCTION})"
BINDING = f"{ORGANIZATION_ID}/{PRODUCTION}/{TRAINER}"
POST, GET = "UpdateApiTokenRoles", "GetApiToken"
NEXT_RUN = (
    "The state shows it as unfinished: the next preview shows an update, and the next `pulumi up` writes what the program "
    "asks for then."
)
BEFORE_AGAIN = "Run again to remove it; before you declare it again, run `pulumi refresh`."
NEIGHBOUR = NotStanding(
    Put(BindingId(ORGANIZATION_ID, PRODUCTION, OBSERVABILITY), "DEPLOYMENT_ADMIN", called="token 'neighbour'"),
    Reason.UNDONE,
)


def held(astro: Emulator) -> str | None:
    return astro.store.deployment_role(TRAINER, PRODUCTION)


def lose_the_answer(astro: Emulator) -> None:
    """The next write is carried out and not answered, and no read after it is."""
    astro.fault(kind="drop_after", operation=POST, times=1)
    astro.fault(status=503, operation=GET, skip=1)


def failing(call: Callable[[], Any]) -> AstroProviderError:
    with pytest.raises(AstroProviderError) as raised:
        call()
    return raised.value


def losing(monkeypatch: pytest.MonkeyPatch, lost: Callable[[Written], Account]) -> None:
    """Let the writer report, beside what it did, what of the burst does not stand."""
    write_all = Writer.write_all

    def write_and_lose(self: Writer, changes: Any) -> Written:
        written = write_all(self, changes)
        return Written(written.outcomes, lost(written))

    monkeypatch.setattr(Writer, "write_all", write_and_lose)


@pytest.mark.parametrize("then", [ACCESSOR, ADMIN], ids=["taken back", "repeated"])
def test_an_update_without_an_answer_is_unfinished_and_the_next_run_writes_what_the_program_asks_for(
    astro: Emulator, start: StartProcess, then: dict[str, Any]
) -> None:
    stored = up(start(), ACCESSOR)
    process = start(timeout_seconds=2.0)
    inputs = checked(process, ADMIN, stored)
    lose_the_answer(astro)

    error = failing(lambda: process.update(EngineCall(id=stored.id), stored.outputs, inputs))
    stands = held(astro)
    astro.clear_faults()
    assert error.kept is not None
    kept = Stored(stored.id, stored.inputs, dict(error.kept.outputs))
    after = up(start(), then, kept)

    assert stands == "DEPLOYMENT_ADMIN"
    assert error.kept.identifier == stored.id
    assert kept.outputs == {**stored.outputs, "unfinished": True}
    assert f"The role DEPLOYMENT_ADMIN for {CALLED} was sent, and Astro has not shown since whether it stands" in str(
        error
    )
    assert str(error).endswith(NEXT_RUN)
    assert after.outputs == {**stored.outputs, "role": then["role"]}
    assert held(astro) == then["role"]


def test_a_create_without_an_answer_is_kept_and_a_delete_takes_it(astro: Emulator, start: StartProcess) -> None:
    process = start(timeout_seconds=2.0)
    inputs = checked(process, ADMIN)
    lose_the_answer(astro)

    error = failing(lambda: process.create(EngineCall(), inputs))
    astro.clear_faults()
    stands = held(astro)
    assert error.kept is not None
    start().delete(EngineCall(id=error.kept.identifier), error.kept.outputs)

    assert stands == "DEPLOYMENT_ADMIN"
    assert error.kept.identifier == BINDING
    assert error.kept.outputs == {**inputs, "unfinished": True}
    assert str(error).endswith(NEXT_RUN)
    assert held(astro) is None


@pytest.mark.parametrize("stands", [True, False])
def test_a_refresh_shows_what_became_of_an_unfinished_binding(
    astro: Emulator, start: StartProcess, *, stands: bool
) -> None:
    process = start(timeout_seconds=2.0)
    inputs = checked(process, ADMIN)
    lose_the_answer(astro)
    error = failing(lambda: process.create(EngineCall(), inputs))
    astro.clear_faults()
    assert error.kept is not None
    if not stands:
        astro.store.unbind(TRAINER, PRODUCTION)

    found = refreshed(start(), Stored(BINDING, inputs, dict(error.kept.outputs)))

    assert (found is not None) is stands
    assert found is None or "unfinished" not in found.outputs


def test_a_delete_without_an_answer_says_to_refresh_before_the_binding_is_declared_again(
    astro: Emulator, start: StartProcess
) -> None:
    stored = up(start(), ADMIN)
    process = start(timeout_seconds=2.0)
    lose_the_answer(astro)

    error = failing(lambda: process.delete(EngineCall(id=stored.id), stored.outputs))

    assert held(astro) is None
    assert error.kept is None
    assert str(error).endswith(
        f"The removal of {CALLED} was sent, and Astro has not shown since whether the role is gone. It stays in the state. "
        f"{BEFORE_AGAIN}"
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"operation": GET, "status": 503}, Unavailable),
        ({"operation": POST, "status": 403}, Forbidden),
        ({"operation": POST, "status": 400}, WriteRefused),
        ({"operation": POST, "status": 429, "headers": {"Retry-After": "60"}}, Unavailable),
    ],
)
def test_a_create_that_sent_nothing_or_was_refused_is_not_kept(
    astro: Emulator, start: StartProcess, fault: dict[str, Any], kind: type[AstroProviderError]
) -> None:
    process = start(timeout_seconds=2.0)
    inputs = checked(process, ADMIN)
    astro.fault(**fault)

    error = failing(lambda: process.create(EngineCall(), inputs))

    assert isinstance(error, kind)
    assert error.kept is None
    assert "unfinished" not in str(error)
    assert held(astro) is None


@pytest.mark.parametrize(
    ("error", "not_made"),
    [
        (Unavailable("no answer"), False),
        (Unavailable("a gateway", status=503), False),
        (Unavailable("too slow", status=408), False),
        (UnexpectedAnswer("HTML"), False),
        (Unavailable("nobody listens", sent=False), True),
        (Unavailable("too many", status=429), True),
        (Forbidden("no", status=403), True),
        (Cancelled("stopped before"), True),
        (SettingsError("no credential"), True),
    ],
)
def test_a_write_was_certainly_not_made_if_it_was_not_sent_or_the_service_said_so(
    error: AstroProviderError, *, not_made: bool
) -> None:
    assert _was_not_made(error) is not_made


@pytest.mark.parametrize(
    ("failure", "sent"), [(httpx.ConnectError, False), (httpx.PoolTimeout, False), (httpx.ReadTimeout, True)]
)
def test_a_call_that_found_no_connection_was_not_sent(failure: type[httpx.HTTPError], *, sent: bool) -> None:
    call = Call(POST, "/organizations/o/tokens/t/roles")

    error = Failures("astro", lambda: "secret").no_answer(call, failure("why"))

    assert error.sent is sent


def test_a_write_that_was_answered_in_a_way_nobody_can_read_and_does_not_stand_is_not_kept(
    astro: Emulator, start: StartProcess
) -> None:
    process = start(timeout_seconds=2.0)
    inputs = checked(process, ADMIN)
    astro.fault(kind="empty_ok", operation=POST, times=1)
    astro.fault(operation=POST, status=403)

    error = failing(lambda: process.create(EngineCall(), inputs))

    assert isinstance(error, Forbidden)
    assert error.kept is None
    assert held(astro) is None


@pytest.mark.parametrize("reason", [Reason.NOT_READ, Reason.NO_TIME])
def test_what_was_written_and_could_not_be_looked_at_again_is_unfinished(
    start: StartProcess, monkeypatch: pytest.MonkeyPatch, reason: Reason
) -> None:
    stored = up(start(), ACCESSOR)
    process = start()
    inputs = checked(process, ADMIN, stored)
    losing(monkeypatch, lambda written: Account((NotStanding(written.outcomes[0].change, reason),)))

    given = failing(lambda: process.update(EngineCall(id=stored.id), stored.outputs, inputs))
    taken = failing(lambda: start().delete(EngineCall(id=stored.id), stored.outputs))

    assert given.kept is not None
    assert given.kept.outputs == {**stored.outputs, "unfinished": True}
    assert str(given).startswith("This run wrote 1 change of token ")
    assert str(given).endswith(NEXT_RUN)
    assert str(given).count(CALLED) == 2
    assert str(taken).endswith(BEFORE_AGAIN)


def test_what_was_seen_undone_is_not_kept(start: StartProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start()
    inputs = checked(process, ADMIN)
    losing(monkeypatch, lambda written: Account((NotStanding(written.outcomes[0].change, Reason.UNDONE),)))

    error = failing(lambda: process.create(EngineCall(), inputs))

    assert error.kept is None
    assert "Another writer undid 1 change of token" in str(error)


def test_a_loss_of_a_neighbour_is_reported_and_what_stands_is_kept_as_done(
    astro: Emulator, start: StartProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start()
    inputs = checked(process, ADMIN)
    losing(monkeypatch, lambda _: Account((NEIGHBOUR,)))

    given = failing(lambda: process.create(EngineCall(), inputs))
    stands = held(astro)
    taken = failing(lambda: start().delete(EngineCall(id=BINDING), inputs))

    assert stands == "DEPLOYMENT_ADMIN"
    assert given.kept is not None
    assert "unfinished" not in given.kept.outputs
    assert given.kept.outputs["scope"] == "ORGANIZATION"
    assert re.search(r"has the role DEPLOYMENT_ADMIN\. That stays\. But .*token 'neighbour'", str(given))
    assert held(astro) is None
    assert re.search(r"has no role any more\. .*token 'neighbour'.* run `pulumi refresh`\.$", str(taken))


def test_an_error_of_its_own_names_the_losses_of_neighbours_too(
    astro: Emulator, start: StartProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = up(start(), ACCESSOR)
    process = start(timeout_seconds=2.0)
    inputs = checked(process, ADMIN, stored)
    losing(monkeypatch, lambda _: Account((NEIGHBOUR,)))

    astro.fault(operation=POST, status=400)
    refused = failing(lambda: process.update(EngineCall(id=stored.id), stored.outputs, inputs))
    not_removed = failing(lambda: start().delete(EngineCall(id=stored.id), stored.outputs))
    astro.clear_faults()
    lose_the_answer(astro)
    lost = failing(lambda: process.update(EngineCall(id=stored.id), stored.outputs, inputs))

    assert refused.kept is None
    for error in (refused, not_removed, lost):
        assert isinstance(error, WriteNotConfirmed)
        assert str(error).count("token 'neighbour'") == 1
    assert lost.kept is not None
    assert writes(astro) >= 1
