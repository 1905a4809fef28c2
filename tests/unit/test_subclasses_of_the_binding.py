"""A subclass is the same resource to Pulumi, whatever its constructor takes. Declared with Pulumi's own mocks."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from astro_provider import DeploymentOrgTokenBinding, native
from tests.support.mocked import Recorder, value_of

OUTPUTS = (
    *("organization_id", "deployment_id", "deployment_name", "org_token_id", "org_token_name", "role", "workspace_id"),
    *("overwrite", "description", "scope", "created_at", "created_by"),
)


class Admin(DeploymentOrgTokenBinding):
    def __init__(self, name: str, *, deployment: str, token: str) -> None:
        super().__init__(name, deployment_id=deployment, org_token_name=token, role="DEPLOYMENT_ADMIN")


class OfATeam(DeploymentOrgTokenBinding):
    team: str
    role_of_the_team: pulumi.Output[str]

    def __init__(self, name: str, team: str, **arguments: Any) -> None:
        super().__init__(name, **arguments)
        self.team = team
        self.role_of_the_team = pulumi.Output.concat(team, ": ", self.role)


class AdminOfATeam(Admin):
    pass


class NativeAdmin(native.DeploymentOrgTokenBinding):
    pass


@pytest.fixture
def recorder() -> Recorder:
    return Recorder.in_use(described="by the mock")


def _values(binding: DeploymentOrgTokenBinding) -> dict[str, Any]:
    return value_of(pulumi.Output.all(**{name: getattr(binding, name) for name in OUTPUTS}))


@pytest.mark.parametrize("subclass", [Admin, AdminOfATeam])
def test_a_subclass_with_fewer_arguments_is_the_same_resource(recorder: Recorder, subclass: type[Admin]) -> None:
    plain = DeploymentOrgTokenBinding("plain", deployment_id="d", org_token_name="ci", role="DEPLOYMENT_ADMIN")
    binding = subclass("ci", deployment="d", token="ci")

    values = _values(binding)

    assert values == _values(plain)
    assert values["description"] == "by the mock"
    assert recorder.registered["ci"] == recorder.registered["plain"]
    assert recorder.types == {"pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"}


def test_a_subclass_through_the_native_door_has_the_same_outputs(recorder: Recorder) -> None:
    binding = NativeAdmin("ci", deployment_id="d", org_token_id="t", role="DEPLOYMENT_ADMIN")

    values = value_of(pulumi.Output.all(binding.deployment_id, binding.org_token_id, binding.role, binding.description))

    assert values == ["d", "t", "DEPLOYMENT_ADMIN", "by the mock"]
    assert recorder.types == {"astro:index:DeploymentOrgTokenBinding"}


def test_annotations_of_a_subclass_are_its_own_business(recorder: Recorder) -> None:
    binding = OfATeam("ci", "payments", deployment_id="d", org_token_name="ci", role="Auditor")

    values = _values(binding)
    shown = value_of(binding.role_of_the_team)

    assert {name: value for name, value in recorder.registered["ci"].items() if name != "__provider"} == {
        "deployment_id": "d",
        "org_token_name": "ci",
        "role": "Auditor",
    }
    assert values["role"] == "Auditor"
    assert shown == "payments: Auditor"
    assert binding.team == "payments"


def test_a_binding_is_read_through_a_subclass_whose_constructor_wants_more(recorder: Recorder) -> None:
    binding = Admin.get("ci", "o/d/t")

    values = _values(binding)

    assert isinstance(binding, Admin)
    assert values["description"] == "by the mock"
    assert recorder.read == {"ci": "o/d/t"}


def test_a_subclass_with_a_type_of_its_own_is_refused() -> None:
    with pytest.raises(TypeError) as refused:
        type("House", (DeploymentOrgTokenBinding,), {}, module="house", name="Binding")

    assert str(refused.value) == (
        "class House is given module and name, but every subclass of DeploymentOrgTokenBinding is the same resource to "
        "Pulumi, and `astro-provider review` and `audit` know it by its type. Remove module and name from the class line."
    )
