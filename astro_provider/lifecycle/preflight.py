"""The rules for a resource before anything is written, for a binding and a table alike.

- What cannot exist yet is a warning, what exists and contradicts is an error. A token, a deployment or a role *name* may
  be about to be made by the same program, so a preview must not fail on it. A token of the wrong scope or a deployment in
  another workspace can never become right.
- If the change would be a replacement, what cannot exist yet is an error as well, because the old grant would be taken
  away for nothing.
- What is in the state and does not change cannot fail: a deployment that was deleted or a token that was renamed in
  Astro must not stop the rest of the stack, so each error about it is a warning with the remedy.

Each deployment, token and role is examined once, however many entries name it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from astro_provider.astro.api import Role
from astro_provider.astro.hints import nearest_names, other_workspace
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Assignment, Reader
from astro_provider.astro.roles import wrong_scope
from astro_provider.astro.writing.changes import Add
from astro_provider.lifecycle.findings import Finding, Weight
from astro_provider.lifecycle.resolving import Examined
from astro_provider.lifecycle.values import Entry, known
from astro_provider.messages.words import sentence

# Built-in roles of other scopes begin like this (https://www.astronomer.io/docs/astro/user-permissions).
OTHER_SCOPES = ("ORGANIZATION_", "WORKSPACE_", "DAG_")


def examine(reader: Reader | None, resolved: Examined, *, missing: Weight, unchanged: Collection[Entry]) -> Examined:
    """Apply the rules to what a resource asks for, except for roles that are there already.

    Args:
        reader: the facts of the organization; None while that is unknown, which leaves nothing to examine.
        resolved: what the resource asks for, looked up.
        missing: how much it weighs that no role has a name.
        unchanged: the entries that are in the state and stay exactly as they are there.
    """
    if reader is None:
        return resolved
    certain = missing is Weight.ERROR
    roles = {name: reader.roles_named(name, certain=certain) for name in resolved.roles.values() if known(name)}
    findings = [
        *resolved.findings,
        *_of_deployments(resolved),
        *_of_tokens(resolved),
        *_of_roles(reader, resolved, roles, missing),
    ]
    stays = frozenset(unchanged)
    return replace(
        resolved,
        roles={
            entry: roles[role][0].name if known(role) and len(roles[role]) == 1 else role
            for entry, role in resolved.roles.items()
        },
        findings=[
            replace(one, weight=Weight.WARNING)
            if one.weight is Weight.ERROR and one.entries and stays.issuperset(one.entries)
            else one
            for one in findings
        ],
    )


def examine_existing(
    reader: Reader,
    examined: Examined,
    there: Mapping[BindingId, Assignment | None],
    in_the_program: Collection[BindingId] = (),
) -> Iterator[Finding]:
    """Yield the findings about roles that new entries of a resource will meet in the service.

    Args:
        reader: the service's facts.
        examined: what the resource asks for.
        there: what each new entry has in the service.
        in_the_program: those that another resource of this program has in the state, or this one, which is replaced by force.
    """
    overwrite = examined.wishes.overwrite
    for binding, held in there.items():
        entry = examined.bindings[binding]
        role, place = examined.roles[entry], entry.place
        token, deployment = examined.tokens[entry.token], examined.deployments[entry.deployment]
        # A token of another scope has a finding of its own, which makes the role that it has there irrelevant.
        if held is None or not known(role) or (token.thing is not None and wrong_scope(token.thing)):
            continue
        exact = reader.letters_count(role)
        add = Add(binding, role, called=examined.in_words(entry), exact=exact)
        who = f"{sentence(token.in_words)} already has the role {held.role} in {deployment.in_words}"
        if binding in in_the_program:
            text = f"{who} through another resource of this program: remove one of the two, unless this one replaces that one."
            yield Finding(Weight.WARNING, place, text)
        elif add.fulfilled_by(held.role):
            text = (
                f"{who}. It will be adopted unchanged, and a later destroy will remove it. If this is a rename or a move "
                "within this stack, the role stays. Otherwise another stack may own it. If another resource (for example a "
                "Command) granted it and this run removes that resource, the role is removed too."
            )
            yield Finding(Weight.NOTE, place, text)
        elif overwrite is True:
            text = f"{who}: overwrite will change {held.role} → {role}. Another stack may own it."
            yield Finding(Weight.NOTE, place, text)
        elif overwrite is False:
            yield Finding(Weight.ERROR, place, str(add.refusal(held.role)))


def _of_deployments(resolved: Examined) -> Iterator[Finding]:
    wishes = resolved.wishes
    if known(wishes.workspace_id):
        for found in resolved.deployments.values():
            # What was not found has a finding of its own; what is still to be made cannot be compared.
            if found.thing is not None and found.thing.workspace_id != wishes.workspace_id:
                place = found.spelled.place if found.spelled.is_key else "workspace_id"
                text = other_workspace(found.thing, wishes.workspace_id)
                yield Finding(Weight.ERROR, place, text, found.spelled.entries)


def _of_tokens(resolved: Examined) -> Iterator[Finding]:
    for found in resolved.tokens.values():
        token, entries = found.thing, found.spelled.entries
        if token is None:
            continue
        named = f"Token {token.name!r} ({token.id})"
        gives, what_it_gives = "its roles give no access", "a role in a deployment gives it"
        if len(entries) == 1:
            where = resolved.deployments[entries[0].deployment].in_words
            gives, what_it_gives = f"this role gives no access in {where}", f"a role gives it in {where}"
        if reason := wrong_scope(token):
            yield Finding(Weight.ERROR, found.spelled.place, reason, entries)
        if token.has_expired(datetime.now(UTC)):
            text = f"{named} expired on {token.end_at:%Y-%m-%d}, so {gives}."
            yield Finding(Weight.WARNING, found.spelled.place, text, entries)
        if token.kind == "DIRECT_ACCESS":
            text = (
                f"{named} is of kind DIRECT_ACCESS, which is made for calls to Airflow itself, and Astro does not document what "
                f"{what_it_gives}. Try what it opens, or use a token of kind STANDARD."
            )
            yield Finding(Weight.WARNING, found.spelled.place, text, entries)


def _of_roles(
    reader: Reader, resolved: Examined, roles: Mapping[str, Sequence[Role]], missing: Weight
) -> Iterator[Finding]:
    # One finding for a role, however many rows of a table ask for it.
    by_role: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry, role in resolved.roles.items():
        if known(role):
            by_role[role].append(entry)
    for name, entries in by_role.items():
        if not roles[name]:
            yield _missing_role(reader, resolved, name, entries, missing)
        elif len(roles[name]) > 1:
            alike = " and ".join(repr(one.name) for one in roles[name])
            text = f"{name!r} may mean {alike}, which are two roles: write the one that is meant as Astro spells it."
            yield Finding(Weight.ERROR, _place_of(entries), text, tuple(entries))
        else:
            yield from _restrictions(resolved, roles[name][0], entries)


def _place_of(entries: Sequence[Entry]) -> str:
    """Return the place of a finding about a role: its first entry, and how many more have it."""
    return entries[0].place + (f" (and in {len(entries) - 1} more)" if len(entries) > 1 else "")


def _missing_role(reader: Reader, resolved: Examined, name: str, entries: Sequence[Entry], missing: Weight) -> Finding:
    nearest = nearest_names(name, [role.name for role in reader.roles()])
    text = f"No deployment role is named {name!r} in organization {reader.organization_id}{nearest}"
    # No program can create a built-in role, so waiting for the update would not help.
    if name.startswith(OTHER_SCOPES) and name.isupper():
        text += ". It is named like a built-in role of another scope, which a deployment can never have"
        missing = Weight.ERROR
    if missing is Weight.WARNING:
        if len(entries) == 1:
            token, deployment = resolved.tokens[entries[0].token], resolved.deployments[entries[0].deployment]
            text += f", so {token.in_words} cannot get it in {deployment.in_words}"
        text += ". The update will fail unless this program also creates that role"
    return Finding(missing, _place_of(entries), f"{text}.", tuple(entries))


def _restrictions(resolved: Examined, role: Role, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Yield that a role is not for a deployment's workspace, unless the answer leaves the workspace out."""
    allowed = role.restricted_workspace_ids
    for entry in entries:
        deployment = resolved.deployments[entry.deployment].thing
        if allowed and deployment and deployment.workspace_id and deployment.workspace_id not in allowed:
            text = (
                f"The role {role.name} is restricted to workspace {', '.join(allowed)}, and deployment "
                f"{deployment.name!r} ({deployment.id}) belongs to {deployment.workspace_id}."
            )
            yield Finding(Weight.ERROR, entry.place, text, (entry,))
