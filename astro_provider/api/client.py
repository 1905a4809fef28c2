"""The calls that this project makes, and the one place where an answer becomes an object or an error.

Every call is bounded in time with its retries, every page of a list is read, and every failure says in `failures.py`'s
words what failed. The credential never leaves this package: it stands in a request header, and is cut out of whatever
text comes back.
"""

from __future__ import annotations

import copy
import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from astro_provider.api.failures import Failures
from astro_provider.api.http import httpx
from astro_provider.api.models import ApiToken, ApiTokenRole, Deployment, Organization, Role, SubjectRoles, Wire
from astro_provider.api.pace import Pace
from astro_provider.api.retry import Deadline, attempts
from astro_provider.version import __version__

PAGE_SIZE = 1000  # the service's maximum
MOST_PAGES = 200  # 200,000 objects; more than that is a service that does not stop
SLOWEST_ANSWER_SECONDS = 30.0  # anything slower is an outage that is worth a retry
SLOWEST_CONNECT_SECONDS = 10.0
SHORTEST_ANSWER_SECONDS = 1.0  # even just before the deadline, so that a healthy service does not look dead

_Object = TypeVar("_Object", bound=Wire)


class AstroClient:
    """One connection pool to one service with one credential; safe to share between threads.

    Args:
        host: scheme and host of the service, for example `https://api.astronomer.io`.
        credential: returns the API token that authorizes the calls, or raises SettingsError where there is none;
            asked at the first call, so that a client can be made before it is known whether it is needed.
        bound_seconds: how long one call may take with all its retries, unless `until` set a deadline.
    """

    def __init__(self, host: str, credential: Callable[[], str], *, bound_seconds: float = 120.0) -> None:
        self._credential = credential
        self._bound_seconds = bound_seconds
        self._deadline: Deadline | None = None
        self._pace = Pace()
        self._failures = Failures(urlsplit(host).hostname or host, credential)
        self._http = httpx.Client(
            base_url=f"{host}/v1",
            headers={
                "User-Agent": f"pulumi-astro-provider/{__version__}",
                "Accept": "application/json",
            },
            # A transport of our own keeps httpx from sending loopback traffic through a proxy of the environment.
            transport=httpx.HTTPTransport(verify=host.startswith("https:")) if is_loopback(host) else None,
        )

    def until(self, deadline: Deadline) -> AstroClient:
        """This client with a deadline for all calls made through it; it shares the connections."""
        bounded = copy.copy(self)
        bounded._deadline = deadline  # noqa: SLF001  it is one of us
        return bounded

    def await_turn(self, verb: str) -> None:
        """Return when a call with that verb is in time with the service's limits, for a call that does not wait itself."""
        self._pace.wait(verb)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def list_organizations(self) -> list[Organization]:
        """Return the organizations that the credential can see."""
        return self._list("ListOrganizations", "/organizations", "organizations", Organization)

    def list_tokens(
        self, organization_id: str, *, deployment_id: str | None = None, only_organization: bool = False
    ) -> list[ApiToken]:
        """Return the organization's tokens. A list is no base for a write: it leaves roles out.

        With `deployment_id`, only the tokens that hold a role there, and of their roles only that one. With
        `only_organization`, only the tokens of the organization's scope, and of their roles only that in it.
        """
        params = {"deploymentId": deployment_id} if deployment_id else {"sorts": "createdAt:asc"}
        if only_organization:
            params["includeOnlyOrganizationTokens"] = "true"
        path = f"/organizations/{_segment(organization_id)}/tokens"
        return self._list("ListApiTokens", path, "tokens", ApiToken, params)

    def get_token(self, organization_id: str, token_id: str, *, at_once: bool = False) -> ApiToken:
        """Return one token with all its roles, or without any where the caller may not see them.

        With `at_once`, neither a turn is awaited nor a failure retried, so that the caller knows how old the answer is.
        """
        path = f"/organizations/{_segment(organization_id)}/tokens/{_segment(token_id)}"
        if at_once:
            return self._parse("GetApiToken", path, ApiToken, self._send("GetApiToken", "GET", path, self._bound()))
        return self._parse("GetApiToken", path, ApiToken, self._call("GetApiToken", "GET", path))

    def set_roles(self, organization_id: str, token_id: str, roles: Sequence[ApiTokenRole]) -> SubjectRoles:
        """Replace the token's whole role list. Only `writer.py` may call this.

        It is not retried here: after an answer that never came, another writer may have written, so the list must be
        read again before anything is sent. Nor is its turn awaited here: that must happen before the list is read.
        """
        path = f"/organizations/{_segment(organization_id)}/tokens/{_segment(token_id)}/roles"
        body = {"roles": [entry.to_wire() for entry in roles]}
        answer = self._send("UpdateApiTokenRoles", "POST", path, self._bound(), json=body)
        return self._parse("UpdateApiTokenRoles", path, SubjectRoles, answer)

    def list_deployments(self, organization_id: str) -> list[Deployment]:
        """Return the organization's deployments."""
        path = f"/organizations/{_segment(organization_id)}/deployments"
        return self._list("ListDeployments", path, "deployments", Deployment)

    def get_deployment(self, organization_id: str, deployment_id: str) -> Deployment:
        """Return one deployment."""
        path = f"/organizations/{_segment(organization_id)}/deployments/{_segment(deployment_id)}"
        return self._parse("GetDeployment", path, Deployment, self._call("GetDeployment", "GET", path))

    def list_deployment_roles(self, organization_id: str) -> list[Role]:
        """Return every role that can be given in a deployment, built-in and custom."""
        path = f"/organizations/{_segment(organization_id)}/roles"
        params = {"includeDefaultRoles": "true", "scopeTypes": "DEPLOYMENT"}
        found: dict[str, Role] = {}
        for page in self._pages("ListRoles", path, "roles", params):
            entries = [*_items(page, "defaultRoles"), *_items(page, "roles")]
            for role in self._parse_all("ListRoles", path, Role, entries):
                if role.scope_type in (None, "DEPLOYMENT"):
                    found.setdefault(role.name, role)
        return list(found.values())

    def _list(
        self, operation: str, path: str, key: str, kind: type[_Object], params: Mapping[str, str] | None = None
    ) -> list[_Object]:
        items = [item for page in self._pages(operation, path, key, params or {}) for item in _items(page, key)]
        # An object that was made while the pages were read moves another one to the next page, where it shows again.
        once = {item.get("id", number) if isinstance(item, dict) else number: item for number, item in enumerate(items)}
        return self._parse_all(operation, path, kind, list(once.values()))

    def _pages(self, operation: str, path: str, key: str, params: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield pages until the service has no more, whatever it claims in `totalCount`."""
        seen: set[str] = set()
        offset = 0
        for _ in range(MOST_PAGES):
            page = self._call(operation, "GET", path, params={**params, "limit": PAGE_SIZE, "offset": offset})
            if not isinstance(page, dict) or not isinstance(page.get(key), list):
                raise self._failures.unexpected(operation, path, f"the answer has no list of {key}", json.dumps(page))
            items = page[key]
            ids = {str(item.get("id")) for item in items if isinstance(item, dict)}
            if items and ids <= seen:
                raise self._failures.unexpected(operation, path, "two pages show the same objects")
            yield page
            seen |= ids
            offset += len(items)
            total = page.get("totalCount")
            # A total that is less than what has come already is wrong; then only a short page is the last.
            if not items or offset == total:
                return
            if isinstance(total, int) and offset > total and len(items) < PAGE_SIZE:
                return
        raise self._failures.unexpected(operation, path, f"the list did not end within {MOST_PAGES} pages")

    def _bound(self) -> Deadline:
        return self._deadline or Deadline.after(self._bound_seconds)

    def _call(self, operation: str, verb: str, path: str, **request: Any) -> Any:
        """Call with retries until the deadline, and return the decoded JSON."""
        deadline = self._bound()
        for attempt in attempts(deadline):
            with attempt:
                self.await_turn(verb)
                return self._send(operation, verb, path, deadline, **request)
        raise AssertionError("attempts() either succeeds or raises")

    def _send(self, operation: str, verb: str, path: str, deadline: Deadline, **request: Any) -> Any:
        """Call once, and return the decoded JSON or raise the error that belongs to the answer."""
        authorization = {"Authorization": f"Bearer {self._credential()}"}
        try:
            response = self._http.request(verb, path, headers=authorization, timeout=_timeout(deadline), **request)
        except httpx.HTTPError as error:
            raise self._failures.no_answer(operation, path, error) from None
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._pace.limited(verb)
        else:
            self._pace.passed(verb)
        if not response.is_success:
            raise self._failures.refused(operation, path, response)
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise self._failures.no_json(operation, path, response) from None

    def _parse(self, operation: str, path: str, kind: type[_Object], body: Any) -> _Object:
        return self._parse_all(operation, path, kind, [body])[0]

    def _parse_all(self, operation: str, path: str, kind: type[_Object], items: Sequence[Any]) -> list[_Object]:
        try:
            return [kind.model_validate(item) for item in items]
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the object"
            reason = f"{place} of the {kind.__name__}: {first['msg']}"
            raise self._failures.unexpected(operation, path, reason) from None


def _timeout(deadline: Deadline) -> httpx.Timeout:
    left = max(deadline.remaining, SHORTEST_ANSWER_SECONDS)
    return httpx.Timeout(min(SLOWEST_ANSWER_SECONDS, left), connect=min(SLOWEST_CONNECT_SECONDS, left))


def is_loopback(host: str) -> bool:
    """Tell whether a URL's host is this machine: `localhost` or a loopback address."""
    name = urlsplit(host).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _items(page: Mapping[str, Any], key: str) -> list[Any]:
    items = page.get(key)
    return items if isinstance(items, list) else []


def _segment(identifier: str) -> str:
    return quote(identifier, safe="")
