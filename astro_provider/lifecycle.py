"""What check, diff, create, read, update and delete of a binding mean, on typed values.

Pulumi is not known here, so that the same code can sit behind another engine. `provider.py` hands every call in and
every answer out; `preflight.py` says what a preview says; `reader.py` reads, and `writer.py` alone writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from astro_provider import notices
from astro_provider.claims import Claims, Delete, Spelling
from astro_provider.errors import AstroProviderError, BindingConflict, InvalidInputs, NotFound, WriteRefused
from astro_provider.identity import BindingId
from astro_provider.preflight import Finding, Preflight, Situation, Weight
from astro_provider.reading.reader import Reader
from astro_provider.roles import dag_roles_in, require_roles, same_role
from astro_provider.settings import PreviewChecks, Settings
from astro_provider.values import FACTS, IDENTITY, IN_PLACE, Inputs, binding_in, outputs, parse_inputs
from astro_provider.writing.changes import Add, Put, Remove
from astro_provider.writing.locks import TokenLocks
from astro_provider.writing.writer import Writer

Properties = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """The inputs with what `check` filled in, and the problems, each on a property ("" where on none)."""

    inputs: Properties
    problems: list[tuple[str, str]]


@dataclass(frozen=True)
class Difference:
    """What would change: nothing, some properties in place, or the binding's identity."""

    changes: bool
    replaces: list[str]


