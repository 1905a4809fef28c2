"""`astro-provider list`: which tokens hold a role in deployments. This module holds its options; `listing.py` answers."""

from __future__ import annotations

from typing import Annotated

import typer

from astro_provider.cli.options import AllDeployments, DeploymentIds, OrganizationId, Output, WorkspaceId, where


def list_assignments(  # noqa: PLR0913 every option is a keyword
    *,
    deployment_ids: DeploymentIds = None,
    all_deployments: AllDeployments = False,
    workspace_id: WorkspaceId = None,
    organization_id: OrganizationId = None,
    include_other_scopes: Annotated[
        bool, typer.Option("--include-other-scopes", help="Also tokens of a workspace or of a deployment.")
    ] = False,
    output: Annotated[Output, typer.Option(help="For people (table) or for programs (json, csv).")] = Output.TABLE,
) -> None:
    """List the organization tokens that hold a role in deployments.

    The credential is ASTRO_API_TOKEN. Nothing is changed.

    \b
    Examples:
      astro-provider list --deployment-id clm9x2k4t000408l6c3f7h8va
      astro-provider list --workspace-id clk2v6a3e000208mkh9x5c2wd
      astro-provider list --all-deployments --output json | jq '.[].name'
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    wanted = where(deployment_ids, all_deployments=all_deployments, workspace_id=workspace_id)
    from astro_provider.cli.listing import show  # noqa: PLC0415 half a second

    show(wanted, organization_id, output, include_other_scopes=include_other_scopes)
