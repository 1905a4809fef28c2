"""A cancelled run: what waits or would try again ends at once; what was written is read; the terminal ends nothing."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from astro_emulator import Emulator
from tests.support.engine_process import wait_until
from tests.support.native_process import NativeProcess, native_process
from tests.support.processes import calls_to
from tests.support.provider_process import CallFailed, State
from tests.support.raw_server import RawServer, Reply, Request
from tests.support.stack import led_to
from tests.support.writes import writes

AT_ONCE_SECONDS = 30.0  # a quarter of the bound of an operation, on whatever machine
SOONER_THAN_AN_ANSWER_SECONDS = 25.0  # than a call gives its answer up
GET = "GetApiToken"


def in_the_background(call: Callable[[], Any]) -> Future[Any]:
    """Make a call that somebody else will end."""
    return ThreadPoolExecutor(1).submit(call)


@contextmanager
def a_write_under_way(
    astro: Emulator, wanted: dict[str, Any], *, handled: bool
) -> Iterator[tuple[NativeProcess, Future[Any], Callable[[], None]]]:
    """A create whose first write has been sent and not answered; lend what loses the answer of it.

    Args:
        astro: what answers all other calls.
        wanted: the binding.
        handled: whether the write was done, and only its answer is lost.
    """
    sent, lost = threading.Event(), threading.Event()

    def answer(request: Request) -> Reply:
        loses = request.verb == "POST" and not sent.is_set()
        if loses:
            sent.set()
            lost.wait(AT_ONCE_SECONDS)
        if loses and not handled:
            return Reply(reset=True)
        headers = {"Authorization": request.headers["authorization"], "Content-Type": "application/json"}
        url, query = f"{astro.url}{request.path}", urlencode(request.query, doseq=True)
        answered = httpx.request(request.verb, f"{url}?{query}", content=request.body, headers=headers)
        return Reply(reset=True) if loses else Reply(answered.status_code, answered.json())

    with RawServer(answer) as gate, native_process({**led_to(astro), "ASTRO_API_HOST": gate.url}) as process:
        inputs = process.check(wanted).inputs
        creating = in_the_background(lambda: process.create(inputs))
        assert sent.wait(AT_ONCE_SECONDS)
        yield process, creating, lost.set


def test_a_call_that_is_tried_again_and_again_ends(
    process: NativeProcess, astro: Emulator, wanted: dict[str, Any]
) -> None:
    inputs = process.check(wanted).inputs
    astro.clear_calls()
    astro.fault(operation=GET, status=503)
    creating = in_the_background(lambda: process.create(inputs))
    wait_until(lambda: calls_to(astro).get(GET, 0) > 1, "it is tried again")

    process.cancel()
    before = time.monotonic()
    with pytest.raises(CallFailed) as failed:
        creating.result(AT_ONCE_SECONDS)

    assert time.monotonic() - before < AT_ONCE_SECONDS
    [line] = failed.value.lines
    assert line.startswith("The run was cancelled, so nothing was tried again after this: GetApiToken (organization ")
    assert writes(astro) == 0


def test_a_call_that_nobody_answers_ends(wanted: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            "ASTRO_API_HOST": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "ASTRO_API_TOKEN": "x",
            "ASTRO_ORGANIZATION_ID": "clorg",
        }
        with native_process(environment) as process:
            checking = in_the_background(lambda: process.check(wanted))
            connection, _ = silent.accept()

            process.cancel()
            [(name, reason)] = checking.result(SOONER_THAN_AN_ANSWER_SECONDS).failures
            connection.close()

    assert name == ""
    assert reason.startswith(
        "The run was cancelled, so nothing was tried again after this: ListDeployments (organization "
    )


def test_a_write_whose_answer_was_lost_is_read_before_the_end(
    astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    with a_write_under_way(astro, wanted, handled=True) as (process, creating, lose_the_answer):
        process.cancel()
        lose_the_answer()
        state: State = creating.result(AT_ONCE_SECONDS)

    assert state.outputs["role"] == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 1
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_a_write_that_came_to_nothing_is_not_sent_again(
    astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    with a_write_under_way(astro, wanted, handled=False) as (process, creating, lose_the_answer):
        process.cancel()
        lose_the_answer()
        with pytest.raises(CallFailed) as failed:
            creating.result(AT_ONCE_SECONDS)

    assert str(failed.value).startswith("The run was cancelled, so UpdateApiTokenRoles (organization ")
    assert writes(astro) == 0
    assert astro.store.deployment_role(token_id, deployment_id) is None


def test_nothing_begins_after_it(process: NativeProcess, astro: Emulator, wanted: dict[str, Any]) -> None:
    inputs = process.check(wanted).inputs
    process.cancel()
    astro.clear_calls()

    with pytest.raises(CallFailed) as failed:
        process.create(inputs)

    assert str(failed.value).startswith("The run was cancelled, so ")
    assert astro.calls()["total"] == 0


def test_what_is_under_way_comes_to_its_end_when_the_engine_ends_the_process(
    astro: Emulator, wanted: dict[str, Any], token_id: str, deployment_id: str
) -> None:
    with a_write_under_way(astro, wanted, handled=True) as (process, creating, lose_the_answer):
        process.running.process.send_signal(signal.SIGINT)
        lose_the_answer()
        state: State = creating.result(AT_ONCE_SECONDS)
        ended = process.running.process.wait(AT_ONCE_SECONDS)

    assert state.outputs["role"] == "DEPLOYMENT_ADMIN"
    assert ended == 0
    assert astro.store.deployment_role(token_id, deployment_id) == "DEPLOYMENT_ADMIN"


def test_an_idle_process_ends_at_once(process: NativeProcess) -> None:
    process.running.process.send_signal(signal.SIGINT)

    assert process.running.process.wait(AT_ONCE_SECONDS) == 0
    assert process.running.stderr == ""
