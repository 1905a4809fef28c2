"""The functions of the native provider: those of `program/functions.py`, for programs in any language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from astro_provider.astro.hints import nearest_names
from astro_provider.astro.reading.assignments import tokens_in
from astro_provider.astro.reading.choosing import deployments_of, organization_tokens
from astro_provider.engine.property_names import INCLUDE_OTHER_SCOPES
from astro_provider.errors import AstroProviderError, InputError, InvalidInputs
from astro_provider.lifecycle.changing import Shared
from astro_provider.names import GET_DEPLOYMENTS, GET_TOKENS, LIST_TOKENS, camel

_ORGANIZATION = {"organization_id": "the id of the organization"}


@dataclass(frozen=True)
class _Function:
    """A function of the schema.

    Attributes:
        output: the property of its answer, which is a list.
        answer: returns the rows, given a reader of the organization and the arguments.
        texts: its arguments that are text, each with a description.
        flags: its arguments that are true or false.
    """

    output: str
    answer: Callable[..., list[Any]]
    texts: Mapping[str, str]
    flags: tuple[str, ...] = ()


_FUNCTIONS = {
    LIST_TOKENS: _Function(
        "tokens",
        tokens_in,
        {
            "deployment_id": "the id of the deployment",
            "deployment_name": "the name of the deployment",
            "workspace_id": "the id of the workspace that the deployment must belong to",
            **_ORGANIZATION,
        },
        (INCLUDE_OTHER_SCOPES,),
    ),
    GET_DEPLOYMENTS: _Function(
        "deployments",
        deployments_of,
        {"workspace": "the name or the id of a workspace", "name": "the name of a deployment", **_ORGANIZATION},
    ),
    GET_TOKENS: _Function("tokens", organization_tokens, {"name": "the name of a token", **_ORGANIZATION}),
}


def call(shared: Shared, function: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of a function.

    Args:
        shared: the reader and settings of the provider's resources: a function uses the lists that a check has read.
        function: its type token.
        arguments: by the names of the schema.

    Returns:
        The answer, by the names of the schema.

    Raises:
        AstroProviderError: there is no such function.
        InvalidInputs: an argument is missing, malformed or unknown, or nothing fits it.
    """
    asked = _FUNCTIONS.get(function)
    if asked is None:
        raise AstroProviderError(f"There is no function {function}: call {', '.join(_FUNCTIONS)}.")
    names = {camel(name): name for name in (*asked.texts, *asked.flags)}
    given = {names.get(name, name): value for name, value in arguments.items()}
    problems = [
        InputError(name, f"is no argument of this function{nearest_names(name, names)}.")
        for name in given
        if name not in names.values()
    ]
    problems += [
        InputError(name, f"must be text ({what}), not {given[name]!r}.")
        for name, what in asked.texts.items()
        if not isinstance(given.get(name, ""), str)
    ]
    problems += [
        InputError(name, f"must be true or false, not {given[name]!r}.")
        for name in asked.flags
        if not isinstance(given.get(name, False), bool)
    ]
    problems += [
        InputError(name, f"is blank: write {what}, or nothing.")
        for name, what in asked.texts.items()
        if given.get(name) == ""
    ]
    if problems:
        raise InvalidInputs(problems)
    organization = given.pop("organization_id", None) or shared.settings.organization_id
    try:
        rows = asked.answer(shared.readers.of(organization), **given)
    except InputError as problem:
        raise InvalidInputs([problem]) from None
    return {
        asked.output: [{camel(name): value for name, value in vars(one).items() if value is not None} for one in rows]
    }
