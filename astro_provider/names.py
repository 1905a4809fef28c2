"""The names that stand in users' states and projects, for ever: types, properties, and marks among their values.

Programs, the processes of both doors, and the readers of states and projects import this module and nothing of each other,
so it imports nothing of this package.
"""

from __future__ import annotations

import re

PACKAGE = "astro"  # the engine's name of the native provider, and the namespace of the configuration
EXECUTABLE = f"pulumi-resource-{PACKAGE}"
NATIVE_BINDING = f"{PACKAGE}:index:DeploymentOrgTokenBinding"
NATIVE_TABLE = f"{PACKAGE}:index:DeploymentOrgTokenBindings"
LIST_TOKENS = f"{PACKAGE}:index:listDeploymentOrgTokens"
GET_DEPLOYMENTS = f"{PACKAGE}:index:getDeployments"
GET_TOKENS = f"{PACKAGE}:index:getOrganizationTokens"
DYNAMIC_BINDING = "pulumi-python:dynamic/astro:DeploymentOrgTokenBinding"
DYNAMIC_TABLE = "pulumi-python:dynamic/astro:DeploymentOrgTokenBindings"

UNFINISHED = "unfinished"  # the output that marks a role which a failed run may have written or taken
UNFINISHED_ROLE = "not known since a run that failed"  # in tables of states of version 0.1.0, the role of such an entry

PROVIDER_KEY = "__provider"  # Pulumi's own property, in every bag of a dynamic resource
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's text for a value that is not known yet
SIGNATURE = "4dabf18193072939515e22adb298388d"  # the key that marks a map as one special value, such as a secret

ALREADY_REMOVED = "already removed"  # in `removes` of an exclusive table, for a role: an earlier run has taken it
AGAIN = " (again)"  # in `removes`, after a role: an earlier run took the same role

CUID = re.compile(r"c[a-z0-9]{20,31}")  # an id of Astro

_DEFAULT_PROVIDER = re.compile(r"default(_\d+_\d+_\d+.*)?")


def is_default_provider(name: str) -> bool:
    """Return whether a provider of that name is the engine's own: `default`, with a version behind it if it has one."""
    return _DEFAULT_PROVIDER.fullmatch(name) is not None


def camel(name: str) -> str:
    """Return the name of a property, or a place in one, as the native door spells it.

    `org_token_id` becomes `orgTokenId`. The keys of `deployment_ids["my_own"]` belong to the user and stay.
    """
    ours = re.match(r"\w*", name)
    head = ours[0] if ours else ""
    first, *rest = head.split("_")
    return first + "".join(word.title() for word in rest) + name[len(head) :]


def removed_role(role: str) -> str:
    """Return a role as `removes` of an exclusive table has it: in quotes, if it reads like one of the marks there."""
    return f'"{role}"' if role == ALREADY_REMOVED or role.endswith(AGAIN) or role.startswith('"') else role


def role_removed(row: str) -> str | None:
    """Return the role in a row of `removes`; None if an earlier run has taken it."""
    if row == ALREADY_REMOVED:
        return None
    role = row.removesuffix(AGAIN)
    return role[1:-1] if role.startswith('"') and role.endswith('"') else role


def hidden_key(key: object, what: str) -> str | None:
    """Return why Pulumi would hide a key of a table, as a reason of an InputError; None if it would not.

    Args:
        key: the key.
        what: `deployment` or `token`.
    """
    if not isinstance(key, str) or not key.startswith("__"):
        return None
    return f'begins with "__", which Pulumi keeps for itself and hides: write the id of the {what} as the key.'
