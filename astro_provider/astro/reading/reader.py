"""Shared reads: one call serves many bindings.

A stack holds hundreds of bindings, and each of them asks for a token, a deployment, the roles and what is assigned.
Here each fact is fetched once and shared by all threads. Nothing older than a minute is used, and nothing from here is
ever the base of a write: `writer.py` reads for itself.

What is missing from a list may have been made since, by another resource of the same program. So a missing id is looked
up by itself, and a missing name makes the list be read again. Names that nobody makes must not cost a list each: once
lists have been read again in vain, they are read again once a second at most, until that finds something.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
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
from astro_provider.astro.roles import held_roles, require_roles, role_in, role_told, same_role, wrong_scope
from astro_provider.astro.settings import no_organization, only_organization
from astro_provider.astro.single_flight import SingleFlight
from astro_provider.errors import CallRefused, NotFound

OLDEST_SECONDS = 60.0
MOST_IN_VAIN = 2  # lists read again at once for a missing name, one after the other; if they find it, no end
OLDEST_MISS_SECONDS = 1.0  # of a list, after that

_Fact = TypeVar("_Fact")
_Key = tuple[str, str]  # a kind of fact, and the id that it is about


@dataclass(frozen=True)
class Tokens:
    """The organization's tokens at one moment, without their roles."""

    listed: list[ApiToken]

    @cached_property
    def by_id(self) -> dict[str, ApiToken]:
        """The tokens by id."""
        return {token.id: token for token in self.listed}

    @cached_property
    def by_name(self) -> dict[str, list[ApiToken]]:
        """The tokens by name; names are not unique.

        Beside tokens of the organization, those of another scope cannot be meant; alone, one of them tells why.
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

    Args:
        client: the service.
        evidence: the process's, if it has it already.
    """

    def __init__(self, client: AstroClient, evidence: PerOrganization[Evidence] | None = None) -> None:
        self._client = client
        known = evidence or PerOrganization(lambda one: Evidence(client.of(one)))
        self._readers = PerOrganization(lambda one: Reader(client.of(one), known.of(one)))
        self._facts = SingleFlight()

    def of(self, organization_id: str | None) -> Reader:
        """The reader of an organization; for None, of the only one that the credential sees.

        Raises:
            SettingsError: None was given, and the credential sees no organization or several.
        """
        if organization_id is None:
            seen = self._facts.get("organizations", self._client.list_organizations, not_before=_recent())
            organization_id = only_organization(seen)
            if organization_id is None:
                raise no_organization(len(seen))
        return self._readers.of(organization_id)


