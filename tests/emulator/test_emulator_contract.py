"""The running emulator and the client, compared with the contract: generated requests, and the smallest answers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from astro_emulator import Emulator, Store, api
from astro_emulator.organization import (
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_ID,
    ML_TRAINING_ID,
    ORGANIZATION_ID,
    entry,
)
from astro_emulator.rights import PERMISSIONS
from astro_provider.astro.api import ApiTokenRole, AstroClient
from tests.support.clients import Connect, Serve, closed_clients, connect, serve, short_pauses
from tests.support.raw_server import Reply

__all__ = ["closed_clients", "connect", "serve", "short_pauses"]

SPECIFICATION = Path(__file__).parents[1] / "astro-v1.yaml"
BUILT = {operation.id: operation.verb for operation in api.operations(api.routes(Store()))}
REAL = {
    "organizationId": ORGANIZATION_ID,
    "workspaceId": FINANCE_ID,
    "customRoleId": "clr4f6w8h000a08l6s2d9q7ug",
    "tokenId": "clv9m2t3q000i08l6b8x5g4do",
    "deploymentId": ETL_PRODUCTION_ID,
}
REAL_ROLES = [
    entry("ORGANIZATION", ORGANIZATION_ID, "ORGANIZATION_MEMBER"),
    entry("WORKSPACE", FINANCE_ID, "workspace_member"),
    entry("DEPLOYMENT", ETL_STAGING_ID, "DEPLOYMENT_ADMIN"),
    entry("DEPLOYMENT", ETL_PRODUCTION_ID, "Release Engineer"),
    entry("DAG", "train", "DAG_VIEWER", deploymentId=ML_TRAINING_ID),
    entry("DAG_TAG", "nightly", "DAG Trigger", deploymentId=ML_TRAINING_ID),
]


REAL_TOKENS = [
    {"name": "nightly", "scope": "ORGANIZATION", "role": "organization_member"},
    {"name": "n" * 256, "scope": "ORGANIZATION", "role": "ORGANIZATION_OWNER", "tokenExpiryPeriodInDays": 3650},
    {"name": "finance", "scope": "WORKSPACE", "role": "WORKSPACE_MEMBER", "entityId": FINANCE_ID},
    {"name": "etl", "scope": "DEPLOYMENT", "role": "Release Engineer", "entityId": ETL_STAGING_ID, "description": ""},
    {"name": "direct", "scope": "ORGANIZATION", "role": "ORGANIZATION_MEMBER", "kind": "DIRECT_ACCESS"},
    {"name": "nowhere", "scope": "WORKSPACE", "role": "WORKSPACE_MEMBER", "entityId": "clnone"},
]
REAL_ROLES_TO_MAKE = [
    {"name": "Night Watch", "scopeType": "DEPLOYMENT", "permissions": ["deployment.get"]},
    {
        "name": "Loader",
        "scopeType": "DAG",
        "permissions": ["dag.airflow.dag.get"],
        "restrictedWorkspaceIds": [FINANCE_ID],
    },
    {
        "name": "Nowhere",
        "scopeType": "DAG",
        "permissions": ["dag.airflow.dag.get"],
        "restrictedWorkspaceIds": ["clnone"],
    },
]
DONE = (200, 204)


@cache
def operations() -> dict[str, Any]:
    """The operations of the specification, as schemathesis knows them, by their ids."""
    import schemathesis  # noqa: PLC0415  it takes a second, which each process of a run would pay that collects this module
    from schemathesis.core.result import Ok  # noqa: PLC0415  as above

    found = schemathesis.openapi.from_path(SPECIFICATION).get_all_operations()
    return {one.ok().definition.raw["operationId"]: one.ok() for one in found if isinstance(one, Ok)}


@pytest.mark.parametrize("operation_id", BUILT)
def test_every_answer_is_one_that_the_specification_promises(emulator: Emulator, operation_id: str) -> None:
    from schemathesis import GenerationMode  # noqa: PLC0415  as in `operations`
    from schemathesis.checks import not_a_server_error  # noqa: PLC0415  as above
    from schemathesis.specs.openapi import checks  # noqa: PLC0415  as above

    wanted = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    operation = operations()[operation_id]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    statuses: Counter[int] = Counter()
    # In turn: drawn, forty examples might never ask for an id that is not there.
    reals = cycle([set(REAL), {"organizationId"}, set(REAL), set(REAL), set[str]()])

    @settings(
        derandomize=True,
        database=None,
        max_examples=40,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=cases,
        roles=st.lists(st.sampled_from(REAL_ROLES), unique_by=str),
        token=st.sampled_from([None, *REAL_TOKENS]),
        role=st.sampled_from([None, *REAL_ROLES_TO_MAKE]),
    )
    def hold(
        case: Any,
        roles: list[dict[str, str]],
        token: dict[str, Any] | None,
        role: dict[str, Any] | None,
    ) -> None:
        emulator.store.reset()
        for name in next(reals) & case.path_parameters.keys():
            case.path_parameters[name] = REAL[name]
        if roles and operation_id == "UpdateApiTokenRoles":
            case.body = {"roles": roles}
        if token and operation_id == "CreateApiToken":
            case.body = token
        if role and operation_id in {"CreateCustomRole", "UpdateCustomRole"}:
            case.body = role

        response = case.call(base_url=f"{emulator.url}/v1", headers={"Authorization": f"Bearer {emulator.credential}"})

        statuses[response.status_code] += 1
        case.validate_response(response, checks=wanted)

    hold()

    assert sum(statuses[status] for status in DONE) >= 5, statuses
    assert emulator.calls()["by_operation"][operation_id] >= 30


def test_the_emulator_has_every_operation_of_the_specification_and_no_other() -> None:
    assert {name: operation.method.upper() for name, operation in operations().items()} == BUILT


def test_each_operation_asks_for_the_permission_that_is_published() -> None:
    published = {name: operation.definition.raw.get("x-permission") for name, operation in operations().items()}

    assert {name: permission for name, permission in published.items() if permission} == dict(PERMISSIONS)


ROLE = ApiTokenRole(entity_type="DEPLOYMENT", entity_id="d", role="DEPLOYMENT_ADMIN")
CALLS: dict[str, Callable[[AstroClient], object]] = {
    "ListOrganizations": lambda client: client.list_organizations(),
    "ListApiTokens": lambda client: client.of("o").list_tokens(deployment_id="d"),
    "ListApiTokens of the organization": lambda client: client.of("o").list_tokens(only_organization=True),
    "GetApiToken": lambda client: client.of("o").get_token("t"),
    "UpdateApiTokenRoles": lambda client: client.of("o").set_roles("t", [ROLE]),
    "ListDeployments": lambda client: client.of("o").list_deployments(),
    "GetDeployment": lambda client: client.of("o").get_deployment("d"),
    "ListRoles": lambda client: client.of("o").list_deployment_roles(),
}


@cache
def contract() -> dict[str, Any]:
    """The specification."""
    found: dict[str, Any] = yaml.safe_load(SPECIFICATION.read_text(encoding="utf-8"))
    return found


def smallest(schema: dict[str, Any]) -> Any:
    """The smallest value that a schema of the contract allows: required attributes only, lists with one element."""
    if "$ref" in schema:
        return smallest(referred(schema["$ref"]))
    if "allOf" in schema:
        parts = [smallest(part) for part in schema["allOf"]]
        return {name: value for part in parts for name, value in part.items()}
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: smallest(properties[name]) for name in schema.get("required", ()) if name in properties}
    made: dict[str, Any] = {"array": [], "boolean": False, "integer": 0, "string": "2026-01-31T12:00:00Z"}
    if schema.get("type") == "array":
        return [smallest(schema["items"])]
    return schema.get("enum", [made[schema["type"]]])[0]


def referred(reference: str) -> Any:
    found: Any = contract()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


@pytest.mark.parametrize("called", CALLS)
def test_the_client_calls_as_the_contract_has_it_and_reads_the_smallest_answer(
    connect: Connect, serve: Serve, called: str
) -> None:
    operation = operations()[called.partition(" ")[0]]
    answer = smallest(operation.definition.raw["responses"]["200"]["content"]["application/json"]["schema"])
    if "totalCount" in answer:
        answer["totalCount"] = 1
    if "id" in answer:
        answer["id"] = "t" if "tokenId" in operation.path else "d"
    server = serve(lambda _: Reply(body=answer))

    assert CALLS[called](connect(server.url)) is not None

    (request,) = server.requests
    parameters = [
        referred(one["$ref"]) if "$ref" in one else one for one in operation.definition.raw.get("parameters", ())
    ]
    assert request.verb == operation.method.upper()
    assert re.fullmatch("/v1" + re.sub(r"\{\w+\}", "[^/]+", operation.path), request.path)
    assert request.query.keys() <= {one["name"] for one in parameters if one["in"] == "query"}
    assert request.headers["x-api-version"] == contract()["info"]["version"]
    if request.body:
        (entry_,) = json.loads(request.body)["roles"]
        assert set(contract()["components"]["schemas"]["ApiTokenRole"]["required"]) <= entry_.keys()
