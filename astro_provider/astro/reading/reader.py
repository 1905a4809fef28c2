"""Shared reads: one call serves many bindings.

A stack holds hundreds of bindings, and each of them asks for a token, a deployment, the roles and the assignments.
Here each fact is fetched once and shared by all threads. Nothing older than a minute is used, and nothing from here is
ever the base of a write: `writer.py` reads for itself.

What is missing from a list may have been made since, by another resource of the same program. So a missing id is looked
up by itself, and for a missing name the list is read again. Names that do not exist must not cost a list each: once lists
have been read again in vain, they are read again once a second at most, until that finds something.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

from astro_provider.astro.api import ApiToken, AstroClient, Deployment, OrganizationClient, Role
from astro_provider.astro.coverage import Reading, fewest_reads
from astro_provider.astro.evidence import Evidence
from astro_provider.astro.identity import BindingId
from astro_provider.astro.organizations import PerOrganization
from astro_provider.astro.reading.parallel import in_parallel
from astro_provider.astro.roles import held_roles, require_roles, role_in, role_shown, same_role, wrong_scope
from astro_provider.astro.settings import no_organization, only_organization
from astro_provider.astro.single_flight import SingleFlight
from astro_provider.errors import CallRefused, NotFound

OLDEST_SECONDS = 60.0
MOST_IN_VAIN = 2  # lists read again at once for a missing name, one after the other; if they find it, no end
OLDEST_MISS_SECONDS = 1.0  # of a list, after that

_Fact = TypeVar("_Fact")
_Named = TypeVar("_Named", ApiToken, Deployment)
_Key = tuple[str, str]  # a kind of fact, and the id that it is about


@dataclass(frozen=True)
class Tokens:
    """The organization's tokens at one moment, without their roles."""

    listed: list[ApiToken]

    @cached_property
    def by_id(self) -> dict[str, ApiToken]:
        """The tokens by id."""
        return _by_id(self.listed)

    @cached_property
    def by_name(self) -> dict[str, list[ApiToken]]:
        """The tokens by name; names are not unique.

        Only tokens of the organization's scope can be meant. If none of them has the name, one of another scope is kept, so
        that a message can say why it cannot be bound.
        """
        found: dict[str, list[ApiToken]] = {}
        for token in self.listed:
            found.setdefault(token.name, []).append(token)
        return {name: [one for one in alike if wrong_scope(one) is None] or alike[:1] for name, alike in found.items()}


@dataclass(frozen=True)
class Assignment:
    """A token, and the role that it has in a deployment."""

    token: ApiToken
    role: str


class Readers:
    """The readers of a service, one for each organization; safe to share between threads.

    `evidence` is the process's, if it has it already.
    """

    def __init__(self, client: AstroClient, evidence: PerOrganization[Evidence] | None = None) -> None:
        self._client = client
        known = evidence or PerOrganization(lambda one: Evidence(client.of(one)))
        self._readers = PerOrganization(lambda one: Reader(client.of(one), known.of(one)))
        self._facts = SingleFlight(OLDEST_SECONDS)

    def of(self, organization_id: str | None) -> Reader:
        """The reader of an organization; for None, of the only one that the credential sees, or a SettingsError."""
        if organization_id is None:
            seen = self._facts.get("organizations", self._client.list_organizations)
            organization_id = only_organization(seen)
            if organization_id is None:
                raise no_organization(len(seen))
        return self._readers.of(organization_id)


