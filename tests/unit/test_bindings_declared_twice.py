"""Two resources of one program that bind the same token to the same deployment, compared as they are spelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import settings

from astro_provider import DeploymentOrgTokenBinding
from astro_provider.errors import BindingConflict
from tests.support.mocked import Recorder, declared

BY_IDS: dict[str, Any] = {"deployment_id": "d", "org_token_id": "t", "role": "R"}
BY_NAMES: dict[str, Any] = {"deployment_name": "orders", "org_token_name": "ci", "role": "R"}


@pytest.fixture
def _in_a_program(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program with a root resource of its own and an engine that is no mock; nothing is handed to it."""
    before = settings.ROOT.get()
    monkeypatch.setattr(pulumi.CustomResource, "__init__", lambda *_, **__: None)
    settings.ROOT.set(object.__new__(pulumi.ComponentResource))
    monkeypatch.setattr(settings, "get_monitor", object)
    yield
    settings.ROOT.set(before)


@pytest.mark.usefixtures("_in_a_program")
@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (BY_IDS, BY_IDS, "token 't' to deployment d"),
        (BY_NAMES, BY_NAMES, "token 'ci' to deployment orders"),
        (BY_NAMES, {**BY_NAMES, "role": "S", "overwrite": True}, "token 'ci' to deployment orders"),
        ({**BY_IDS, "org_token_name": "ci"}, BY_IDS, "token 't' to deployment d"),
        ({**BY_IDS, "workspace_id": "w"}, BY_IDS, "token 't' to deployment d"),
    ],
)
def test_a_binding_that_is_declared_twice_is_refused(first: dict[str, Any], second: dict[str, Any], told: str) -> None:
    DeploymentOrgTokenBinding("one", **first)

    with pytest.raises(BindingConflict) as refused:
        DeploymentOrgTokenBinding("two", **second)

    assert str(refused.value) == (
        f"The resources 'one' and 'two' both bind {told}. A token has one role in a deployment: remove one of the two."
    )


@pytest.mark.usefixtures("_in_a_program")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BY_IDS, {**BY_IDS, "organization_id": "o"}),
        (BY_IDS, {"deployment_name": "d", "org_token_id": "t", "role": "R"}),
        (BY_IDS, {"deployment_id": "d", "org_token_name": "t", "role": "R"}),
        ({**BY_NAMES, "workspace_id": "w"}, {**BY_NAMES, "workspace_id": "v"}),
        (
            {**BY_IDS, "org_token_name": "ci"},
            {**BY_IDS, "org_token_name": "ci", "org_token_id": "another of that name"},
        ),
        ({**BY_IDS, "deployment_id": pulumi.Output.from_input("d")}, BY_IDS),
    ],
)
def test_what_is_spelled_differently_is_left_to_the_provider(first: dict[str, Any], second: dict[str, Any]) -> None:
    DeploymentOrgTokenBinding("one", **first)

    DeploymentOrgTokenBinding("two", **second)


@pytest.mark.parametrize("name", ["in-one-test", "in-another"])
def test_two_unit_tests_of_one_process_are_two_programs(name: str) -> None:
    recorder = Recorder.in_use(described="by the mock")

    DeploymentOrgTokenBinding(name, **BY_IDS)

    declared()
    assert {name} == set(recorder.registered)


@pytest.mark.parametrize("name", ["in-one-test", "in-another"])
def test_unit_tests_that_share_their_mocks_are_still_two_programs(shared: Recorder, name: str) -> None:
    DeploymentOrgTokenBinding(name, **BY_NAMES)

    declared()
    assert name in shared.registered


@pytest.fixture(scope="module")
def shared() -> Recorder:
    return Recorder.in_use(described="by the mock")
