"""What check, diff, create, read, update and delete of a binding mean, on typed values.

Pulumi is not known here, so that the same code can sit behind another engine. `provider.py` hands every call in and
every answer out; `preflight.py` says what a preview says; `reading/` reads, and `writing/` alone writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import dag_roles_in, require_organization_scope, require_roles, same_role
from astro_provider.astro.writing.account import NOTHING_LOST
from astro_provider.astro.writing.changes import Add, Put, Remove
from astro_provider.errors import (
    AbsenceNotProven,
    AstroProviderError,
    BindingConflict,
    InputError,
    Kept,
    NotFound,
    SettingsError,
    UnexpectedAnswer,
    WriteNotConfirmed,
    WriteRefused,
)
from astro_provider.lifecycle import failure
from astro_provider.lifecycle.checking import Checking, Difference, Properties, within_its_time
from astro_provider.lifecycle.claims import Claimant, Delete, Exchange, State, twin_in_words
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import Finding, Weight
from astro_provider.lifecycle.preflight import examine_existing
from astro_provider.lifecycle.situation import Situation, examine_binding, look_up_binding
from astro_provider.lifecycle.spelling import filled_in_by_spelling, spellings
from astro_provider.lifecycle.values import (
    IDENTITY,
    NAMES,
    Inputs,
    Parser,
    Stored,
    Text,
    known,
    outputs,
    parse_inputs,
)
from astro_provider.messages import notices
from astro_provider.messages.words import in_words, sentence
from astro_provider.names import UNFINISHED


class Lifecycle(Checking[Inputs]):
    """The life of bindings in one process; safe to share between threads."""

    def _parse(self, news: Mapping[str, Any], parser: Parser) -> Inputs:
        return parse_inputs(news, parser)

    def _examine(self, asked: Inputs, olds: Mapping[str, Any], urn: str) -> tuple[Inputs, list[Finding]]:
        by, situation = Claimant(urn), Situation(asked, Stored.parse(olds) if olds else None)
        reader = self._reader_for(asked)
        inputs, found = look_up_binding(reader, situation)
        binding = inputs.binding
        is_new = situation.stored is None or situation.is_replaced_by(inputs)
        claimed: list[Finding] = []
        if binding is not None:
            state = State.WANTED if is_new else State.STORED
            claimed = [*self._claim(binding, by, state, inputs.role, inputs.in_words, "")]
        inputs, examined = examine_binding(reader, situation, inputs, found)
        findings = [*claimed, *examined.findings]
        if reader is not None and binding is not None and is_new and known(inputs.role) and not claimed:
            there = {binding: reader.role_of(binding, confirm_absence=False)}
            stored = [binding] if self._claims.is_stored(binding) else []
            findings += examine_existing(examined, there, in_the_program=stored)
        return inputs, findings

    def _check_by_spelling(self, asked: Inputs, olds: Mapping[str, Any], urn: str) -> Inputs:
        """Fill in what the state tells of a binding that is spelled as it was, and claim it."""
        stored = Stored.parse(olds) if olds else None
        state = stored or Stored()
        inputs = filled_in_by_spelling(asked, state, self._settings.organization_id)
        to_be_created = stored is None or Situation(asked, stored).is_replaced_by(inputs)
        for claimed in [inputs.binding] if inputs.binding else spellings(asked):
            is_stored = claimed == state.binding or claimed in set(spellings(state))
            if to_be_created:
                how = State.WANTED
            elif is_stored or isinstance(claimed, BindingId):
                how = State.STORED
            else:
                how = State.PERHAPS
            self._claims.checked(claimed, Claimant(urn), how)
        return inputs

    def diff(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Difference:
        """Compare stored outputs with checked inputs.

        A value that is still unknown counts as a change. What `check` could not find (previewChecks is off), and a name
        that a state of an earlier version lacks, counts as none.
        """
        stored, checked = Stored.parse(olds), Stored.parse(news)
        if stored.binding is None and (binding := _binding_of(call.id)) is not None:
            stored = stored.of(binding)
            notices.warn(
                f"The state of {checked.of(binding).in_words} is incomplete: its outputs have lost the ids. The update writes them "
                "again, and nothing changes in Astro for it."
            )
        replaces = [name for name in IDENTITY if _differs(getattr(checked, name), getattr(stored, name))]
        in_place = (
            not (known(checked.role) and known(stored.role) and same_role(checked.role, stored.role))
            or any(_differs(getattr(checked, name), getattr(stored, name) or getattr(checked, name)) for name in NAMES)
            or checked.workspace_id != stored.workspace_id
            or checked.overwrite != stored.overwrite
        )
        if stored.binding is None or replaces:
            return Difference(changes=bool(replaces) or in_place, replaces=replaces)
        self._identify(checked, stored.binding)
        beyond_inputs = self._claims.is_taken(stored.binding) or (stored.unfinished and not in_place)
        return Difference(changes=in_place or beyond_inputs, replaces=[], beyond_inputs=beyond_inputs)

    @within_its_time
    def create(self, call: EngineCall, properties: Mapping[str, Any]) -> tuple[BindingId, Properties]:
        """Give the token its role in the deployment, or adopt the same role that is there.

        Returns:
            The binding's id, and its outputs.
        """
        checked = Stored.parse(properties)
        try:
            inputs, binding = self._ready(properties)
        except AstroProviderError:
            for claimed in [checked.binding] if checked.binding else spellings(checked):
                self._claims.could_not_be_created(claimed, Claimant(call.urn))
            raise
        self._identify(checked, binding)
        by = Claimant(call.urn)
        with self._claims.exchanging(by, gives={binding: str(inputs.role)}) as exchange:
            _refuse_twin(by, exchange, inputs)
            if exchange.may_be_own:
                # A replacement that failed in an earlier run, after its delete, comes like a second resource. Its role is
                # not there, or just as it is asked for if the create failed after its write: then it must not be stuck.
                there = self._readers.of(binding.organization_id).role_now(binding)
                if there is not None and not same_role(there, str(inputs.role)):
                    raise BindingConflict(f"Nothing was written. {twin_in_words(by, by, inputs.in_words)}")
            add = Add(binding, str(inputs.role), overwrite=bool(inputs.overwrite), called=inputs.in_words)
            return binding, self._write(inputs, add, inputs.properties())

    def _identify(self, checked: Stored, binding: BindingId) -> None:
        """Tell the claims the ids of a binding that `check` could claim by its spelling only."""
        for spelling in spellings(checked):
            self._claims.identify(spelling, binding)

    @within_its_time
    def update(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Change the role in place; put the binding back if it vanished. Other changes write nothing.

        Returns:
            The binding's outputs.
        """
        stored_id, stored = BindingId.parse(call.id), Stored.parse(olds)
        asked = self._with_organization(parse_inputs(news))
        anew = self._claims.is_taken(stored_id) or stored.unfinished
        same = known(asked.role) and same_role(asked.role, str(stored.role)) and not anew
        if asked.binding == stored_id and same and not self._gives_an_unchecked_name(asked, stored):
            return {**stored.facts, **asked.properties()}
        inputs, binding = self._ready(news, stored)
        if binding != stored_id:
            raise BindingConflict(
                f"{sentence(stored.of(stored_id).in_words)} cannot become {inputs.in_words} in place, and nothing was written. The "
                "preview could not tell, because previewChecks is off: preview with it on, which shows the replacement."
            )
        if same_role(str(inputs.role), str(stored.role)) and not anew:
            return {**stored.facts, **inputs.properties()}
        by = Claimant(call.urn)
        with self._claims.exchanging(by, puts={binding: str(inputs.role)}) as exchange:
            _refuse_twin(by, exchange, inputs)
            return self._write(inputs, Put(binding, str(inputs.role), called=inputs.in_words), olds)

    def _write(self, inputs: Inputs, change: Put, before: Mapping[str, Any]) -> Properties:
        """Give the role, and return the outputs; `failure.py` has what becomes of a write that fails.

        Args:
            inputs: the binding.
            change: what gives it its role.
            before: the outputs to keep, marked, if the role may stand.
        """
        binding, called, role = change.binding, inputs.in_words, change.role
        written = self._writer.write_all([change])
        [outcome] = written.outcomes
        own, others = written.lost.of([binding]), written.lost.without([binding])
        if outcome.token is not None and not written.lost:
            self._readers.of(binding.organization_id).written(outcome.token)
            return outputs(inputs, outcome.token)
        error: Exception | None = outcome.error
        if isinstance(error, NotFound):
            error = NotFound(
                f"There is no {inputs.token_in_words} in organization {binding.organization_id} any more, so it was not "
                f"bound to {inputs.deployment_in_words}. Run `pulumi refresh`, or give the token that took its place."
            )
        elif outcome.may_stand or own.may_stand:
            error = WriteNotConfirmed(f"{error or own.in_words} {failure.may_stand(called, role)}")
            error.kept = Kept(str(binding), {**before, UNFINISHED: True})
        elif own:
            error = own.as_error
        elif outcome.token is not None:
            error = WriteNotConfirmed(failure.although_given(f"{sentence(called)} has the role {role}.", others))
            error.kept, others = Kept(str(binding), outputs(inputs, outcome.token)), NOTHING_LOST
        if error is None:
            raise AssertionError("a change ended neither with a token nor with an error")
        raise failure.with_others(error, others)

    @within_its_time
    def delete(self, call: EngineCall, olds: Mapping[str, Any]) -> None:
        """Take the role away. What is gone already, and what the program claims under another name, is left alone.

        Args:
            call: the engine's.
            olds: the stored outputs.
        """
        binding, stored = BindingId.parse(call.id), Stored.parse(olds)
        called = stored.of(binding).in_words
        with self._claims.exchanging(Claimant(call.urn), takes={binding: spellings(stored)}) as exchange:
            decision = exchange.deletes[binding]
            if decision is Delete.GOES_ON:
                self._remove(binding, called)
            elif decision is Delete.UNCERTAIN:
                raise BindingConflict(
                    f"{sentence(called)} was not removed: another resource of this program has been given a name that may mean the "
                    "same binding, which cannot be told while previewChecks is off. Run again with it on."
                )
            elif decision is Delete.REFUSED:
                raise BindingConflict(
                    f"{sentence(called)} was not removed: another resource of this program binds the two as well, and could not be "
                    "created. Mend that resource's error and run again."
                )
            else:
                notices.note(
                    f"{sentence(called)} keeps its role: another resource of this program binds the two (a rename?)."
                )

    def _remove(self, binding: BindingId, called: str) -> None:
        """Take the role away; `failure.py` has what becomes of a removal that fails."""
        written = self._writer.write_all([Remove(binding, called=called)])
        [outcome] = written.outcomes
        own, others = written.lost.of([binding]), written.lost.without([binding])
        error: Exception | None = outcome.error
        if isinstance(error, NotFound):
            error = None  # the token is gone, and its roles with it
        elif isinstance(error, WriteRefused):
            error = self._unless_gone(binding, called, error)
        if outcome.may_stand or own.may_stand:
            in_doubt = f"{failure.may_be_gone(called)} It stays in the state. {failure.BEFORE_AGAIN}"
            error = WriteNotConfirmed(f"{error or own.in_words} {in_doubt}")
        elif error is None and own:
            error = own.as_error
        elif error is None and others:
            done = f"{sentence(called)} has no role any more."
            error, others = WriteNotConfirmed(failure.although_removed(done, others)), NOTHING_LOST
        if error is not None:
            raise failure.with_others(error, others)
        if outcome.token is None:
            return
        self._readers.of(binding.organization_id).written(outcome.token)
        left = dag_roles_in(require_roles(outcome.token), binding.deployment_id)
        if left:
            entries = ", ".join(f"{entry.entity_type} {entry.entity_id} ({entry.role})" for entry in left)
            notices.warn(f"{sentence(called)} lost its role, but roles in DAGs of that deployment remain: {entries}.")

    def _unless_gone(self, binding: BindingId, called: str, refused: WriteRefused) -> WriteRefused | None:
        """Return the error of a refused removal, unless it is about a deployment that does not exist any more."""
        try:
            if not self._readers.of(binding.organization_id).evidence.gone_deployments([binding.deployment_id]):
                return refused
        except AstroProviderError as unproven:
            return WriteRefused(f"{refused} {unproven}")
        notices.warn(f"{sentence(called)} is gone with its deployment; its entries on the token were left. {refused}")
        return None

    @within_its_time
    def read(self, call: EngineCall, olds: Mapping[str, Any]) -> tuple[Properties, Properties] | None:
        """Read the binding by its id.

        Args:
            call: the engine's.
            olds: the stored outputs; empty if the program asks for a binding that must exist.

        Returns:
            Inputs and outputs as they are now; None if the binding is gone. Without stored outputs, the inputs are what a
            person would write for it.

        Raises:
            NotFound: the binding is gone and must exist.
            AbsenceNotProven: the token is not listed, and the credential may not see all tokens.
            InputError: the binding must exist, and its token is not the organization's.
        """
        binding, stored = BindingId.parse(call.id), Stored.parse(olds)
        reader = self._readers.of(binding.organization_id)
        found = reader.role_of(binding, confirm_absence=True)
        if found is None and not olds:
            raise NotFound(f"There is no binding {call.id}: {binding.in_words} has no role. Check the three ids.")
        if found is None:
            notices.note(
                f"{self._what_is_gone(reader, binding, stored)}, so a refresh takes the binding out of the state."
            )
            return None
        if olds and dead_deployments(reader, [binding.deployment_id]):
            deployment = in_words("deployment", stored.deployment_name, binding.deployment_id)
            notices.note(
                f"{sentence(deployment)} was deleted, so a refresh takes the binding out of the state. Token "
                f"{found.token.name!r} ({binding.token_id}) still has the role {found.role} there, which gives no access."
            )
            return None
        if not olds:
            require_organization_scope(found.token)
        role = stored.role if known(stored.role) and same_role(stored.role, found.role) else found.role
        inputs = Inputs(
            organization_id=binding.organization_id,
            deployment_id=binding.deployment_id,
            deployment_name=stored.deployment_name or (None if olds else _deployment_name(reader, binding)),
            org_token_id=binding.token_id,
            # Ids are the identity, so a name that was changed in Astro is no drift; `check` tells it.
            org_token_name=stored.org_token_name or found.token.name,
            role=role,  # the service does not care about case, so the user's spelling is no drift
            workspace_id=stored.workspace_id,
            overwrite=stored.overwrite,
        )
        return inputs.properties() if olds else self._as_written(reader, inputs), outputs(inputs, found.token)

    def _as_written(self, reader: Reader, inputs: Inputs) -> Properties:
        """What a person would write: each thing by its name, if that means it alone, and nothing that has its default."""
        deployments = [one.name for one in reader.deployments().values()]
        tokens = reader.tokens().by_name
        deployment_name, token_name = inputs.deployment_name, inputs.org_token_name
        by_name = known(deployment_name) and deployments.count(deployment_name) == 1
        token_by_name = known(token_name) and len(tokens.get(token_name, ())) == 1
        with suppress(SettingsError):  # nothing tells the organization, so a person has to
            if reader is self._readers.of(self._settings.organization_id):
                inputs = replace(inputs, organization_id=None)
        written = replace(
            inputs,
            deployment_id=None if by_name else inputs.deployment_id,
            deployment_name=deployment_name if by_name else None,
            org_token_id=None if token_by_name else inputs.org_token_id,
            org_token_name=token_name if token_by_name else None,
        )
        return {name: value for name, value in written.properties().items() if name != "overwrite"}

    def _what_is_gone(self, reader: Reader, binding: BindingId, stored: Stored) -> str:
        token = in_words("token", stored.org_token_name, binding.token_id)
        deployment = in_words("deployment", stored.deployment_name, binding.deployment_id)
        with suppress(AstroProviderError):  # the role is gone all the same: its token has shown that
            if reader.unlisted_deployments([binding.deployment_id]):
                return f"{sentence(deployment)} was deleted"
        if reader.token(binding.token_id) is None:
            return f"{sentence(token)} was deleted"
        return f"{sentence(token)} has no role in {deployment} any more"

    def _gives_an_unchecked_name(self, asked: Inputs, stored: Stored) -> bool:
        """Whether a name is given that the state does not have, and no check has held it against the id."""
        names = ((getattr(asked, name), getattr(stored, name)) for name in NAMES)
        return self.is_unchecked and any(_differs(new, old) for new, old in names)

    def _ready(self, properties: Mapping[str, Any], stored: Stored | None = None) -> tuple[Inputs, BindingId]:
        """The inputs of a create or update, with nothing left to be found and nothing that contradicts.

        Raises:
            InputError: something contradicts, or a name does not exist.
        """
        asked = self._with_organization(parse_inputs(properties))
        situation = Situation(asked, stored, about_to_write=True, unchecked=self.is_unchecked)
        reader = self._reader_for(asked)
        inputs, examined = examine_binding(reader, situation, *look_up_binding(reader, situation))
        for finding in examined.findings:
            if finding.weight is Weight.ERROR:
                raise InputError(finding.place, finding.text)
        if inputs.binding is None:
            raise AssertionError("the engine asked for a write while a value was unknown")
        return inputs, inputs.binding


