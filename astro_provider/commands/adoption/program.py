"""The program that declares the adopted bindings, as a person would write it and ruff formats it; or their rows.

A few bindings are declared one by one; many are a table of roles and a loop. Both give the resources the same names, so
a program may be rewritten from one form into the other without a change in the preview.

Deployments and tokens are given by their names, because people review names; by their ids if several have the name. A
deployment's name and `workspace_id` would be enough too, but only if Astro shows the workspace, and the workspace would
be a guard that the user did not ask for.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

import yaml

from astro_provider.astro.api import ApiToken, Deployment
from astro_provider.commands.adoption.find import Adoption
from astro_provider.commands.adoption.names import BETWEEN, resource_name
from astro_provider.commands.adoption.project import Door
from astro_provider.messages import shown

MOST_ONE_BY_ONE = 10  # bindings; more than that are easier to read and to change in a table
LONGEST_DESCRIPTION = 80  # characters; enough to distinguish two tokens
ROWS_FILE = "bindings.yaml"
CLASS = "DeploymentOrgTokenBinding"
CLASS_OF_TABLES = "DeploymentOrgTokenBindings"
TABLE = "ROLES"

_OPENING = '''\
"""The roles of organization API tokens in Astro deployments.

`astro-provider adopt` wrote this from what it found. It is yours now: change it as you like.
"""

from {module} import {name}
'''


def program(adoptions: Sequence[Adoption], organization_id: str | None = None, door: Door = Door.DYNAMIC) -> str:
    """Return the program's text.

    Args:
        adoptions: what it declares, by deployment.
        organization_id: the organization, if the program has to name it, because no setting does.
        door: the door through which it declares them.
    """
    head = [f"ORGANIZATION_ID = {literal(organization_id)}", ""] if organization_id else []
    declare = _table if len(adoptions) > MOST_ONE_BY_ONE else _calls
    return opened(CLASS, door, [*head, *declare(adoptions, organization_id)])


def opened(name: str, door: Door, lines: Iterable[str]) -> str:
    """Return a program that imports a class and has these lines."""
    return "\n".join([_OPENING.format(module=door.value, name=name), *lines]).rstrip("\n") + "\n"


def literal(text: str) -> str:
    """The text as a literal of Python, with the quotes that ruff prefers and with hidden characters escaped."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def _escaped(character: str, quote: str) -> str:
    if character in "\"'":
        return f"\\{character}" if character == quote else character
    return repr(character)[1:-1]


def _calls(adoptions: Sequence[Adoption], organization_id: str | None) -> Iterator[str]:
    for _, group in groupby(adoptions, key=lambda one: one.deployment_key):
        of_deployment = list(group)
        yield f"# In the deployment {literal(of_deployment[0].deployment.name)}."
        for adoption in of_deployment:
            yield "DeploymentOrgTokenBinding("
            yield f"    {literal(adoption.name)},"
            if organization_id:
                yield "    organization_id=ORGANIZATION_ID,"
            if not adoption.deployment_by_name:
                yield f"    # Several deployments are named {literal(adoption.deployment.name)}, so it is given by its id."
            yield from (f"    {key}={literal(value)}," for key, value in _deployment(adoption).items())
            if not adoption.token_by_name:
                yield f"    # Several tokens are named {literal(adoption.token.name)}, so it is given by its id."
                if about := marks_of(adoption.token):
                    yield f"    # This one: {about}"
            yield from (f"    {key}={literal(value)}," for key, value in _token(adoption).items())
            yield f"    role={literal(adoption.role)},"
            yield ")"
        yield ""


