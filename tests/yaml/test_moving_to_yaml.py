"""A stack of Python's dynamic resources becomes a project of YAML, and goes back: one update of each, and no write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.cast import OBSERVABILITY, STAGING, TRAINER
from tests.support.programs import declaring
from tests.support.stack import OUR_TYPES, Stack, led_to
from tests.support.writes import writes
from tests.support.yaml_project import YamlProject, binding, table

DEVELOPMENT = "cln3b8q1y000608l6a7m4s5kc"  # etl-development
ROLES = {"etl-development": {"model-trainer": "DEPLOYMENT_ADMIN"}}
BINDING: dict[str, Any] = {
    "deployment_name": "etl-staging",
    "org_token_name": "observability",
    "role": "DEPLOYMENT_ACCESSOR",
}
IN_PYTHON = declaring(metrics=BINDING, access={"roles": ROLES})
IN_YAML = {"metrics": binding("observability", "etl-staging"), "access": table(ROLES)}
ONE_UPDATE_EACH = {"update access", "update metrics"}


def _ours(steps: list[str]) -> set[str]:
    return {step for step in steps if not step.endswith(" default")}


def _kinds(project: YamlProject | Stack) -> set[bool]:
    return {one["type"] in OUR_TYPES[:2] for one in project.resources().values()}


def test_a_stack_moves_to_yaml_and_back_without_a_write(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> None:
    python = Stack(engine, tmp_path, led_to(astro), IN_PYTHON)
    made = python.up()
    astro.clear_calls()

    yaml = YamlProject(engine, tmp_path, led_to(astro))
    yaml.write(IN_YAML)
    preview = yaml.preview()
    there = yaml.up()
    unchanged = yaml.preview(expect_no_changes=True, refresh=True)
    is_native = _kinds(yaml)
    again = Stack(engine, tmp_path, led_to(astro), IN_PYTHON)
    back = again.up(refresh=True)
    refresh = again.refresh()
    is_dynamic = _kinds(again)
    writes_till_then = writes(astro)
    destroyed = again.destroy()

    assert not made.failed, made.text
    assert _ours(preview.steps) == ONE_UPDATE_EACH, preview.text
    assert _ours(there.steps) == ONE_UPDATE_EACH, there.text
    assert not unchanged.failed, unchanged.text
    assert is_native == {False}
    assert _ours(back.steps) >= ONE_UPDATE_EACH, back.text
    assert not refresh.failed, refresh.text
    assert is_dynamic == {True}
    assert writes_till_then == 0
    assert not destroyed.failed, destroyed.text
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None
    assert astro.store.deployment_role(TRAINER, DEVELOPMENT) is None


def test_a_stack_that_has_moved_is_destroyed_by_the_native_provider(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    Stack(engine, tmp_path, led_to(astro), IN_PYTHON).up()
    yaml = YamlProject(engine, tmp_path, led_to(astro))
    yaml.write(IN_YAML)
    yaml.up()

    destroyed = yaml.destroy()

    assert not destroyed.failed, destroyed.text
    assert yaml.resources() == {}
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) is None
    assert astro.store.deployment_role(TRAINER, DEVELOPMENT) is None


def test_a_role_that_changes_with_the_move_is_written_once(
    engine: PulumiCommand, astro: Emulator, tmp_path: Path
) -> None:
    Stack(engine, tmp_path, led_to(astro), IN_PYTHON).up()
    astro.clear_calls()
    yaml = YamlProject(engine, tmp_path, led_to(astro))
    yaml.write({**IN_YAML, "metrics": binding("observability", "etl-staging", "DEPLOYMENT_ADMIN")})

    up = yaml.up()

    assert not up.failed, up.text
    assert _ours(up.steps) == ONE_UPDATE_EACH
    assert astro.store.deployment_role(OBSERVABILITY, STAGING) == "DEPLOYMENT_ADMIN"
    assert writes(astro) == 1
