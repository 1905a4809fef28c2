"""The schema of the native door says what the package has: the arguments, the outputs, the settings, the function."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from dataclasses import fields
from importlib import resources
from typing import Any

import pytest
from pulumi import _types
from pulumi.runtime.proto import provider_pb2

import astro_provider
import pulumi_astro
from astro_provider import native
from astro_provider.engine.plugin.configuration import SOURCES
from astro_provider.names import DYNAMIC_BINDING, DYNAMIC_TABLE, NATIVE_BINDING, NATIVE_TABLE, camel
from astro_provider.program.binding import OneBinding
from astro_provider.program.bindings import ManyBindings
from tests.support.native_process import LIST, NativeProcess

SCHEMA: dict[str, Any] = json.loads(resources.files("astro_provider.engine.plugin").joinpath("schema.json").read_text())
KINDS = {
    NATIVE_BINDING: (
        astro_provider.DeploymentOrgTokenBindingArgs,
        OneBinding,
        native.DeploymentOrgTokenBinding,
        DYNAMIC_BINDING,
    ),
    NATIVE_TABLE: (
        astro_provider.DeploymentOrgTokenBindingsArgs,
        ManyBindings,
        native.DeploymentOrgTokenBindings,
        DYNAMIC_TABLE,
    ),
}

BOTH = (astro_provider, native)
FUNCTIONS: dict[str, tuple[str, Any, str, tuple[Any, ...]]] = {
    LIST: ("list_deployment_org_tokens", astro_provider.DeploymentOrgToken, "tokens", BOTH),
    "astro:index:getDeployments": ("get_deployments", astro_provider.OrganizationDeployment, "deployments", BOTH),
    "astro:index:getOrganizationTokens": (
        "get_organization_tokens",
        astro_provider.OrganizationToken,
        "tokens",
        BOTH,
    ),
}


def _camel(names: Iterable[str]) -> set[str]:
    return {camel(name) for name in names}


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_and_outputs_are_those_of_a_program_in_python(kind: str) -> None:
    arguments, in_python, _, _ = KINDS[kind]
    resource = SCHEMA["resources"][kind]

    assert resource["inputProperties"].keys() == _camel(one.name for one in fields(arguments))
    assert resource["properties"].keys() == _camel(in_python.__annotations__)


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_is_required_if_a_program_in_python_never_finds_none(kind: str) -> None:
    _, in_python, _, _ = KINDS[kind]
    # A name is None only in a state of a version that did not have it.
    never_none = {name for name, kind_ in in_python.__annotations__.items() if "None" not in str(kind_)}

    assert set(SCHEMA["resources"][kind]["required"]) == _camel(never_none)


@pytest.mark.parametrize("kind", KINDS)
def test_pulumi_reads_each_output_into_the_class_for_python_and_into_a_subclass(kind: str) -> None:
    _, in_python, native_, _ = KINDS[kind]
    subclass = type("House", (native_,), {})

    types = {camel(name): _types.unwrap_type(kind_) for name, kind_ in in_python.__annotations__.items()}

    for one in (native_, subclass):
        names = _types.resource_py_to_pulumi_names(one)
        assert {name: camel(name) for name in in_python.__annotations__}.items() <= names.items()
        assert types.items() <= _types.resource_types(one).items()


@pytest.mark.parametrize("kind", KINDS)
def test_each_resource_carries_the_alias_of_the_other_door(kind: str) -> None:
    assert SCHEMA["resources"][kind]["aliases"] == [{"type": KINDS[kind][3]}]


def test_the_configuration_is_every_setting_and_the_credential_is_secret() -> None:
    settings = SCHEMA["config"]["variables"]

    assert settings.keys() == SOURCES.keys()
    assert settings == SCHEMA["provider"]["inputProperties"]
    assert [name for name, one in settings.items() if one.get("secret")] == ["token"]
    arguments = inspect.signature(native.Provider.__init__).parameters.keys() - {"self", "resource_name", "opts"}
    assert settings.keys() == _camel(arguments)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_the_arguments_and_the_rows_that_it_has_in_both_doors_for_python(name: str) -> None:
    in_python, row, output, doors = FUNCTIONS[name]
    function = SCHEMA["functions"][name]

    for door in doors:
        arguments = inspect.signature(getattr(door, in_python)).parameters.keys()
        twin = inspect.signature(getattr(door, f"{in_python}_output")).parameters.keys()
        assert function["inputs"]["properties"].keys() == _camel(arguments - {"opts"})
        assert arguments == twin
    assert "required" not in function["inputs"]
    assert function["outputs"]["required"] == [output]
    kind = SCHEMA["types"][f"astro:index:{row.__name__}"]
    assert function["outputs"]["properties"][output]["items"] == {"$ref": f"#/types/astro:index:{row.__name__}"}
    assert kind["properties"].keys() == _camel(one.name for one in fields(row))
    assert set(kind["required"]) == _camel(one.name for one in fields(row) if "None" not in str(one.type))


def test_there_are_no_other_functions_and_types() -> None:
    assert SCHEMA["functions"].keys() == FUNCTIONS.keys()
    assert len(SCHEMA["types"]) == len(FUNCTIONS)


def test_generated_code_imports_what_the_wheel_has_and_no_address_is_invented() -> None:
    names = {language: options.get("packageName") for language, options in SCHEMA["language"].items()}

    assert names == {"python": pulumi_astro.__name__, "nodejs": "pulumi-astro", "go": None}
    assert SCHEMA["publisher"]
    assert not {"homepage", "repository", "pluginDownloadURL", "namespace"} & SCHEMA.keys()
    assert "importBasePath" not in SCHEMA["language"]["go"]


def _described(node: Any, path: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("properties", "inputProperties", "variables"):
                yield from ((f"{path}.{name}", one.get("description", "")) for name, one in value.items())
            yield from _described(value, f"{path}.{key}")


def test_each_property_has_a_description_that_spells_names_as_this_door_does() -> None:
    described = dict(_described(SCHEMA))

    assert [path for path, text in described.items() if not text.endswith(".")] == []
    assert [
        path for path, text in described.items() if "_id" in text.lower().replace("astro_organization_id", "")
    ] == []


def test_the_process_hands_the_schema_out_with_its_version(process: NativeProcess) -> None:
    told = json.loads(process.call("GetSchema", provider_pb2.GetSchemaRequest()).schema)

    assert told == {**SCHEMA, "version": astro_provider.__version__}
