"""Access as a map, and the difference of two such maps."""

from __future__ import annotations

from astro_provider.access.model import Grant, Hidden, Kind, Subject, Unseen, access, completed, difference

ETL = Subject("clo", "clm9", "cln7")


def test_a_subject_that_keeps_its_role_is_no_change_whatever_resource_has_it() -> None:
    before, after = access([Grant(ETL, "DEPLOYMENT_ADMIN", urn="a")]), access([Grant(ETL, "deployment_admin", urn="b")])

    assert difference(before, after) == []


def test_gains_losses_and_changes_are_told_apart() -> None:
    other, third = Subject("clo", "clp6", "cln7"), Subject("clo", "clp7", "cln7")

    found = difference(
        access([Grant(ETL, "A"), Grant(other, "A")]),
        access([Grant(other, "B"), Grant(third, "A")]),
    )

    assert [(ETL, Kind.LOSE), (other, Kind.CHANGE), (third, Kind.GAIN)] == [(one.subject, one.kind) for one in found]


def test_the_same_token_in_another_organization_is_another_subject() -> None:
    found = difference(access([Grant(ETL, "A")]), access([Grant(Subject("clx", "clm9", "cln7"), "A")]))

    assert [one.kind for one in found] == [Kind.LOSE, Kind.GAIN]


def test_what_is_not_shown_is_equal_to_nothing_but_itself() -> None:
    one, other = Unseen(Hidden.SECRET, "urn before"), Unseen(Hidden.SECRET, "urn after")

    assert difference(access([Grant(ETL, one)]), access([Grant(ETL, one)])) == []
    assert [c.kind for c in difference(access([Grant(ETL, one)]), access([Grant(ETL, other)]))] == [Kind.CHANGE]


def test_a_name_stands_for_an_id_only_if_one_token_has_it() -> None:
    by_name = Grant(Subject(None, "clp6", None, "ci-deployer"), "A", "ci-deployer")
    old, new = Grant(ETL, "A", "ci-deployer"), Grant(Subject("clo", "clm9", "clu2"), "A", "ci-deployer")

    assert Subject("clo", "clp6", "cln7") == completed([by_name], [old, by_name])[0].subject
    assert Subject("clo", "clp6", None, "ci-deployer") == completed([by_name], [old, new, by_name])[0].subject


def test_a_value_that_is_yet_to_be_made_is_never_filled_in() -> None:
    unknown = Unseen(Hidden.UNKNOWN, "urn org_token_id")
    made = Grant(Subject("clo", "clp6", unknown), "A", "ci-deployer")

    assert unknown == completed([made], [Grant(ETL, "A", "ci-deployer"), made])[0].subject.org_token_id
