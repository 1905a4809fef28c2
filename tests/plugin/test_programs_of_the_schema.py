"""The programs in Python and YAML that the schema shows; `make test-languages` compiles those in TypeScript and Go."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import yaml
from pulumi.automation import PulumiCommand

from astro_emulator import Emulator
from tests.support.cast import OBSERVABILITY, STAGING, TRAINER
from tests.support.stack import NATIVE_BINDING_TYPE, NATIVE_TABLE_TYPE, Stack, led_to
from tests.support.yaml_project import YamlProject

SCHEMA = json.loads(resources.files("astro_provider.engine.plugin").joinpath("schema.json").read_text())
DEVELOPMENT = "cln3b8q1y000608l6a7m4s5kc"


def shown(language: str) -> list[str]:
    """The program of each resource, the binding's first."""
    programs = []
    for kind in (NATIVE_BINDING_TYPE, NATIVE_TABLE_TYPE):
        [program] = re.findall(rf"```{language}\n(.*?)```", SCHEMA["resources"][kind]["description"], re.DOTALL)
        programs.append(program)
    return programs


def gives_the_roles(astro: Emulator) -> bool:
    return [
        astro.store.deployment_role(OBSERVABILITY, STAGING),
        astro.store.deployment_role(OBSERVABILITY, DEVELOPMENT),
        astro.store.deployment_role(TRAINER, DEVELOPMENT),
    ] == ["DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"]


def test_those_in_python_give_their_roles(stack: Stack, astro: Emulator) -> None:
    def program() -> None:
        for text in shown("python"):
            exec(text, {})

    stack.program = program
    up = stack.up()

    assert not up.failed, up.text
    assert stack.outputs() == {"tokenId": OBSERVABILITY}
    assert gives_the_roles(astro)


def test_those_in_yaml_give_their_roles(engine: PulumiCommand, astro: Emulator, tmp_path: Path) -> None:
    project = YamlProject(engine, tmp_path, led_to(astro))
    one, many = (yaml.safe_load(text) for text in shown("yaml"))
    project.write({**one["resources"], **many["resources"]}, outputs=one["outputs"])

    up = project.up()

    assert not up.failed, up.text
    assert project.output("tokenId") == OBSERVABILITY
    assert gives_the_roles(astro)
