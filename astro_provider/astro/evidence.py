"""What it takes to call a token or a deployment gone.

One 404 is a hint: a gateway, a replica that lags behind or a wrong host can give it. Evidence is the organization's list,
read after the hint, that does not show it. What reads and what writes both need this, and neither imports the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from astro_provider.astro.api import ApiToken, AstroClient, Deployment
from astro_provider.errors import CallRefused, NotFound, UnexpectedAnswer


def require_that_token_is_gone(list_tokens: Callable[[], Iterable[ApiToken]], token_id: str, hint: NotFound) -> None:
    """Make sure that a token which answered 404 is not listed.

    Args:
        list_tokens: lists the organization's tokens, no earlier than at the 404, and complete.
        token_id: the token.
        hint: the 404.

    Raises:
        UnexpectedAnswer: the list shows the token. It may be tried again.
        CallRefused: there is no such organization, which says nothing about the token.
        ServiceError: the list cannot be read.
    """
    try:
        listed = any(token.id == token_id for token in list_tokens())
    except NotFound as error:
        raise CallRefused(str(error), status=error.status, request_id=error.request_id) from None
    if listed:
        raise UnexpectedAnswer(
            f"{hint} But the list of the organization's tokens shows {token_id}, so it is not taken for gone. Run again; "
            "if this goes on, tell Astronomer's support."
        )


def deployment_is_gone(client: AstroClient, organization_id: str, deployment_id: str) -> bool:
    """Read the organization's deployments now, and tell whether one is not among them.

    Raises:
        NotFound: there is no such organization.
        ServiceError: the list cannot be read.
    """
    return all(found.id != deployment_id for found in listed_deployments(client, organization_id))


def listed_deployments(client: AstroClient, organization_id: str) -> list[Deployment]:
    """Read the organization's deployments now, as evidence: an entry that cannot be read is an error.

    Raises:
        NotFound: there is no such organization.
        ServiceError: the list cannot be read.
    """
    return client.list_deployments(organization_id, complete=True)
