"""Where a notice goes in a process of an engine: into its log, and to standard error where no engine takes it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec

import pytest

from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.engine import calls
from astro_provider.engine.callers import engine_address
from astro_provider.engine.calls import EngineLog
from astro_provider.messages import notices
from astro_provider.messages.notices import Severity
from tests.support.listening_engine import Engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    running = Engine()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    notices.forget()
    yield
    notices.send_to(notices.print_to_stderr)


@pytest.fixture
def _provider_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", ModuleSpec("pulumi.dynamic.__main__", None))


def test_an_engine_gets_warnings_and_notes_once_and_standard_error_nothing(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    notices.send_to(EngineLog(engine.address))

    for _ in range(2):
        notices.warn("the token expired.")
        notices.note("it will\nbe adopted.")

    assert engine.told == [("WARNING", "astro: the token expired."), ("INFO", "astro: it will be adopted.")]
    assert capsys.readouterr() == ("", "")


def test_a_notice_goes_to_the_resource_that_it_is_about_and_none_to_the_last_one(engine: Engine) -> None:
    log = EngineLog(engine.address)
    notices.send_to(log)

    with notices.routed_to(log.about("urn:one")):
        notices.warn("of one.")
        with notices.routed_to(log.about("urn:two")):
            notices.warn("of two.")
        notices.note("of one again.")
    notices.note("of the run.")

    assert engine.about == ["urn:one", "urn:two", "urn:one", ""]


def test_a_notice_of_several_reads_at_once_is_about_the_resource_that_asked(engine: Engine) -> None:
    log = EngineLog(engine.address)
    notices.send_to(log)

    with notices.routed_to(log.about("urn:one")):
        list(in_parallel([lambda number=number: notices.note(f"{number}.") for number in range(8)]))  # type: ignore[misc]

    assert engine.about == ["urn:one"] * 8


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no address at all", "unix:/no/such/socket"])
def test_where_no_engine_listens_notices_are_printed(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    sink = EngineLog(address)

    sink(Severity.WARNING, "the token expired.")
    sink(Severity.NOTE, "it will be adopted.")

    assert capfd.readouterr() == ("", "astro: warning: the token expired.\nastro: note: it will be adopted.\n")


def test_an_engine_that_does_not_answer_is_not_waited_for_twice(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calls, "LONGEST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sink = EngineLog(f"127.0.0.1:{silent.getsockname()[1]}")

        sink(Severity.WARNING, "one.")
        monkeypatch.setattr(calls, "LONGEST_SECONDS", 3600.0)
        sink(Severity.WARNING, "two.")

    assert capfd.readouterr() == ("", "astro: warning: one.\nastro: warning: two.\n")


def test_an_engine_that_ends_midway_loses_no_notice(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    sink = EngineLog(engine.address)
    sink(Severity.NOTE, "one.")

    engine.stop()
    sink(Severity.NOTE, "two.")

    out, err = capfd.readouterr()
    assert engine.told == [("INFO", "astro: one.")]
    assert out == ""
    # gRPC tells by itself that the engine has gone, if it learns that before it is asked to send.
    assert [line for line in err.splitlines() if "chttp2_transport.cc" not in line] == ["astro: note: two."]


@pytest.mark.usefixtures("_provider_process")
@pytest.mark.parametrize(
    "options",
    [[], [""], ["--logtostderr", "-v=9"], ["--tracing", "http://127.0.0.1:1/trace"], ["-v=3", "--tracing", "x:1"]],
)
def test_the_address_is_found_behind_the_options_of_an_engine(options: list[str]) -> None:
    assert engine_address([*options, "127.0.0.1:40123"]) == "127.0.0.1:40123"


@pytest.mark.usefixtures("_provider_process")
@pytest.mark.parametrize("arguments", [[], [""], ["--logtostderr"], ["--tracing"], ["--tracing", "http://127.0.0.1:1"]])
def test_without_an_address_no_engine_is_known(arguments: list[str]) -> None:
    assert engine_address(arguments) is None


def test_an_argument_of_another_program_is_no_engines_address() -> None:
    assert engine_address(["127.0.0.1:40123"]) is None