def _refuse_twin(by: Claimant, exchange: Exchange, inputs: Inputs) -> None:
    for other in exchange.has_another.values():
        raise BindingConflict(f"Nothing was written. {twin_in_words(by, other, inputs.in_words)}")


def _deployment_name(reader: Reader, binding: BindingId) -> str | None:
    deployment = reader.deployments().get(binding.deployment_id)
    return deployment.name if deployment else None


def dead_deployments(reader: Reader, deployment_ids: Collection[str]) -> set[str]:
    """Return those of these deployments that do not exist any more, by evidence, and print a doubt about that.

    An entry on a token is no sign that its deployment exists. So a refresh asks about each deployment whose list of tokens
    the service has not just given, and if that cannot be known, it goes on with what the token shows.
    """
    in_question = [one for one in deployment_ids if not reader.has_listed(one)]
    try:
        return reader.unlisted_deployments(in_question) if in_question else set()
    except (AbsenceNotProven, UnexpectedAnswer) as doubt:
        notices.warn(str(doubt))
    except AstroProviderError:
        pass
    return set()


def _differs(new: Text | None, old: Text | None) -> bool:
    """Whether a checked value is another one than the stored; one that is not there is none."""
    return new is not None and new != old


def _binding_of(identifier: str) -> BindingId | None:
    """The binding of an id; None for that of a resource of another kind, which an alias has made one of ours."""
    try:
        return BindingId.parse(identifier)
    except InputError:
        return None
