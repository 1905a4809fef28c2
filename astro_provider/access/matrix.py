"""Tokens by deployments: one glance shows who may touch production.

Roles stand there in full, because a custom role may have any name, also `ADMIN`. A token that is ORGANIZATION_OWNER may
touch every deployment without a role there, so it is shown too; one that has expired touches nothing, and has no colour.
Whichever are more, tokens or deployments, are the rows, because a page scrolls down more easily than to the side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from astro_provider.access.audit import Assignment, Audit
from astro_provider.access.model import ADMIN, same_role

OWNER = "ORGANIZATION_OWNER"
MOST_CELLS = 60_000  # a browser shows no more than that without pain


@dataclass(frozen=True)
class Head:
    """A token or a deployment at the edge of the matrix; each label is loud or not."""

    name: str | None
    id: str
    labels: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class Cell:
    """A token in a deployment: `kind` is `admin` or `production` where production is touched, else empty."""

    kind: str
    role: str | None
    is_owner: bool


@dataclass(frozen=True)
class Row:
    """A row: its head, and a cell for each column."""

    head: Head
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Matrix:
    """The matrix as a page shows it.

    Attributes:
        answers: who may touch production, in a sentence or two.
        knows_production: whether a pattern says what production is.
        left_out: a sentence about what was too much to be shown, or empty.
        corner: what the rows are.
        columns: the heads of the columns.
        rows: the rows.
    """

    answers: Sequence[str]
    knows_production: bool
    left_out: str
    corner: str
    columns: Sequence[Head]
    rows: Sequence[Row]


def matrix(found: Audit) -> Matrix | None:
    """Return the matrix of an audit, or None if no token has a role."""
    return _Access(found).shown() if found.assignments else None


class _Access:
    """The tokens and the deployments of one audit that have to do with each other, and their order."""

    def __init__(self, found: Audit) -> None:
        self._facts = found.facts
        self._knows_production = bool(found.production)
        self._roles = {one.key: one.role for one in found.assignments}
        everywhere = {one.deployment_id for one in found.assignments}
        self._production = {one for one in everywhere if found.is_production(one)}
        self._deployments = sorted(everywhere, key=self._place)
        self._reach: dict[str, list[Assignment]] = {one: [] for one in found.facts.tokens if self._is_owner(one)}
        for one in found.assignments:
            self._reach.setdefault(one.org_token_id, []).append(one)

    def shown(self) -> Matrix:
        deployments, tokens = self._deployments, sorted(self._reach, key=self._rank)
        if len(deployments) * len(tokens) > MOST_CELLS:
            deployments = [one for one in deployments if one in self._production] or deployments
            tokens = [one for one in tokens if self._is_owner(one) or self._reaches(one, set(deployments))]
            tokens = tokens[: max(1, MOST_CELLS // len(deployments))]
        left_out = (
            f"There is too much to show it all: {len(tokens)} of {len(self._reach)} tokens, and {len(deployments)} of "
            f"{len(self._deployments)} deployments."
            if (len(tokens), len(deployments)) != (len(self._reach), len(self._deployments))
            else ""
        )
        if len(deployments) > len(tokens):
            corner, columns = "Deployment", [self._token(one) for one in tokens]
            rows = [Row(self._deployment(one), [self._cell(token, one) for token in tokens]) for one in deployments]
        else:
            corner, columns = "Token", [self._deployment(one) for one in deployments]
            rows = [Row(self._token(one), [self._cell(one, there) for there in deployments]) for one in tokens]
        return Matrix(list(self._answers()), self._knows_production, left_out, corner, columns, rows)

    def _answers(self) -> Iterable[str]:
        if self._knows_production:
            reaching = [one for one in self._reach if self._strength(one) > 0]
            admins = [one for one in self._reach if self._strength(one) > 1]
            yield (
                f"{_tokens(len(reaching))} may touch production by a role in a deployment; {len(admins)} of them as {ADMIN}."
            )
        if self._owners:
            yield f"{_tokens(len(self._owners))} may touch everything, as {OWNER}."

    @cached_property
    def _owners(self) -> Sequence[str]:
        return [one for one in self._reach if self._is_owner(one)]

    def _is_owner(self, token_id: str) -> bool:
        token = self._facts.tokens.get(token_id)
        return token is not None and bool(token.is_owner) and not self._has_expired(token_id)

    def _has_expired(self, token_id: str) -> bool:
        token = self._facts.tokens.get(token_id)
        return token is not None and token.has_expired(self._facts.now)

    def _reaches(self, token_id: str, deployments: set[str]) -> bool:
        return not deployments.isdisjoint(one.deployment_id for one in self._reach[token_id])

    def _strength(self, token_id: str) -> int:
        """What a token may do in production by its roles in deployments: 0 nothing, 1 something, 2 everything."""
        roles = [one.role for one in self._reach[token_id] if one.deployment_id in self._production]
        if not roles or self._has_expired(token_id):
            return 0
        return 2 if any(same_role(role, ADMIN) for role in roles) else 1

    def _deployment(self, deployment_id: str) -> Head:
        deployment = self._facts.deployments.get(deployment_id)
        labels = [("production", True)] if deployment_id in self._production else []
        return Head(deployment.name if deployment else None, deployment_id, labels)

    def _token(self, token_id: str) -> Head:
        token = self._facts.tokens.get(token_id)
        labels = [(OWNER, True)] if self._is_owner(token_id) else []
        labels += [("expired", False)] if self._has_expired(token_id) else []
        return Head(token.name if token else None, token_id, labels)

    def _cell(self, token_id: str, deployment_id: str) -> Cell:
        role, owner = self._roles.get((deployment_id, token_id)), self._is_owner(token_id)
        kind = ""
        if deployment_id in self._production and not self._has_expired(token_id):
            if owner or (role is not None and same_role(role, ADMIN)):
                kind = "admin"
            elif role is not None:
                kind = "production"
        return Cell(kind, role, owner)

    def _place(self, deployment_id: str) -> tuple[bool, str, str]:
        deployment = self._facts.deployments.get(deployment_id)
        return (deployment_id not in self._production, deployment.name if deployment else "", deployment_id)

    def _rank(self, token_id: str) -> tuple[object, ...]:
        """Owners come first, then tokens that reach production, and of these the admins."""
        production = [one for one in self._reach[token_id] if one.deployment_id in self._production]
        token = self._facts.tokens.get(token_id)
        return (
            not self._is_owner(token_id),
            -self._strength(token_id),
            -sum(same_role(one.role, ADMIN) for one in production),
            -len(production),
            token.name if token else "",
            token_id,
        )


def _tokens(number: int) -> str:
    return f"{number} organization token{'' if number == 1 else 's'}"
