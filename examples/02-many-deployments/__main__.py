"""Give one organization token the same role in every deployment of a list."""

import pulumi

from astro_provider import DeploymentOrgTokenBinding

config = pulumi.Config()
token = config.require("token")
role = config.require("role")

for deployment in config.require_object("deployments"):
    # Never name a binding by its position in the list: without the first entry, every other one would be renamed.
    DeploymentOrgTokenBinding(
        f"{deployment}-{token}",
        deployment_id=deployment,
        org_token_name=token,
        role=role,
    )
