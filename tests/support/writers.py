"""Writers without Pulumi that write to the emulator, and a token whose list holds every kind of entry.

A directory's conftest.py imports what its tests ask for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pytest

from astro_emulator import Emulator
from astro_provider.astro.api import ApiToken, ApiTokenRole, AstroClient, OrganizationClient, SubjectRoles, pace
from astro_provider.astro.identity import BindingId
from astro_provider.astro.writing.changes import Add, Change, Put, Remove
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.astro.writing.writer import Writer
from astro_provider.errors import WriteNotConfirmed

THREADS = 4  # all that a dynamic provider's process has
ADMIN, ACCESSOR = "DEPLOYMENT_ADMIN", "DEPLOYMENT_ACCESSOR"
READ, WRITE, LIST = "GetApiToken", "UpdateApiTokenRoles", "ListApiTokens"

Entry = dict[str, Any]


class WatchedClient(AstroClient):
    """A client that lets a test step in after each list that it has written; `written` counts those lists."""

    after_write: Callable[[int], None] = staticmethod(lambda _written: None)

    def __init__(self, host: str, credential: Callable[[], str], *, bound_seconds: float) -> None:
        super().__init__(host, credential, bound_seconds=bound_seconds)
        self.posted: list[tuple[ApiTokenRole, ...]] = []

    def of(self, organization_id: str) -> OrganizationClient:
        return _WatchedOrganization(self, organization_id)


class _WatchedOrganization(OrganizationClient):
    def __init__(self, service: WatchedClient, organization_id: str) -> None:
        super().__init__(service, organization_id)
        self._service = service

    def set_roles(self, token_id: str, roles: Sequence[ApiTokenRole]) -> SubjectRoles:
        self._service.posted.append(tuple(roles))
        answer = super().set_roles(token_id, roles)
        self._service.after_write(len(self._service.posted))
        return answer


class MakeWriter(Protocol):
    """Makes a writer, and its client; both end with the test."""

    def __call__(
        self,
        *,
        settle_seconds: float = ...,
        timeout_seconds: float = ...,
        lock_directory: Path | None = ...,
        most_at_once: int = ...,
    ) -> tuple[Writer, WatchedClient]: ...


@pytest.fixture
def make_writer(astro: Emulator, tmp_path: Path) -> Iterator[MakeWriter]:
    """A maker of writers that share the locks of one machine, unless told otherwise."""
    with ExitStack() as opened:

        def make(
            *,
            settle_seconds: float = 0.0,
            timeout_seconds: float = 30.0,
            lock_directory: Path | None = None,
            most_at_once: int = THREADS,
        ) -> tuple[Writer, WatchedClient]:
            client = WatchedClient(astro.url, lambda: astro.credential, bound_seconds=timeout_seconds)
            opened.callback(client.close)
            locks = TokenLocks(astro.url, str(lock_directory or tmp_path / "locks"))
            writer = Writer(
                client,
                locks,
                settle_seconds=settle_seconds,
                timeout_seconds=timeout_seconds,
                most_at_once=most_at_once,
            )
            return writer, client

        yield make


@pytest.fixture
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go out as soon as they can, where a test is about their number and not about their pace."""
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "GET", 10_000.0)
    monkeypatch.setitem(pace.CALLS_PER_SECOND, "POST", 10_000.0)


@dataclass(frozen=True)
class Scene:
    """A token whose list holds every kind of entry, and deployments in which it holds nothing yet."""

    astro: Emulator
    token_id: str
    foreign: tuple[Entry, ...]

    def binding(self, deployment_id: str) -> BindingId:
        """The binding of the token to a deployment."""
        return BindingId(self.astro.organization_id, deployment_id, self.token_id)

    def add(self, deployment_id: str, role: str = ADMIN) -> Add:
        """The change that adds a binding."""
        return Add(self.binding(deployment_id), role)

    def put(self, deployment_id: str, role: str) -> Put:
        """The change that updates a binding."""
        return Put(self.binding(deployment_id), role)

    def remove(self, deployment_id: str) -> Remove:
        """The change that removes a binding."""
        return Remove(self.binding(deployment_id))

    def deployments(self, number: int) -> list[str]:
        """New deployments, in which the token holds nothing."""
        return [self.astro.store.add_deployment(f"d-{index}") for index in range(number)]

    @property
    def roles(self) -> list[Entry]:
        """The token's whole list as it is now."""
        found: list[Entry] = self.astro.store.token(self.token_id)["roles"]
        return found

    @cached_property
    def _foreign_places(self) -> set[tuple[str, str, str | None]]:
        return {_place(entry) for entry in self.foreign}

    @property
    def foreign_now(self) -> tuple[Entry, ...]:
        """The entries that are nobody's business here, in their order."""
        return tuple(entry for entry in self.roles if _place(entry) in self._foreign_places)

    @property
    def ours(self) -> dict[str, str]:
        """The role by deployment of all other entries; a doubled entry fails the test."""
        places = [_place(entry) for entry in self.roles]
        assert len(set(places)) == len(places), "an entry is doubled"
        ours = [entry for entry in self.roles if _place(entry) not in self._foreign_places]
        assert {entry["entityType"] for entry in ours} <= {"DEPLOYMENT"}, "an entry of another kind has come up"
        return {entry["entityId"]: entry["role"] for entry in ours}

    @property
    def operations(self) -> list[str]:
        """The operations of all calls since the last clearing, in their order."""
        return [call["operation"] for call in self.astro.calls()["log"]]

    def calls(self, *operations: str) -> int:
        """How many calls of these operations there were since the last clearing."""
        counted = self.astro.calls()["by_operation"]
        return sum(counted.get(operation, 0) for operation in operations)


