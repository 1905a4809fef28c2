"""What is right about a binding and what contradicts, before anything is written.

- What cannot exist yet is a warning, what exists and contradicts is an error. A token, a deployment or a role *name* may
  be about to be made by the same program, so a preview must not fail on it. A token of the wrong scope or a deployment in
  another workspace can never become right.
- If the change would be a replacement, what cannot exist yet is an error as well, because the old grant would be taken
  away for nothing.
- What is in the state and does not change cannot fail: a deployment that was deleted or a token that was renamed in
  Astro must not stop the rest of the stack, so each error about it is a warning with the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from astro_provider.astro.api import ApiToken, Deployment, Role
from astro_provider.astro.hints import nearest_names, other_workspace
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import same_role, wrong_scope
from astro_provider.astro.writing.changes import Add
from astro_provider.lifecycle.resolving import Resolved
from astro_provider.lifecycle.situation import Finding, Situation, Weight
from astro_provider.lifecycle.values import Inputs, known
from astro_provider.messages.words import sentence

# Built-in roles of other scopes begin like this (https://www.astronomer.io/docs/astro/user-permissions).
OTHER_SCOPES = ("ORGANIZATION_", "WORKSPACE_", "DAG_")


class Preflight:
    """The examination of a binding against what the service has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def examine(self, resolved: Resolved, situation: Situation) -> Iterator[Finding]:
        """Yield what there is to say about a binding: names and ids first, then what they stand for."""
        inputs, token, deployment = resolved.inputs, resolved.token, resolved.deployment
        weighed = [*resolved.findings]
        if deployment and known(inputs.workspace_id) and deployment.workspace_id != inputs.workspace_id:
            weighed.append(Finding(Weight.ERROR, "workspace_id", other_workspace(deployment, inputs.workspace_id)))
        if token is not None:
            weighed += _examine_token(inputs, token, situation.asked.token_given_by)
        if known(inputs.organization_id) and known(inputs.role):
            weighed += self._examine_role(resolved, inputs.role, situation)
        unchanged = situation.is_unchanged_by(inputs) and not situation.about_to_write
        for finding in weighed:
            stays = unchanged and finding.weight is Weight.ERROR
            yield replace(finding, weight=Weight.WARNING) if stays else finding

    def examine_existing(self, resolved: Resolved, *, stored: bool) -> Iterator[Finding]:
        """Say what a binding that is new to this stack will meet in the service.

        Args:
            resolved: the binding.
            stored: another resource of this program has the binding in the state, or this one, which is replaced by force.
        """
        inputs = resolved.inputs
        binding = inputs.binding
        if binding is None or not known(inputs.role):
            return
        there = self._reader.role_of(binding, confirm_absence=False)
        if there is None:
            return
        who = f"{sentence(inputs.token_in_words)} already has the role {there.role} in {inputs.deployment_in_words}"
        same = same_role(there.role, inputs.role)
        if stored:
            text = f"{who} through another resource of this program: remove one of the two, unless this one replaces that one."
            yield Finding(Weight.WARNING, "role", text)
        elif same:
            text = (
                f"{who}. It will be adopted unchanged, and a later destroy will remove it. If this is a rename within this "
                "stack, the role stays. Otherwise another stack may own it; and if a resource of another kind gave it and "
                "leaves this program in the same run, the role goes with it."
            )
            yield Finding(Weight.NOTE, "role", text)
        elif inputs.overwrite is True:
            text = f"{who}: overwrite will change {there.role} → {inputs.role}. Another stack may own it."
            yield Finding(Weight.NOTE, "role", text)
        elif inputs.overwrite is False and (
            refusal := Add(binding, inputs.role, called=inputs.in_words).refusal(there.role)
        ):
            yield Finding(Weight.ERROR, "role", str(refusal))

    def _examine_role(self, resolved: Resolved, name: str, situation: Situation) -> Iterator[Finding]:
        inputs, deployment, role = resolved.inputs, resolved.deployment, resolved.role
        if role is None:
            text, can_never_be = no_such_role(self._reader, str(inputs.organization_id), name)
            if can_never_be:
                yield Finding(Weight.ERROR, "role", f"{text}.")
                return
            weight = situation.weight_of_a_missing_name(inputs)
            if weight is Weight.WARNING:
                text += f", so {inputs.token_in_words} cannot get it in {inputs.deployment_in_words}. The update will fail unless this program also creates that role"
            yield Finding(weight, "role", f"{text}.")
        elif deployment and (reason := restriction(role, deployment)):
            yield Finding(Weight.ERROR, "role", reason)


def no_such_role(reader: Reader, organization_id: str, name: str) -> tuple[str, bool]:
    """Say that no deployment role has a name, without the full stop, and whether none can ever have it."""
    names = [found.name for found in reader.roles(organization_id).values()]
    text = f"No deployment role is named {name!r} in organization {organization_id}{nearest_names(name, names)}"
    if name.startswith(OTHER_SCOPES) and name.isupper():
        return f"{text}. It is named like a built-in role of another scope, which a deployment can never have", True
    return text, False


def restriction(role: Role, deployment: Deployment) -> str | None:
    """Say that a role is not for the deployment's workspace; None if it is, or if nobody can tell."""
    allowed, workspace_id = role.restricted_workspace_ids, deployment.workspace_id
    if not allowed or not workspace_id or workspace_id in allowed:
        return None
    return (
        f"The role {role.name} is restricted to workspace {', '.join(allowed)}, and deployment {deployment.name!r} "
        f"({deployment.id}) belongs to {workspace_id}."
    )


def _examine_token(inputs: Inputs, token: ApiToken, given_by: str) -> Iterator[Finding]:
    named = f"Token {token.name!r} ({token.id})"
    where = inputs.deployment_in_words
    if reason := wrong_scope(token):
        yield Finding(Weight.ERROR, given_by, reason)
    if token.has_expired(datetime.now(UTC)):
        text = f"{named} expired on {token.end_at:%Y-%m-%d}, so this role gives no access in {where}."
        yield Finding(Weight.WARNING, given_by, text)
    if token.kind == "DIRECT_ACCESS":
        text = (
            f"{named} is of kind DIRECT_ACCESS, which is made for calls to Airflow itself, and Astro does not document what "
            f"a role gives it in {where}. Try what it opens, or use a token of kind STANDARD."
        )
        yield Finding(Weight.WARNING, given_by, text)
