"""The calls that this project makes, and the one place where an answer becomes an object or an error.

Every call is bounded in time with its retries, every page of a list is read, and every failure says in `failures.py`'s
words what failed. The credential never leaves this package: it stands in a request header, and is cut out of whatever
text comes back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from astro_provider.astro.api import answers, cancelling, deadline, waiting
from astro_provider.astro.api.claims import claims_in, own_token_in
from astro_provider.astro.api.connection import Connection
from astro_provider.astro.api.failures import Failures
from astro_provider.astro.api.http import httpx
from astro_provider.astro.api.models import ApiToken, ApiTokenRole, Deployment, Organization, Role, SubjectRoles, Wire
from astro_provider.astro.api.outage import Outage
from astro_provider.astro.api.pace import Pace
from astro_provider.astro.api.retry import retried
from astro_provider.astro.api.trace import Trace
from astro_provider.errors import UNTIL_DEADLINE, InputError, ServiceError, Unavailable, UnexpectedAnswer
from astro_provider.messages import shown

PAGE_SIZE = 1000  # the service's maximum
MOST_PAGES = 200  # 200,000 objects; more than that is a service that does not stop

_Object = TypeVar("_Object", bound=Wire)
_Identified = TypeVar("_Identified", ApiToken, Deployment)


class AstroClient:
    """One connection pool to one service with one credential; safe to share between threads.

    Args:
        host: scheme and host of the service, for example `https://api.astronomer.io`.
        credential: returns the API token that authorizes the calls, or raises SettingsError if there is none;
            asked at the first call, so that a client can be made before it is known whether it is needed.
        bound_seconds: how long one call may take with all its retries, unless its thread's operation has a deadline.
        trace_file: where a line of JSON is written for each call, or None.
    """

    def __init__(
        self, host: str, credential: Callable[[], str], *, bound_seconds: float = 120.0, trace_file: str | None = None
    ) -> None:
        self._credential = credential
        self._bound_seconds = bound_seconds
        self._pace = Pace()
        name = urlsplit(host).hostname or host
        self._failures = Failures(name, credential)
        self._outage = Outage(name, bound_seconds)
        self._connection = Connection(host, self._failures, self._outage, Trace(trace_file))

    def await_turn(self, verb: str) -> None:
        """Return when a call with that verb is in time with the service's limits, for a call that does not wait itself.

        Raises:
            Unavailable: that would be after the deadline.
        """
        if not self._pace.wait(verb):
            raise self._failures.too_late(verb, "")

    @property
    def own_token_id(self) -> str | None:
        """The API token whose secret the credential is, by its claims; None if it is opaque, or a person's."""
        return own_token_in(claims_in(self._credential()))

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def list_organizations(self) -> list[Organization]:
        """Return the organizations that the credential can see."""
        return self._list("ListOrganizations", "/organizations", "organizations", Organization)

    def list_tokens(
        self,
        organization_id: str,
        *,
        deployment_id: str | None = None,
        only_organization: bool = False,
        complete: bool = False,
    ) -> list[ApiToken]:
        """Return the organization's tokens. A list is no base for a write: it leaves roles out.

        With `deployment_id`, only the tokens that hold a role there, and of their roles only that one. With
        `only_organization`, only the tokens of the organization's scope, and of their roles only that in it. With
        `complete`, an entry of the list that cannot be read is an error: it may be the one that is looked for.
        """
        params = {"deploymentId": deployment_id} if deployment_id else {"sorts": "createdAt:asc"}
        if only_organization:
            params["includeOnlyOrganizationTokens"] = "true"
        path = f"{_organization(organization_id)}/tokens"
        return self._list("ListApiTokens", path, "tokens", ApiToken, params, complete=complete)

    def get_token(self, organization_id: str, token_id: str, *, at_once: bool = False) -> ApiToken:
        """Return one token with all its roles, or without any if the caller may not see them.

        With `at_once`, neither a turn is awaited nor a failure retried, so that the caller knows how old the answer is.
        """
        path = f"{_token(organization_id, token_id)}"
        if at_once:
            with deadline.within(self._bound_seconds):
                body = self._send("GetApiToken", "GET", path)
        else:
            body = self._call("GetApiToken", "GET", path)
        token = self._parse("GetApiToken", path, ApiToken, body)
        return self._require_id("GetApiToken", path, token, token_id)

    def set_roles(self, organization_id: str, token_id: str, roles: Sequence[ApiTokenRole]) -> SubjectRoles:
        """Replace the token's whole role list. Only `writer.py` may call this.

        It is not retried here: after an answer that never came, another writer may have written, so the list must be
        read again before anything is sent. Nor is its turn awaited here: that must happen before the list is read.
        """
        path = f"{_token(organization_id, token_id)}/roles"
        # In ASCII, so that half a character in a foreign entry goes back as it came.
        body = json.dumps({"roles": [entry.to_wire() for entry in roles]}, separators=(",", ":")).encode("ascii")
        self._pace.hold_write_back()
        call = self._failures.call("UpdateApiTokenRoles", path)
        with deadline.within(self._bound_seconds), waiting.reported(call):
            if cancelling.is_cancelled():
                raise self._failures.cancelled("UpdateApiTokenRoles", path)
            cancelling.sending()
            answer = self._send("UpdateApiTokenRoles", "POST", path, content=body)
        return self._parse("UpdateApiTokenRoles", path, SubjectRoles, answer)

    def list_deployments(self, organization_id: str, *, complete: bool = False) -> list[Deployment]:
        """Return the organization's deployments. With `complete`, an entry that cannot be read is an error."""
        path = f"{_organization(organization_id)}/deployments"
        return self._list("ListDeployments", path, "deployments", Deployment, complete=complete)

    def get_deployment(self, organization_id: str, deployment_id: str) -> Deployment:
        """Return one deployment."""
        path = f"{_organization(organization_id)}/deployments/{_segment('deployment_id', deployment_id)}"
        deployment = self._parse("GetDeployment", path, Deployment, self._call("GetDeployment", "GET", path))
        return self._require_id("GetDeployment", path, deployment, deployment_id)

    def list_deployment_roles(self, organization_id: str) -> list[Role]:
        """Return every role that can be given in a deployment, built-in and custom."""
        path = f"{_organization(organization_id)}/roles"
        params = {"includeDefaultRoles": "true", "scopeTypes": "DEPLOYMENT"}
        found: dict[str, Role] = {}
        for page in self._pages("ListRoles", path, "roles", params):
            entries = [*_items(page, "defaultRoles"), *_items(page, "roles")]
            for role in self._parse_all("ListRoles", path, Role, entries):
                if role.scope_type in (None, "DEPLOYMENT"):
                    found.setdefault(role.name, role)
        return list(found.values())

    def _list(  # noqa: PLR0913  what is asked for, and how it is read
        self,
        operation: str,
        path: str,
        key: str,
        kind: type[_Object],
        params: Mapping[str, str] | None = None,
        *,
        complete: bool = False,
    ) -> list[_Object]:
        items = [item for page in self._pages(operation, path, key, params or {}) for item in _items(page, key)]
        # An object that was made while the pages were read moves another one to the next page, which shows it again.
        once = {_id_of(item) or number: item for number, item in enumerate(items)}
        found = self._parse_all(operation, path, kind, list(once.values()))
        if complete and len(found) < len(once):
            reason = (
                f"{len(once) - len(found)} of its {key} cannot be read, so it is no evidence of what it does not show"
            )
            raise self._failures.unexpected(operation, path, reason, lasting=True)
        return found

    def _pages(self, operation: str, path: str, key: str, params: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield pages until the service has no more, whatever it claims in `totalCount`."""
        seen: set[str] = set()
        offset = 0
        for _ in range(MOST_PAGES):
            page = self._call(operation, "GET", path, params={**params, "limit": PAGE_SIZE, "offset": offset})
            if not isinstance(page, dict) or not isinstance(page.get(key), list):
                raise self._failures.unexpected(operation, path, f"the answer has no list of {key}", json.dumps(page))
            items = page[key]
            ids = {found for item in items if (found := _id_of(item))}
            if ids and ids <= seen:
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

    def _call(self, operation: str, verb: str, path: str, **request: Any) -> Any:
        """Call with retries until the deadline, and return the decoded JSON."""
        with deadline.within(self._bound_seconds), waiting.reported(self._failures.call(operation, path)) as wait:

            def attempt(number: int) -> Any:
                with wait.noting_failures():
                    if not self._pace.wait(verb):
                        raise self._failures.too_late(operation, path)
                    return self._send(operation, verb, path, attempt=number, **request)

            return retried(attempt)

    def _send(self, operation: str, verb: str, path: str, *, attempt: int = 1, **request: Any) -> Any:
        """Call once, and return the decoded JSON or raise the error that belongs to the answer."""
        if cancelling.is_stopped():
            raise self._failures.cancelled(operation, path)
        sent_at = time.monotonic()
        authorization = f"Bearer {self._credential()}"
        response, body = self._connection.exchange(
            operation, verb, path, authorization=authorization, attempt=attempt, **request
        )
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._pace.limited(verb)
        else:
            self._pace.passed(verb)
        try:
            answer = self._understood(operation, path, response, body)
        except ServiceError as error:
            away = isinstance(error, (Unavailable, UnexpectedAnswer)) and error.status != HTTPStatus.TOO_MANY_REQUESTS
            if away and error.patience == UNTIL_DEADLINE:
                self._outage.failed(sent_at, error)
            else:
                self._outage.answered()
            raise
        self._outage.answered()
        return answer

    def _understood(self, operation: str, path: str, response: httpx.Response, body: bytes) -> Any:
        """The decoded JSON of a success; any other answer raises its error."""
        if not response.is_success:
            raise self._failures.refused(operation, path, response, body)
        try:
            return answers.parsed(body)
        except ValueError:
            raise self._failures.no_json(operation, path, response, body) from None
        except answers.TooLargeError:
            raise self._failures.too_large(operation, path) from None

    def _require_id(self, operation: str, path: str, found: _Identified, asked_for: str) -> _Identified:
        """Refuse an answer about something else: its roles would be written onto what was asked for."""
        if found.id == asked_for:
            return found
        reason = f"{asked_for} was asked for, and the answer is about {found.id}"
        raise self._failures.unexpected(operation, path, reason, lasting=True)

    def _parse(self, operation: str, path: str, kind: type[_Object], body: Any) -> _Object:
        """Make an object of an answer; of a token, its roles must be readable or left out."""
        try:
            return _without_odd_fields(kind, body, {*kind.essential, "roles"})
        except ValidationError as error:
            raise self._failures.unexpected(operation, path, _first_reason(kind, error)) from None

    def _parse_all(self, operation: str, path: str, kind: type[_Object], items: Sequence[Any]) -> list[_Object]:
        """Make objects of a list's items, without those that lack what is essential, unless all of them do."""
        found, first_error = [], None
        for item in items:
            try:
                found.append(_without_odd_fields(kind, item, kind.essential))
            except ValidationError as error:
                first_error = first_error or error
        if first_error is not None and not found:
            raise self._failures.unexpected(operation, path, _first_reason(kind, first_error))
        return found


def _without_odd_fields(kind: type[_Object], item: Any, essential: Collection[str]) -> _Object:
    """Make an object of an item, without the fields that are not what the API promises.

    Raises:
        ValidationError: it is no object, or an essential field is not what the API promises.
    """
    try:
        return kind.model_validate(item)
    except ValidationError as error:
        odd = {place["loc"][0] for place in error.errors(include_url=False, include_input=False) if place["loc"]}
        if not odd or not isinstance(item, dict) or not odd.isdisjoint(essential) or odd.isdisjoint(item):
            raise
    return kind.model_validate({name: value for name, value in item.items() if name not in odd})


def _first_reason(kind: type[Wire], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the object"
    return f"{place} of the {kind.__name__}: {first['msg']}"


def _items(page: Mapping[str, Any], key: str) -> list[Any]:
    items = page.get(key)
    return items if isinstance(items, list) else []


def _id_of(item: Any) -> str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None


def _organization(organization_id: str) -> str:
    return f"/organizations/{_segment('organization_id', organization_id)}"


def _token(organization_id: str, token_id: str) -> str:
    return f"{_organization(organization_id)}/tokens/{_segment('org_token_id', token_id)}"


def _segment(property_name: str, identifier: str) -> str:
    """An id as one segment of a path.

    Raises:
        InputError: it would lead to another path, or is none.
    """
    if not identifier.strip(". ") or any(map(shown.is_hidden, identifier)):
        raise InputError(property_name, f"{identifier!r} is no id. Copy the id from Astro.")
    return quote(identifier, safe="")