class Reader:
    """The facts of one organization; safe to share between threads.

    Args:
        client: the organization.
        evidence: what counts as gone there.
    """

    def __init__(self, client: OrganizationClient, evidence: Evidence) -> None:
        self.organization_id = client.organization_id
        self._client = client
        self._evidence = evidence
        self._facts = SingleFlight()
        self._lock = threading.Lock()
        self._asked: Counter[_Key] = Counter()
        self._unlistable: set[str] = set()  # deployments whose list the service refuses; each token is asked instead
        self._first_hints: dict[_Key, float] = {}  # that a token or a deployment is gone; monotonic seconds
        # By token: an answer, and its roles by deployment.
        self._sorted: dict[str, tuple[ApiToken, dict[str, str]]] = {}
        self._in_vain = 0

    def anew(self) -> Reader:
        """A reader of the same organization that knows nothing yet."""
        return Reader(self._client, self._evidence)

    def tokens(self, *, not_before: float | None = None) -> Tokens:
        """The organization's tokens."""
        return self._facts.get(
            "tokens",
            lambda: Tokens(self._client.list_tokens()),
            not_before=_recent() if not_before is None else not_before,
        )

    def organization_tokens(self) -> list[ApiToken]:
        """The tokens of the organization's scope, each with its role in the organization if the service tells it."""
        return self._facts.get(
            "organization tokens",
            lambda: self._client.list_tokens(only_organization=True),
            not_before=_recent(),
        )

    def token(self, token_id: str) -> ApiToken | None:
        """A token by id, or None if there is none."""
        found = self.tokens().by_id.get(token_id)
        if found is None:
            try:
                return self.whole_token(token_id)
            except NotFound:
                return None
        return found

    def tokens_of_key(self, key: str, *, certain: bool) -> tuple[ApiToken | None, list[ApiToken]]:
        """The token of that id, and the tokens of that name; if `certain`, none means that there is none now."""

        def find(since: float) -> tuple[ApiToken | None, list[ApiToken]] | None:
            tokens = self.tokens(not_before=since)
            found = tokens.by_id.get(key), tokens.by_name.get(key, [])
            return found if any(found) else None

        return self._look_up(find, certain=certain) or (None, [])

    def deployments_of_key(self, key: str, *, certain: bool) -> tuple[Deployment | None, list[Deployment]]:
        """The deployment of that id, and the deployments of that name; `certain` as for tokens."""

        def find(since: float) -> tuple[Deployment | None, list[Deployment]] | None:
            by_id = self.deployments(not_before=since)
            found = by_id.get(key), [one for one in by_id.values() if one.name == key]
            return found if any(found) else None

        return self._look_up(find, certain=certain) or (None, [])

    def deployments(self, *, not_before: float | None = None) -> dict[str, Deployment]:
        """The organization's deployments by id."""
        return self._facts.get(
            "deployments",
            lambda: {found.id: found for found in self._client.list_deployments()},
            not_before=_recent() if not_before is None else not_before,
        )

    def deployment(self, deployment_id: str) -> Deployment | None:
        """A deployment by id, or None if there is none."""
        found = self.deployments().get(deployment_id)
        if found is None:
            try:
                return self._facts.get(
                    _deployment_key(deployment_id),
                    lambda: self._client.get_deployment(deployment_id),
                    not_before=_recent(),
                )
            except NotFound:
                return None
        return found

    def doubt(self) -> str | None:
        """Return why lists may not show all of the organization to the credential; None if it sees everything."""
        return self._evidence.doubt()

    def gone_deployments(self, deployment_ids: Collection[str]) -> set[str]:
        """Return those of these deployments that do not exist, from a list that is read now.

        Raises:
            AbsenceNotProven: the list lacks some, and the credential may not see all deployments.
        """
        return self._evidence.gone_deployments(deployment_ids)

    def unlisted_deployments(self, deployment_ids: Collection[str]) -> set[str]:
        """Return those of these deployments that do not exist, by the shared list and by one that was read after it.

        Raises:
            AbsenceNotProven: both lists lack some, and the credential may not see all deployments.
        """
        missing = set(deployment_ids) - self.deployments().keys()
        if not missing:
            return missing
        since = max(self._first_hint(_deployment_key(one)) for one in missing)
        return self._evidence.gone_deployments(
            missing,
            lambda: self._facts.get(
                "deployments as evidence",
                lambda: self._client.list_deployments(complete=True),
                not_before=since,
            ),
        )

    def roles(self, *, not_before: float | None = None) -> list[Role]:
        """The roles that can be given in a deployment."""
        return self._facts.get(
            "roles",
            self._client.list_deployment_roles,
            not_before=_recent() if not_before is None else not_before,
        )

    def roles_named(self, name: str, *, certain: bool) -> list[Role]:
        """The deployment role that is spelled like that, else all that differ in case only; `certain` as for tokens."""

        def find(since: float) -> list[Role]:
            alike = [one for one in self.roles(not_before=since) if same_role(one.name, name)]
            return [one for one in alike if one.name == name] or alike

        return self._look_up(find, certain=certain) or []

    def tokens_of_deployment(self, deployment_id: str) -> dict[str, ApiToken]:
        """The tokens that hold a role in a deployment, by id, as a list shows them: with that role only, or with none."""

        def fetch() -> dict[str, ApiToken]:
            found = self._client.list_tokens(deployment_id=deployment_id)
            return {token.id: token for token in found}

        return self._facts.get(_assigned_key(deployment_id), fetch, not_before=_recent())

    def has_listed(self, deployment_id: str) -> bool:
        """Return whether the service has given the tokens of a deployment lately, which it refuses for one that does not exist."""
        return self._facts.has(_assigned_key(deployment_id), not_before=_recent())

    def whole_token(self, token_id: str, *, not_before: float | None = None) -> ApiToken:
        """One token with all its roles.

        Raises:
            NotFound: there is no such token.
        """
        return self._facts.get(
            _token_key(token_id),
            lambda: self._client.get_token(token_id),
            not_before=_recent() if not_before is None else not_before,
        )

    def role_of(self, binding: BindingId, *, confirm_absence: bool) -> Assignment | None:
        """What the token holds in the deployment, or None if it holds nothing there or is gone.

        One list serves all tokens of a deployment, one token all its deployments: whichever has been asked for more
        is fetched. A list that does not tell the role is not trusted. If `confirm_absence`, neither is a list that
        does not show the token: the token is read.

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
        if listed is not None and (role := role_told(listed, binding.deployment_id)) is not None:
            return Assignment(listed, role)
        try:
            token = self.whole_token(binding.token_id)
        except NotFound as hint:
            self._require_that_token_is_gone(binding.token_id, hint)
            return None
        role = self._held(token).get(binding.deployment_id)
        return None if role is None else Assignment(token, role)

    def _held(self, token: ApiToken) -> dict[str, str]:
        """A token's roles by deployment, sorted once for all who ask for the same answer of the service."""
        with self._lock:
            of, held = self._sorted.get(token.id, (None, {}))
        if of is not token:
            held = held_roles(require_roles(token))
            with self._lock:
                self._sorted[token.id] = token, held
        return held

    def roles_of(self, bindings: Collection[BindingId], *, confirm_absence: bool) -> dict[BindingId, Assignment | None]:
        """What `role_of` says of each binding, in the fewest calls that show all of them.

        Raises:
            Whatever `role_of` raises.
        """

        def read(reading: Reading) -> None:
            binding = reading.bindings[0]
            with suppress(NotFound, CallRefused):  # `role_of` finds out what that means
                if reading.of_deployment:
                    self.tokens_of_deployment(binding.deployment_id)
                else:
                    self.whole_token(binding.token_id)

        for _ in in_parallel([partial(read, reading) for reading in fewest_reads(bindings)]):
            pass
        return {binding: self.role_of(binding, confirm_absence=confirm_absence) for binding in bindings}

    def role_now(self, binding: BindingId) -> str | None:
        """The role that the token has in the deployment now, or None; also if there is no such token."""
        try:
            token = self.whole_token(binding.token_id, not_before=time.monotonic())
        except NotFound:
            return None
        return role_in(require_roles(token), binding.deployment_id)

    def written(self, token: ApiToken) -> None:
        """Learn what our own write has left on a token."""
        self._facts.put(_token_key(token.id), token)

    def _first_hint(self, key: _Key) -> float:
        """When this process met the first hint that something is gone, which many bindings may share."""
        now = time.monotonic()
        with self._lock:
            if self._first_hints.get(key, 0.0) < now - OLDEST_SECONDS:
                self._first_hints[key] = now
            return self._first_hints[key]

    def _require_that_token_is_gone(self, token_id: str, hint: NotFound) -> None:
        """Compare a 404 with a list that was read after the first 404 of that token."""
        since = self._first_hint(_token_key(token_id))

        def list_tokens() -> list[ApiToken]:
            return self._facts.get(
                "tokens as evidence",
                lambda: self._client.list_tokens(complete=True),
                not_before=since,
            )

        self._evidence.require_that_token_is_gone(token_id, hint, list_tokens)

    def _require_that_roles_show(self, token_id: str) -> None:
        """Read one token of the organization whole: if roles are hidden, a list shows nothing, as if all were well."""
        with suppress(NotFound):
            self._facts.get(
                "roles show",
                lambda: require_roles(self.whole_token(token_id)),
                not_before=_recent(),
            )

    def _look_up(self, find: Callable[[float], _Fact | None], *, certain: bool) -> _Fact | None:
        """What a list holds under a name, from a new list if the one that is here does not hold it.

        Args:
            find: looks into a list that was read no earlier than a time.
            certain: None must mean that there is none now.
        """
        if found := find(_recent()):
            return found
        with self._lock:
            at_once = certain or self._in_vain < MOST_IN_VAIN
        found = find(time.monotonic() - (0 if at_once else OLDEST_MISS_SECONDS))
        with self._lock:
            self._in_vain = 0 if found else self._in_vain + 1
        return found

    def _list_covers_more(self, binding: BindingId) -> bool:
        token_key, list_key = _token_key(binding.token_id), _assigned_key(binding.deployment_id)
        with self._lock:
            self._asked.update([token_key, list_key])
            listed_more = self._asked[list_key] >= self._asked[token_key]
            if binding.deployment_id in self._unlistable:
                return False
        if self._facts.has(token_key, not_before=_recent()):
            return False
        return listed_more or self._facts.has(list_key, not_before=_recent())


def _recent() -> float:
    return time.monotonic() - OLDEST_SECONDS


def _token_key(token_id: str) -> _Key:
    return "token", token_id


def _deployment_key(deployment_id: str) -> _Key:
    return "deployment", deployment_id


def _assigned_key(deployment_id: str) -> _Key:
    return "assigned", deployment_id
