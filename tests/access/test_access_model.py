"""What single steps come to: who gains, loses, changes or keeps a role, and what nobody can know."""

from __future__ import annotations

from astro_provider.access.facts import Facts, Token
from astro_provider.access.model import Change, Grant, Hidden, Kind, Names, Subject, Unseen
from astro_provider.access.outcome import outcome
from astro_provider.access.steps import Does, Part, Steps

ETL = Subject("clo", "clm9", "cln7")


def changes(*parts: Part, **held: str | None) -> tuple[Change, ...]:
    """What the parts change if Astro shows these roles of the token ETL is about, by deployment."""
    facts = Facts(held={(deployment, "cln7"): role for deployment, role in held.items()})
    return outcome(Steps(is_refresh=False, parts=list(parts)), facts).changes


def moved(before: Grant, after: Grant) -> tuple[Change, ...]:
    return changes(Part(Does.TAKES, [before]), Part(Does.GIVES, (), [after]))


def test_a_subject_that_keeps_its_role_is_no_change_whatever_resource_has_it() -> None:
    assert moved(Grant(ETL, "DEPLOYMENT_ADMIN", urn="a"), Grant(ETL, "deployment_admin", urn="b")) == ()


def test_gains_losses_and_changes_are_told_apart() -> None:
    other, third = Subject("clo", "clp6", "cln7"), Subject("clo", "clp7", "cln7")

    found = changes(
        Part(Does.GIVES, [Grant(ETL, "A"), Grant(other, "A")], [Grant(other, "B"), Grant(third, "A")], is_update=True)
    )

    assert {(ETL, Kind.LOSE), (other, Kind.CHANGE), (third, Kind.GAIN)} == {(one.subject, one.kind) for one in found}


def test_the_same_token_in_another_organization_is_another_subject() -> None:
    found = moved(Grant(ETL, "A"), Grant(Subject("clx", "clm9", "cln7"), "A"))

    assert [one.kind for one in found] == [Kind.LOSE, Kind.GAIN]


def test_what_is_not_shown_is_equal_to_nothing_but_itself() -> None:
    one, other = Unseen(Hidden.SECRET, "urn before"), Unseen(Hidden.SECRET, "urn after")

    assert moved(Grant(ETL, one), Grant(ETL, one)) == ()
    assert [change.kind for change in moved(Grant(ETL, one), Grant(ETL, other))] == [Kind.CHANGE]


def test_a_gain_is_what_astro_shows_it_to_be() -> None:
    gives = Part(Does.GIVES, (), [Grant(ETL, "A")])

    (unasked,), (none,), (same,), (other,) = (
        changes(gives),
        changes(gives, clm9=None),
        changes(gives, clm9="a"),
        changes(gives, clm9="B"),
    )

    assert [one.kind for one in (unasked, none, same, other)] == [Kind.GAIN, Kind.GAIN, Kind.KEEP, Kind.CHANGE]
    assert isinstance(unasked.before and unasked.before.role, Unseen)
    assert none.before is None


def test_a_revocation_of_what_is_gone_is_no_change() -> None:
    takes = Part(Does.TAKES, [Grant(ETL, "A")])

    assert changes(takes, clm9=None) == ()
    assert [(one.kind, one.before and one.before.role) for one in changes(takes, clm9="B")] == [(Kind.LOSE, "B")]


def test_a_delete_spares_what_another_resource_keeps_only_if_the_run_is_aimed_at_that_one() -> None:
    takes = Part(Does.TAKES, [Grant(ETL, "A", urn="old")])

    spared, not_spared, not_known = (
        changes(Part(Does.KEEPS, [Grant(ETL, "A", urn="new")], is_checked=checked), takes)
        for checked in (True, False, None)
    )

    assert spared == ()
    assert [(one.kind, one.after) for one in not_spared] == [(Kind.LOSE, None)]
    assert [one.kind for one in not_known] == [Kind.LOSE]
    assert isinstance(not_known[0].after and not_known[0].after.role, Unseen)


def test_two_resources_that_ask_for_one_binding_are_both_shown() -> None:
    asked = [Part(Does.GIVES, (), [Grant(ETL, role, urn=role)]) for role in ("A", "B")]

    found = outcome(Steps(is_refresh=False, parts=asked), Facts())

    assert [one.after and one.after.role for one in found.changes] == ["A", "B"]
    assert [[grant.urn for grant in grants] for grants in found.twice] == [["A", "B"]]


def test_a_name_stands_for_an_id_only_if_one_token_has_it() -> None:
    by_name = Grant(Subject(None, "clp6", None, "ci-deployer"), "A", "ci-deployer")
    old, new = Grant(ETL, "A", "ci-deployer"), Grant(Subject("clo", "clm9", "clu2"), "A", "ci-deployer")
    listed = Facts(tokens={"cln7": Token("cln7", "ci-deployer")})

    assert Subject("clo", "clp6", "cln7") == Names.of([old, by_name], Facts()).completed(by_name).subject
    assert Subject("clo", "clp6", "cln7") == Names.of([old], listed).completed(by_name).subject
    ambiguous = Names.of([old, new, by_name], Facts())
    assert Subject("clo", "clp6", None, "ci-deployer") == ambiguous.completed(by_name).subject


def test_a_name_that_astro_lists_stands_for_its_id() -> None:
    takes = Part(Does.TAKES, [Grant(Subject("clo", "clm9", None, "ci"), "A", "ci")], is_live=True, is_stack=False)
    facts = Facts(tokens={"cln7": Token("cln7", "ci")})

    (change,) = outcome(Steps(is_refresh=False, parts=[takes]), facts).changes

    assert change.subject == ETL


def test_a_value_that_is_yet_to_be_made_is_never_filled_in() -> None:
    unknown = Unseen(Hidden.UNKNOWN, "urn org_token_id")
    made = Grant(Subject("clo", "clp6", unknown), "A", "ci-deployer")

    assert unknown == Names.of([Grant(ETL, "A", "ci-deployer"), made], Facts()).completed(made).subject.org_token_id
