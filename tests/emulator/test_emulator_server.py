"""The emulator as something that runs: in a thread of a test, and as a command."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from astro_emulator import Emulator
from tests.support.cast import OBSERVABILITY

COMMAND = Path(sys.executable).with_name("astro-provider")
SECONDS_TO_START = 20


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run `astro-provider emulator` and lend the process and what it printed, once it answers."""
    with subprocess.Popen(
        [COMMAND, "emulator", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        watchdog = threading.Timer(SECONDS_TO_START, process.kill)
        watchdog.start()
        assert process.stdout is not None
        printed: list[str] = []
        while not any("staging-deploys" in line for line in printed):
            line = process.stdout.readline()
            assert line, "the command ended before it printed its last token"
            printed.append(line.rstrip("\n"))
        watchdog.cancel()
        try:
            yield process, printed
        finally:
            process.kill()


def exports(printed: list[str]) -> dict[str, str]:
    matches = [re.fullmatch(r"export (\w+)=(\S+)", line) for line in printed]
    return {match[1]: match[2] for match in matches if match}


def call_with(environment: dict[str, str]) -> httpx.Response:
    url = f"{environment['ASTRO_API_HOST']}/v1/organizations/{environment['ASTRO_ORGANIZATION_ID']}/tokens"
    return httpx.get(url, headers={"Authorization": f"Bearer {environment['ASTRO_API_TOKEN']}"})


def test_it_starts_with_half_a_second_of_the_processor_and_stops_at_once() -> None:
    starts, stops = [], []
    for _ in range(3):
        start = time.process_time()
        running = Emulator.running()
        starts.append(time.process_time() - start)
        started = time.monotonic()
        running.stop()
        stops.append(time.monotonic() - started)

    assert min(starts) < 0.5
    assert min(stops) < 0.5  # to wait for anything would take longer


def test_after_the_end_nobody_listens() -> None:
    with Emulator.running() as running:
        url = running.url

    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_port_that_was_just_left_can_be_used_again() -> None:
    with Emulator.running() as first:
        httpx.get(first.url)
        port = int(first.url.rpartition(":")[2])

    with Emulator.running(port=port) as second:
        assert httpx.get(f"{second.url}/_emulator/state").status_code == 200


def test_a_port_in_use_is_an_error() -> None:
    with Emulator.running() as first, pytest.raises(OSError, match="in use"):
        Emulator.running(port=int(first.url.rpartition(":")[2]))


def test_stopping_does_not_wait_for_a_delayed_call_and_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    running = Emulator.running()
    running.fault(kind="delay", delay_ms=600_000)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(httpx.get, f"{running.url}/v1/organizations")
        time.sleep(0.2)

        start = time.monotonic()
        running.stop()
        elapsed = time.monotonic() - start

        assert elapsed < 60
        assert isinstance(pending.exception(timeout=30), httpx.TransportError)
    assert capfd.readouterr().err == ""


def test_stopping_closes_idle_connections() -> None:
    running = Emulator.running()
    with httpx.Client() as client, client.stream("GET", f"{running.url}/_emulator/calls") as response:
        response.read()
        idle = response.extensions["network_stream"].get_extra_info("socket")

        running.stop()

        idle.settimeout(5)
        assert idle.recv(1) == b""


def test_two_emulators_know_nothing_of_each_other() -> None:
    with Emulator.running() as one, Emulator.running() as other:
        one.store.rename_token("clo8g1x4m000f08l6t9c3z6vl", "renamed")

        assert one.store.token("clo8g1x4m000f08l6t9c3z6vl")["name"] == "renamed"
        assert other.store.token("clo8g1x4m000f08l6t9c3z6vl")["name"] == "observability"


def test_ids_that_are_made_are_never_made_again(emulator: Emulator) -> None:
    first = emulator.store.add_token("same name")
    emulator.store.delete_token(first)

    second = emulator.store.add_token("same name")

    assert first != second
    assert re.fullmatch(r"c[a-z0-9]{24}", second)


def test_what_the_store_lends_is_a_copy(emulator: Emulator) -> None:
    borrowed = emulator.store.token("clo8g1x4m000f08l6t9c3z6vl")
    borrowed["roles"][0]["role"] = "changed"

    assert emulator.store.token("clo8g1x4m000f08l6t9c3z6vl")["roles"][0]["role"] == "ORGANIZATION_MEMBER"


def test_a_deployment_can_be_deleted_with_the_roles_in_it(emulator: Emulator) -> None:
    trainer = "clv9m2t3q000i08l6b8x5g4do"
    (_, binding, _) = emulator.store.token(trainer)["roles"]

    emulator.store.delete_deployment(binding["entityId"], keep_roles=False)

    assert [entry["entityType"] for entry in emulator.store.token(trainer)["roles"]] == ["ORGANIZATION"]


def test_it_answers_hundreds_of_calls_for_a_second_of_the_processor(emulator: Emulator, api: httpx.Client) -> None:
    elapsed = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(200):
            api.get("/tokens/clo8g1x4m000f08l6t9c3z6vl")
        elapsed.append(time.process_time() - start)

    assert emulator.calls()["by_status"] == {"200": 600}
    assert min(elapsed) < 1


def test_bytes_that_are_not_http_get_the_error_shape(emulator: Emulator) -> None:
    with socket.create_connection(("127.0.0.1", int(emulator.url.rpartition(":")[2]))) as connection:
        connection.sendall(b"hello\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"statusCode":400' in answer


def test_several_processes_see_one_service(emulator: Emulator) -> None:
    script = (
        "import sys; from urllib.request import Request, urlopen; url, bearer = sys.argv[1:];"
        "call = Request(url, headers={'Authorization': f'Bearer {bearer}'});"
        "print(sum(urlopen(call).status == 200 for _ in range(20)))"
    )
    url = f"{emulator.url}/v1/organizations"
    arguments = [sys.executable, "-IS", "-c", script, url, emulator.credential]
    processes = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    printed = [process.communicate(timeout=30)[0].strip() for process in processes]

    assert printed == ["20"] * 4
    assert emulator.calls()["total"] == 80


@dataclass(frozen=True)
class Plain:
    """A command that was started without more than a port, called and interrupted.

    Attributes:
        printed: its lines until it answered.
        response: to a call that its own exports lead to.
        rest: what it wrote to standard output and standard error after that.
        status: how it ended.
    """

    printed: list[str]
    response: httpx.Response
    rest: tuple[str, str]
    status: int


@pytest.fixture(scope="module")
def plain() -> Plain:
    with command("--port", "0") as (process, printed):
        response = call_with(exports(printed))
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=10)
    return Plain(printed, response, rest, process.returncode)


@pytest.fixture(scope="module")
def furnished() -> Iterator[list[str]]:
    """The lines that a command prints with each option, while it runs."""
    options = ("--latency", "30", "--rate-limits", "--updated-at-moves", "--credentials")
    with command("--port", "0", *options) as (_, printed):
        yield printed


def test_the_command_prints_what_a_user_needs_and_ends_quietly(plain: Plain) -> None:
    assert plain.response.status_code == 200
    assert {token["id"] for token in plain.response.json()["tokens"]} <= set(" ".join(plain.printed).split())
    assert any(re.match(r"etl-production +clm9x2k4t000408l6c3f7h8va +Data Platform$", line) for line in plain.printed)
    assert plain.rest == ("", "")
    assert plain.status == 0


def test_without_being_asked_the_command_prints_one_credential(plain: Plain) -> None:
    assert sum("ASTRO_API_TOKEN=" in line for line in plain.printed) == 1


def test_what_was_exported_once_fits_the_next_run(plain: Plain, furnished: list[str]) -> None:
    response = call_with({**exports(plain.printed), "ASTRO_API_HOST": exports(furnished)["ASTRO_API_HOST"]})

    assert response.status_code == 200


def test_the_command_takes_latency_rate_limits_and_whether_updated_at_moves(furnished: list[str]) -> None:
    settings = httpx.patch(f"{exports(furnished)['ASTRO_API_HOST']}/_emulator/settings", json={}).json()

    assert settings == {
        "latency_ms": 30,
        "rate_limits": True,
        "rate_limits_per": "credential",
        "lists_are_cut": False,
        "retry_after": None,
        "updated_at_moves": True,
    }


def test_the_command_prints_a_second_credential_of_a_lesser_token(furnished: list[str]) -> None:
    shown = exports(furnished)
    second = next(line for line in furnished if line.startswith("# export "))
    lesser = {**shown, "ASTRO_API_TOKEN": second.partition("=")[2]}

    read = call_with(lesser)
    url = f"{shown['ASTRO_API_HOST']}/v1/organizations/{shown['ASTRO_ORGANIZATION_ID']}/tokens/{OBSERVABILITY}"
    write = httpx.delete(url, headers={"Authorization": f"Bearer {lesser['ASTRO_API_TOKEN']}"})

    assert (read.status_code, write.status_code) == (403, 403)
    assert (
        f"# Of a lesser token, 'observability' ({OBSERVABILITY}): it may neither read tokens nor write them."
        in furnished
    )


def test_the_command_ends_with_status_1_where_the_port_is_in_use(emulator: Emulator) -> None:
    port = emulator.url.rpartition(":")[2]

    ended = subprocess.run([COMMAND, "emulator", "--port", port], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert port in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_command_says_what_to_install_where_the_extra_is_missing() -> None:
    script = "import sys; sys.modules['fastapi'] = None; from astro_provider.commands.cli import app; app(['emulator'])"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "Run: pip install fastapi uvicorn, or install this package with its extra, [emulator]." in ended.stderr
    assert "Traceback" not in ended.stderr
