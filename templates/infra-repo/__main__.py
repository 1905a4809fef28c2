"""Give organization tokens their roles in deployments, as the table `access:bindings` in the stack's configuration says.

A row has the arguments of `DeploymentOrgTokenBinding`: a deployment (`deployment_name` or `deployment_id`), a token
(`org_token_name` or `org_token_id`), a `role`, and if need be `workspace_id`, `organization_id` or `overwrite`. With
`protect: true` Pulumi does not take the role away until the row has been there once without it.
"""

from typing import Any

import pulumi

from astro_provider import DeploymentOrgTokenBinding

DEPLOYMENT, TOKEN = ("deployment_name", "deployment_id"), ("org_token_name", "org_token_id")
WHERE = ("organization_id", "workspace_id")
KEYS = (*DEPLOYMENT, *TOKEN, "role", *WHERE, "overwrite", "protect")


def problem(row: Any) -> str | None:
    """What is wrong about the shape of a row; None: nothing."""
    if not isinstance(row, dict):
        return f"it is no table of arguments, but {row!r}"
    for key in row:
        if key not in KEYS:
            return f"unknown key {key!r}; there is {', '.join(KEYS)}"
    for pair in (DEPLOYMENT, TOKEN):
        if sum(key in row for key in pair) != 1:
            return f"give {pair[0]} or {pair[1]}"
    return None if "role" in row else "give a role"


def name(row: dict[str, Any]) -> str:
    """A resource's name by what it binds: a row that moves within the table stays the same resource.

    `/` stands between the parts only, so that `a-b` and `c` are no `a` and `b-c`. Give the workspace of deployments that
    have one name: it is a part too.
    """
    parts = [str(row[key]) for key in (*WHERE, *DEPLOYMENT, *TOKEN) if key in row]
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


for number, row in enumerate(pulumi.Config("access").require_object("bindings"), start=1):
    if wrong := problem(row):
        raise pulumi.RunError(f"access:bindings, row {number}: {wrong}.")
    arguments = dict(row)
    protect = arguments.pop("protect", None)
    DeploymentOrgTokenBinding(name(row), **arguments, opts=pulumi.ResourceOptions(protect=protect))
