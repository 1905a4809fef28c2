"""The file for `pulumi import --file`, with the whole state of each binding, so that the engine does not read it.

The ordinary import cannot work for a Python dynamic provider (pulumi#16175): the engine would have to start a provider
class that it does not know. So each entry has inputs and outputs, both with the pickled class. For the native door they
have that door's spelling, and are needed too, because the id of a table does not contain its roles. The imported state
is the one that a refresh would leave, so the next preview shows no change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from astro_provider.commands.adoption.find import Adoption
from astro_provider.commands.adoption.project import Door
from astro_provider.messages import shown
from astro_provider.names import DYNAMIC_BINDING, DYNAMIC_TABLE, NATIVE_BINDING, NATIVE_TABLE, PROVIDER_KEY, camel
from astro_provider.provider import DeploymentOrgTokenBindingProvider, DeploymentOrgTokenBindingsProvider


@dataclass(frozen=True)
class Resource:
    """A kind of resource: its type through each door, and the provider class that Pulumi pickles."""

    dynamic: str
    native: str
    provider: type[ResourceProvider]


BINDING = Resource(DYNAMIC_BINDING, NATIVE_BINDING, DeploymentOrgTokenBindingProvider)
TABLE = Resource(DYNAMIC_TABLE, NATIVE_TABLE, DeploymentOrgTokenBindingsProvider)


def import_file(adoptions: Iterable[Adoption], door: Door = Door.DYNAMIC) -> str:
    """Return the file's text."""
    return text_of(
        entry(
            BINDING,
            door,
            name=adoption.name,
            identifier=str(adoption.inputs.binding),
            inputs=adoption.inputs.properties(),
            outs=adoption.inputs.outputs(adoption.token),
        )
        for adoption in adoptions
    )


def text_of(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return the text of a file with these entries."""
    return shown.json_text(json.dumps({"resources": list(entries)}, indent=2, ensure_ascii=False)) + "\n"


def entry(  # noqa: PLR0913  what an entry says
    kind: Resource, door: Door, *, name: str, identifier: str, inputs: Mapping[str, Any], outs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the entry of one resource; `inputs` and `outs` are spelled as in the lifecycles."""
    if door is Door.NATIVE:
        type_, bags = kind.native, [{camel(key): value for key, value in bag.items()} for bag in (inputs, outs)]
    else:
        provider = {PROVIDER_KEY: serialize_provider(kind.provider())}
        type_, bags = kind.dynamic, [{**provider, **bag} for bag in (inputs, outs)]
    return {"type": type_, "name": name, "id": identifier, "inputs": bags[0], "outputs": bags[1]}
