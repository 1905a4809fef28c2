"""The running emulator, held against the specification by generated requests, good and bad."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from astro_emulator import Emulator, api
from astro_emulator.organization import (
    ETL_PRODUCTION_ID,
    ETL_STAGING_ID,
    FINANCE_ID,
    ML_TRAINING_ID,
    ORGANIZATION_ID,
    entry,
)

SCHEMA = schemathesis.openapi.from_path(Path(__file__).parents[1] / "astro-v1.yaml")
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok()
    for found in SCHEMA.get_all_operations()
    if isinstance(found, Ok)
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
REAL = {
    "organizationId": ORGANIZATION_ID,
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
]
DONE = (200, 204)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_answer_is_one_that_the_specification_promises(emulator: Emulator, operation_id: str) -> None:
    operation = OPERATIONS[operation_id]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    statuses: Counter[int] = Counter()

    @settings(
        derandomize=True,
        database=None,
        max_examples=100,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=cases,
        real=st.sampled_from([set(REAL), set(REAL), set(REAL), {"organizationId"}, set[str]()]),
        roles=st.lists(st.sampled_from(REAL_ROLES), unique_by=str),
        token=st.sampled_from([None, *REAL_TOKENS]),
    )
    def hold(case: Any, real: set[str], roles: list[dict[str, str]], token: dict[str, Any] | None) -> None:
        emulator.store.reset()
        for name in real & case.path_parameters.keys():
            case.path_parameters[name] = REAL[name]
        if roles and operation_id == "UpdateApiTokenRoles":
            case.body = {"roles": roles}
        if token and operation_id == "CreateApiToken":
            case.body = token

        response = case.call(base_url=f"{emulator.url}/v1", headers={"Authorization": f"Bearer {emulator.credential}"})

        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    hold()

    assert sum(statuses[status] for status in DONE) >= 5, statuses
    assert emulator.calls()["by_operation"][operation_id] >= 80


def test_the_emulator_has_every_operation_of_the_specification_and_no_other(emulator: Emulator) -> None:
    built = {operation.id: operation.verb for operation in api.operations(api.routes(emulator.store))}

    assert {name: operation.method.upper() for name, operation in OPERATIONS.items()} == built
