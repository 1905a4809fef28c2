"""A settle time or timeout that is no time: said before anything is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from astro_provider.astro.settings import Settings
from astro_provider.errors import SettingsError
from tests.support.programs import bindings
from tests.support.stack import Stack
from tests.support.writers import WRITE, Scene

SETTLE = "ASTRO_SETTLE_SECONDS (environment) or astro:settleSeconds (pulumi config)"
TIMEOUT = "ASTRO_TIMEOUT_SECONDS (environment) or astro:timeoutSeconds (pulumi config)"
NO_SETTLE_TIME = f"in {SETTLE} is not a number of seconds, 0 or more: write, for example, 1."
NO_TIMEOUT = f"in {TIMEOUT} is not a number of seconds above 0: write, for example, 120."


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        *(("astro:settleSeconds", value, NO_SETTLE_TIME) for value in ("-1", "soon", "nan", "inf", "1s")),
        *(("astro:timeoutSeconds", value, NO_TIMEOUT) for value in ("-1", "0", "soon", "nan", "inf", "2m")),
    ],
)
def test_a_bad_timing_is_told_before_anybody_is_called(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, key: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv("ASTRO_API_HOST", scene.astro.url)
    monkeypatch.setenv("ASTRO_API_TOKEN", scene.astro.credential)

    with pytest.raises(SettingsError) as raised:
        Settings.find({key: value}.get, os.environ)

    assert str(raised.value) == f"{value!r} {complaint}"
    assert scene.astro.calls()["total"] == 0


@pytest.fixture
def binding(scene: Scene) -> dict[str, Any]:
    [deployment] = scene.deployments(1)
    return {"deployment_id": deployment, "org_token_id": scene.token_id, "role": "DEPLOYMENT_ADMIN"}


def test_a_bad_settle_time_shows_in_the_preview(stack: Stack, scene: Scene, binding: dict[str, Any]) -> None:
    stack.set_environment(ASTRO_SETTLE_SECONDS="")
    stack.set_config("astro:settleSeconds", "-0.5")
    stack.program = bindings(binding=binding)

    preview = stack.preview()

    assert preview.failed
    assert f"'-0.5' {NO_SETTLE_TIME}" in preview.text
    assert scene.astro.calls()["total"] == 0


def test_a_bad_timeout_ends_an_update_before_any_write(stack: Stack, scene: Scene, binding: dict[str, Any]) -> None:
    stack.set_environment(ASTRO_TIMEOUT_SECONDS="two minutes")
    stack.program = bindings(binding=binding)

    up = stack.up()

    assert up.failed
    assert f"'two minutes' {NO_TIMEOUT}" in up.text
    assert scene.astro.calls()["total"] == 0


def test_a_lock_directory_that_cannot_be_written_ends_an_update_before_any_write(
    stack: Stack, scene: Scene, binding: dict[str, Any], tmp_path: Path
) -> None:
    regular_file = tmp_path / "file"
    regular_file.touch()
    directory = regular_file / "locks"
    stack.set_environment(ASTRO_LOCK_DIR=str(directory))
    stack.program = bindings(binding=binding)

    up = stack.up()

    assert up.failed
    assert (
        f"error: The locks' directory {directory} cannot be written (Not a directory): set ASTRO_LOCK_DIR to one that can."
    ) in up.lines
    assert scene.calls(WRITE) == 0
    assert scene.ours == {}