class Lifecycle:
    """The life of bindings in one process; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        client = settings.client()
        self._reader = Reader(client)
        self._writer = Writer(
            client,
            TokenLocks(settings.host, settings.lock_directory),
            settle_seconds=settings.settle_seconds,
            timeout_seconds=settings.timeout_seconds,
        )
        self._preflight = Preflight(self._reader)
        self._claims = Claims()

    @classmethod
    def from_process(cls, config: Callable[[str], Any]) -> Lifecycle:
        """Build from the environment and the stack's configuration."""
        return cls(Settings.find(config, os.environ))

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Checked:
        """Examine what the program asks for, fill in what it left to be found, and claim the binding.

        Args:
            olds: the stored inputs; empty for a new binding, and for the second check of a replacement.
            news: the program's inputs.
        """
        # `pulumi import` has what it is about to store checked against itself; that is complete already.
        as_stored = dict(olds) == dict(news)
        try:
            inputs, findings = self._examine(olds, parse_inputs(news, resolved=as_stored))
        except InvalidInputs as invalid:
            return Checked(dict(news), [(problem.property_name, problem.reason) for problem in invalid.problems])
        except AstroProviderError as error:
            return Checked(dict(news), [("", str(error))])
        strict = self._settings.preview_checks is PreviewChecks.STRICT
        problems = []
        for finding in findings:
            if finding.weight is Weight.ERROR or (strict and finding.weight is Weight.WARNING):
                problems.append((finding.property_name, finding.text))
            elif finding.weight is Weight.WARNING:
                notices.warn(finding.text)
            else:
                notices.note(finding.text)
        return Checked(inputs.properties(), problems)

    def _examine(self, olds: Mapping[str, Any], inputs: Inputs) -> tuple[Inputs, list[Finding]]:
        given_by_name = inputs.org_token_name is not None
        given_by = "org_token_name" if given_by_name else "org_token_id"
        situation = Situation(stored=olds or None, given_by=given_by)
        findings: list[Finding] = []
        if self._settings.preview_checks is PreviewChecks.OFF:
            inputs = self._unresolved(inputs, olds)
        else:
            inputs, findings = self._preflight.resolve(self._with_organization(inputs), situation)
            same_token = inputs.org_token_id == olds.get("org_token_id")
            if not given_by_name and same_token and not situation.is_replaced_by(inputs):
                # A token that is given by id and renamed in Astro is nobody's change in the program.
                inputs = replace(inputs, org_token_name=olds.get("org_token_name", inputs.org_token_name))
        self._claim_in_check(inputs, situation)
        if self._settings.preview_checks is not PreviewChecks.OFF:
            findings += self._preflight.examine(inputs, situation)
            binding = inputs.binding
            if binding and (not situation.in_state or situation.is_replaced_by(inputs)):
                findings += self._preflight.examine_existing(inputs, kept=self._claims.is_stored(binding))
        return inputs, findings

    def _claim_in_check(self, inputs: Inputs, situation: Situation) -> None:
        claimed = inputs.binding or _spelling(vars(inputs), situation.given_by)
        if claimed is not None:
            self._claims.checked(
                claimed,
                stored=claimed == (situation.binding or _spelling(situation.stored or {}, situation.given_by)),
                to_be_created=not situation.in_state or situation.is_replaced_by(inputs),
            )

    def _unresolved(self, inputs: Inputs, olds: Mapping[str, Any]) -> Inputs:
        """Fill in what the state tells of a binding that is spelled as it was, without asking the service."""
        notices.note("previewChecks is off: nothing was checked against Astro; names are compared by their spelling.")
        organization_id = inputs.organization_id or self._settings.organization_id or olds.get("organization_id")
        inputs = replace(inputs, organization_id=organization_id)
        if inputs.org_token_id is not None and inputs.org_token_id == olds.get("org_token_id"):
            return replace(inputs, org_token_name=olds.get("org_token_name"))
        if inputs.org_token_name is not None and inputs.org_token_name == olds.get("org_token_name"):
            return replace(inputs, org_token_id=olds.get("org_token_id"))
        return inputs

    def diff(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Difference:
        """Compare stored outputs with checked inputs.

        A value that is still unknown counts as a change. What `check` could not find (previewChecks is off) counts as
        none; the name or id beside it is compared by its spelling.
        """
        replaces = [name for name in IDENTITY if name in news and news[name] != olds.get(name)]
        in_place = [name for name in IN_PLACE if (news.get(name) or None) != (olds.get(name) or None)]
        if "org_token_name" in in_place and "org_token_name" not in news:
            in_place.remove("org_token_name")
        if (stored := binding_in(olds)) and not replaces:
            self._identify(news, stored)
        return Difference(changes=bool(replaces or in_place), replaces=replaces)

    def create(self, properties: Mapping[str, Any]) -> tuple[BindingId, Properties]:
        """Give the token its role in the deployment, or adopt the same role that is there.

        Returns:
            The binding's id, and its outputs.
        """
        inputs, binding = self._ready(properties)
        self._identify(properties, binding)
        with self._claims.claim(binding) as first:
            if not first:
                raise BindingConflict(
                    f"Two resources of this program bind {binding.sentence}. Nothing was written for the second: "
                    "remove it."
                )
            return binding, self._write(inputs, Add(binding, str(inputs.role), overwrite=bool(inputs.overwrite)))

    def _identify(self, checked: Mapping[str, Any], binding: BindingId) -> None:
        """Tell the claims the ids of a binding that `check` could claim by its spelling only."""
        for given_by in ("org_token_name", "org_token_id"):
            if spelling := _spelling(checked, given_by):
                self._claims.identify(spelling, binding)

    def update(self, identifier: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Change the role in place; put the binding back where it vanished. Other changes write nothing.

        Returns:
            The binding's outputs.
        """
        stored = BindingId.parse(identifier)
        inputs, binding = self._ready(news, stored=olds)
        if binding != stored:
            raise BindingConflict(
                f"{stored} cannot become {binding} in place, and nothing was written. The preview could not tell, because "
                "previewChecks is off: preview with it on, which shows the replacement."
            )
        if same_role(str(inputs.role), olds.get("role")):
            facts = {name: olds[name] for name in (*FACTS, "org_token_name") if name in olds}
            return {**facts, **inputs.properties()}
        return self._write(inputs, Put(binding, str(inputs.role)))

    def _write(self, inputs: Inputs, change: Put) -> Properties:
        try:
            token = self._writer.write(change)
        except NotFound:
            raise NotFound(
                f"There is no token {change.binding.token_id} in organization {change.binding.organization_id} any more, "
                f"so it was not bound to deployment {change.binding.deployment_id}. Run `pulumi refresh`, or give the "
                "token that took its place."
            ) from None
        self._reader.written(change.binding.organization_id, token)
        return outputs(inputs, token)

    def delete(self, identifier: str, olds: Mapping[str, Any]) -> None:
        """Take the role away. What is gone already, and what the program claims under another name, is left alone.

        Args:
            identifier: the binding's id.
            olds: the stored outputs.
        """
        binding = BindingId.parse(identifier)
        spellings = [_spelling(olds, given_by) for given_by in ("org_token_name", "org_token_id")]
        with self._claims.deleting(binding, [spelling for spelling in spellings if spelling]) as decision:
            if decision is Delete.GOES_ON:
                self._remove(binding)
            elif decision is Delete.REFUSED:
                raise BindingConflict(
                    f"{binding.sentence} was not removed: another resource of this program binds the two as well, and "
                    "could not be created. Mend that resource's error and run again."
                )
            else:
                notices.note(
                    f"{binding.sentence} keeps its role: another resource of this program binds the two (a rename?)."
                )

    def _remove(self, binding: BindingId) -> None:
        try:
            token = self._writer.write(Remove(binding))
        except NotFound:
            return  # the token is gone, and its roles with it
        except WriteRefused as refused:
            if not self._reader.deployment_is_gone(binding.organization_id, binding.deployment_id):
                raise
            notices.warn(
                f"{binding.sentence} is gone with its deployment; its entries on the token were left. {refused}"
            )
            return
        self._reader.written(binding.organization_id, token)
        left = dag_roles_in(require_roles(token), binding.deployment_id)
        if left:
            entries = ", ".join(f"{entry.entity_type} {entry.entity_id} ({entry.role})" for entry in left)
            notices.warn(f"{binding.sentence} lost its role, but roles in DAGs of that deployment remain: {entries}.")

    def read(self, identifier: str, olds: Mapping[str, Any]) -> tuple[Properties, Properties] | None:
        """Read the binding by its id.

        Args:
            identifier: the binding's id.
            olds: the stored outputs; empty where the program asks for a binding that must exist.

        Returns:
            Inputs and outputs as they are now; None where the binding is gone.

        Raises:
            NotFound: the binding is gone and must exist.
        """
        binding = BindingId.parse(identifier)
        found = self._reader.assignment(binding, confirm_absence=True)
        if found is None and not olds:
            raise NotFound(f"There is no binding {identifier}: {binding.sentence} holds no role. Check the three ids.")
        if found is None:
            notices.note(f"{binding.sentence} holds no role any more: the binding is taken out of the state.")
            return None
        stored_role = olds.get("role")
        inputs = Inputs(
            organization_id=binding.organization_id,
            deployment_id=binding.deployment_id,
            org_token_id=binding.token_id,
            org_token_name=found.token.name,
            # The service does not care about case, so the user's spelling is no drift.
            role=stored_role if stored_role and same_role(stored_role, found.role) else found.role,
            workspace_id=olds.get("workspace_id"),
            overwrite=bool(olds.get("overwrite")),
        )
        return inputs.properties(), outputs(inputs, found.token)

    def _ready(
        self, properties: Mapping[str, Any], *, stored: Mapping[str, Any] | None = None
    ) -> tuple[Inputs, BindingId]:
        """The inputs of a create or update, with nothing left to be found and nothing that contradicts.

        Raises:
            InputError: something contradicts, or a name does not exist.
        """
        inputs = self._with_organization(parse_inputs(properties, resolved=True))
        given_by = "org_token_name" if inputs.org_token_id is None else "org_token_id"
        situation = Situation(stored=stored, given_by=given_by, about_to_write=True)
        findings: list[Finding] = []
        if inputs.org_token_id is None:
            inputs, findings = self._preflight.resolve(inputs, situation)
        findings += self._preflight.examine(inputs, situation)
        for finding in findings:
            if finding.weight is Weight.ERROR:
                raise finding.as_error()
        binding = inputs.binding
        if binding is None:
            raise AssertionError("the engine asked for a write while a value was unknown")
        return inputs, binding

    def _with_organization(self, inputs: Inputs) -> Inputs:
        if inputs.organization_id is not None:
            return inputs
        return replace(inputs, organization_id=self._reader.organization_id(self._settings.organization_id))


def _spelling(properties: Mapping[str, Any], given_by: str) -> Spelling | None:
    """How properties spell a binding, with the token by that property; None if a part is missing or unknown."""
    deployment_id, token = properties.get("deployment_id"), properties.get(given_by)
    return Spelling(deployment_id, token) if isinstance(deployment_id, str) and isinstance(token, str) else None
