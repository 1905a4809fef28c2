"""The program that declares what was found, as a person would have written it, and as ruff formats it.

A few bindings are declared one by one; many are a table of roles and a loop. Both give the resources the same names, so
a program may be rewritten from one form into the other without a change in the preview.

Deployments and tokens are given by their names, because people review names. If several have a name, the id says which
one is meant. A deployment's name and `workspace_id` would say it too, but only if Astro shows the workspace, and it would
be a guard that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from astro_provider.astro.api import ApiToken
from astro_provider.commands.adoption.doors import Door
from astro_provider.commands.adoption.find import Adoption
from astro_provider.commands.adoption.names import BETWEEN
from astro_provider.messages import shown

MOST_ONE_BY_ONE = 10  # bindings; more than that are easier to read and to change in a table
LONGEST_DESCRIPTION = 80  # characters; enough to tell two tokens apart

_OPENING = '''\
"""The roles of organization API tokens in Astro deployments.

`astro-provider adopt` wrote this from what it found. It is yours now: change it as you like.
"""

from {module} import DeploymentOrgTokenBinding
'''


def program(adoptions: Sequence[Adoption], organization_id: str | None = None, door: Door = Door.DYNAMIC) -> str:
    """Return the program's text.

    Args:
        adoptions: what it declares, by deployment.
        organization_id: the organization, if the program has to say it, because nothing in its surroundings does.
        door: the door through which it declares them.
    """
    lines = [_OPENING.format(module=door.value)]
    if organization_id:
        lines += [f"ORGANIZATION_ID = {literal(organization_id)}", ""]
    lines += (
        _table(adoptions, organization_id) if len(adoptions) > MOST_ONE_BY_ONE else _calls(adoptions, organization_id)
    )
    return "\n".join(lines).rstrip("\n") + "\n"


def literal(text: str) -> str:
    """The text as Python spells it, with the quotes that ruff prefers and without characters that nobody sees."""
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
            if adoption.deployment_by_name:
                yield f"    deployment_name={literal(adoption.deployment.name)},"
            else:
                yield f"    # Several deployments are named {literal(adoption.deployment.name)}, so it is given by its id."
                yield f"    deployment_id={literal(adoption.deployment.id)},"
            if adoption.token_by_name:
                yield f"    org_token_name={literal(adoption.token.name)},"
            else:
                yield f"    # Several tokens are named {literal(adoption.token.name)}, so it is given by its id."
                yield from (f"    # This one: {about}" for about in [marks_of(adoption.token)] if about)
                yield f"    org_token_id={literal(adoption.token.id)},"
            yield f"    role={literal(adoption.role)},"
            yield ")"
        yield ""


def _table(adoptions: Sequence[Adoption], organization_id: str | None) -> Iterator[str]:
    deployments = {one.deployment_key: one.deployment for one in adoptions}
    tokens = {one.token_key: one.token for one in sorted(adoptions, key=lambda one: one.token_key)}
    deployments_by_id = {one.deployment_key for one in adoptions if not one.deployment_by_name}
    tokens_by_id = {one.token_key for one in adoptions if not one.token_by_name}
    yield "# Left of each colon stands what a deployment or a token is called here, which is a part of the names of"
    yield "# resources: change it, and the resources are renamed. What stands right of the colon is Astro's: if somebody"
    yield "# renames a deployment or a token there, change it here, and no resource is renamed."
    yield from _dictionary("DEPLOYMENT_NAMES", {key: one.name for key, one in deployments.items()})
    yield from _dictionary("TOKEN_NAMES", {key: one.name for key, one in tokens.items()})
    if deployments_by_id:
        yield "# Several deployments have these names, so the ids tell which ones are meant."
        ids = {key: one.id for key, one in deployments.items() if key in deployments_by_id}
        yield from _dictionary("DEPLOYMENT_IDS", ids)
    if tokens_by_id:
        yield "# Several tokens have these names, so the ids tell which ones are meant."
        ids = {key: one.id for key, one in tokens.items() if key in tokens_by_id}
        yield from _dictionary("TOKEN_IDS", ids, {key: marks_of(tokens[key]) for key in ids})
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
    """What tells tokens of one name apart, fit for a comment: the description, who made it, and when."""
    parts = [shown.line(token.description, longest=LONGEST_DESCRIPTION)] if token.description else []
    parts += [f"made by {shown.line(token.created_by.display_name)}"] if token.created_by else []
    parts += [f"on {shown.line(token.created_at[:10])}"] if token.created_at else []
    return ", ".join(parts).replace("#", "")  # a linter takes what follows it for an order
