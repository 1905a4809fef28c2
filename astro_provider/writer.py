"""The only road by which a token's roles are written.

Astro replaces a token's whole role list on every write and offers no precondition, so two writers that start from the
same list lose one of the two changes. Nothing here knows about Pulumi, and nothing outside posts roles.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass

from astro_provider.api import ApiToken, AstroClient, Deadline
from astro_provider.api.retry import attempts
from astro_provider.changes import Change, held_in
from astro_provider.errors import CallRefused, InputError, NotFound, WriteNotConfirmed
from astro_provider.refusal import explain_refusal
from astro_provider.roles import ORGANIZATION, require_roles


@dataclass(frozen=True)
class Written:
    """The outcome of a change: the token as it is now, and the role that it held in the deployment before."""

    token: ApiToken
    before: str | None


class Writer:
    """Writes changes to tokens' role lists; safe to share between threads."""

    def __init__(self, client: AstroClient, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def write(self, change: Change) -> Written:
        """Make a change, unless the token's roles fulfil it already.

        Raises:
            NotFound: there is no such token.
            BindingConflict: the change does not go with what is there.
            RolesUnknown, WriteRefused, WriteNotConfirmed, ServiceError: nothing is known to have been written.
        """
        binding = change.binding
        deadline = Deadline.after(self._timeout_seconds)
        with self._locks[binding.organization_id, binding.token_id]:
            for attempt in attempts(deadline):
                with attempt:
                    return self._read_and_write(self._client.until(deadline), change)
        raise AssertionError("attempts() either succeeds or raises")

    def _read_and_write(self, client: AstroClient, change: Change) -> Written:
        binding = change.binding
        token = client.get_token(binding.organization_id, binding.token_id)
        require_organization_scope(token)
        roles = require_roles(token)
        before = held_in(roles, change)
        if refusal := change.refusal(before):
            raise refusal
        if change.fulfilled_by(before):
            return Written(token, before)
        wanted = change.apply(roles)
        try:
            answer = client.set_roles(binding.organization_id, binding.token_id, wanted)
        except (CallRefused, NotFound) as error:
            raise explain_refusal(client, token, wanted, change, error) from None
        if not change.fulfilled_by(answer.role_in(binding.deployment_id)):
            raise WriteNotConfirmed(f"{binding.sentence}: the service does not show what was written.")
        return Written(token.model_copy(update={"roles": wanted}), before)


def require_organization_scope(token: ApiToken) -> None:
    """Refuse a token that is not the organization's.

    Raises:
        InputError: it belongs to a workspace or a deployment.
    """
    if token.scope != ORGANIZATION:
        raise InputError(
            "org_token_id",
            f"token {token.name!r} ({token.id}) is of scope {token.scope}: only tokens of scope ORGANIZATION can be bound.",
        )
