"""Who has which role where: one table for all deployments and tokens of a platform."""

import pulumi

from astro_provider import DeploymentOrgTokenBindings

config = pulumi.Config()

access = DeploymentOrgTokenBindings(
    "access",
    roles=config.require_object("roles"),
    exclusive=config.get_bool("exclusive"),
)
pulumi.export("deployment_ids", access.deployment_ids)
