"""ASTRO_TRACE: a line for each call, never a body, never the credential."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from astro_provider.astro.api import ApiTokenRole, AstroClient
from astro_provider.astro.settings import Settings
from astro_provider.errors import SettingsError, Unavailable
from tests.support.clients import CREDENTIAL, Serve
from tests.support.raw_server import Reply, in_turn

pytestmark = pytest.mark.usefixtures("short_pauses", "closed_clients")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def client(url: str, path: Path | str, *, bound_seconds: float = 10.0) -> AstroClient:
    return AstroClient(url, lambda: CREDENTIAL, bound_seconds=bound_seconds, trace_file=str(path))


def test_each_attempt_is_a_line_without_body_or_credential(serve: Serve, tmp_path: Path) -> None:
    tired = Reply(503, {"message": CREDENTIAL, "requestId": "r1"})
    server = serve(in_turn(tired, Reply(body={"id": "t", "name": "secret name"}, headers={"X-Request-Id": "r2"})))
    path = tmp_path / "trace.jsonl"

    client(server.url, path).of("o").get_token("t")

    first, second = lines(path)
    assert list(first) == [
        *("time", "operation", "verb", "path", "attempt", "status", "request_id"),
        "milliseconds",
    ]
    assert (first["operation"], first["verb"], first["path"]) == ("GetApiToken", "GET", "/v1/organizations/o/tokens/t")
    assert [(line["status"], line["attempt"], line["request_id"]) for line in (first, second)] == [
        (503, 1, "r1"),
        (200, 2, "r2"),
    ]
    assert first["time"] <= second["time"]
    assert first["milliseconds"] > 0
    assert CREDENTIAL not in path.read_text()
    assert "secret name" not in path.read_text()


def test_a_write_has_a_line_without_its_roles_and_a_call_without_an_answer_one_with_its_error(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(in_turn(Reply(reset=True)))
    path = tmp_path / "trace.jsonl"

    with pytest.raises(Unavailable):
        client(server.url, path).of("o").set_roles("t", [ApiTokenRole(entity_type="DEPLOYMENT", role="hush")])

    (line,) = lines(path)
    assert (line["verb"], line["status"], "error" in line) == ("POST", None, True)
    assert "hush" not in path.read_text()


def test_the_file_is_its_owners_and_is_appended_to(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda _: Reply(body={"id": "t", "name": "ci"}))
    path = tmp_path / "trace.jsonl"

    for _ in range(2):
        client(server.url, path).of("o").get_token("t")

    assert len(lines(path)) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_of_several_clients_write_whole_lines(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda _: Reply(body={"id": "t", "name": "ci"}))
    path = tmp_path / "trace.jsonl"
    clients = [client(server.url, path) for _ in range(2)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: clients[number % 2].of("o").get_token("t"), range(80)))

    assert len(lines(path)) == 80


def test_a_file_that_cannot_be_written_is_told_before_any_call(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda _: Reply(body={"id": "t", "name": "ci"}))

    with pytest.raises(SettingsError) as error:
        client(server.url, tmp_path).of("o").get_token("t")

    assert str(error.value) == (
        f"The file {str(tmp_path)!r} in ASTRO_TRACE (environment) or astro:trace (pulumi config) cannot be written (Is a "
        "directory): name another one, or unset it."
    )
    assert server.requests == []


def test_the_setting_is_found_in_both_places(tmp_path: Path) -> None:
    path = str(tmp_path / "t")

    assert Settings.find(lambda _: None, {"ASTRO_TRACE": path}).trace_file == path
    assert Settings.find({"astro:trace": path}.get, {}).trace_file == path
    assert Settings.find(lambda _: None, {}).trace_file is None


def test_without_a_file_nothing_is_written(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server = serve(lambda _: Reply(body={"id": "t", "name": "ci"}))

    AstroClient(server.url, lambda: CREDENTIAL).of("o").get_token("t")

    assert list(tmp_path.iterdir()) == []
