"""The rules about access that `access.toml` states.

    production = ["*-production", "Finance"]   # names of deployments or workspaces

    [roles]                                    # which roles may be given where; the first pattern that fits decides
    "*-production" = ["DEPLOYMENT_ACCESSOR", "Release Engineer"]

    [admin]
    tokens = ["ci-deployer"]                   # only these may be DEPLOYMENT_ADMIN
    most = 2                                   # in one deployment

    [binding]
    protect = "production"                     # or "everywhere": bindings must be protected there
    no_overwrite = "everywhere"                # or "production": bindings must not overwrite there

A review, an audit and a policy pack call the same functions, so they agree about every grant that they all see. A pattern
fits a name or an id. A rule that needs a value which is not known yet is undecided, never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from astro_provider.access.facts import Facts
from astro_provider.access.model import ADMIN, Grant, same_role, text_of

NOT_KNOWN = "(not known yet)"


class Where(StrEnum):
    """The reach of a rule about bindings."""

    PRODUCTION = "production"
    EVERYWHERE = "everywhere"


class Rule(StrEnum):
    """The kinds of rules, each by the word for a grant that breaks it."""

    ROLE = "role-not-allowed"
    ADMIN = "admin-not-allowed"
    ADMINS = "too-many-admins"
    PROTECT = "not-protected"
    OVERWRITE = "overwrites"


@dataclass(frozen=True)
class Rules:
    """The rules of one file."""

    production: tuple[str, ...] = ()
    # Patterns of deployments and workspaces, each with the roles that may be given there; the first that fits decides.
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    admin_tokens: tuple[str, ...] | None = None  # patterns of the tokens that may be DEPLOYMENT_ADMIN; None: any
    most_admins: int | None = None  # how many tokens may be DEPLOYMENT_ADMIN in one deployment; None: any number
    protect: Where | None = None  # where bindings must be protected; None: nowhere
    no_overwrite: Where | None = None  # where bindings must not overwrite; None: nowhere


@dataclass(frozen=True)
class Asked:
    """A grant as the rules see it. None: not known; of `protect` and `overwrite`: no resource has it."""

    deployment_id: str | None
    org_token_id: str | None
    role: str | None
    deployment_name: str | None = None
    workspace_name: str | None = None
    org_token_name: str | None = None
    protect: bool | None = None
    overwrite: bool | None = None

    @classmethod
    def of(cls, grant: Grant, facts: Facts) -> Asked:
        """Return a resource's grant, with the names that Astro shows or, without those, the resource's own."""
        deployment_id, token_id = text_of(grant.subject.deployment_id), text_of(grant.subject.org_token_id)
        deployment_name, token_name = facts.deployment_name(deployment_id), facts.token_name(token_id)
        return cls(
            deployment_id=deployment_id,
            deployment_name=grant.deployment_name if deployment_name is None else deployment_name,
            workspace_name=facts.workspace_name(deployment_id),
            org_token_id=token_id,
            org_token_name=grant.org_token_name if token_name is None else token_name,
            role=text_of(grant.role),
            protect=grant.protect,
            overwrite=grant.overwrite,
        )

    @property
    def places(self) -> tuple[str | None, ...]:
        """The names and the id that a pattern of a place may fit."""
        return (self.deployment_name, self.workspace_name, self.deployment_id)

    @property
    def token(self) -> str:
        """The words for the token."""
        return named(self.org_token_name, self.org_token_id)

    @property
    def deployment(self) -> str:
        """The words for the deployment."""
        return named(self.deployment_name, self.deployment_id)


@dataclass(frozen=True)
class Verdict:
    """A rule that grants break, or that cannot be decided yet."""

    rule: Rule
    text: str  # one sentence
    asked: tuple[Asked, ...]  # the grants that it is about
    decided: bool = True  # False: something is not known yet


def fits(patterns: Iterable[str], names: Sequence[str | None]) -> bool | None:
    """Return whether a pattern fits one of the names; None: it fits none that is known, and some are not known."""
    patterns = tuple(patterns)
    if not patterns:
        return False
    if "*" in patterns or any(fnmatchcase(name, pattern) for name in names if name for pattern in patterns):
        return True
    return None if None in names else False


def fault_of_pattern(pattern: str) -> str | None:
    """Return a sentence about a `[` that nothing closes, which `fnmatch` takes for the character itself; None: no such one."""
    # As in `fnmatch`, a `]` right after `[` or `[!` is one of the characters.
    left = re.sub(r"\[!?+.[^]]*\]", "", pattern, flags=re.DOTALL)
    if "[" not in left:
        return None
    return f"the pattern {pattern!r} has a [ without its ]: write [[] for the character itself."


def verdicts(rules: Rules, grants: Sequence[Asked]) -> list[Verdict]:
    """Return the rules that grants break, and those that cannot be decided; empty if all are kept.

    `grants` are all that are seen: the admins of a deployment are counted among these.
    """
    found = [verdict for asked in grants for verdict in verdicts_of_one(rules, asked)]
    return [*found, *_too_many_admins(rules, grants)]


def verdicts_of_one(rules: Rules, asked: Asked) -> Iterator[Verdict]:
    """Yield the rules about single grants that one breaks, or that cannot be decided for it."""
    is_open = asked.protect is False
    found = [
        (Rule.ROLE, _role_is_allowed(rules, asked), f"the role {asked.role or NOT_KNOWN} may not be given there"),
        (Rule.ADMIN, _may_be_admin(rules, asked), f"this token may not be {ADMIN}"),
        (Rule.PROTECT, _kept(rules, rules.protect, asked, is_open), "the binding must be protected (protect=True)"),
        (
            Rule.OVERWRITE,
            _kept(rules, rules.no_overwrite, asked, asked.overwrite),
            "the binding must not overwrite a role",
        ),
    ]
    for rule, kept, text in found:
        if kept is not True:
            doubt = "" if kept is False else " (it depends on what is not known yet)"
            sentence = f"Token {asked.token} in deployment {asked.deployment}: {text}{doubt}."
            yield Verdict(rule, sentence, (asked,), decided=kept is False)


def _too_many_admins(rules: Rules, grants: Iterable[Asked]) -> Iterator[Verdict]:
    if rules.most_admins is None:
        return
    admins: dict[str, list[Asked]] = {}
    for asked in grants:
        if asked.deployment_id and asked.role and same_role(asked.role, ADMIN):
            admins.setdefault(asked.deployment_id, []).append(asked)
    for there in admins.values():
        if len(there) > rules.most_admins:
            names = ", ".join(sorted(one.token for one in there))
            text = (
                f"Deployment {there[0].deployment} would have {len(there)} tokens that are {ADMIN}, and at most "
                f"{rules.most_admins} are allowed: {names}."
            )
            yield Verdict(Rule.ADMINS, text, tuple(there))


def _role_is_allowed(rules: Rules, asked: Asked) -> bool | None:
    if not rules.roles:
        return True
    # A pattern that may fit decides or not: the rule is decided if all possible answers are the same.
    possible: set[bool | None] = set()
    for pattern, roles in rules.roles:
        fit = fits([pattern], asked.places)
        if fit is False:
            continue
        possible.add(fits([one.lower() for one in roles], [asked.role and asked.role.lower()]))
        if fit is True:
            break
    else:
        possible.add(True)
    return possible.pop() if len(possible) == 1 else None


def _may_be_admin(rules: Rules, asked: Asked) -> bool | None:
    if rules.admin_tokens is None or (asked.role is not None and not same_role(asked.role, ADMIN)):
        return True
    is_named = fits(rules.admin_tokens, (asked.org_token_name, asked.org_token_id))
    # A token outside the list breaks the rule only if its role is known to be the admin's.
    return None if is_named is False and asked.role is None else is_named


def _kept(rules: Rules, where: Where | None, asked: Asked, breaks: bool | None) -> bool | None:  # noqa: FBT001  a value
    """Return whether a rule about resources is kept, which the grant breaks where it applies; None: not known."""
    if where is None or not breaks:
        return True
    applies = True if where is Where.EVERYWHERE else fits(rules.production, asked.places)
    return None if applies is None else not applies


def named(name: str | None, identifier: str | None) -> str:
    """Return the words for a token or a deployment: its name, then its id, as far as they are known."""
    if name is None:
        return identifier or NOT_KNOWN
    return f"{name!r} ({identifier})" if identifier else repr(name)
