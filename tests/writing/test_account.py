"""The error of a burst: one sentence for each token and reason, however many changes it is about."""

from __future__ import annotations

from astro_provider.astro.identity import BindingId, TokenKey
from astro_provider.astro.writing.account import Account, NotStanding, Others, Reason, repair_in_words
from astro_provider.astro.writing.changes import Put, Remove

ADVICE = "The state may show these changes as done: run `pulumi refresh`, which shows what Astro holds, and then `pulumi up`."


def lost(number: int, reason: Reason = Reason.UNDONE, token_id: str = "t", detail: str = "") -> NotStanding:
    called = f"token 'ci' ({token_id}) in deployment 'd-{number}' (d{number})"
    return NotStanding(Put(BindingId("o", f"d{number}", token_id), "A", called=called), reason, detail)


def test_a_token_is_one_sentence_that_names_three_changes_and_counts_the_rest() -> None:
    assert Account(tuple(lost(number) for number in range(12))).with_advice == (
        "Another writer undid 12 changes of token t 11 times, so this run stopped putting that back: "
        "token 'ci' (t) in deployment 'd-0' (d0); token 'ci' (t) in deployment 'd-1' (d1); "
        f"token 'ci' (t) in deployment 'd-2' (d2); and 9 more. {ADVICE}"
    )


def test_three_changes_are_all_named() -> None:
    assert "(d2). The state" in Account(tuple(lost(number) for number in range(3))).with_advice


def test_one_change_is_one_change() -> None:
    removal = NotStanding(Remove(BindingId("o", "d", "t")), Reason.LATE)

    assert Account((removal,)).with_advice == (
        "More than 2 settle times after the write Astro does not show 1 change of token t, which a person may have decided "
        f"by then, so nothing was put back: token t in deployment d. {ADVICE}"
    )


def test_tokens_and_reasons_are_told_apart_and_the_advice_stands_once() -> None:
    text = Account(
        (
            lost(0),
            lost(0, token_id="u"),
            lost(1, Reason.REFUSED, detail="Role 'A' does not exist."),
            lost(2, Reason.REFUSED, detail="Role 'A' does not exist!"),
            lost(3, Reason.NOT_READ, detail="HTTP 503."),
            lost(4, Reason.NO_TIME),
        )
    ).with_advice

    assert text.startswith("Another writer undid 1 change of token t 11 times")
    assert "Another writer undid 1 change of token u 11 times" in text
    assert (
        "Another writer undid 2 changes of token t, and Astro refuses to have that put back: token 'ci' (t) in deployment "
        "'d-1' (d1); token 'ci' (t) in deployment 'd-2' (d2). Role 'A' does not exist. This run wrote"
    ) in text
    assert (
        "This run wrote 1 change of token t and could not read Astro again to see whether that stands: token 'ci' (t) in "
        "deployment 'd-3' (d3). HTTP 503. "
    ) in text
    assert (
        "This run wrote 1 change of token t, and timeoutSeconds, which must be longer than settleSeconds, ended before "
        "Astro was read again: token 'ci' (t) in deployment 'd-4' (d4). "
    ) in text
    assert text.endswith(ADVICE)
    assert text.count(ADVICE) == 1


def test_what_is_known_of_the_other_writers_follows_the_changes_of_their_token() -> None:
    others = {TokenKey("o", "t"): Others("ci-b", ("d7", "d8")), TokenKey("o", "u"): Others(None, ("d9",))}

    text = Account((lost(0), lost(0, token_id="u")), others).with_advice

    assert (
        "(d0). Astro names 'ci-b' as the token's last writer; another writer changed the token's role in deployment d7, "
        "deployment d8. Another writer undid 1 change of token u"
    ) in text
    assert f"(d0). Another writer changed the token's role in deployment d9. {ADVICE}" in text


def test_an_account_has_a_part_that_is_about_given_bindings_and_one_that_is_not() -> None:
    account = Account((lost(0), lost(1, Reason.NOT_READ), lost(2, Reason.NO_TIME)))
    first = account.changes[0].change.binding

    assert account.of([first]).changes == account.changes[:1]
    assert account.without([first]).changes == account.changes[1:]
    assert account.may_stand == [one.change.binding for one in account.changes[1:]]
    assert not account.without(account.may_stand).may_stand


def test_what_was_put_right_is_one_sentence_that_names_three_changes() -> None:
    changes = [Remove(BindingId("o", "d", "t")), *(lost(number).change for number in range(3))]

    assert repair_in_words(changes) == (
        "Another writer undid 4 changes of token t, probably by a list that it had read before, and this run put that right: "
        "token t in deployment d has no role again; token 'ci' (t) in deployment 'd-0' (d0) has the role A again; "
        "token 'ci' (t) in deployment 'd-1' (d1) has the role A again; and 1 more."
    )
