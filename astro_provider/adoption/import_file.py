"""The file for `pulumi import --file`: the state of each binding, whole, so that the engine needs not ask for it.

The ordinary import cannot work for a Python dynamic provider (pulumi#16175): the engine would have to start a provider
class that nobody has told it of. An entry with inputs and outputs, each with the pickled class, tells all. The state
that comes of it is the one that a refresh would leave, so the next preview finds nothing to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pulumi.dynamic.dynamic import serialize_provider

from astro_provider import shown
from astro_provider.adoption.find import Adoption
from astro_provider.binding import DeploymentOrgTokenBinding
from astro_provider.provider import PROVIDER_KEY, DeploymentOrgTokenBindingProvider
from astro_provider.values import outputs


def import_file(adoptions: Iterable[Adoption]) -> str:
    """Return the file's text."""
    entries = [_entry(adoption) for adoption in adoptions]
    return shown.json_text(json.dumps({"resources": entries}, indent=2, ensure_ascii=False)) + "\n"


def _entry(adoption: Adoption) -> dict[str, Any]:
    provider = {PROVIDER_KEY: serialize_provider(DeploymentOrgTokenBindingProvider())}
    return {
        "type": f"pulumi-python:{DeploymentOrgTokenBinding._resource_type_name}",  # noqa: SLF001 the one place that says it
        "name": adoption.name,
        "id": str(adoption.inputs.binding),
        "inputs": {**provider, **adoption.inputs.properties()},
        "outputs": {**provider, **outputs(adoption.inputs, adoption.token)},
    }
