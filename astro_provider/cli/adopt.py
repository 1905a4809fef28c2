"""`astro-provider adopt`: assignments that exist, as a program and an import file. `adopting.py` does the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from astro_provider.cli.options import AllDeployments, DeploymentIds, OrganizationId, WorkspaceId, where


def adopt(  # noqa: PLR0913 the command's options
    *,
    deployment_ids: DeploymentIds = None,
    all_deployments: AllDeployments = False,
    workspace_id: WorkspaceId = None,
    organization_id: OrganizationId = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the two files go; made if it is not there.")],
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Write a program and an import file for the assignments that exist.

    DIR gets __main__.py, a Pulumi program that declares every assignment, and import.json, which brings them into a
    stack's state as they are. After the import, `pulumi preview` shows no change. Nothing in Astro is changed.

    The credential is ASTRO_API_TOKEN. `pulumi import --file` needs Pulumi 3.254 or later.

    \b
    Examples:
      astro-provider adopt --all-deployments --out infra
      astro-provider adopt --workspace-id clk2v6a3e000208mkh9x5c2wd --out infra
      astro-provider adopt --deployment-id clm9x2k4t000408l6c3f7h8va --out infra --force
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    wanted = where(deployment_ids, all_deployments=all_deployments, workspace_id=workspace_id)
    from astro_provider.cli.adopting import run  # noqa: PLC0415 half a second

    run(wanted, organization_id, out, force=force)
