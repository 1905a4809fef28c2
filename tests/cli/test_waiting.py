"""Who waits for the service is told what for, once, in the command and in the provider alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from astro_provider import notices
from astro_provider.api import retry, waiting
from astro_provider.emulator import Emulator
from astro_provider.errors import ServiceError
from astro_provider.settings import Settings
from tests.support.raw_server import RawServer, Reply, free_port
from tests.support.shell import environment


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 0.2)
    monkeypatch.setattr(retry, "JITTER_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "_told_at", float("-inf"))
    yield
    waiting.listen(lambda _sentence: None)


def settings(host: str, **changes: str) -> Settings:
    variables = {"ASTRO_API_HOST": host, "ASTRO_API_TOKEN": "abc", "ASTRO_TIMEOUT_SECONDS": "1.5", **changes}
    return Settings.find(lambda _key: None, variables)


def test_a_refused_connection_is_told_with_its_reason_once(capsys: pytest.CaptureFixture[str]) -> None:
    client = settings(f"http://127.0.0.1:{free_port()}").client()

    with pytest.raises(ServiceError):
        client.list_deployments("clx0")
    client.close()

    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 1
    assert notes[0].startswith("astro: note: Still trying after 0 s, for ")
    assert "s more: ListDeployments (organization clx0): no answer from 127.0.0.1 (" in notes[0]


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


def test_who_does_not_wait_is_told_nothing(astro: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    client = Settings.find(lambda _key: None, environment(astro)).client()

    client.list_organizations()
    client.close()

    assert "" == capsys.readouterr().err
    assert not waiting._waits  # noqa: SLF001 nothing is left behind


def test_a_client_of_any_process_tells_through_its_notices() -> None:
    settings("http://127.0.0.1:9").client().close()

    assert waiting._listener is notices.note  # noqa: SLF001 what both the command and the provider come by
