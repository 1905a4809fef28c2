"""The rules of a house about access, as `access.toml` states them.

    production = ["*-production", "Finance"]   # names of deployments or workspaces

    [roles]                                    # which roles may be given where; the first pattern that fits decides
    "*-production" = ["DEPLOYMENT_ACCESSOR", "Release Engineer"]

    [admin]
    tokens = ["ci-deployer"]                   # only these may be DEPLOYMENT_ADMIN
    most = 2                                   # in one deployment

    [binding]
    protect = "production"                     # or "everywhere": bindings must be protected there
    no_overwrite = "everywhere"                # or "production": bindings must not overwrite there

A review, an audit and a policy pack ask the same functions, so they cannot disagree about what they all see. A pattern
fits a name or an id. What a rule needs and nobody knows yet leaves it undecided; it is never taken for kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from astro_provider.access.model import ADMIN, same_role


class Where(StrEnum):
    """Where a rule about bindings holds."""

    PRODUCTION = "production"
    EVERYWHERE = "everywhere"


class Rule(StrEnum):
    """The rules, by what breaks them."""

    ROLE = "role-not-allowed"
    ADMIN = "admin-not-allowed"
    ADMINS = "too-many-admins"
    PROTECT = "not-protected"
    OVERWRITE = "overwrites"


@dataclass(frozen=True)
class Rules:
    """The rules of one house.

    Attributes:
        production: patterns of names of deployments and workspaces.
        roles: a pattern of where, and the roles that may be given there; the first that fits decides.
        admin_tokens: patterns of the tokens that may be DEPLOYMENT_ADMIN; None: any.
        most_admins: how many tokens may be DEPLOYMENT_ADMIN in one deployment; None: any number.
        protect: where bindings must be protected; None: nowhere.
        no_overwrite: where bindings must not overwrite; None: nowhere.
    """

    production: tuple[str, ...] = ()
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    admin_tokens: tuple[str, ...] | None = None
    most_admins: int | None = None
    protect: Where | None = None
    no_overwrite: Where | None = None


@dataclass(frozen=True)
class Asked:
    """A grant as the rules look at it. None: not known, or, for the last two, of no resource.

    Attributes:
        deployment_id: the deployment.
        deployment_name: its name.
        workspace_name: the name of its workspace.
        org_token_id: the token.
        org_token_name: its name.
        role: the role.
        protect: whether the resource is protected.
        overwrite: whether the resource may overwrite.
        is_of_a_resource: whether a stack has it; else the rules about resources say nothing.
    """

    deployment_id: str | None
    org_token_id: str | None
    role: str | None
    deployment_name: str | None = None
    workspace_name: str | None = None
    org_token_name: str | None = None
    protect: bool | None = None
    overwrite: bool | None = None
    is_of_a_resource: bool = True

    @property
    def places(self) -> tuple[str | None, ...]:
        """What a pattern of a place may fit."""
        return (self.deployment_name, self.workspace_name, self.deployment_id)

    @property
    def tokens(self) -> tuple[str | None, ...]:
        """What a pattern of a token may fit."""
        return (self.org_token_name, self.org_token_id)


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a grant that does not keep it, or of which nobody can tell.

    Attributes:
        rule: the rule.
        text: one sentence.
        asked: the grants that it is about.
        decided: False: something is not known yet.
    """

    rule: Rule
    text: str
    asked: tuple[Asked, ...]
    decided: bool = True


def fits(patterns: Iterable[str], names: Sequence[str | None]) -> bool | None:
    """Return whether a pattern fits one of the names; None: none of the known ones, and some are not known."""
    patterns = tuple(patterns)
    if not patterns:
        return False
    if "*" in patterns or any(fnmatchcase(name, pattern) for name in names if name for pattern in patterns):
        return True
    return None if None in names else False


def fault_of_pattern(pattern: str) -> str | None:
    """Say that a pattern never fits what it seems to: a `[` that nothing closes stands for itself. None: it is whole.

    The rule is that of `fnmatch`: a `]` right after `[` or `[!` is one of the characters.
    """
    left = re.sub(r"\[!?+.[^]]*\]", "", pattern, flags=re.DOTALL)
    if "[" not in left:
        return None
    return f"the pattern {pattern!r} has a [ without its ]: write [[] for the character itself."


