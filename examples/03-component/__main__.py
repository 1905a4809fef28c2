"""Give each team's tokens access to the team's deployments, with one component for each team."""

from collections.abc import Mapping, Sequence

import pulumi

from astro_provider import DeploymentOrgTokenBinding


class TeamAccess(pulumi.ComponentResource):
    """The access of a team's tokens to the team's deployments.

    Args:
        name: the team.
        deployments: the names of the team's deployments.
        tokens: the role that each of the team's tokens gets in each deployment, by the token's name.
        opts: Pulumi's resource options; what children inherit, such as `protect`, reaches the bindings.
    """

    def __init__(
        self,
        name: str,
        *,
        deployments: Sequence[str],
        tokens: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("platform:astro:TeamAccess", name, None, opts)
        for deployment in deployments:
            for token, role in tokens.items():
                # The URN of a child has the component's type in it, not its name: so the team is in the child's name.
                DeploymentOrgTokenBinding(
                    f"{name}-{deployment}-{token}",
                    deployment_name=deployment,
                    org_token_name=token,
                    role=role,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({})


for team in pulumi.Config().require_object("teams"):
    TeamAccess(team["name"], deployments=team["deployments"], tokens=team["tokens"])