class Reader:
    """The facts of one organization; safe to share between threads.

    Methods with `not_before` return a fact that was fetched no earlier (seconds of the monotonic clock).
    """

    def __init__(self, client: OrganizationClient, evidence: Evidence) -> None:
        self.organization_id = client.organization_id
        self.evidence = evidence
        self._client = client
        self._facts = SingleFlight(OLDEST_SECONDS)
        self._lock = threading.Lock()  # guards all that follows
        self._asked: Counter[_Key] = Counter()
        self._unlistable: set[str] = set()  # deployments whose list the service refuses; each token is asked instead
        self._first_hints: dict[_Key, float] = {}  # that a token or a deployment is gone; monotonic seconds
        self._held: dict[str, tuple[ApiToken, dict[str, str]]] = {}  # by token: an answer, and its roles by deployment
        self._in_vain = 0

    def anew(self) -> Reader:
        """A reader of the same organization that knows nothing yet."""
        return Reader(self._client, self.evidence)

    # Lists of the organization

    def tokens(self, *, not_before: float | None = None) -> Tokens:
        """The organization's tokens."""
        return self._facts.get("tokens", lambda: Tokens(self._client.list_tokens()), not_before=not_before)

    def organization_tokens(self) -> list[ApiToken]:
        """The tokens of the organization's scope, each with its role in the organization if the service shows it."""
        return self._facts.get("organization tokens", lambda: self._client.list_tokens(only_organization=True))

    def deployments(self, *, not_before: float | None = None) -> dict[str, Deployment]:
        """The organization's deployments by id."""
        return self._facts.get("deployments", lambda: _by_id(self._client.list_deployments()), not_before=not_before)

    def roles(self, *, not_before: float | None = None) -> list[Role]:
        """The roles that can be given in a deployment."""
        return self._facts.get("roles", self._client.list_deployment_roles, not_before=not_before)

    def letters_count(self, role: str) -> bool:
        """Return whether the organization has deployment roles that differ from this one, or from each other, in case only."""
        return len({one.name for one in self.roles() if same_role(one.name, role)}) > 1

    def tokens_of_deployment(self, deployment_id: str) -> dict[str, ApiToken]:
        """The tokens that hold a role in a deployment, by id, as a list shows them: with that role only, or with none."""
        fetch = partial(self._client.list_tokens, deployment_id=deployment_id)
        return self._facts.get(_assigned_key(deployment_id), lambda: _by_id(fetch()))

    def has_listed(self, deployment_id: str) -> bool:
        """Return whether the service has given the tokens of a deployment lately, which it refuses for one that does not exist."""
        return self._facts.has(_assigned_key(deployment_id))

    def refuses_to_list(self, deployment_id: str) -> bool:
        """Return whether the service has refused to list a deployment's tokens: a hint that it does not exist."""
        with self._lock:
            return deployment_id in self._unlistable

    # One thing, by its id

    def token(self, token_id: str) -> ApiToken | None:
        """A token by id, or None if there is none."""
        found = self.tokens().by_id.get(token_id)
        with suppress(NotFound):
            return found or self.whole_token(token_id)
        return None

    def whole_token(self, token_id: str, *, not_before: float | None = None) -> ApiToken:
        """One token with all its roles; NotFound if there is none."""
        return self._facts.get(_token_key(token_id), lambda: self._client.get_token(token_id), not_before=not_before)

    def written(self, token: ApiToken) -> None:
        """Learn what our own write has left on a token."""
        self._facts.put(_token_key(token.id), token)

    def deployment(self, deployment_id: str) -> Deployment | None:
        """A deployment by id, or None if there is none."""
        found = self.deployments().get(deployment_id)
        fetch = partial(self._client.get_deployment, deployment_id)
        with suppress(NotFound):
            return found or self._facts.get(_deployment_key(deployment_id), fetch)
        return None

    # Things by a name, or by a key that may be a name or an id; with `certain`, none means that there is none now

    def tokens_of_key(self, key: str, *, certain: bool) -> tuple[ApiToken | None, list[ApiToken]]:
        """The token of that id, and the tokens of that name."""

        def find(since: float | None) -> tuple[ApiToken | None, list[ApiToken]] | None:
            tokens = self.tokens(not_before=since)
            found = tokens.by_id.get(key), tokens.by_name.get(key, [])
            return found if any(found) else None

        return self._look_up(find, certain=certain) or (None, [])

    def deployments_of_key(self, key: str, *, certain: bool) -> tuple[Deployment | None, list[Deployment]]:
        """The deployment of that id, and the deployments of that name."""

        def find(since: float | None) -> tuple[Deployment | None, list[Deployment]] | None:
            by_id = self.deployments(not_before=since)
            found = by_id.get(key), [one for one in by_id.values() if one.name == key]
            return found if any(found) else None

        return self._look_up(find, certain=certain) or (None, [])

    def roles_named(self, name: str, *, certain: bool) -> list[Role]:
        """The deployment role that is spelled like that; if none is, all that differ in case only."""

        def find(since: float | None) -> list[Role]:
            alike = [one for one in self.roles(not_before=since) if same_role(one.name, name)]
            return [one for one in alike if one.name == name] or alike

        return self._look_up(find, certain=certain) or []

    def _look_up(self, find: Callable[[float | None], _Fact | None], *, certain: bool) -> _Fact | None:
        """Return what `find` finds in a list read no earlier than a time; in a new one if this one does not have it."""
        if found := find(None):
            return found
        with self._lock:
            at_once = certain or self._in_vain < MOST_IN_VAIN
        found = find(time.monotonic() - (0 if at_once else OLDEST_MISS_SECONDS))
        with self._lock:
            self._in_vain = 0 if found else self._in_vain + 1
        return found

    # Roles of bindings

    def role_of(self, binding: BindingId, *, confirm_absence: bool) -> Assignment | None:
        """Return what the token holds in the deployment, or None if it holds nothing there or is gone.

        The list of the deployment's tokens is fetched, or the token: the one that has been asked for more. A list that
        does not show the role is not trusted. With `confirm_absence`, neither is one that does not show the token.

        Raises:
            RolesUnknown: the token came without `roles`.
            UnexpectedAnswer: the token answers 404, and the organization's list shows it.
            AbsenceNotProven: the token answers 404, and the credential may not see all tokens.
            CallRefused: there is no such organization.
        """
        listed = None
        if self._list_covers_more(binding):
            try:
                listed = self.tokens_of_deployment(binding.deployment_id).get(binding.token_id)
            except (NotFound, CallRefused):  # a deleted deployment: its entries may stay on the tokens
                with self._lock:
                    self._unlistable.add(binding.deployment_id)
            else:
                if listed is None and not confirm_absence:
                    self._require_that_roles_show(binding.token_id)
                    return None
        if listed is not None and (role := role_shown(listed, binding.deployment_id)) is not None:
            return Assignment(listed, role)
        try:
            token = self.whole_token(binding.token_id)
        except NotFound as hint:
            since = self._first_hint(_token_key(binding.token_id))
            self.evidence.require_that_token_is_gone(binding.token_id, hint, since)
            return None
        role = self._roles_by_deployment(token).get(binding.deployment_id)
        return None if role is None else Assignment(token, role)

    def roles_of(self, bindings: Collection[BindingId], *, confirm_absence: bool) -> dict[BindingId, Assignment | None]:
        """Return what `role_of` returns for each binding, in the fewest calls that show all of them; it raises the same."""

        def read(reading: Reading) -> None:
            binding = reading.bindings[0]
            with suppress(NotFound, CallRefused):  # `role_of` finds out what that means
                if reading.of_deployment:
                    self.tokens_of_deployment(binding.deployment_id)
                else:
                    self.whole_token(binding.token_id)

        # One binding alone is read by the call that serves most of the bindings that come after it: `role_of` knows.
        readings = fewest_reads(bindings) if len(bindings) > 1 else []
        for _ in in_parallel([partial(read, reading) for reading in readings]):
            pass
        return {binding: self.role_of(binding, confirm_absence=confirm_absence) for binding in bindings}

    def role_now(self, binding: BindingId) -> str | None:
        """Return the role that the token has in the deployment now, or None; also if there is no such token."""
        try:
            token = self.whole_token(binding.token_id, not_before=time.monotonic())
        except NotFound:
            return None
        return role_in(require_roles(token), binding.deployment_id)

    def _list_covers_more(self, binding: BindingId) -> bool:
        """Return whether to ask for the list of the binding's deployment, and not for its token."""
        token_key, list_key = _token_key(binding.token_id), _assigned_key(binding.deployment_id)
        with self._lock:
            self._asked.update([token_key, list_key])
            listed_more = self._asked[list_key] >= self._asked[token_key]
            if binding.deployment_id in self._unlistable:
                return False
        if self._facts.has(token_key):
            return False
        return listed_more or self._facts.has(list_key)

    def _roles_by_deployment(self, token: ApiToken) -> dict[str, str]:
        """Return a token's roles by deployment, sorted once for all bindings that get the same answer of the service."""
        with self._lock:
            of, held = self._held.get(token.id, (None, {}))
        if of is not token:
            held = held_roles(require_roles(token))
            with self._lock:
                self._held[token.id] = token, held
        return held

    def _require_that_roles_show(self, token_id: str) -> None:
        """Read one token of the organization whole: if roles are hidden, a list shows none, as if all were well."""
        with suppress(NotFound):
            self._facts.get("roles show", lambda: require_roles(self.whole_token(token_id)))

    # Evidence that something is gone

    def unlisted_deployments(self, deployment_ids: Collection[str]) -> set[str]:
        """Return those of these deployments that do not exist, by the shared list and by one that was read after it.

        AbsenceNotProven: both lists lack some, and the credential may not see all deployments.
        """
        missing = set(deployment_ids) - self.deployments().keys()
        if not missing:
            return missing
        since = max(self._first_hint(_deployment_key(one)) for one in missing)
        return self.evidence.gone_deployments(missing, since)

    def _first_hint(self, key: _Key) -> float:
        """Return when this process met the first hint that something is gone, which many bindings may share."""
        now = time.monotonic()
        with self._lock:
            if self._first_hints.get(key, 0.0) < now - OLDEST_SECONDS:
                self._first_hints[key] = now
            return self._first_hints[key]


def _by_id(found: Sequence[_Named]) -> dict[str, _Named]:
    return {one.id: one for one in found}


def _token_key(token_id: str) -> _Key:
    return "token", token_id


def _deployment_key(deployment_id: str) -> _Key:
    return "deployment", deployment_id


def _assigned_key(deployment_id: str) -> _Key:
    return "assigned", deployment_id
