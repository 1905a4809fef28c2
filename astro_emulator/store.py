"""The state of the service, and methods that change it as another writer would, without a call of the API.

One lock guards it. The API takes the lock for a whole read or a whole write, so every write is atomic; nothing protects
a caller from another caller between two calls. The methods here check nothing: a test that wants a stale entry, an
unknown kind of role or a half-deleted deployment writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from itertools import count
from threading import RLock

from astro_emulator import managing, organization, planting, rights
from astro_emulator.identity import credential, cuid, later_than, now
from astro_emulator.organization import credential_record, entry
from astro_emulator.planting import Planted
from astro_emulator.state import DAG_KINDS, Record, State
from astro_emulator.writing import accepted


class Store:
    """All records behind one lock; every method may be called from any thread.

    Args:
        planted: the organization to start with and to reset to; the shipped one unless it is given.
        is_updated_at_moving: returns true if a token's `updatedAt` changes when its roles are written.
    """

    def __init__(
        self, planted: Planted | None = None, is_updated_at_moving: Callable[[], bool] = lambda: False
    ) -> None:
        self._lock = RLock()
        self._planted = planted or planting.plant()
        self._is_updated_at_moving = is_updated_at_moving
        self._made = count(1)
        self.reset()

    @contextmanager
    def locked(self) -> Iterator[State]:
        """Yield the state, locked against all other readers and writers; it must not be kept."""
        with self._lock:
            yield self._state

    def reset(self) -> None:
        """Go back to the initial organization."""
        with self._lock:
            self._state = deepcopy(self._planted.state)

    def shown(self) -> dict[str, list[Record]]:
        """Return a copy of everything, the shape of `/_emulator/state`."""
        with self._lock:
            return deepcopy(self._state.shown())

    def replace(self, shown: object) -> None:
        """Replace everything by what `shown()` could have returned; ApiError 400 says what is wrong in it."""
        taken_over = State.taken_over(deepcopy(shown))
        with self._lock:
            self._state = taken_over

    def write_roles(self, organization_id: str, token_id: str, body: object, *, writer: Record) -> list[Record]:
        """Take a role list that the credential `writer` posted, and return the list now held.

        ApiError if the service refuses it, and then nothing has changed.
        """
        with self._lock:
            record = self._state.token(organization_id, token_id)
            held = accepted(self._state, record, body)
            self._write(record, held)
            if self._is_updated_at_moving():
                record["updatedBy"] = managing.subject(self._state, writer)
            return held

    def stale_writer(self, path: str) -> Callable[[], None] | None:
        """Return the later half of a writer that reads the token of a path now; None if the path has no token.

        It posts the list that was read, checks nothing, and does nothing if the token has gone.
        """
        with self._lock:
            token_id = next((segment for segment in path.split("/") if segment in self._state.tokens), None)
            if token_id is None:
                return None
            read: list[Record] = self._state.tokens[token_id]["roles"]

        def post() -> None:
            with self._lock:
                if (record := self._state.tokens.get(token_id)) is not None:
                    self._write(record, read)

        return post

    def add_token(  # noqa: PLR0913 all but the name are optional attributes of a token
        self,
        name: str,
        *,
        scope: str = "ORGANIZATION",
        roles: Iterable[Record] | None = None,
        id: str | None = None,  # noqa: A002 the attribute's own name
        description: str = "",
        created_by: Record | None = None,
        **fields: object,
    ) -> str:
        """Add a token and return its id.

        Without `roles`, a token of ORGANIZATION scope is a member of its organization, and any other holds no role.
        `fields` replaces or adds attributes as the API spells them, for example `kind` or `endAt`.
        """
        if roles is None:
            is_member = scope == "ORGANIZATION"
            roles = [entry("ORGANIZATION", self._planted.organization_id, "ORGANIZATION_MEMBER")] if is_member else []
        token_id = id or self.new_id("token")
        if created_by is not None:
            fields = {"createdBy": created_by, "updatedBy": created_by, **fields}
        record = organization.token(
            token_id,
            name,
            roles=list(roles),
            at=now(),
            organization_id=self._planted.organization_id,
            scope=scope,
            description=description,
            **fields,
        )
        with self._lock:
            self._state.tokens[token_id] = deepcopy(record)
        return token_id

    def delete_token(self, id: str) -> None:  # noqa: A002 the attribute's own name
        """Delete a token."""
        with self._lock:
            del self._state.tokens[id]

    def token(self, id: str) -> Record:  # noqa: A002 the attribute's own name
        """Return a copy of a token's record with all its roles, hidden or not."""
        with self._lock:
            return deepcopy(self._state.tokens[id])

    def rename_token(self, id: str, name: str) -> None:  # noqa: A002 the attribute's own name
        """Give a token another name; its id stays."""
        with self._lock:
            self._state.tokens[id]["name"] = name

    def rename_deployment(self, id: str, name: str) -> None:  # noqa: A002 see above
        """Give a deployment another name; its id stays."""
        with self._lock:
            self._state.deployments[id]["name"] = name

    def hide_roles(self, token_id: str, hidden: bool = True) -> None:  # noqa: FBT001, FBT002 reads well at the call
        """Leave `roles` out of every answer about this token, as if the caller might not see them."""
        with self._lock:
            self._state.tokens[token_id]["rolesHidden"] = hidden

    def set_roles(self, token_id: str, roles: Iterable[Record]) -> None:
        """Replace a token's role list, unchecked."""
        with self._lock:
            self._write(self._state.tokens[token_id], deepcopy(list(roles)))

    def bind(self, token_id: str, deployment_id: str, role: str) -> None:
        """Give a token a role in a deployment, instead of the one that it has there."""
        with self._lock:
            record = self._state.tokens[token_id]
            others = [e for e in record["roles"] if not _is_binding(e, deployment_id)]
            self._write(record, [*others, entry("DEPLOYMENT", deployment_id, role)])

    def unbind(self, token_id: str, deployment_id: str) -> None:
        """Take a token's role in a deployment away; its roles in DAGs stay."""
        with self._lock:
            record = self._state.tokens[token_id]
            self._write(record, [e for e in record["roles"] if not _is_binding(e, deployment_id)])

    def deployment_role(self, token_id: str, deployment_id: str) -> str | None:
        """Return the role that a token holds in a deployment, or None."""
        with self._lock:
            held: list[Record] = self._state.tokens[token_id]["roles"]
            roles: Iterator[str] = (e["role"] for e in held if _is_binding(e, deployment_id))
            return next(roles, None)

    def add_deployment(
        self,
        name: str,
        *,
        workspace_id: str | None = None,
        id: str | None = None,  # noqa: A002 the attribute's own name
    ) -> str:
        """Add a deployment, in the first workspace unless another is given, and return its id."""
        deployment_id = id or self.new_id("deployment")
        record = organization.deployment(
            deployment_id,
            name,
            workspace_id or self._planted.workspace_id,
            at=now(),
            organization_id=self._planted.organization_id,
        )
        with self._lock:
            self._state.deployments[deployment_id] = record
        return deployment_id

    def delete_deployment(self, id: str, keep_roles: bool = True) -> None:  # noqa: A002, FBT001, FBT002 see above
        """Delete a deployment with the tokens of its own scope, and unless `keep_roles` every role in it.

        The service's way with roles of other tokens is unknown.
        """
        with self._lock:
            managing.drop_deployment(self._state, id)
            if keep_roles:
                return
            for record in self._state.tokens.values():
                record["roles"] = [e for e in record["roles"] if not _is_binding(e, id) and not _is_in_dag(e, id)]

    def add_role(
        self, name: str, *, restricted_workspace_ids: Sequence[str] = (), scope_type: str = "DEPLOYMENT"
    ) -> str:
        """Add a custom role and return its id."""
        role_id = self.new_id("role")
        restricted = list(restricted_workspace_ids)
        record = organization.custom_role(
            role_id,
            name,
            scope_type=scope_type,
            restricted_workspace_ids=restricted,
            organization_id=self._planted.organization_id,
            at=now(),
        )
        with self._lock:
            self._state.roles[role_id] = record
        return role_id

    def delete_role(self, name: str) -> None:
        """Delete the custom roles of that name; entries that name it stay, and are stale from now on."""
        with self._lock:
            for role_id in [key for key, role in self._state.roles.items() if role["name"] == name]:
                del self._state.roles[role_id]

    def credential(self, bearer: str) -> Record | None:
        """Return a copy of a credential's record with the rights that it has now, or None for an unknown one."""
        with self._lock:
            return rights.effective(self._state, bearer)

    def add_credential(  # noqa: PLR0913 all of them are attributes
        self,
        *,
        organization_id: str | None = None,
        expired: bool = False,
        can_read: bool = True,
        can_write: bool = True,
        claims: bool = True,
        of: str | None = None,
    ) -> str:
        """Add a credential and return the bearer.

        Without `claims` it does not show whose organization it is for. It is the secret of the token `of` and has the
        rights of that token's roles; without one it is of no token that there is, and has the rights that are given.
        """
        organization_id = organization_id or self._planted.organization_id
        api_token_id = of or self.new_id("credential")
        bearer = credential(api_token_id, organization_id if claims else None, expired=expired)
        record = credential_record(bearer, organization_id, api_token_id)
        record.update(expired=expired, can_read=can_read, can_write=can_write)
        with self._lock:
            self._state.credentials[bearer] = record
        return bearer

    def new_id(self, kind: str) -> str:
        """Return an id that this store has not made before and that no record has; the same in every run."""
        with self._lock:
            kinds = vars(self._state).values()
            ids = (cuid(kind, number) for number in self._made)
            return next(one for one in ids if not any(one in records for records in kinds))

    def _write(self, token: Record, roles: list[Record]) -> None:
        token["roles"] = roles
        if self._is_updated_at_moving():
            token["updatedAt"] = later_than(token["updatedAt"])


def _is_binding(held: Record, deployment_id: str) -> bool:
    return bool(held["entityType"] == "DEPLOYMENT" and held["entityId"] == deployment_id)


def _is_in_dag(held: Record, deployment_id: str) -> bool:
    return held["entityType"] in DAG_KINDS and held.get("deploymentId") == deployment_id
