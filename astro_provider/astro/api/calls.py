"""Makes calls of the service: the one place where an answer becomes an object or an error.

Every call is bounded in time with its retries, every page of a list is read, and every failure says in `failures.py`'s
words what failed. The credential never leaves this package: it stands in a request header, and is cut out of whatever
text comes back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from astro_provider.astro.api import cancelling, deadline, waiting
from astro_provider.astro.api.answers import Answer, TooLargeError
from astro_provider.astro.api.claims import claims_in, own_token_in
from astro_provider.astro.api.connection import Connection
from astro_provider.astro.api.failures import Call, Failures
from astro_provider.astro.api.models import ApiToken, Deployment, Wire
from astro_provider.astro.api.outage import Outage
from astro_provider.astro.api.pace import Pace
from astro_provider.astro.api.retry import retried
from astro_provider.astro.api.trace import Trace
from astro_provider.errors import UNTIL_DEADLINE, ServiceError, Unavailable, UnexpectedAnswer

PAGE_SIZE = 1000  # the service's maximum
MOST_PAGES = 200  # 200,000 objects; more than that is a service that does not stop

_Object = TypeVar("_Object", bound=Wire)
_Identified = TypeVar("_Identified", ApiToken, Deployment)


class Calls:
    """Calls of one service with one credential, over one connection pool; safe to share between threads.

    Args:
        host: scheme and host of the service, for example `https://api.astronomer.io`.
        credential: returns the API token that authorizes the calls, or raises SettingsError; asked at the first call,
            so that a client can be made before it is known whether a credential is needed.
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
        """Return when a call that does not wait itself is in time with the service's limits, or raise Unavailable."""
        if not self._pace.wait(verb):
            raise self._failures.too_late(Call(verb, ""))

    @property
    def own_token_id(self) -> str | None:
        """The API token whose secret the credential is, by its claims; None if it is opaque, or a person's."""
        return own_token_in(claims_in(self._credential()))

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def one(self, call: Call, kind: type[_Identified], asked_for: str, *, at_once: bool = False) -> _Identified:
        """Return an object, and refuse an answer about another one: its roles would be written onto what was asked for."""
        found = self.parse(call, kind, self.read(call, at_once=at_once))
        if found.id == asked_for:
            return found
        reason = f"{asked_for} was asked for, and the answer is about {found.id}"
        raise self._failures.unexpected(call, reason, lasting=True)

    def listed(self, call: Call, kind: type[_Object], *, complete: bool = False) -> list[_Object]:
        """Return the objects of a list; with `complete`, one that cannot be read is an error."""
        items = [item for page in self.pages(call) for item in items_of(page, call.kind)]
        # An object that was made while the pages were read moves another one to the next page, which shows it again.
        once = {_id_of(item) or number: item for number, item in enumerate(items)}
        found = self.parse_all(call, kind, list(once.values()))
        if complete and len(found) < len(once):
            unread = f"{len(once) - len(found)} of its {call.kind} cannot be read"
            reason = f"{unread}, so it is no evidence of what it does not show"
            raise self._failures.unexpected(call, reason, lasting=True)
        return found

    def pages(self, call: Call) -> Iterator[dict[str, Any]]:
        """Yield pages until the service has no more, whatever it claims in `totalCount`."""
        seen: set[str] = set()
        offset = 0
        for _ in range(MOST_PAGES):
            page = self.read(replace(call, params={**call.params, "limit": str(PAGE_SIZE), "offset": str(offset)}))
            if not isinstance(page, dict) or not isinstance(page.get(call.kind), list):
                raise self._failures.unexpected(call, f"the answer has no list of {call.kind}", json.dumps(page))
            items = page[call.kind]
            ids = {found for item in items if (found := _id_of(item))}
            if ids and ids <= seen:
                raise self._failures.unexpected(call, "two pages show the same objects")
            yield page
            seen |= ids
            offset += len(items)
            total = page.get("totalCount")
            # A total that is less than what has come already is wrong; then only a short page is the last.
            if not items or offset == total:
                return
            if isinstance(total, int) and offset > total and len(items) < PAGE_SIZE:
                return
        raise self._failures.unexpected(call, f"the list did not end within {MOST_PAGES} pages")

    def write(self, call: Call, content: bytes) -> Any:
        """Write once, unless the run is cancelled, and return the decoded JSON.

        A write is not retried here: after an answer that never came, another writer may have written, so what it is based
        on must be read again before anything is sent. Nor is its turn awaited here: that must happen before that read.
        """
        self._pace.hold_write_back()
        with deadline.within(self._bound_seconds), waiting.reported(str(call)):
            if cancelling.is_cancelled():
                raise self._failures.cancelled(call)
            cancelling.sending()
            return self._send(call, content=content)

    def read(self, call: Call, *, at_once: bool = False) -> Any:
        """Read, and return the decoded JSON; with `at_once`, neither is a turn awaited nor a failure retried."""
        with deadline.within(self._bound_seconds):
            if at_once:
                return self._send(call)
            with waiting.reported(str(call)) as wait:

                def attempt(number: int) -> Any:
                    if not self._pace.wait("GET"):
                        raise self._failures.too_late(call)
                    return self._send(call, attempt=number)

                return retried(attempt, wait.failed)

    def _send(self, call: Call, *, attempt: int = 1, content: bytes | None = None) -> Any:
        """Call once, to write if there is content, and return the decoded JSON or raise the error of the answer."""
        if cancelling.is_stopped():
            raise self._failures.cancelled(call)
        sent_at = time.monotonic()
        authorization = f"Bearer {self._credential()}"
        verb = "GET" if content is None else "POST"
        answer = self._connection.exchange(call, verb, authorization=authorization, attempt=attempt, content=content)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._pace.limited(verb)
        else:
            self._pace.passed(verb)
        try:
            understood = self._understood(call, answer)
        except ServiceError as error:
            away = isinstance(error, (Unavailable, UnexpectedAnswer)) and error.status != HTTPStatus.TOO_MANY_REQUESTS
            if away and error.patience == UNTIL_DEADLINE:
                self._outage.failed(sent_at, error)
            else:
                self._outage.answered()
            raise
        self._outage.answered()
        return understood

    def _understood(self, call: Call, answer: Answer) -> Any:
        """The decoded JSON of a success; any other answer raises its error."""
        if not answer.is_success:
            raise self._failures.refused(call, answer)
        try:
            return answer.parsed()
        except ValueError:
            raise self._failures.no_json(call, answer) from None
        except TooLargeError:
            raise self._failures.too_large(call) from None

    def parse(self, call: Call, kind: type[_Object], body: Any) -> _Object:
        """Make an object of an answer; of a token, its roles must be readable or left out."""
        try:
            return _without_odd_fields(kind, body, {*kind.essential, "roles"})
        except ValidationError as error:
            raise self._failures.unexpected(call, _first_reason(kind, error)) from None

    def parse_all(self, call: Call, kind: type[_Object], items: Sequence[Any]) -> list[_Object]:
        """Make objects of a list's items, without those that lack what is essential, unless all of them do."""
        found, first_error = [], None
        for item in items:
            try:
                found.append(_without_odd_fields(kind, item, kind.essential))
            except ValidationError as error:
                first_error = first_error or error
        if first_error is not None and not found:
            raise self._failures.unexpected(call, _first_reason(kind, first_error))
        return found


def _without_odd_fields(kind: type[_Object], item: Any, essential: Collection[str]) -> _Object:
    """Make an object of an item, without the fields that are not what the API promises, unless one is essential."""
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


def items_of(page: Mapping[str, Any], key: str) -> list[Any]:
    """The objects of a page under a key; none if there is no list."""
    items = page.get(key)
    return items if isinstance(items, list) else []


def _id_of(item: Any) -> str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None
