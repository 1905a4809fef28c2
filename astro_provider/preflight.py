"""What a preview says about a binding before anything is written.

What cannot exist yet is a warning, what exists and contradicts is an error. A role or a token *name* may be about to be
made by the same program, so a preview must not fail on it. An *id* that does not exist, a token of the wrong scope, a
deployment in another workspace can never become right. Where the change would be a replacement, what cannot exist yet
is an error as well, because the old grant would be taken away for nothing.

A value that is still unknown is not looked at; the check comes again when it is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from astro_provider.api import ApiToken, Deployment
from astro_provider.errors import InputError, ServiceError
from astro_provider.hints import nearest, no_deployment, other_workspace, that_is_the_name_of
from astro_provider.identity import BindingId
from astro_provider.reading.reader import Reader
from astro_provider.roles import ORGANIZATION, same_role, wrong_scope
from astro_provider.values import IDENTITY, UNKNOWN, Inputs, binding_in, known
from astro_provider.writing.changes import Add


class Weight(Enum):
    """How much a finding weighs: an error stops, a warning may come true, a note is for the reader."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """Something to say about one property of a binding."""

    weight: Weight
    property_name: str
    text: str

    def as_error(self) -> InputError:
        """The finding as an error on its property."""
        return InputError(self.property_name, self.text)


@dataclass(frozen=True)
class Situation:
    """Where a binding stands.

    Attributes:
        stored: the inputs that the state holds; None where the resource is not in the state. Parts of them may be
            missing: what had not been found when they were stored.
        given_by: by which property the program gives the token.
        about_to_write: a create or update asks, so nothing may be missing any more.
    """

    stored: Mapping[str, Any] | None = None
    given_by: str = "org_token_id"
    about_to_write: bool = False

    @property
    def in_state(self) -> bool:
        """Whether the resource is in the stack's state."""
        return self.stored is not None

    @property
    def binding(self) -> BindingId | None:
        """What the resource binds in the state; None where it is not there, or where the state does not tell."""
        return binding_in(self.stored or {})

    def is_replaced_by(self, inputs: Inputs) -> bool:
        """Whether these inputs would replace the binding, as far as the state tells."""
        stored = self.stored or {}
        asked = ((name, getattr(inputs, name)) for name in IDENTITY if name in stored)
        return any(known(value) and value != stored[name] for name, value in asked)

    def missing(self, inputs: Inputs) -> Weight:
        """The weight of a name that does not exist."""
        return Weight.ERROR if self.about_to_write or self.is_replaced_by(inputs) else Weight.WARNING