def _table(adoptions: Sequence[Adoption], organization_id: str | None) -> Iterator[str]:
    deployments = {one.deployment_key: one.deployment for one in adoptions}
    tokens = {one.token_key: one.token for one in sorted(adoptions, key=lambda one: one.token_key)}
    deployments_by_id = {one.deployment_key for one in adoptions if not one.deployment_by_name}
    tokens_by_id = {one.token_key for one in adoptions if not one.token_by_name}
    yield "# Left of each colon is the name of a deployment or a token in this program, a part of the names of resources: if"
    yield "# you change it, these resources are renamed. Right of the colon is its name in Astro: if it is renamed there,"
    yield "# change it here, and no resource is renamed."
    yield from _dictionary("DEPLOYMENT_NAMES", {key: one.name for key, one in deployments.items()})
    yield from _dictionary("TOKEN_NAMES", {key: one.name for key, one in tokens.items()})
    yield from _ids("deployment", deployments, deployments_by_id)
    yield from _ids("token", tokens, tokens_by_id, {key: marks_of(tokens[key]) for key in tokens_by_id})
    yield "# The role of each token in each deployment."
    yield "ROLES = {"
    for deployment_key, group in groupby(adoptions, key=lambda one: one.deployment_key):
        yield f"    {literal(deployment_key)}: {{"
        for adoption in group:
            yield f"        {literal(adoption.token_key)}: {literal(adoption.role)},"
        yield "    },"
    yield "}"
    yield ""
    yield "for deployment, roles in ROLES.items():"
    yield "    for token, role in roles.items():"
    yield "        DeploymentOrgTokenBinding("
    yield f'            f"{{deployment}}{BETWEEN}{{token}}",'
    if organization_id:
        yield "            organization_id=ORGANIZATION_ID,"
    yield "            deployment_name=DEPLOYMENT_NAMES[deployment],"
    if deployments_by_id:
        yield "            deployment_id=DEPLOYMENT_IDS.get(deployment),"
    yield "            org_token_name=TOKEN_NAMES[token],"
    if tokens_by_id:
        yield "            org_token_id=TOKEN_IDS.get(token),"
    yield "            role=role,"
    yield "        )"


def _ids(
    kind: str,
    things: Mapping[str, Deployment | ApiToken],
    by_id: Collection[str],
    comments: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    if by_id:
        yield f"# Several {kind}s have these names, so each is given by its id as well."
        ids = {key: one.id for key, one in things.items() if key in by_id}
        yield from _dictionary(f"{kind.upper()}_IDS", ids, comments)


def _dictionary(
    name: str, values: Mapping[str, str], comments: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    yield f"{name} = {{"
    for key, value in values.items():
        comment = comments.get(key)
        yield f"    {literal(key)}: {literal(value)},{f'  # {comment}' if comment else ''}"
    yield "}"
    yield ""


def marks_of(token: ApiToken) -> str:
    """The description, maker and day of a token, which distinguish it from others of its name; fit for a comment."""
    parts = [shown.line(token.description, longest=LONGEST_DESCRIPTION)] if token.description else []
    parts += [f"made by {shown.line(token.created_by.display_name)}"] if token.created_by else []
    parts += [f"on {shown.line(token.created_at[:10])}"] if token.created_at else []
    return ", ".join(parts).replace("#", "")  # a linter takes the text behind it for a directive


def rows(adoptions: Iterable[Adoption]) -> str:
    """The bindings as rows of `access:bindings`, which the program of templates/infra-repo reads."""
    table = [{**_deployment(one), **_token(one), "role": one.role} for one in adoptions]
    content = {"config": {"access:bindings": table}}
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000))


def _deployment(one: Adoption) -> dict[str, str]:
    return {"deployment_name": one.deployment.name} if one.deployment_by_name else {"deployment_id": one.deployment.id}


def _token(one: Adoption) -> dict[str, str]:
    return {"org_token_name": one.token.name} if one.token_by_name else {"org_token_id": one.token.id}


def bindings_in(program: str) -> set[str] | None:
    """Return the names of the bindings that a program declares; None: they cannot be read from its text.

    It reads the forms that `adopt` writes: calls with a literal name, and a table ROLES. It does not guess at other
    forms.
    """
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = set(_in_the_table(tree))
    has_table = bool(found)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
        name = call.args[0] if call.args else None
        if called == CLASS_OF_TABLES:
            return None  # the keys of its table are Astro's names, not the names of resources
        if called == CLASS and isinstance(name, ast.Constant) and isinstance(name.value, str):
            found.add(name.value)
        elif called == CLASS and not has_table:
            return None
    return found


def _in_the_table(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [one.id for one in node.targets if isinstance(one, ast.Name)] == [TABLE]:
            try:
                table = ast.literal_eval(node.value)
            except ValueError:
                continue
            for deployment, roles in table.items() if isinstance(table, dict) else ():
                for token in roles if isinstance(roles, dict) else ():
                    yield resource_name(str(deployment), str(token))
