"""Adds the attributes that the published API requires of every object, and that this emulator does not use.

A record keeps the values that a seed or a caller has set. The others are added when it is shown: the same for all
objects, believable and without effect.
"""

from __future__ import annotations

from astro_emulator.organization import ADA
from astro_emulator.state import Record, State

FOUNDED = "2023-07-24T08:21:07.000Z"
RUNTIME, AIRFLOW = "12.7.1", "2.10.5"
DOMAIN = "astronomer-emulator.invalid"

_QUEUE = {
    "name": "default",
    "isDefault": True,
    "astroMachine": "A5",
    "minWorkerCount": 0,
    "maxWorkerCount": 10,
    "workerConcurrency": 5,
    "podCpu": "1",
    "podMemory": "2Gi",
    "podEphemeralStorage": "10Gi",
}


def whole_deployment(record: Record) -> Record:
    """Return a deployment with every required attribute, and those that the CLI reads without asking for them."""
    namespace = f"emulated-{record['id'][-8:]}"
    host = f"{namespace}.{DOMAIN}"
    return {
        "airflowVersion": AIRFLOW,
        "apiUrl": f"https://{host}/api/v1",
        "astroRuntimeVersion": RUNTIME,
        "cloudProvider": "AWS",
        "contactEmails": [],
        "createdBy": ADA,
        "defaultTaskPodCpu": "0.25",
        "defaultTaskPodMemory": "0.5Gi",
        "environmentVariables": [],
        "executor": "CELERY",
        "imageRepository": f"images.{DOMAIN}/{record['id']}",
        "imageTag": RUNTIME,
        "imageVersion": RUNTIME,
        "isCicdEnforced": False,
        "isDagDeployEnabled": True,
        "isDevelopmentMode": False,
        "isHighAvailability": False,
        "namespace": namespace,
        "region": "us-east-1",
        "resourceQuotaCpu": "10",
        "resourceQuotaMemory": "20Gi",
        "runtimeVersion": RUNTIME,
        "schedulerCpu": "1",
        "schedulerMemory": "2Gi",
        "schedulerReplicas": 1,
        "schedulerSize": "SMALL",
        "type": "STANDARD",
        "uiUrl": f"https://cloud.{DOMAIN}/{record['workspaceId']}/deployments/{record['id']}",
        "updatedBy": ADA,
        "webServerAirflowApiUrl": f"https://{host}/api/v1",
        "webServerCpu": "0.5",
        "webServerIngressHostname": host,
        "webServerMemory": "1.5Gi",
        "webServerReplicas": 1,
        "webServerUrl": f"https://{host}",
        "workerQueues": [{"id": f"queue-{record['id']}", **_QUEUE}],
        **record,
    }


def whole_organization(record: Record) -> Record:
    """Return an organization with every required attribute."""
    plan = {
        "astronomerProduct": "ASTRO",
        "organizationId": record["id"],
        "productPlanId": f"plan-{record['id']}",
        "productPlanName": "TEAM_V2",
    }
    return {
        "allowEnhancedSupportAccess": False,
        "createdAt": FOUNDED,
        "createdBy": ADA,
        "hasAllowedIpAddressRanges": False,
        "isBlockedEnableAiFeatures": False,
        "isScimEnabled": False,
        "productPlans": [plan],
        "shouldEnforceDedicatedClusters": False,
        "updatedAt": FOUNDED,
        "updatedBy": ADA,
        **record,
    }


def whole_workspace(state: State, record: Record) -> Record:
    """Return a workspace with every required attribute."""
    organization = state.organizations.get(record["organizationId"], {})
    return {
        "cicdEnforcedDefault": False,
        "createdAt": FOUNDED,
        "createdBy": ADA,
        "description": "",
        "organizationName": organization.get("name", ""),
        "updatedAt": FOUNDED,
        "updatedBy": ADA,
        **record,
    }


def whole_role(record: Record) -> Record:
    """Return a custom role with every required attribute."""
    return {"createdBy": ADA, "updatedBy": ADA, **record}