class Preflight:
    """The examination of a binding against what the service has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def resolve(self, inputs: Inputs, situation: Situation) -> tuple[Inputs, list[Finding]]:
        """Fill the token's id in from its name, or its name from its id.

        Returns:
            The inputs, without an id where no token has the name yet, and what there is to say about it.
        """
        organization_id = inputs.organization_id
        if not known(organization_id):
            return inputs, []
        if known(inputs.org_token_id):
            token = self._reader.token(organization_id, inputs.org_token_id)
            if token is None:
                text = f"no token with the id {inputs.org_token_id} in organization {organization_id}"
                namesakes = self._reader.tokens(organization_id).by_name.get(inputs.org_token_id, [])
                text += that_is_the_name_of(token.id for token in namesakes)
                return inputs, [Finding(Weight.ERROR, "org_token_id", f"{text}.")]
            return replace(inputs, org_token_name=token.name), []
        if known(inputs.org_token_name):
            return self._resolve_name(inputs, organization_id, inputs.org_token_name, situation)
        return replace(inputs, org_token_id=UNKNOWN), []

    def _resolve_name(
        self, inputs: Inputs, organization_id: str, name: str, situation: Situation
    ) -> tuple[Inputs, list[Finding]]:
        certain = situation.in_state or situation.about_to_write
        found = self._reader.tokens_named(organization_id, name, certain=certain)
        if len(found) == 1:
            return replace(inputs, org_token_id=found[0].id), []
        if found:
            ids = ", ".join(sorted(token.id for token in found))
            text = f"{len(found)} tokens are named {name!r}: {ids}. Give org_token_id instead."
            return inputs, [Finding(Weight.ERROR, "org_token_name", text)]
        names = [token.name for token in self._reader.tokens(organization_id).all if token.scope == ORGANIZATION]
        text = f"no token is named {name!r} in organization {organization_id}{nearest(name, names)}"
        if certain:
            text += self._name_now(situation.binding)
            return inputs, [Finding(Weight.ERROR, "org_token_name", f"{text}.")]
        text += (
            f", so its binding to deployment {_shown(inputs.deployment_id)} is possible only if this program makes it"
        )
        return inputs, [Finding(Weight.WARNING, "org_token_name", f"{text}.")]

    def _name_now(self, state: BindingId | None) -> str:
        try:
            held = self._reader.token(state.organization_id, state.token_id) if state else None
        except ServiceError:  # of another organization, for example; the name that is missing must be told all the same
            held = None
        if held is None:
            return ""
        return f"; the token {held.id} that this binding holds is named {held.name!r} now: write that name"

    def examine(self, inputs: Inputs, situation: Situation) -> Iterator[Finding]:
        """Hold resolved inputs against the service and yield what there is to say."""
        if not known(inputs.organization_id):
            return
        deployment = None
        if known(inputs.deployment_id):
            deployment = self._reader.deployment(inputs.organization_id, inputs.deployment_id)
            yield from self._examine_deployment(inputs, deployment)
        if known(inputs.org_token_id) and (token := self._reader.token(inputs.organization_id, inputs.org_token_id)):
            yield from _examine_token(inputs, token, deployment, situation.given_by)
        if known(inputs.role):
            yield from self._examine_role(inputs, inputs.role, deployment, situation)

    def examine_existing(self, inputs: Inputs, *, kept: bool) -> Iterator[Finding]:
        """Say what a binding that is new to this stack will meet in the service.

        Args:
            inputs: resolved inputs.
            kept: another resource of this program has the binding in the state.
        """
        binding = inputs.binding
        if binding is None or not known(inputs.role):
            return
        existing = self._reader.assignment(binding, confirm_absence=False)
        if existing is None:
            return
        deployment = self._reader.deployment(binding.organization_id, binding.deployment_id)
        whose = f"token {existing.token.name!r} ({binding.token_id}) already holds the role {existing.role}"
        where = f"in deployment {_named(inputs, deployment)}"
        if kept and (inputs.overwrite is True or same_role(existing.role, inputs.role)):
            text = f"{whose} {where} through another resource of this program: unless this replaces it, the update will refuse it. Remove one of the two."
            yield Finding(Weight.WARNING, "role", text)
        elif same_role(existing.role, inputs.role):
            text = f"{whose} {where}: unless this replaces it, it will be adopted, and destroy will remove it. Another stack may own it."
            yield Finding(Weight.NOTE, "role", text)
        elif inputs.overwrite is True:
            text = f"{whose} {where}: overwrite will change it to {inputs.role}. Another stack may own it."
            yield Finding(Weight.NOTE, "role", text)
        elif inputs.overwrite is False and (refusal := Add(binding, inputs.role).refusal(existing.role)):
            yield Finding(Weight.ERROR, "role", str(refusal))

    def _examine_deployment(self, inputs: Inputs, deployment: Deployment | None) -> Iterator[Finding]:
        organization_id, deployment_id = str(inputs.organization_id), str(inputs.deployment_id)
        if deployment is None:
            everywhere = self._reader.deployments(organization_id).values()
            text = no_deployment(everywhere, organization_id, deployment_id)
            yield Finding(Weight.ERROR, "deployment_id", text)
        elif known(inputs.workspace_id) and deployment.workspace_id != inputs.workspace_id:
            yield Finding(Weight.ERROR, "workspace_id", other_workspace(deployment, inputs.workspace_id))

    def _examine_role(
        self, inputs: Inputs, name: str, deployment: Deployment | None, situation: Situation
    ) -> Iterator[Finding]:
        organization_id = str(inputs.organization_id)
        weight = situation.missing(inputs)
        role = self._reader.role(organization_id, name, certain=weight is Weight.ERROR)
        if role is None:
            names = [found.name for found in self._reader.roles(organization_id).values()]
            text = f"no deployment role is named {name!r} in organization {organization_id}{nearest(name, names)}"
            if weight is Weight.WARNING:
                text += f", so {_whose(inputs, deployment)} can be given it only if this program makes it"
            yield Finding(weight, "role", f"{text}.")
        elif (
            deployment
            and deployment.workspace_id
            and role.restricted_workspace_ids
            and deployment.workspace_id not in role.restricted_workspace_ids
        ):
            text = (
                f"the role {role.name} is restricted to workspace {', '.join(role.restricted_workspace_ids)}, and "
                f"deployment {deployment.name!r} ({deployment.id}) belongs to {deployment.workspace_id}."
            )
            yield Finding(Weight.ERROR, "role", text)


def _examine_token(inputs: Inputs, token: ApiToken, deployment: Deployment | None, given_by: str) -> Iterator[Finding]:
    whose = _whose(inputs, deployment)
    if reason := wrong_scope(token):
        yield Finding(Weight.ERROR, given_by, reason)
    if token.has_expired(datetime.now(UTC)):
        text = f"token {token.name!r} ({token.id}) expired on {token.end_at:%Y-%m-%d}: {whose} opens nothing."
        yield Finding(Weight.WARNING, given_by, text)
    if token.kind == "DIRECT_ACCESS":
        text = f"token {token.name!r} ({token.id}) is of kind DIRECT_ACCESS: {whose} may open nothing."
        yield Finding(Weight.WARNING, given_by, text)


def _whose(inputs: Inputs, deployment: Deployment | None) -> str:
    token = inputs.org_token_name if known(inputs.org_token_name) else inputs.org_token_id
    return f"token {_shown(token)!r} in deployment {_named(inputs, deployment)}"


def _named(inputs: Inputs, deployment: Deployment | None) -> str:
    return f"{deployment.name!r} ({deployment.id})" if deployment else _shown(inputs.deployment_id)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "(not known yet)"
