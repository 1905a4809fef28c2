"""The options that several subcommands share, and the deployments that options choose.

It imports nothing but typer, because every subcommand's help waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer


class WrongUsage(typer.BadParameter):
    """Options that say too little together, or contradict each other; exit status 2."""

    def format_message(self) -> str:
        """Return the sentence alone: it is about several options."""
        return self.message


def _stripped(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("it is blank; write an id or a name.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("it has bytes that are no text in this locale; write an id or a name.") from None
    return value.strip()


def _text(option: str, metavar: str, about: str) -> Any:
    return typer.Option(option, metavar=metavar, help=about, parser=_stripped)


DeploymentIds = Annotated[
    list[str] | None, _text("--deployment-id", "ID", "A deployment, by its id or its name; repeat the option for more.")
]
DeploymentNames = Annotated[
    list[str] | None,
    _text("--deployment-name", "NAME", "A deployment by its name, which is unique in a workspace; repeatable."),
]
AllDeployments = Annotated[bool, typer.Option("--all-deployments", help="All deployments of the organization.")]
WorkspaceId = Annotated[
    str | None,
    _text(
        "--workspace-id",
        "ID",
        "By id or name. Alone: all its deployments. Beside given deployments: they must belong to it.",
    ),
]
OrganizationId = Annotated[
    str | None,
    _text("--organization-id", "ID", "By id or name, if neither ASTRO_ORGANIZATION_ID nor the credential names it."),
]
AllStacks = Annotated[
    bool, typer.Option("--all-stacks", help="Ask `pulumi` for all stacks of the backend of this directory.")
]
OutputOfList = Literal["table", "json", "csv"]
OutputOfFind = Literal["table", "json"]
OutputOfDoctor = Literal["table", "json"]
OutputOfReview = Literal["table", "markdown", "json", "html"]
OutputOfAudit = Literal["table", "json", "csv", "markdown", "html"]
Sort = Literal["deployment", "name", "role", "created", "expires", "last-used"]


@dataclass(frozen=True)
class Where:
    """The deployments that a command line asks for."""

    deployment_ids: tuple[str, ...] = ()  # each once, by id or by name
    # By name alone; if both are empty, all deployments of the workspace or of the organization are meant.
    deployment_names: tuple[str, ...] = ()
    # By id or by name: the given deployments must belong to it, or all of its deployments are meant; None: any.
    workspace_id: str | None = None
    by_default: bool = False  # no option chooses, so all are meant

    @property
    def is_one_deployment(self) -> bool:
        """True if exactly one deployment is asked for."""
        return len(self.deployment_ids) + len(self.deployment_names) == 1


def where(
    deployment_ids: list[str] | None,
    deployment_names: list[str] | None,
    workspace_id: str | None,
    *,
    all_deployments: bool,
    all_by_default: bool = False,
) -> Where:
    """Return the deployments that the options choose.

    Raises:
        WrongUsage: the options contradict each other; or they choose nothing, and `all_by_default` is not set.
    """
    given = "--deployment-id" if deployment_ids else "--deployment-name" if deployment_names else None
    if given and all_deployments:
        raise WrongUsage(f"{given} and --all-deployments contradict each other: write one of them.")
    by_default = not given and not all_deployments and workspace_id is None
    if by_default and not all_by_default:
        raise WrongUsage(
            "Choose deployments: --deployment-id ID or --deployment-name NAME (repeatable), --workspace-id ID or "
            "--all-deployments."
        )
    ids, names = (tuple(dict.fromkeys(given or ())) for given in (deployment_ids, deployment_names))
    return Where(ids, names, workspace_id, by_default)
