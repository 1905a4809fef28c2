"""The program that declares what was found, as a person would have written it, and as ruff formats it.

A few bindings are declared one by one; many are a table of roles and a loop. Both give the resources the same names, so
a program may be rewritten from one form into the other without a change in the preview.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from astro_provider.adoption.find import Adoption
from astro_provider.adoption.names import BETWEEN

MOST_ONE_BY_ONE = 10  # bindings; more than that are easier to read and to change in a table

_OPENING = '''\
"""The roles of organization API tokens in Astro deployments.

`astro-provider adopt` wrote this from what it found. It is yours now: change it as you like.
"""

from astro_provider import DeploymentOrgTokenBinding
'''


def program(adoptions: Sequence[Adoption], organization_id: str | None = None) -> str:
    """Return the program's text.

    Args:
        adoptions: what it declares, by deployment.
        organization_id: where the program has to say it, because nothing in its surroundings does.
    """
    lines = [_OPENING]
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
            yield f"    deployment_id={literal(adoption.deployment.id)},"
            if adoption.by_name:
                yield f"    org_token_name={literal(adoption.token.name)},"
            else:
                yield f"    # The name {literal(adoption.token.name)} is not unique, so the token is given by its id."
                yield f"    org_token_id={literal(adoption.token.id)},"
            yield f"    role={literal(adoption.role)},"
            yield ")"
        yield ""


def _table(adoptions: Sequence[Adoption], organization_id: str | None) -> Iterator[str]:
    deployments = {one.deployment_key: one.deployment for one in adoptions}
    yield "# What the deployments are called here, and their ids."
    yield "DEPLOYMENTS = {"
    for key, deployment in deployments.items():
        yield f"    {literal(key)}: {literal(deployment.id)},{_real_name(key, deployment.name)}"
    yield "}"
    yield ""
    by_id = {one.token_key: one.token for one in adoptions if not (one.by_name and one.token_key == one.token.name)}
    if by_id:
        yield "# Tokens that are given by their ids, because their names are not unique or would be no good"
        yield "# names of resources. All others are given by their names."
        yield "TOKEN_IDS = {"
        for key, token in sorted(by_id.items()):
            yield f"    {literal(key)}: {literal(token.id)},{_real_name(key, token.name)}"
        yield "}"
        yield ""
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
    yield "            deployment_id=DEPLOYMENTS[deployment],"
    if by_id:
        yield "            org_token_name=None if token in TOKEN_IDS else token,"
        yield "            org_token_id=TOKEN_IDS.get(token),"
    else:
        yield "            org_token_name=token,"
    yield "            role=role,"
    yield "        )"


def _real_name(key: str, name: str) -> str:
    return "" if key == name else f"  # {literal(name)}"
