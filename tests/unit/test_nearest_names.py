"""A misspelt name is answered with the names that it may have meant."""

from __future__ import annotations

from astro_provider.astro.hints import nearest_names

NAMES = ["ci-deployer", "ci-deployers", "observability", "model-trainer"]


def test_the_closest_name_comes_first() -> None:
    assert nearest_names("ci-deploier", NAMES) == " (nearest: 'ci-deployer', 'ci-deployers')"


def test_case_does_not_count_and_the_name_is_shown_as_it_is_spelled() -> None:
    assert nearest_names("OBSERVABILTY", ["Observability"]) == " (nearest: 'Observability')"


def test_at_most_three_names_are_shown() -> None:
    found = nearest_names("deploy-0", [f"deploy-{number}" for number in range(1, 9)])

    assert found.count("'deploy-") == 3


def test_where_nothing_is_near_nothing_is_said() -> None:
    assert nearest_names("warehouse", NAMES) == ""
    assert nearest_names("warehouse", []) == ""