def verdicts(rules: Rules, grants: Sequence[Asked]) -> list[Verdict]:
    """What the rules say against grants; nothing if all are kept.

    Args:
        rules: the rules.
        grants: all grants that are seen; how many admins a deployment has is counted among these.
    """
    found = [verdict for asked in grants for verdict in verdicts_of_one(rules, asked)]
    return [*found, *_too_many_admins(rules, grants)]


def verdicts_of_one(rules: Rules, asked: Asked) -> Iterator[Verdict]:
    """What the rules about single grants say against one."""
    whose = f"Token {named(asked.org_token_name, asked.org_token_id)} in deployment {_where(asked)}"
    allowed = _role_is_allowed(rules, asked)
    if allowed is not True:
        yield _verdict(Rule.ROLE, allowed, f"{whose}: the role {_shown(asked.role)} may not be given there.", asked)
    may_be_admin = _may_be_admin(rules, asked)
    if may_be_admin is not True:
        yield _verdict(Rule.ADMIN, may_be_admin, f"{whose}: this token may not be {ADMIN}.", asked)
    if not asked.is_of_a_resource:
        return
    if rules.protect is not None and asked.protect is not True:
        kept = _unless(_holds(rules, rules.protect, asked), broken=asked.protect is False)
        if kept is not True:
            yield _verdict(Rule.PROTECT, kept, f"{whose}: the binding must be protected (protect=True).", asked)
    if rules.no_overwrite is not None and asked.overwrite is not False:
        kept = _unless(_holds(rules, rules.no_overwrite, asked), broken=asked.overwrite is True)
        if kept is not True:
            yield _verdict(Rule.OVERWRITE, kept, f"{whose}: the binding must not overwrite a role.", asked)


def _too_many_admins(rules: Rules, grants: Iterable[Asked]) -> Iterator[Verdict]:
    if rules.most_admins is None:
        return
    admins = [asked for asked in grants if asked.role and same_role(asked.role, ADMIN) and asked.deployment_id]
    counted = Counter(asked.deployment_id for asked in admins)
    for deployment_id, number in counted.items():
        if number > rules.most_admins:
            there = tuple(asked for asked in admins if asked.deployment_id == deployment_id)
            names = ", ".join(sorted(named(one.org_token_name, one.org_token_id) for one in there))
            text = (
                f"Deployment {_where(there[0])} would have {number} tokens that are {ADMIN}, and at most "
                f"{rules.most_admins} are allowed: {names}."
            )
            yield Verdict(Rule.ADMINS, text, there)


def _role_is_allowed(rules: Rules, asked: Asked) -> bool | None:
    if not rules.roles:
        return True
    possible: set[bool | None] = set()
    for pattern, roles in rules.roles:
        fit = fits([pattern], asked.places)
        if fit is False:
            continue
        possible.add(_is_among(asked.role, roles))
        if fit is True:
            break
    else:
        possible.add(True)
    return possible.pop() if len(possible) == 1 else None


def _is_among(role: str | None, roles: Iterable[str]) -> bool | None:
    patterns = [one.lower() for one in roles]
    return fits(patterns, [role if role is None else role.lower()])


def _may_be_admin(rules: Rules, asked: Asked) -> bool | None:
    if rules.admin_tokens is None or (asked.role is not None and not same_role(asked.role, ADMIN)):
        return True
    named = fits(rules.admin_tokens, asked.tokens)
    if named is True or (named is False and asked.role is not None):
        return named
    return None


def _holds(rules: Rules, where: Where, asked: Asked) -> bool | None:
    return True if where is Where.EVERYWHERE else fits(rules.production, asked.places)


def _unless(holds: bool | None, *, broken: bool) -> bool | None:  # noqa: FBT001  a value, not a switch
    """Return whether a rule is kept that holds, does not hold or may hold here."""
    if holds is False:
        return True
    return False if holds and broken else None


def _verdict(rule: Rule, kept: bool | None, text: str, asked: Asked) -> Verdict:  # noqa: FBT001  as above
    if kept is False:
        return Verdict(rule, text, (asked,))
    return Verdict(rule, f"{text.removesuffix('.')} (it depends on what is not known yet).", (asked,), decided=False)


def _where(asked: Asked) -> str:
    return named(asked.deployment_name, asked.deployment_id)


def named(name: str | None, identifier: str | None) -> str:
    """A token or a deployment in a sentence: its name, then its id, as far as they are known."""
    if name is None:
        return identifier or "(not known yet)"
    return f"{name!r} ({identifier})" if identifier else repr(name)


def _shown(role: str | None) -> str:
    return role or "(not known yet)"
