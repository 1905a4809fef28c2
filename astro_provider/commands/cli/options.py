"""The options that several subcommands share, and the rule that says where to look.

It imports nothing but typer, because every subcommand's help waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer


class WrongUsage(typer.BadParameter):
    """Options that say too little together, or contradict each other; exit status 2."""

    def format_message(self) -> str:
        """Return the sentence alone: it is about several options."""
        return self.message


def _without_blanks(value: str | list[str] | None) -> str | list[str] | None:
    if isinstance(value, list):
        return [_stripped(one) for one in value]
    return None if value is None else _stripped(value)


def _stripped(value: str) -> str:
    if not value.strip():
        raise typer.BadParameter("it is blank; write an id or a name.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("it holds bytes that are no text in this locale; write an id or a name.") from None
    return value.strip()


DeploymentIds = Annotated[
    list[str] | None,
    typer.Option(
        "--deployment-id",
        metavar="ID",
        callback=_without_blanks,
        help="A deployment, by its id or its name; repeat the option for more.",
    ),
]
DeploymentNames = Annotated[
    list[str] | None,
    typer.Option(
        "--deployment-name",
        metavar="NAME",
        callback=_without_blanks,
        help="A deployment by its name, which is unique in a workspace; repeatable.",
    ),
]
AllDeployments = Annotated[bool, typer.Option("--all-deployments", help="All deployments of the organization.")]
WorkspaceId = Annotated[
    str | None,
    typer.Option(
        "--workspace-id",
        metavar="ID",
        callback=_without_blanks,
        help="By id or name. Alone: all its deployments. Beside given deployments: they must belong to it.",
    ),
]
OrganizationId = Annotated[
    str | None,
    typer.Option(
        "--organization-id",
        metavar="ID",
        callback=_without_blanks,
        help="By id or name, if neither ASTRO_ORGANIZATION_ID nor the credential tells it.",
    ),
]


AllStacks = Annotated[
    bool,
    typer.Option("--all-stacks", help="Ask `pulumi` for all stacks of the backend of this directory."),
]


class OutputOfList(StrEnum):
    """How `list` answers."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class OutputOfFind(StrEnum):
    """How `find` answers."""

    TABLE = "table"
    JSON = "json"


class Sort(StrEnum):
    """The order of `list`."""

    DEPLOYMENT = "deployment"
    NAME = "name"
    ROLE = "role"
    CREATED = "created"
    EXPIRES = "expires"
    LAST_USED = "last-used"


class OutputOfDoctor(StrEnum):
    """How `doctor` answers."""

    TABLE = "table"
    JSON = "json"


class OutputOfReview(StrEnum):
    """How `review` answers."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


class OutputOfAudit(StrEnum):
    """How `audit` answers."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True)
class Where:
    """Where to look, as asked for on the command line.

    Attributes:
        deployment_ids: the deployments, each once, by id or by name.
        deployment_names: more deployments, by name alone. Neither: all of the workspace, or of the organization.
        workspace_id: a guard if deployments are given; else the workspace to look in; None: the organization.
            Also a name, until `names.with_ids` has looked it up.
        by_default: no option says where to look.
    """

    deployment_ids: tuple[str, ...] = ()
    deployment_names: tuple[str, ...] = ()
    workspace_id: str | None = None
    by_default: bool = False

    @property
    def is_one_deployment(self) -> bool:
        """Whether exactly one deployment is asked for."""
        return len(self.deployment_ids) + len(self.deployment_names) == 1


def where(
    deployment_ids: list[str] | None,
    deployment_names: list[str] | None,
    *,
    all_deployments: bool,
    workspace_id: str | None,
    all_by_default: bool = False,
) -> Where:
    """Return where to look.

    Args:
        deployment_ids: as given.
        deployment_names: as given.
        all_deployments: as given.
        workspace_id: as given.
        all_by_default: no option means all deployments; else it is wrong usage.

    Raises:
        WrongUsage: the options do not say where to look, or contradict each other.
    """
    given = "--deployment-id" if deployment_ids else "--deployment-name" if deployment_names else None
    if given and all_deployments:
        raise WrongUsage(f"{given} and --all-deployments contradict each other: write one of them.")
    by_default = not given and not all_deployments and workspace_id is None
    if by_default and not all_by_default:
        raise WrongUsage(
            "Say where to look: --deployment-id ID or --deployment-name NAME (repeatable), --workspace-id ID or "
            "--all-deployments."
        )
    ids, names = (tuple(dict.fromkeys(given or ())) for given in (deployment_ids, deployment_names))
    return Where(ids, names, workspace_id, by_default)
