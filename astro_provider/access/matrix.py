"""Tokens by deployments: the table of an audit's page that shows at a glance which tokens may touch production.

Roles are written in full, because a custom role may have any name, also `ADMIN`. A token that is ORGANIZATION_OWNER may
touch every deployment without a role there, so it is shown too; one that has expired touches nothing, and has no colour.
The rows are the tokens or the deployments, whichever are more, because a page scrolls down more easily than sideways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from astro_provider.access.audit import Assignment, Audit
from astro_provider.access.model import ADMIN, OWNER, same_role
from astro_provider.messages.words import counted

MOST_CELLS = 60_000  # more cells make a browser slow


@dataclass(frozen=True)
class Head:
    """A token or a deployment at the edge of the matrix; each label is loud or not."""

    name: str | None
    id: str
    labels: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class Cell:
    """A token in a deployment: `kind` is `admin` or `production` if the token may touch production there, else empty."""

    kind: str
    role: str | None
    is_owner: bool


def matrix(found: Audit) -> Matrix | None:
    """Return the matrix of an audit, or None if no token has a role."""
    return Matrix(found) if found.assignments else None


class Matrix:
    """The matrix as a page shows it, of at most MOST_CELLS.

    Attributes:
        answers: which tokens may touch production, in a sentence or two.
        left_out: a sentence about the tokens and deployments that are left out, or empty.
        corner: the kind of the rows: `Token` or `Deployment`.
        rows: each with its head and a cell for each column.
    """

    def __init__(self, found: Audit) -> None:
        self._facts = found.facts
        self._roles = {one.key: one.role for one in found.assignments}
        everywhere = {one.deployment_id for one in found.assignments}
        self._production = {one for one in everywhere if found.is_production(one)}
        self._expired = {one.id for one in found.facts.tokens.values() if one.has_expired(found.facts.now)}
        self._owners = {one.id for one in found.facts.tokens.values() if one.is_owner} - self._expired
        self._reach: dict[str, list[Assignment]] = {one: [] for one in self._owners}
        for one in found.assignments:
            self._reach.setdefault(one.org_token_id, []).append(one)
        self.knows_production = bool(found.production)
        self.answers = list(self._answers())
        deployments, tokens = sorted(everywhere, key=self._place), sorted(self._reach, key=self._rank)
        self.left_out = ""
        if len(deployments) * len(tokens) > MOST_CELLS:
            # Production is the question, so all else goes first; then the tokens that may do least there.
            deployments = [one for one in deployments if one in self._production] or deployments
            there = set(deployments)
            reaching = self._owners | {token_id for deployment_id, token_id in self._roles if deployment_id in there}
            tokens = [one for one in tokens if one in reaching][: max(1, MOST_CELLS // len(deployments))]
            self.left_out = (
                f"There is too much to show it all: {len(tokens)} of {len(self._reach)} tokens, and {len(deployments)} of "
                f"{len(everywhere)} deployments."
            )
        if len(deployments) > len(tokens):
            self.corner, self.columns = "Deployment", [self._token(one) for one in tokens]
            self.rows = [(self._deployment(one), [self._cell(token, one) for token in tokens]) for one in deployments]
        else:
            self.corner, self.columns = "Token", [self._deployment(one) for one in deployments]
            self.rows = [(self._token(one), [self._cell(one, there) for there in deployments]) for one in tokens]

    def _answers(self) -> Iterator[str]:
        if self.knows_production:
            strengths = [self._strength(one) for one in self._reach]
            reaching, admins = sum(one > 0 for one in strengths), sum(one > 1 for one in strengths)
            tokens = counted(reaching, "organization token")
            yield f"{tokens} may touch production by a role in a deployment; {admins} of them as {ADMIN}."
        if self._owners:
            yield f"{counted(len(self._owners), 'organization token')} may touch everything, as {OWNER}."

    def _strength(self, token_id: str) -> int:
        """Return the power of a token in production by its roles in deployments: 0 none, 1 some, 2 all."""
        roles = [] if token_id in self._expired else self._roles_in_production(token_id)
        return 0 if not roles else 2 if any(same_role(role, ADMIN) for role in roles) else 1

    def _roles_in_production(self, token_id: str) -> list[str]:
        return [one.role for one in self._reach[token_id] if one.deployment_id in self._production]

    def _deployment(self, deployment_id: str) -> Head:
        labels = [("production", True)] if deployment_id in self._production else []
        return Head(self._facts.deployment_name(deployment_id), deployment_id, labels)

    def _token(self, token_id: str) -> Head:
        labels = [(OWNER, True)] if token_id in self._owners else []
        labels += [("expired", False)] if token_id in self._expired else []
        return Head(self._facts.token_name(token_id), token_id, labels)

    def _cell(self, token_id: str, deployment_id: str) -> Cell:
        role, is_owner = self._roles.get((deployment_id, token_id)), token_id in self._owners
        kind = ""
        if deployment_id in self._production and token_id not in self._expired:
            if is_owner or (role is not None and same_role(role, ADMIN)):
                kind = "admin"
            elif role is not None:
                kind = "production"
        return Cell(kind, role, is_owner)

    def _place(self, deployment_id: str) -> tuple[bool, str, str]:
        return (deployment_id not in self._production, self._facts.deployment_name(deployment_id) or "", deployment_id)

    def _rank(self, token_id: str) -> tuple[object, ...]:
        """Return the place of a token: owners first, then tokens that reach production, and of these the admins."""
        production = self._roles_in_production(token_id)
        return (
            token_id not in self._owners,
            -self._strength(token_id),
            -sum(same_role(role, ADMIN) for role in production),
            -len(production),
            self._facts.token_name(token_id) or "",
            token_id,
        )
