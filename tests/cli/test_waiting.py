"""Who waits for the service is told what for, once, in the command and in the provider alike."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import retry, unreachable, waiting
from astro_provider.astro.settings import Settings
from astro_provider.errors import ServiceError
from astro_provider.messages import notices
from tests.support.raw_server import RawServer, Reply, free_port
from tests.support.shell import environment


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Time enough for a busy machine to meet the first failure before it is told, and to tell it before the end.
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(unreachable, "SECONDS_OF_THIS_MACHINE", 4.0)
    monkeypatch.setattr(retry, "JITTER_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "_reported_at", float("-inf"))
    yield
    waiting.listen(lambda _sentence: None)


def settings(host: str, **changes: str) -> Settings:
    variables = {"ASTRO_API_HOST": host, "ASTRO_API_TOKEN": "abc", "ASTRO_TIMEOUT_SECONDS": "4", **changes}
    return Settings.find(lambda _key: None, variables)


def test_a_machine_that_can_start_no_thread_makes_the_call_and_forgets_the_wait(
    astro: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(waiting, "_is_watched", False)
    with monkeypatch.context() as starting:
        starting.setattr(threading.Thread, "start", refuse)
        with waiting.reported("ListDeployments"):
            pass

    assert waiting._waits == []  # noqa: SLF001  what would be told for ever
    assert settings(astro.url).host == astro.url


def test_a_refused_connection_is_told_with_its_reason_once(capsys: pytest.CaptureFixture[str]) -> None:
    client = settings(f"http://127.0.0.1:{free_port()}").client()

    with pytest.raises(ServiceError):
        client.of("clx0").list_deployments()
    client.close()

    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 1
    assert re.match(
        r"astro: note: Still trying after [1-3] s, for [1-3] s more: ListDeployments \(organization clx0\): "
        r"no answer from 127\.0\.0\.1 \(",
        notes[0],
    )


def test_an_answer_that_does_not_come_is_told_as_that() -> None:
    sentences: list[str] = []
    told = threading.Event()

    def tell(sentence: str) -> None:
        sentences.append(sentence)
        told.set()

    with RawServer(lambda _request: Reply(delay=60.0)) as server:
        client = settings(server.url).client()
        waiting.listen(tell)
        with pytest.raises(ServiceError):
            client.list_organizations()
        client.close()

    assert told.is_set()
    assert sentences[0].endswith("s more: ListOrganizations: no answer yet.")


def test_who_does_not_wait_is_told_nothing(
    astro: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 60.0)
    client = Settings.find(lambda _key: None, environment(astro)).client()

    client.list_organizations()
    client.close()

    assert capsys.readouterr().err == ""
    assert not waiting._waits  # noqa: SLF001 nothing is left behind


def test_a_client_of_any_process_tells_through_its_notices() -> None:
    settings("http://127.0.0.1:9").client().close()

    assert waiting._listener is notices.note  # noqa: SLF001 what both the command and the provider come by
