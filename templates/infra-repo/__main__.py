"""Give organization tokens their roles in deployments, as the table `access:bindings` in the stack's configuration says.

A row has the arguments of `DeploymentOrgTokenBinding`: a deployment (`deployment_name` or `deployment_id`), a token
(`org_token_name` or `org_token_id`), a `role`, and if need be `workspace_id`, `organization_id` or `overwrite`. With
`protect: true` Pulumi does not take the role away until the row has been there once without it.
"""

import pulumi

from astro_provider import DeploymentOrgTokenBinding

for row in pulumi.Config("access").require_object("bindings"):
    arguments = dict(row)
    protect = arguments.pop("protect", None)
    deployment = arguments.get("deployment_name") or arguments.get("deployment_id")
    token = arguments.get("org_token_name") or arguments.get("org_token_id")
    # Named by what it binds: a row that moves within the table stays the same resource.
    DeploymentOrgTokenBinding(f"{deployment}-{token}", **arguments, opts=pulumi.ResourceOptions(protect=protect))
