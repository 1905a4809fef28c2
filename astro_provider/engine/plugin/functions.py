"""What a program of any language can ask the native provider, beside its resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astro_provider.astro.reading.assignments import tokens_in
from astro_provider.engine.property_names import INCLUDE_OTHER_SCOPES, camel, snake
from astro_provider.errors import InputError, InvalidInputs
from astro_provider.lifecycle.single import Shared

LIST = "astro:index:listDeploymentOrgTokens"
_TEXTS = {
    "deployment_id": "the id of the deployment",
    "workspace_id": "the id of the workspace that the deployment must belong to",
    "organization_id": "the id of the organization",
}


def list_deployment_org_tokens(shared: Shared, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens that hold a role in a deployment, by name.

    Args:
        shared: what the provider's resources share.
        arguments: by the names of the schema.

    Returns:
        `tokens`, each with the names of the schema.

    Raises:
        InvalidInputs: an argument is missing, malformed or unknown, or means nothing.
    """
    given = {snake(name): value for name, value in arguments.items()}
    problems = [
        InputError(name, "is no argument of this function.")
        for name in given
        if name not in (*_TEXTS, INCLUDE_OTHER_SCOPES)
    ]
    problems += [
        InputError(name, f"must be text ({what}), not {given[name]!r}.")
        for name, what in _TEXTS.items()
        if not isinstance(given.get(name, ""), str)
    ]
    if not isinstance(given.get(INCLUDE_OTHER_SCOPES, False), bool):
        problems.append(
            InputError(INCLUDE_OTHER_SCOPES, f"must be true or false, not {given[INCLUDE_OTHER_SCOPES]!r}.")
        )
    if not given.get("deployment_id"):
        problems.append(InputError("deployment_id", f"is missing: write {_TEXTS['deployment_id']}."))
    if problems:
        raise InvalidInputs(problems)
    organization_id = given.pop("organization_id", None) or shared.settings.organization_id
    try:
        found = tokens_in(shared.reader, shared.reader.organization_id(organization_id), **given)
    except InputError as problem:
        raise InvalidInputs([problem]) from None
    return {"tokens": [{camel(name): value for name, value in vars(one).items() if value is not None} for one in found]}
