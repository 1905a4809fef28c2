"""Tokens by deployments, as HTML: one glance tells who may touch production.

Roles stand there in full, because a custom role may have any name, also `ADMIN`. A token that is ORGANIZATION_OWNER may
touch every deployment without a role there, so it has a row too; one that has expired touches nothing, and has no colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from astro_provider.access.audit import Assignment, Audit
from astro_provider.access.harmless import in_html
from astro_provider.access.model import ADMIN, same_role
from astro_provider.access.page import marks, named, text

OWNER = "ORGANIZATION_OWNER"
MOST_CELLS = 60_000  # a browser shows no more than that without pain


def matrix(found: Audit) -> str:
    """The matrix with its heading; nothing where no token has a role."""
    return _Matrix(found).html() if found.assignments else ""


class _Matrix:
    """One audit as a matrix: what its rows and columns are, and in which order."""

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

    def html(self) -> str:
        deployments, tokens = self._deployments, sorted(self._reach, key=self._rank)
        if len(deployments) * len(tokens) > MOST_CELLS:
            deployments = [one for one in deployments if one in self._production] or deployments
            tokens = [one for one in tokens if self._is_owner(one) or self._reaches(one, set(deployments))]
            tokens = tokens[: max(1, MOST_CELLS // len(deployments))]
        head = "".join(map(self._head, deployments))
        rows = "\n".join(self._row(one, deployments) for one in tokens)
        return (
            f'<h2 id="matrix-title">Who may touch what</h2>\n{self._in_words(len(tokens), len(deployments))}\n'
            '<div class="wide" role="region" aria-labelledby="matrix-title" tabindex="0"><table class="matrix"><thead>'
            f'<tr><th scope="col">Token</th>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'
        )

    def _in_words(self, tokens: int, deployments: int) -> str:
        lines = [f"<p>{in_html(sentence)}</p>" for sentence in self._answers()]
        if self._knows_production:
            lines.append(
                '<p class="faint">Production comes first, and the tokens that reach it. Red: the token may do everything '
                "there. Yellow: it has another role there.</p>"
            )
        if (tokens, deployments) != (len(self._reach), len(self._deployments)):
            lines.append(
                f"<p>There is too much to show it all: {tokens} of {len(self._reach)} tokens, and {deployments} of "
                f"{len(self._deployments)} deployments.</p>"
            )
        return "\n".join(lines)

    def _answers(self) -> Iterable[str]:
        """Who may touch production, in a sentence or two."""
        if self._knows_production:
            reaching = [one for one in self._reach if self._strength(one) > 0]
            admins = [one for one in self._reach if self._strength(one) > 1]
            yield (
                f"{_tokens(len(reaching))} may touch production by a role in a deployment; {len(admins)} of them as {ADMIN}."
            )
        owners = [one for one in self._reach if self._is_owner(one)]
        if owners:
            yield f"{_tokens(len(owners))} may touch everything, as {OWNER}."

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

    def _head(self, deployment_id: str) -> str:
        deployment = self._facts.deployments.get(deployment_id)
        mark = marks([("production", True)]) if deployment_id in self._production else ""
        return f'<th scope="col">{named(deployment.name if deployment else None, deployment_id)}{mark}</th>'

    def _row(self, token_id: str, deployments: Sequence[str]) -> str:
        token = self._facts.tokens.get(token_id)
        found = [(OWNER, True)] if self._is_owner(token_id) else []
        found += [("expired", False)] if self._has_expired(token_id) else []
        name = named(token.name if token else None, token_id) + marks(found)
        return f'<tr><th scope="row">{name}</th>{"".join(self._cell(token_id, one) for one in deployments)}</tr>'

    def _cell(self, token_id: str, deployment_id: str) -> str:
        role, owner = self._roles.get((deployment_id, token_id)), self._is_owner(token_id)
        kind = ""
        if deployment_id in self._production and not self._has_expired(token_id):
            if owner or (role is not None and same_role(role, ADMIN)):
                kind = ' class="admin"'
            elif role is not None:
                kind = ' class="production"'
        shown = '<span class="faint">as owner</span>' if owner else ""
        if role is not None:
            shown = text(role).replace("_", "_<wbr>")
        return f"<td{kind}>{shown}</td>"

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
