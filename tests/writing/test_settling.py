"""When a process looks again, at what, and who waits for it."""

from __future__ import annotations

import pytest

from astro_provider.astro.api import ApiToken, ApiTokenRole
from astro_provider.astro.coverage import Reading
from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing.account import NotStanding, Reason
from astro_provider.astro.writing.changes import Put, Remove
from astro_provider.astro.writing.ledger import Ledger
from astro_provider.astro.writing.settling import Settling
from astro_provider.errors import NotFound, Unavailable

SETTLE = 10.0


def of(token_id: str, deployment_id: str = "d") -> BindingId:
    return BindingId("o", deployment_id, token_id)


def listed(token_id: str, role: str | None = "A", deployment_id: str = "d") -> ApiToken:
    entries = [] if role is None else [ApiTokenRole(entity_type="DEPLOYMENT", entity_id=deployment_id, role=role)]
    return ApiToken(id=token_id, name=token_id, scope="ORGANIZATION", roles=tuple(entries))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(SETTLE)


@pytest.fixture
def settling(ledger: Ledger) -> Settling:
    return Settling(ledger)


def test_nothing_written_is_nothing_to_look_at(settling: Settling) -> None:
    assert settling.next_look_at() is None
    assert settling.is_over()


def test_while_others_are_in_flight_each_token_is_looked_at_a_settle_time_after_its_last_write(
    settling: Settling, ledger: Ledger
) -> None:
    settling.enter()
    ledger.wrote(Put(of("t", "d1"), "A"), 1.0)
    ledger.wrote(Put(of("t", "d2"), "A"), 3.0)
    ledger.wrote(Put(of("u", "d1"), "A"), 7.0)

    assert settling.next_look_at() == 13.0
    assert settling.look(13.0).step() == TokenKey("o", "t")


def test_looks_during_a_burst_are_gathered(settling: Settling, ledger: Ledger) -> None:
    settling.enter()
    for number in range(30):
        ledger.wrote(Put(of(f"t{number}"), "A"), float(number))
    looks = []

    while (due := settling.next_look_at()) is not None:
        step = settling.look(due).step()
        bindings = step.bindings if isinstance(step, Reading) else (of("t0"),)
        looks.append((due, [binding.token_id for binding in bindings]))
        for binding in bindings:
            ledger.settle(binding, "A", due)

    assert [at for at, _ in looks] == [10.0, 19.0, 28.0, 37.0, 46.0]
    waited = [at - float(token_id[1:]) for at, token_ids in looks for token_id in token_ids]
    assert len(waited) == 30
    assert min(waited) >= SETTLE
    assert max(waited) < 2 * SETTLE


def test_after_a_burst_one_look_serves_all(settling: Settling, ledger: Ledger) -> None:
    settling.enter()
    ledger.wrote(Put(of("t"), "A"), 1.0)
    ledger.wrote(Put(of("u"), "A"), 9.0)
    settling.leave()

    assert settling.next_look_at() == 19.0


def test_after_a_burst_nothing_waits_for_more_than_two_settle_times(settling: Settling, ledger: Ledger) -> None:
    settling.enter()
    ledger.wrote(Put(of("t"), "A"), 1.0)
    ledger.wrote(Put(of("u"), "A"), 10.5)
    settling.leave()

    assert settling.next_look_at() == 11.0


def test_the_last_change_that_leaves_stays_until_another_one_comes(settling: Settling, ledger: Ledger) -> None:
    settling.enter()
    settling.enter()
    ledger.wrote(Put(of("t"), "A"), 1.0)

    first, last = settling.leave(), settling.leave()
    assert first is None
    assert last is not None
    assert not settling.is_relieved(last)
    settling.enter()

    assert settling.is_relieved(last)


def test_whoever_left_before_is_relieved_by_whoever_leaves_later(settling: Settling) -> None:
    settling.enter()
    earlier = settling.leave()
    settling.enter()
    later = settling.leave()

    assert earlier is not None
    assert later is not None
    assert settling.is_relieved(earlier)
    assert not settling.is_relieved(later)


def test_one_token_is_read_rather_than_listed(settling: Settling, ledger: Ledger) -> None:
    ledger.wrote(Put(of("t"), "A"), 1.0)

    assert settling.look(11.0).step() == TokenKey("o", "t")


def test_what_a_list_shows_as_written_is_settled_and_all_else_is_read(settling: Settling, ledger: Ledger) -> None:
    for token_id in ("stands", "changed", "vanished", "untold"):
        ledger.wrote(Put(of(token_id), "A"), 1.0)
    look = settling.look(11.0)

    step = look.step()
    assert isinstance(step, Reading)
    look.listed(
        step, {"stands": listed("stands"), "changed": listed("changed", "B"), "untold": listed("untold", None)}, 11.0
    )

    for token_id in ("changed", "untold", "vanished"):
        assert look.step() == TokenKey("o", token_id)
        look.led(TokenKey("o", token_id), None)
    assert look.step() is None
    assert of("stands") not in ledger.unsettled


def test_a_removal_is_not_settled_by_a_list_that_shows_the_token_and_tells_no_role(
    settling: Settling, ledger: Ledger
) -> None:
    for token_id in ("untold", "absent"):
        ledger.wrote(Remove(of(token_id)), 1.0)
    look = settling.look(11.0)
    step = look.step()
    assert isinstance(step, Reading)

    look.listed(step, {"untold": listed("untold", None)}, 11.0)

    assert look.step() == TokenKey("o", "untold")
    assert [of("untold")] == ledger.unsettled


def test_where_no_list_can_be_had_every_token_is_read(settling: Settling, ledger: Ledger) -> None:
    for token_id in ("t", "u"):
        ledger.wrote(Put(of(token_id), "A"), 1.0)
    look = settling.look(11.0)
    step = look.step()
    assert isinstance(step, Reading)

    look.listed(step, None, 11.0)

    assert look.step() == TokenKey("o", "t")


def test_a_look_ends_with_its_first_failure_but_a_token_that_is_gone_is_none(
    settling: Settling, ledger: Ledger
) -> None:
    for deployment_id in ("d1", "d2"):
        for token_id in ("t", "u"):
            ledger.wrote(Put(of(token_id, deployment_id), "A"), 1.0)
    look = settling.look(11.0)

    assert look.step() == TokenKey("o", "t")
    look.led(TokenKey("o", "t"), NotFound("gone"))
    assert look.step() == TokenKey("o", "u")
    with pytest.raises(Unavailable):
        look.led(TokenKey("o", "u"), Unavailable("no answer"))


def test_after_a_failed_look_nothing_stays_and_there_is_an_account_of_all_that_was_not_seen(
    settling: Settling, ledger: Ledger
) -> None:
    settling.enter()
    ledger.wrote(Put(of("t"), "A"), 1.0)
    refused = Put(of("u"), "A")
    ledger.give_up(refused, Reason.REFUSED, "no such role")
    settling.leave()

    settling.failure = Unavailable("no answer")

    assert settling.is_over()
    assert settling.give_account().changes == (
        NotStanding(Put(of("t"), "A"), Reason.NOT_READ, "no answer"),
        NotStanding(refused, Reason.REFUSED, "no such role"),
    )
    assert not settling.give_account()


def test_a_look_that_failed_during_a_burst_is_made_again(settling: Settling, ledger: Ledger) -> None:
    settling.enter()
    ledger.wrote(Put(of("t"), "A"), 1.0)
    settling.look(11.0)
    settling.failure = Unavailable("no answer")

    assert settling.next_look_at() == 20.0
    settling.leave()
    assert not settling.is_over()
