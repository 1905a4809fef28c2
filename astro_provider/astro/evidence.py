"""The evidence that it takes to call a token or a deployment gone.

One 404 is a hint: a gateway, a replica that lags behind or a wrong host can give it. Evidence is the organization's list,
read after the hint, that does not show it, if the credential has sight. Astro gives a credential that may see less a
shorter list with status 200, so a list proves by itself only what it shows. A credential has sight if the list of the
organization's tokens shows a token of the organization's scope, and

- if the credential's claims name its own token: shows that token too, and the token has the role ORGANIZATION_OWNER;
- if they name none (an opaque credential, or a person's): nothing more can be asked.

An empty list of deployments proves nothing to any credential. Without sight nothing is called gone: the error names the
remedy. Sight is examined once in a process, and only when something is missing. `reading/` and `writing/` both need this,
and neither imports the other.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from functools import partial

from astro_provider.astro.api import ApiToken, OrganizationClient
from astro_provider.astro.roles import ORGANIZATION, same_role
from astro_provider.astro.single_flight import SingleFlight
from astro_provider.errors import AbsenceNotProven, CallRefused, NotFound, UnexpectedAnswer

OWNER = "ORGANIZATION_OWNER"  # the only role that is documented to see all tokens and all deployments


class Evidence:
    """Decides for one process what counts as gone in an organization; safe to share between threads."""

    def __init__(self, client: OrganizationClient) -> None:
        self._client = client
        self._facts = SingleFlight()

    def require_that_token_is_gone(self, token_id: str, hint: NotFound, since: float) -> None:
        """Make sure that a token which answered 404, the hint, does not exist.

        The organization's tokens are listed no earlier than `since`, the time of the hint (of the monotonic clock).

        Raises:
            UnexpectedAnswer: the list shows the token, so the 404 may be that of a replica; a later try may succeed.
            AbsenceNotProven: the list does not show it, and the credential may not see all tokens.
            CallRefused: there is no such organization, which says nothing about the token.
            ServiceError: the list cannot be read.
        """
        fetch = partial(self._client.list_tokens, complete=True)
        try:
            listed = self._facts.get("tokens", fetch, not_before=since)
        except NotFound as error:  # the organization is not there: a NotFound would be taken for the token's
            raise CallRefused(str(error), status=error.status, request_id=error.request_id) from None
        # The list is newer than the 404, so it decides; the 404 came from a replica that did not have the token yet.
        if any(token.id == token_id for token in listed):
            raise UnexpectedAnswer(
                f"{hint} But the list of the organization's tokens shows {token_id}, so it is not taken for gone. Run "
                "again; if this goes on, tell Astronomer's support."
            )
        doubt = self._doubt(listed)
        if doubt is not None:
            raise AbsenceNotProven(
                f"{hint} The list of the organization's tokens does not show {token_id} either, but it is not known "
                f"whether the token was deleted, because {doubt}. {_way_out('token')}"
            )

    def gone_deployments(self, deployment_ids: Collection[str], since: float | None = None) -> set[str]:
        """Return those of these deployments that do not exist any more.

        The organization's deployments are listed no earlier than `since`, the time of the hint that these are gone (of
        the monotonic clock); None: now.

        Raises:
            AbsenceNotProven: the list lacks some, and the credential may not see all deployments.
            NotFound: there is no such organization.
            ServiceError: a list cannot be read.
        """
        fetch = partial(self._client.list_deployments, complete=True)
        found = self._facts.get("deployments", fetch, not_before=time.monotonic() if since is None else since)
        listed = {one.id for one in found}
        missing = set(deployment_ids) - listed
        if not missing:
            return missing
        # An empty list is what a credential without any right gets, and also what a new organization shows: no evidence.
        doubt = "it shows no deployment at all" if not listed else self.doubt()
        if doubt is not None:
            which = ", ".join(sorted(missing))
            raise AbsenceNotProven(
                f"The list of the deployments of organization {self._client.organization_id} does not show {which}, but it is not "
                f"known whether that deployment was deleted, because {doubt}. {_way_out('deployment')}"
            )
        return missing

    def doubt(self) -> str | None:
        """Return why the credential may not see all of the organization; None if it has sight."""
        return self._facts.get("sight", lambda: self._doubt(self._client.list_tokens(only_organization=True)))

    def _doubt(self, listed: Sequence[ApiToken]) -> str | None:
        """Return why a list of the organization's tokens is no evidence of what it does not show; None if it is."""
        # A credential that may see less gets a shorter list, with status 200.
        if not any(token.scope == ORGANIZATION for token in listed):
            return "the list of tokens shows no token of the organization's scope, so the credential may not see them"
        own_id = self._client.own_token_id
        if own_id is None:  # an opaque credential: nothing shows whose it is
            return None
        # Its own token exists for certain, so a list without it is not complete.
        own = next((token for token in listed if token.id == own_id), None)
        if own is None:
            return f"the list of tokens does not even show the credential's own token, {own_id}"
        return self._facts.get("role", lambda: self._doubt_about_role(own))

    def _doubt_about_role(self, own: ApiToken) -> str | None:
        # A list may leave the roles out; the token's own record has them.
        if own.roles is None:
            try:
                own = self._client.get_token(own.id)
            except NotFound:
                return f"the credential's own token, {own.id}, is listed and answers 404"
        called = f"the credential's own token {own.name!r} ({own.id})"
        held = [entry.role for entry in own.roles or () if entry.entity_type == ORGANIZATION]
        if not held:
            return f"the role of {called} in the organization is not shown"
        if any(same_role(role, OWNER) for role in held):
            return None
        return f"{called} has the role {held[0]}, and only {OWNER} is known to see everything"


def _way_out(kind: str) -> str:
    return (
        "Nothing was changed, and the state stays as it is. Run again with the credential of an Organization Owner; or, if you "
        f"know that the {kind} was deleted, take what is bound to it out of the state with `pulumi state delete <URN>`."
    )
