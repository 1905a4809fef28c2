"""Which calls the looks after a burst are made of: that they show all bindings, and how few there are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astro_provider.astro.coverage import Reading, fewest_reads
from astro_provider.astro.identity import BindingId

reproducible = settings(derandomize=True, database=None, deadline=None, max_examples=100)
few = st.sampled_from("abcdef")
bindings = st.frozensets(st.builds(BindingId, st.sampled_from("op"), few, few), max_size=20)


def of(*pairs: tuple[str, str]) -> list[BindingId]:
    """Bindings from deployment and token."""
    return [BindingId("o", deployment_id, token_id) for deployment_id, token_id in pairs]


def tokens_and_deployments(wanted: frozenset[BindingId]) -> tuple[int, int]:
    tokens = {(binding.organization_id, binding.token_id) for binding in wanted}
    deployments = {(binding.organization_id, binding.deployment_id) for binding in wanted}
    return len(tokens), len(deployments)


def fewest_possible(wanted: frozenset[BindingId]) -> int:
    """The true minimum: half of a bipartite graph's vertices at least must be chosen to touch all edges (König)."""
    edges: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for binding in wanted:
        token = (binding.organization_id, binding.token_id)
        edges.setdefault(token, set()).add((binding.organization_id, binding.deployment_id))
    matched: dict[tuple[str, str], tuple[str, str]] = {}

    def match(token: tuple[str, str], seen: set[tuple[str, str]]) -> bool:
        for deployment in edges[token] - seen:
            seen.add(deployment)
            if deployment not in matched or match(matched[deployment], seen):
                matched[deployment] = token
                return True
        return False

    return sum(match(token, set()) for token in edges)


@reproducible
@given(bindings)
def test_each_binding_is_shown_by_one_call(wanted: frozenset[BindingId]) -> None:
    shown = [binding for reading in fewest_reads(wanted) for binding in reading.bindings]

    assert sorted(wanted) == sorted(shown)


@reproducible
@given(bindings)
def test_a_call_shows_bindings_of_one_token_or_of_one_deployment(wanted: frozenset[BindingId]) -> None:
    for reading in fewest_reads(wanted):
        tokens, deployments = tokens_and_deployments(frozenset(reading.bindings))

        assert (deployments if reading.of_deployment else tokens) == 1


@reproducible
@given(bindings)
def test_there_are_never_more_calls_than_bindings(wanted: frozenset[BindingId]) -> None:
    assert len(fewest_reads(wanted)) <= len(wanted)


@reproducible
@given(bindings)
def test_for_a_handful_of_tokens_there_are_never_twice_as_many_calls_as_the_fewest_possible(
    wanted: frozenset[BindingId],
) -> None:
    fewest = fewest_possible(wanted)

    assert fewest <= len(fewest_reads(wanted)) <= max(fewest, 2 * fewest - 1)


def test_sixty_bindings_of_one_token_are_one_call() -> None:
    wanted = [BindingId("o", f"d{number}", "t") for number in range(60)]

    (reading,) = fewest_reads(wanted)

    assert Reading(of_deployment=False, bindings=tuple(sorted(wanted))) == reading


def test_sixty_tokens_of_one_deployment_are_one_call() -> None:
    wanted = [BindingId("o", "d", f"t{number}") for number in range(60)]

    (reading,) = fewest_reads(wanted)

    assert Reading(of_deployment=True, bindings=tuple(sorted(wanted))) == reading


def test_a_token_is_read_where_a_list_would_show_no_more() -> None:
    assert [Reading(of_deployment=False, bindings=tuple(of(("d", "t"))))] == fewest_reads(of(("d", "t")))


@pytest.mark.parametrize(("tokens", "deployments"), [(20, 10), (10, 20), (3, 3)])
def test_a_full_grid_is_read_along_its_shorter_side(tokens: int, deployments: int) -> None:
    wanted = [BindingId("o", f"d{d}", f"t{t}") for t in range(tokens) for d in range(deployments)]

    assert min(tokens, deployments) == len(fewest_reads(wanted))


def test_the_choice_is_greedy_and_may_take_more_calls_than_there_are_deployments() -> None:
    # Each token of the next smaller size is the best choice at its time, and in the end all tokens have been read.
    deployments = 6
    sizes = [size for size in range(deployments, 0, -1) for _ in range(deployments // size)]
    starts = [place for size in range(deployments, 0, -1) for place in range(0, deployments - size + 1, size)]
    wanted = [
        BindingId("o", f"d{start + number}", f"t{token:02}")
        for token, (size, start) in enumerate(zip(sizes, starts, strict=True))
        for number in range(size)
    ]

    assert deployments == fewest_possible(frozenset(wanted))
    assert len(sizes) == len(fewest_reads(wanted)) == 14


def test_nothing_to_show_is_no_call() -> None:
    assert fewest_reads([]) == []
