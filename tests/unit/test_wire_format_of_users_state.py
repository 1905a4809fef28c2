"""What stands in users' state for ever: the provider's pickled name, the resource's type, the options of a replacement."""

from __future__ import annotations

import base64
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import config as pulumi_config

from astro_provider import DeploymentOrgTokenBinding, DeploymentOrgTokenBindingArgs
from astro_provider.errors import SettingsError
from astro_provider.provider import DeploymentOrgTokenBindingProvider, DeploymentOrgTokenBindingsProvider

# Every resource in every state of every user carries this text as `__provider`. The engine hands it to a new process,
# which unpickles it to find the code of `refresh` and `destroy`, long after the program that wrote it is gone. If it
# changes, every binding shows a change in the next preview; if what it names moves, no state can be destroyed any more.
# So a failure here is never mended by changing the text: move the class back.
GOLDEN = "gASVRAAAAAAAAACMF2FzdHJvX3Byb3ZpZGVyLnByb3ZpZGVylIwhRGVwbG95bWVudE9yZ1Rva2VuQmluZGluZ1Byb3ZpZGVylJOUKYGULg=="
GOLDEN_OF_TABLES = (
    "gASVRQAAAAAAAACMF2FzdHJvX3Byb3ZpZGVyLnByb3ZpZGVylIwiRGVwbG95bWVudE9yZ1Rva2VuQmluZGluZ3NQcm92aWRlcpSTlCmBlC4="
)
BOTH = pytest.mark.parametrize(
    ("provider", "golden"),
    [(DeploymentOrgTokenBindingProvider, GOLDEN), (DeploymentOrgTokenBindingsProvider, GOLDEN_OF_TABLES)],
)


@BOTH
def test_the_pickled_provider_is_the_one_in_users_state(provider: type[ResourceProvider], golden: str) -> None:
    assert serialize_provider(provider()) == golden


def test_a_home_made_provider_can_be_pickled_beside_a_thousand_bindings() -> None:
    # In a process of its own: what the SDK wraps stays wrapped. A class of `__main__` is pickled by value.
    script = (
        "import pulumi\n"
        "from pulumi.dynamic import ResourceProvider\n"
        "from pulumi.dynamic.dynamic import serialize_provider\n"
        "from astro_provider import DeploymentOrgTokenBinding\n"
        "from tests.support.mocked import Recorder\n"
        "class HomeMade(ResourceProvider):\n"
        "    table = {'a': {'b': 1}}\n"
        "Recorder.in_use('')\n"
        "for number in range(1000):\n"
        "    DeploymentOrgTokenBinding(f'b{number}', deployment_id='d', org_token_id=f't{number}', role='DEPLOYMENT_ADMIN')\n"
        "print(len(serialize_provider(HomeMade())) > 100)\n"
    )

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert answer.stdout.strip() == "True", answer.stderr[-600:]


@BOTH
def test_the_provider_in_users_state_is_found(provider: type[ResourceProvider], golden: str) -> None:
    assert type(pickle.loads(base64.b64decode(golden))) is provider


@BOTH
def test_the_provider_holds_nothing_that_could_be_pickled(provider: type[ResourceProvider], golden: str) -> None:
    assert golden
    assert vars(provider()) == {}
    assert provider.serialize_as_secret_always is False


def test_a_program_that_imports_the_resource_loads_no_http_client() -> None:
    script = "import sys, astro_provider; print([n for n in ('httpx', 'pydantic') if n in sys.modules])"

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


class Declared:
    """What a resource hands to the engine."""

    type_token: str
    name: str
    properties: dict[str, Any]
    options: pulumi.ResourceOptions


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Declared:
    record = Declared()

    def note(_self: object, t: str, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        record.type_token, record.name, record.properties, record.options = t, name, props, opts

    monkeypatch.setattr(pulumi.CustomResource, "__init__", note)
    return record


@pytest.fixture(autouse=True)
def stack_config() -> Iterator[None]:
    before = pulumi_config.CONFIG.get()
    pulumi.runtime.set_all_config({}, [])
    yield
    pulumi.runtime.set_all_config(before, [])


def test_the_type_token_is_the_one_in_every_urn(declared: Declared) -> None:
    DeploymentOrgTokenBinding("ci", deployment_id="d", role="DEPLOYMENT_ADMIN", org_token_name="ci")

    assert declared.type_token == "pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"
    assert declared.name == "ci"
    assert declared.properties["__provider"] == GOLDEN


def test_a_replacement_deletes_first_also_where_diff_is_not_asked(declared: Declared) -> None:
    DeploymentOrgTokenBinding("ci", deployment_id="d", role="R", org_token_name="ci")

    assert declared.options.delete_before_replace is True


def test_options_of_the_program_come_on_top(declared: Declared) -> None:
    options = pulumi.ResourceOptions(protect=True)

    DeploymentOrgTokenBinding("ci", opts=options, deployment_id="d", role="R", org_token_name="ci")

    assert declared.options.protect is True
    assert declared.options.delete_before_replace is True


def test_arguments_come_as_keywords_as_one_object_or_both_and_keywords_win(declared: Declared) -> None:
    arguments = DeploymentOrgTokenBindingArgs(deployment_id="d", role="A", org_token_id="t", overwrite=True)

    DeploymentOrgTokenBinding("ci", arguments, role="B", workspace_id="w")

    given = {name: value for name, value in declared.properties.items() if value is not None and name != "__provider"}
    assert given == {"deployment_id": "d", "role": "B", "org_token_id": "t", "overwrite": True, "workspace_id": "w"}


def test_every_output_is_named_so_that_it_becomes_an_attribute(declared: Declared) -> None:
    DeploymentOrgTokenBinding("ci", deployment_id="d", role="R", org_token_name="ci")

    assert set(declared.properties) == {
        *(
            "__provider",
            "organization_id",
            "deployment_id",
            "deployment_name",
            "org_token_id",
            "org_token_name",
            "role",
        ),
        *("workspace_id", "overwrite", "description", "scope", "created_at", "created_by", "unfinished"),
    }


def test_a_binding_is_read_by_its_id(declared: Declared) -> None:
    DeploymentOrgTokenBinding.get("ci", "o/d/t")

    assert declared.options.id == "o/d/t"
    assert declared.type_token == "pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"


def test_a_credential_in_clear_in_the_configuration_is_refused() -> None:
    pulumi.runtime.set_all_config({"astro:token": "hush"})

    with pytest.raises(SettingsError) as refused:
        DeploymentOrgTokenBinding("ci", deployment_id="d", role="R", org_token_name="ci")

    assert str(refused.value) == (
        "astro:token is set without --secret, so it would stand in the state in clear. Set it again with `pulumi config "
        "set --secret astro:token`, and rotate the token if that state is shared; or remove it and export "
        "ASTRO_API_TOKEN."
    )


def test_a_secret_credential_in_the_configuration_is_taken(declared: Declared) -> None:
    pulumi.runtime.set_all_config({"astro:token": "hush"}, ["astro:token"])

    DeploymentOrgTokenBinding("ci", deployment_id="d", role="R", org_token_name="ci")

    assert "hush" not in str(declared.properties)
