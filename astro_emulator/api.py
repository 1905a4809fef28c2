"""The paths of the Astro API v1 that this project uses, each with the operationId of the specification.

`front.py` has checked the permission before a call comes here. Parameters are declared, so FastAPI refuses malformed
ones; bodies are read by hand, because an entry of a role list must come out as it went in, unknown fields included.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Literal, NoReturn

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.routing import APIRoute

from astro_emulator import managing, reading
from astro_emulator.answers import ApiError, JSONAnswer
from astro_emulator.front import Operation
from astro_emulator.reading import Page, TokenFilter
from astro_emulator.rights import sight
from astro_emulator.state import Record
from astro_emulator.store import Store
from astro_emulator.writing import subject_roles

MAX_LIMIT = 1000
NO_CONTENT = 204

Limit = Annotated[int, Query(ge=0)]
BoundedLimit = Annotated[int, Query(ge=0, le=MAX_LIMIT)]
Offset = Annotated[int, Query(ge=0)]
Sort = Literal[
    "name:asc",
    "name:desc",
    "description:asc",
    "description:desc",
    "createdAt:asc",
    "createdAt:desc",
    "updatedAt:asc",
    "updatedAt:desc",
    "tokenStartAt:asc",
    "tokenStartAt:desc",
]
NameSort = Literal["name:asc", "name:desc", "createdAt:asc", "createdAt:desc", "updatedAt:asc", "updatedAt:desc"]
RoleSort = NameSort | Literal["scopeType:asc", "scopeType:desc", "description:asc", "description:desc"]
ProductPlan = Literal["TRIAL", "BASIC", "STANDARD", "PREMIUM", "BUSINESS_CRITICAL"]
ScopeType = Literal["DAG", "DEPLOYMENT", "ORGANIZATION", "WORKSPACE"]


def _page(limit: Limit = 20, offset: Offset = 0) -> Page:
    return Page(limit, offset)


def _bounded_page(limit: BoundedLimit = 20, offset: Offset = 0) -> Page:
    return Page(limit, offset)


AskedPage = Annotated[Page, Depends(_page)]
AskedBoundedPage = Annotated[Page, Depends(_bounded_page)]  # of the lists for which a maximum is published


def routes(store: Store) -> APIRouter:  # noqa: C901, PLR0915 twenty-one routes, no branches
    """Return the API over a store."""
    router = APIRouter(prefix="/v1")

    @router.get("/organizations", operation_id="ListOrganizations")
    async def list_organizations(  # noqa: PLR0913, PLR0917 the API's own parameters
        request: Request,
        page: AskedBoundedPage,
        sorts: Annotated[list[NameSort], Query()] = [],  # noqa: B006 FastAPI copies it
        product: Literal["HOSTED", "HYBRID"] | None = None,
        plan: Annotated[ProductPlan | None, Query(alias="productPlan")] = None,
        astronomer_product: Annotated[Literal["ASTRO"] | None, Query(alias="astronomerProduct")] = None,
    ) -> Response:
        credential: Record = request.state.credential
        wanted = {"product": product, "productPlan": plan, "astronomerProduct": astronomer_product}
        with store.locked() as state:
            return JSONAnswer(reading.organizations(state, credential["organization_id"], wanted, sorts, page))

    @router.get("/organizations/{organization_id}", operation_id="GetOrganization")
    async def get_organization(
        organization_id: str,
        is_look_up_only: Annotated[bool, Query(alias="isLookUpOnly")] = False,  # noqa: ARG001, FBT002 it has no effect here
    ) -> Response:
        with store.locked() as state:
            return JSONAnswer(reading.organization(state, organization_id))

    @router.get("/organizations/{organization_id}/workspaces", operation_id="ListWorkspaces")
    async def list_workspaces(  # noqa: PLR0913, PLR0917 the API's own parameters
        request: Request,
        organization_id: str,
        page: AskedBoundedPage,
        sorts: Annotated[list[NameSort], Query()] = [],  # noqa: B006 FastAPI copies it
        workspace_ids: Annotated[list[str], Query(alias="workspaceIds")] = [],  # noqa: B006 FastAPI copies it
        names: Annotated[list[str], Query()] = [],  # noqa: B006 FastAPI copies it
    ) -> Response:
        wanted = {"id": workspace_ids, "name": names}
        with store.locked() as state:
            seen = sight(state, request.state.credential)
            return JSONAnswer(reading.workspaces(state, organization_id, wanted, sorts, page, seen))

    @router.get("/organizations/{organization_id}/workspaces/{workspace_id}", operation_id="GetWorkspace")
    async def get_workspace(organization_id: str, workspace_id: str) -> Response:
        with store.locked() as state:
            return JSONAnswer(reading.workspace(state, organization_id, workspace_id))

    @router.get("/organizations/{organization_id}/tokens", operation_id="ListApiTokens")
    async def list_api_tokens(  # noqa: PLR0913, PLR0917 the API's own parameters
        request: Request,
        organization_id: str,
        page: AskedBoundedPage,
        sorts: Annotated[list[Sort], Query()] = [],  # noqa: B006 FastAPI copies it
        deployment_id: Annotated[str | None, Query(alias="deploymentId")] = None,
        workspace_id: Annotated[str | None, Query(alias="workspaceId")] = None,
        only_organization: Annotated[bool, Query(alias="includeOnlyOrganizationTokens")] = False,  # noqa: FBT002
        kind: Literal["STANDARD", "DIRECT_ACCESS"] | None = None,
        dag_id: Annotated[str | None, Query(alias="dagId")] = None,
        dag_tags: Annotated[list[str], Query(alias="dagTags")] = [],  # noqa: B006 FastAPI copies it
    ) -> Response:
        wanted = TokenFilter(deployment_id, workspace_id, only_organization, kind, dag_id, dag_tags)
        with store.locked() as state:
            seen = sight(state, request.state.credential)
            return JSONAnswer(reading.tokens(state, organization_id, wanted, sorts, page, seen))

    @router.get("/organizations/{organization_id}/tokens/{token_id}", operation_id="GetApiToken")
    async def get_api_token(organization_id: str, token_id: str) -> Response:
        with store.locked() as state:
            return JSONAnswer(reading.token(state, organization_id, token_id))

    @router.post("/organizations/{organization_id}/tokens/{token_id}/roles", operation_id="UpdateApiTokenRoles")
    async def update_api_token_roles(request: Request, organization_id: str, token_id: str) -> Response:
        body = _parsed(await request.body())
        held = store.write_roles(organization_id, token_id, body, writer=request.state.credential)
        return JSONAnswer(subject_roles(held))

    @router.post("/organizations/{organization_id}/tokens", operation_id="CreateApiToken")
    async def create_api_token(request: Request, organization_id: str) -> Response:
        body = _parsed(await request.body())
        writer, token_id = request.state.credential, store.new_id("token")
        with store.locked() as state:
            return JSONAnswer(managing.create_token(state, organization_id, body, token_id, writer))

    @router.post("/organizations/{organization_id}/tokens/{token_id}", operation_id="UpdateApiToken")
    async def update_api_token(request: Request, organization_id: str, token_id: str) -> Response:
        body = _parsed(await request.body())
        with store.locked() as state:
            return JSONAnswer(managing.update_token(state, organization_id, token_id, body, request.state.credential))

    @router.post("/organizations/{organization_id}/tokens/{token_id}/rotate", operation_id="RotateApiToken")
    async def rotate_api_token(request: Request, organization_id: str, token_id: str) -> Response:
        writer, secret_id = request.state.credential, store.new_id("secret")
        with store.locked() as state:
            return JSONAnswer(managing.rotate_token(state, organization_id, token_id, secret_id, writer))

    @router.delete("/organizations/{organization_id}/tokens/{token_id}", operation_id="DeleteApiToken")
    async def delete_api_token(organization_id: str, token_id: str) -> Response:
        with store.locked() as state:
            managing.delete_token(state, organization_id, token_id)
        return Response(status_code=NO_CONTENT)

    @router.get("/organizations/{organization_id}/deployments", operation_id="ListDeployments")
    async def list_deployments(  # noqa: PLR0913, PLR0917 the API's own parameters
        request: Request,
        organization_id: str,
        page: AskedPage,
        sorts: Annotated[list[NameSort], Query()] = [],  # noqa: B006 FastAPI copies it
        deployment_ids: Annotated[list[str], Query(alias="deploymentIds")] = [],  # noqa: B006 FastAPI copies it
        names: Annotated[list[str], Query()] = [],  # noqa: B006 FastAPI copies it
        workspace_ids: Annotated[list[str], Query(alias="workspaceIds")] = [],  # noqa: B006 FastAPI copies it
    ) -> Response:
        wanted = {"id": deployment_ids, "name": names, "workspaceId": workspace_ids}
        with store.locked() as state:
            seen = sight(state, request.state.credential)
            return JSONAnswer(reading.deployments(state, organization_id, wanted, sorts, page, seen))

    @router.get("/organizations/{organization_id}/deployments/{deployment_id}", operation_id="GetDeployment")
    async def get_deployment(organization_id: str, deployment_id: str) -> Response:
        with store.locked() as state:
            return JSONAnswer(reading.deployment(state, organization_id, deployment_id))

    @router.post("/organizations/{organization_id}/deployments/{deployment_id}", operation_id="UpdateDeployment")
    async def update_deployment(request: Request, organization_id: str, deployment_id: str) -> Response:
        body = _parsed(await request.body())
        with store.locked() as state:
            return JSONAnswer(managing.update_deployment(state, organization_id, deployment_id, body))

    @router.delete("/organizations/{organization_id}/deployments/{deployment_id}", operation_id="DeleteDeployment")
    async def delete_deployment(organization_id: str, deployment_id: str) -> Response:
        with store.locked() as state:
            managing.delete_deployment(state, organization_id, deployment_id)
        return Response(status_code=NO_CONTENT)

    @router.get("/organizations/{organization_id}/roles", operation_id="ListRoles")
    async def list_roles(
        organization_id: str,
        page: AskedPage,
        sorts: Annotated[list[RoleSort], Query()] = [],  # noqa: B006 FastAPI copies it
        scope_types: Annotated[list[ScopeType], Query(alias="scopeTypes")] = [],  # noqa: B006 FastAPI copies it
        include_default: Annotated[bool, Query(alias="includeDefaultRoles")] = False,  # noqa: FBT002
    ) -> Response:
        with store.locked() as state:
            found = reading.roles(state, organization_id, scope_types, sorts, page, include_default=include_default)
            return JSONAnswer(found)

    @router.post("/organizations/{organization_id}/roles", operation_id="CreateCustomRole")
    async def create_custom_role(request: Request, organization_id: str) -> Response:
        body = _parsed(await request.body())
        role_id = store.new_id("role")
        with store.locked() as state:
            return JSONAnswer(managing.create_role(state, organization_id, body, role_id, request.state.credential))

    # The published structure has no operation that reads one role; this one is inferred from the other two.
    @router.get("/organizations/{organization_id}/roles/{role_id}", operation_id="GetCustomRole")
    async def get_custom_role(organization_id: str, role_id: str) -> Response:
        with store.locked() as state:
            return JSONAnswer(reading.custom_role(state, organization_id, role_id))

    @router.post("/organizations/{organization_id}/roles/{role_id}", operation_id="UpdateCustomRole")
    async def update_custom_role(request: Request, organization_id: str, role_id: str) -> Response:
        body = _parsed(await request.body())
        with store.locked() as state:
            return JSONAnswer(managing.update_role(state, organization_id, role_id, body, request.state.credential))

    @router.delete("/organizations/{organization_id}/roles/{role_id}", operation_id="DeleteCustomRole")
    async def delete_custom_role(organization_id: str, role_id: str) -> Response:
        with store.locked() as state:
            managing.delete_role(state, organization_id, role_id)
        return Response(status_code=NO_CONTENT)

    return router


def operations(router: APIRouter) -> list[Operation]:
    """Return the operations of the API; the front needs the one of a call before the call is routed."""
    return [
        Operation(route.operation_id, verb, route.path_regex)
        for route in router.routes
        if isinstance(route, APIRoute) and route.operation_id
        for verb in route.methods or ()
    ]


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw, parse_constant=_no_json, parse_float=_finite)
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not JSON.") from None


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_json(digits)
