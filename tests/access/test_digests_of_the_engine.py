"""What the digests of the real engine say about access."""

from __future__ import annotations

import pytest

from astro_provider.access.digest import Digest, read_digest
from astro_provider.access.model import Hidden, Kind, Text, Unseen
from tests.support import digests
from tests.support.cast import DIRECT, EXPIRED, FINANCE, OBSERVABILITY, PRODUCTION, STAGING, TRAINER, TRAINING
from tests.support.outcomes import changed, offline, roles
from tests.support.previews import ACCESSOR, ADMIN, NEW_DEPLOYER, OLD_DEPLOYER, Previews

Rows = set[tuple[Text, Text, Text, Text]]


def read(made: digests.Digest) -> Digest:
    return read_digest(made.text, "digest.json")


def rows(digest: Digest) -> Rows:
    """Deployment, token, role before and after of all that changes."""
    return {
        (change.subject.deployment_id, change.subject.org_token_id or change.subject.org_token_name, *roles(change))
        for change in changed(digest)
    }


ALL: Rows = {
    (PRODUCTION, OLD_DEPLOYER, None, ADMIN),
    (STAGING, OLD_DEPLOYER, None, ACCESSOR),
    (TRAINING, DIRECT, None, ADMIN),
    (FINANCE, EXPIRED, None, ACCESSOR),
}


def test_a_first_preview_gives_every_role(previews: Previews) -> None:
    digest = read(previews.made)

    assert rows(digest) == ALL
    assert (digest.stack, digest.problems, offline(digest).unchanged) == ("bindings/test", [], 0)


def test_a_preview_without_changes_counts_what_stays(previews: Previews) -> None:
    digest = read(previews.unchanged)

    assert (set(), 4, {}, []) == (rows(digest), offline(digest).unchanged, digest.other_changes, digest.problems)


def test_without_show_sames_it_is_not_known_how_much_stays(previews: Previews) -> None:
    digest = read(previews.plain)

    assert (set(), False) == (rows(digest), digest.shows_unchanged)


def test_a_rename_and_a_move_beneath_a_component_are_no_change_of_access(previews: Previews) -> None:
    digest = read(previews.moved)

    assert {op: previews.moved.text.count(f'"op": "{op}"') for op in ("create", "delete")} | {
        "create": previews.moved.text.count('"op": "create"') - 1  # the component
    } == {"create": 4, "delete": 4}
    assert (set(), 4, {"create": 1}) == (rows(digest), offline(digest).unchanged, digest.other_changes)


def test_a_replacement_of_the_same_binding_is_a_moment_without_the_role(previews: Previews) -> None:
    digest = read(previews.replaced)

    assert set() == rows(digest)
    found = offline(digest)
    assert {(PRODUCTION, OLD_DEPLOYER)} == {(one.deployment_id, one.org_token_id) for one in found.gaps}
    assert [(change.subject.deployment_id, *roles(change)) for change in found.changes] == [(PRODUCTION, ADMIN, ADMIN)]


def test_many_changes_at_once_are_told_apart(previews: Previews) -> None:
    digest = read(previews.many)

    found = rows(digest)
    seen = {row for row in found if not any(isinstance(part, Unseen) for part in row)}
    assert {
        (PRODUCTION, OLD_DEPLOYER, ADMIN, ACCESSOR),
        (TRAINING, DIRECT, ADMIN, None),
        (TRAINING, NEW_DEPLOYER, None, ADMIN),
        (FINANCE, EXPIRED, ACCESSOR, None),
        (PRODUCTION, OBSERVABILITY, None, ACCESSOR),
        (TRAINING, TRAINER, None, ADMIN),
    } == seen
    hidden = {(row[0], part.why) for row in found - seen for part in row if isinstance(part, Unseen)}
    assert {(STAGING, Hidden.UNKNOWN), (STAGING, Hidden.SECRET)} == hidden
    assert digest.other_changes == {"create": 1}


def test_destroy_takes_every_role_away(previews: Previews) -> None:
    digest = read(previews.destroyed)

    assert {(deployment, token, role, None) for deployment, token, _, role in ALL} == rows(digest)
    assert not digest.is_refresh


def test_a_destroy_after_a_refresh_takes_away_what_is_there_and_not_what_the_state_said(previews: Previews) -> None:
    digest = read(previews.destroyed_after_refresh)

    assert not digest.is_refresh
    assert (PRODUCTION, OLD_DEPLOYER, ACCESSOR, None) in rows(digest)
    assert STAGING not in {row[0] for row in rows(digest)}


def test_a_grant_that_stays_when_its_resource_is_deleted_is_no_loss(previews: Previews) -> None:
    digest = read(previews.retained)

    found = offline(digest)
    assert [
        (change.subject.deployment_id, *roles(change), change.kind) for change in found.changes if change.is_released
    ] == [(FINANCE, ACCESSOR, ACCESSOR, Kind.KEEP)]
    assert (set(), 3) == (rows(digest), found.unchanged)


def test_a_refresh_shows_what_vanished(previews: Previews) -> None:
    digest = read(previews.refreshed)

    assert digest.is_refresh
    assert (STAGING, OLD_DEPLOYER, ACCESSOR, None) in rows(digest)


def test_a_refresh_that_finds_another_role_never_looks_like_a_whole_one_without_it(previews: Previews) -> None:
    digest = read(previews.refreshed)

    told = (PRODUCTION, OLD_DEPLOYER, ADMIN, ACCESSOR) in rows(digest)
    assert told != (digest.problems == ["The engine counts 1 update that the digest does not show."])


def test_a_refresh_without_drift_is_no_change(previews: Previews) -> None:
    digest = read(previews.refreshed_in_peace)

    assert (True, set(), 4, []) == (digest.is_refresh, rows(digest), offline(digest).unchanged, digest.problems)


def test_a_preview_that_takes_drift_back_starts_from_what_is_there(previews: Previews) -> None:
    digest = read(previews.reverting)

    assert {
        (PRODUCTION, OLD_DEPLOYER, ACCESSOR, ADMIN),
        (STAGING, OLD_DEPLOYER, None, ACCESSOR),
    } == rows(digest)
    assert {PRODUCTION, STAGING} == {one.deployment_id for one in offline(digest).drifted}


@pytest.mark.parametrize("which", ["failed", "crashed"])
def test_a_preview_that_failed_is_not_whole(previews: Previews, which: str) -> None:
    made: digests.Digest = getattr(previews, which)

    digest = read(made)

    assert made.status != 0
    assert len(digest.problems) == 1
    assert digest.problems[0].endswith(", so steps are missing, above all those that remove roles.")


def test_with_checks_off_a_renamed_binding_is_found_by_its_name(previews: Previews) -> None:
    digest = read(previews.unchecked)

    assert (STAGING, OLD_DEPLOYER, ACCESSOR, None) not in rows(digest)
    assert (PRODUCTION, OLD_DEPLOYER, ADMIN, ACCESSOR) in rows(digest)
    assert (PRODUCTION, "observability", None, ACCESSOR) in rows(digest)


def test_a_forks_preview_knows_what_the_program_says_and_no_more(previews: Previews) -> None:
    digest = read(previews.of_a_fork)

    assert (TRAINING, "snowflake-direct", None, ADMIN) in rows(digest)
    assert {None} == {grant.subject.organization_id for grant in offline(digest).after}
