"""The file for `pulumi import --file`, with the whole state of each binding, so that the engine does not read it.

The ordinary import cannot work for a Python dynamic provider (pulumi#16175): the engine would have to start a provider
class that it does not know. So each entry has inputs and outputs, both with the pickled class. For the native door they
have that door's spelling, and are needed too, because the id of a table does not contain its roles. The imported state
is the one that a refresh would leave, so the next preview shows no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from astro_provider.commands.adoption.find import Adoption
from astro_provider.commands.adoption.project import Door
from astro_provider.messages import shown
from astro_provider.names import DYNAMIC_BINDING, DYNAMIC_TABLE, NATIVE_BINDING, NATIVE_TABLE, PROVIDER_KEY, camel
from astro_provider.provider import DeploymentOrgTokenBindingProvider, DeploymentOrgTokenBindingsProvider

# The types of each kind of resource through the dynamic and through the native door, by the class that Pulumi pickles.
TYPES: dict[type[ResourceProvider], tuple[str, str]] = {
    DeploymentOrgTokenBindingProvider: (DYNAMIC_BINDING, NATIVE_BINDING),
    DeploymentOrgTokenBindingsProvider: (DYNAMIC_TABLE, NATIVE_TABLE),
}
Bag = Mapping[str, Any]  # properties, spelled as in the lifecycles


def import_file(adoptions: Iterable[Adoption], door: Door = Door.DYNAMIC) -> str:
    """Return the text of the file for bindings."""
    resources = (
        (one.name, str(one.inputs.binding), one.inputs.properties(), one.inputs.outputs(one.token)) for one in adoptions
    )
    return text_of(DeploymentOrgTokenBindingProvider, door, resources)


def text_of(kind: type[ResourceProvider], door: Door, resources: Iterable[tuple[str, str, Bag, Bag]]) -> str:
    """Return the text of a file with resources of one kind, each by its name, id, inputs and outputs."""
    is_native = door is Door.NATIVE
    provider = {} if is_native else {PROVIDER_KEY: serialize_provider(kind())}

    def spelled(bag: Bag) -> Bag:
        return {camel(key): value for key, value in bag.items()} if is_native else {**provider, **bag}

    entries = [
        {
            "type": TYPES[kind][is_native],
            "name": name,
            "id": id_,
            "inputs": spelled(inputs),
            "outputs": spelled(outputs),
        }
        for name, id_, inputs, outputs in resources
    ]
    return shown.json_text({"resources": entries}) + "\n"