@pytest.fixture
def scene(astro: Emulator) -> Scene:
    """A token with foreign entries of every kind, one of a kind that nobody knows and one with a field of tomorrow."""
    return make_scene(astro)


def make_scene(astro: Emulator, name: str = "nightly-loads") -> Scene:
    """Add a token with foreign entries of every kind."""
    here = astro.store.add_deployment(f"foreign to {name}")
    there = astro.store.add_deployment(f"also foreign to {name}")
    workspace_id = astro.store.shown()["workspaces"][0]["id"]
    foreign: tuple[Entry, ...] = (
        {"entityType": "ORGANIZATION", "entityId": astro.organization_id, "role": "ORGANIZATION_MEMBER"},
        {"entityType": "DEPLOYMENT", "entityId": here, "role": ACCESSOR},
        {"entityType": "WORKSPACE", "entityId": workspace_id, "role": "WORKSPACE_MEMBER", "grantedAt": None},
        {"entityType": "DAG", "entityId": "load", "role": "DAG_VIEWER", "deploymentId": here},
        {"entityType": "DAG_TAG", "entityId": "nightly", "role": "DAG_AUTHOR", "deploymentId": here},
        {"entityType": "POOL", "entityId": "p-1", "role": "POOL_USER", "quota": {"slots": 7, "labels": []}},
        {"entityType": "DEPLOYMENT", "entityId": there, "role": ADMIN, "condition": {"until": "2031-01-01"}},
    )
    return Scene(astro, astro.store.add_token(name, roles=foreign), foreign)


def _place(entry: Entry) -> tuple[str, str, str | None]:
    return entry["entityType"], entry["entityId"], entry.get("deploymentId")


def make_change(writer: Writer, change: Change) -> ApiToken:
    """Make one change on the road of the lifecycles; return the token as it is then, or raise what became of the change."""
    written = writer.write_all([change])
    [outcome] = written.outcomes
    if outcome.error is not None and written.lost:
        raise WriteNotConfirmed(f"{outcome.error} {written.lost.with_advice}")
    if outcome.error is not None:
        raise outcome.error
    if written.lost:
        raise written.lost.as_error
    assert outcome.token is not None, "a change ended neither with a token nor with an error"
    return outcome.token


def write_all(writer: Writer, changes: Sequence[Change], threads: int = THREADS) -> list[ApiToken | Exception]:
    """Make changes from several threads at once, as a provider's process does, and return each one's outcome."""

    def outcome(change: Change) -> ApiToken | Exception:
        try:
            return make_change(writer, change)
        except Exception as error:  # noqa: BLE001  an outcome, which the test looks at
            return error

    with ThreadPoolExecutor(threads, thread_name_prefix="provider") as pool:
        return list(pool.map(outcome, changes))


def failures(outcomes: Sequence[ApiToken | Exception]) -> list[str]:
    """What failed, as a person would read it."""
    return [f"{type(one).__name__}: {one}" for one in outcomes if isinstance(one, Exception)]


def in_background(call: Callable[[], object]) -> threading.Thread:
    """Run a call in a thread of its own and return the running thread."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


@dataclass(frozen=True)
class Kind:
    """A kind of change of one binding: what is held before, how it is made, what is held after it."""

    name: str
    before: str | None
    make: Callable[[Scene, str], Change]
    after: str | None

    def __str__(self) -> str:
        return self.name

    def deployment(self, scene: Scene) -> str:
        """A new deployment in which the token holds what is held before."""
        [deployment] = scene.deployments(1)
        if self.before is not None:
            scene.astro.store.bind(scene.token_id, deployment, self.before)
        return deployment


KINDS = (
    Kind("add", None, lambda scene, deployment: scene.add(deployment, ADMIN), ADMIN),
    Kind("update", ADMIN, lambda scene, deployment: scene.put(deployment, ACCESSOR), ACCESSOR),
    Kind("remove", ADMIN, lambda scene, deployment: scene.remove(deployment), None),
)
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=str)
