"""One connection pool, opened at the first call, and how one request goes through it.

Opened late, because a preview without checks asks nothing, and then a proxy's variable or a missing file of certificates
does not hinder it.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from astro_provider.astro.api import answers, deadline, network
from astro_provider.astro.api.answers import Answer
from astro_provider.astro.api.failures import Call, Failures
from astro_provider.astro.api.http import httpx
from astro_provider.astro.api.outage import Outage
from astro_provider.astro.api.trace import Trace
from astro_provider.astro.api.transport import Transport
from astro_provider.version import __version__

SLOWEST_ANSWER_SECONDS = 30.0  # anything slower is an outage that is worth a retry
SLOWEST_CONNECT_SECONDS = 10.0
SHORTEST_ANSWER_SECONDS = 1.0  # even just before the deadline, so that a healthy service does not look dead
API_VERSION = "1.0"  # Astro answers a call without it by the newest minor version, whose shapes may differ
_HEADERS = {
    "X-API-Version": API_VERSION,
    "User-Agent": f"pulumi-astro-provider/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": answers.ACCEPTED_ENCODINGS,
}


class Connection:
    """The way to one service, given by scheme and host; safe to share between threads."""

    def __init__(self, host: str, failures: Failures, outage: Outage, trace: Trace) -> None:
        self._host = host
        self._failures = failures
        self._outage = outage
        self._trace = trace
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def exchange(self, call: Call, verb: str, *, authorization: str, attempt: int, content: bytes | None) -> Answer:
        """Send a request, and take its answer in, whole, before the deadline of this thread.

        Raises:
            Unavailable: no answer came, or the service is known to be away.
            UnexpectedAnswer: the answer is too large, or wrongly packed.
            SettingsError: the environment names a proxy, certificates or a trace that cannot be used.
        """
        http = self._opened()
        self._outage.require_none()
        left = max(deadline.current().remaining, SHORTEST_ANSWER_SECONDS)
        timeout = httpx.Timeout(min(SLOWEST_ANSWER_SECONDS, left), connect=min(SLOWEST_CONNECT_SECONDS, left))
        headers = {"Authorization": authorization}
        if content is not None:
            headers["Content-Type"] = "application/json"
        sent_at = time.monotonic()
        noted: dict[str, Any] = {"status": None, "request_id": None}
        try:
            with (
                deadline.ending_in(left),
                http.stream(
                    verb, call.path, params=call.params or None, content=content, headers=headers, timeout=timeout
                ) as response,
            ):
                noted["status"] = response.status_code
                answer = answers.taken(response)
            noted["request_id"] = answer.request_id
        except httpx.HTTPError as error:
            noted["error"] = type(error).__name__
            failure = self._failures.no_answer(call, error)
            self._outage.failed(sent_at, failure)
            raise failure from None
        except answers.NotReadableError as error:
            raise self._failures.unexpected(call, str(error)) from None
        except answers.TooLargeError:
            raise self._failures.too_large(call) from None
        else:
            return answer
        finally:
            path = f"/v1{call.path}"
            self._trace.call(sent_at, operation=call.operation, verb=verb, path=path, attempt=attempt, **noted)

    def close(self) -> None:
        """Close it."""
        with self._lock:
            if self._http is not None:
                self._http.close()
        self._trace.close()

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                self._trace.open()
                self._http = httpx.Client(
                    base_url=f"{self._host}/v1", headers=_HEADERS, transport=self._transport(), trust_env=False
                )
            return self._http

    def _transport(self) -> Transport:
        proxy = network.find_proxy(self._host, os.environ)
        self._failures.proxy = proxy
        return Transport(None if self._host.startswith("http:") else network.trusted_certificates(os.environ), proxy)
