"""The calls that this project makes: those of a service, and those of one organization of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from astro_provider.astro.api.calls import Calls, items_of
from astro_provider.astro.api.failures import Call
from astro_provider.astro.api.models import ApiToken, ApiTokenRole, Deployment, Organization, Role, SubjectRoles
from astro_provider.errors import InputError
from astro_provider.messages import shown


class AstroClient(Calls):
    """The calls of one service; safe to share between threads."""

    def list_organizations(self) -> list[Organization]:
        """Return the organizations that the credential can see."""
        return self.listed(Call("ListOrganizations", "/organizations"), Organization)

    def of(self, organization_id: str) -> OrganizationClient:
        """The calls of one organization."""
        return OrganizationClient(self, organization_id)


class OrganizationClient:
    """The calls of one organization; safe to share between threads."""

    def __init__(self, calls: Calls, organization_id: str) -> None:
        self.organization_id = organization_id
        self._calls = calls

    @property
    def own_token_id(self) -> str | None:
        """The API token whose secret the credential is, by its claims; None if it is opaque, or a person's."""
        return self._calls.own_token_id

    def list_tokens(
        self, *, deployment_id: str | None = None, only_organization: bool = False, complete: bool = False
    ) -> list[ApiToken]:
        """Return the organization's tokens. A list is no base for a write: it leaves roles out.

        With `deployment_id`, only the tokens that hold a role there, and of their roles only that one. With
        `only_organization`, only the tokens of the organization's scope, and of their roles only that in it. With
        `complete`, an entry of the list that cannot be read is an error: it may be the one that is looked for.
        """
        params = {"deploymentId": deployment_id} if deployment_id else {"sorts": "createdAt:asc"}
        if only_organization:
            params["includeOnlyOrganizationTokens"] = "true"
        return self._calls.listed(self._call("ListApiTokens", "tokens", **params), ApiToken, complete=complete)

    def get_token(self, token_id: str, *, at_once: bool = False) -> ApiToken:
        """Return one token with all its roles, or without any if the caller may not see them.

        With `at_once`, neither a turn is awaited nor a failure retried, so that the caller knows how old the answer is.
        """
        call = self._call("GetApiToken", "tokens", _segment("org_token_id", token_id))
        return self._calls.one(call, ApiToken, token_id, at_once=at_once)

    def set_roles(self, token_id: str, roles: Sequence[ApiTokenRole]) -> SubjectRoles:
        """Replace the token's whole role list. Only `writer.py` may call this."""
        call = self._call("UpdateApiTokenRoles", "tokens", _segment("org_token_id", token_id), "roles")
        # In ASCII, so that half a character in a foreign entry goes back as it came.
        body = json.dumps({"roles": [entry.to_wire() for entry in roles]}, separators=(",", ":")).encode("ascii")
        return self._calls.parse(call, SubjectRoles, self._calls.write(call, body))

    def list_deployments(self, *, complete: bool = False) -> list[Deployment]:
        """Return the organization's deployments. With `complete`, an entry that cannot be read is an error."""
        return self._calls.listed(self._call("ListDeployments", "deployments"), Deployment, complete=complete)

    def get_deployment(self, deployment_id: str) -> Deployment:
        """Return one deployment."""
        call = self._call("GetDeployment", "deployments", _segment("deployment_id", deployment_id))
        return self._calls.one(call, Deployment, deployment_id)

    def list_deployment_roles(self) -> list[Role]:
        """Return every role that can be given in a deployment, built-in and custom."""
        call = self._call("ListRoles", "roles", includeDefaultRoles="true", scopeTypes="DEPLOYMENT")
        found: dict[str, Role] = {}
        for page in self._calls.pages(call):
            entries = [*items_of(page, "defaultRoles"), *items_of(page, "roles")]
            for role in self._calls.parse_all(call, Role, entries):
                if role.scope_type in (None, "DEPLOYMENT"):
                    found.setdefault(role.name, role)
        return list(found.values())

    def _call(self, operation: str, *segments: str, **params: str) -> Call:
        """A call of a path below the organization's."""
        organization = _segment("organization_id", self.organization_id)
        return Call(operation, "/".join(("/organizations", organization, *segments)), params)


def _segment(property_name: str, identifier: str) -> str:
    """An id as one segment of a path; one that would lead to another path is an InputError."""
    if not identifier.strip(". ") or any(map(shown.is_hidden, identifier)):
        raise InputError(property_name, f"{identifier!r} is no id. Copy the id from Astro.")
    return quote(identifier, safe="")
