"""The life of a binding: what of it is its own.

Its id has its organization, deployment and token, so another of these is another binding, which replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import require_organization_scope
from astro_provider.astro.writing.account import NOTHING_LOST, Account
from astro_provider.errors import (
    AstroProviderError,
    BindingConflict,
    Kept,
    NotFound,
    SettingsError,
    WriteNotConfirmed,
)
from astro_provider.lifecycle.changing import BEFORE_AGAIN, Made, removal_sent_in_words, sent_in_words
from astro_provider.lifecycle.claims import Claimant, State
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import Finding
from astro_provider.lifecycle.inputs import AS_GIVEN, FACTS, IDENTITY, NAMES, THINGS, Inputs
from astro_provider.lifecycle.life import Life, Properties, dead_deployments, differs, within_its_time
from astro_provider.lifecycle.resolving import Examined
from astro_provider.lifecycle.values import UNKNOWN, known, text_or_none
from astro_provider.messages import notices
from astro_provider.messages.words import sentence
from astro_provider.names import UNFINISHED


class Lifecycle(Life[Inputs]):
    """The life of the bindings of one process; safe to share between threads."""

    values = Inputs
    identity = IDENTITY
    as_given = AS_GIVEN
    with_places = False

    def _check(self, asked: Inputs, olds: Mapping[str, Any], urn: str) -> tuple[Inputs, list[Finding]]:
        examined, findings = self._examine_and_claim(asked, Inputs.stored(olds) if olds else None, Claimant(urn))
        return asked.completed(examined), findings

    def _stays(self, asked: Inputs, stored: Inputs, found: Examined) -> bool:
        names = ((getattr(asked, name), getattr(stored, name)) for name in NAMES)
        renamed = any(given is not None and known(was) and given != was for given, was in names)
        return super()._stays(asked, stored, found) and not found.wishes.about_to_write and not renamed

    def _replaces(self, asked: Inputs, stored: Inputs | None, found: Examined) -> bool:
        if stored is None:
            return False
        inputs = asked.completed(found)
        # A name that changes may mean another id, if the state was made while the checks were off and lacks the id.
        return stored.is_another(inputs) or any(
            getattr(stored, id_) is None and known(was := getattr(stored, name)) and was != getattr(inputs, name)
            for id_, name in THINGS
        )

    def _check_by_spelling(self, asked: Inputs, olds: Mapping[str, Any], urn: str) -> Inputs:
        stored = Inputs.stored(olds)
        inputs = _filled_in(asked, stored, self._settings.organization_id)
        for claimed in inputs.claimed if inputs.binding else asked.spellings():
            if not olds or stored.is_another(inputs):
                how = State.WANTED
            elif claimed == stored.binding or claimed in stored.spellings() or isinstance(claimed, BindingId):
                how = State.STORED
            else:
                how = State.PERHAPS
            self._claims.checked(claimed, Claimant(urn), how)
        return inputs

    def _differs(self, checked: Inputs, stored: Inputs) -> bool:
        names = ((getattr(checked, name), getattr(stored, name)) for name in NAMES)
        return any(was and differs(now, was) for now, was in names)

    @within_its_time
    def update(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Change the role in place, put the binding back if it vanished, or write nothing; return the outputs."""
        stored = Inputs.stored(olds).of(call.id)
        facts = {name: value for name in (*FACTS, *NAMES) if (value := text_or_none(olds.get(name))) is not None}
        asked = self._with_organization(Inputs.parse(news))
        anew = stored.unfinished or any(self._claims.is_taken(one) for one in stored.bindings)
        # With the checks off no check has compared a name that is new with the id beside it.
        unchecked_name = self.is_unchecked and any(differs(getattr(asked, one), getattr(stored, one)) for one in NAMES)
        if asked.binding == stored.binding and not anew and not unchecked_name and self._same_roles(asked, stored):
            return {**facts, **asked.properties()}
        asked, examined = self._ready(call, news, stored)
        if asked.binding != stored.binding:
            raise BindingConflict(
                f"{sentence(stored.in_words())} cannot become {asked.in_words()} in place, and nothing was written. The "
                "preview could not show it, because previewChecks is off: preview with it on, which shows the replacement."
            )
        if not anew and self._same_roles(asked, stored):
            return {**facts, **asked.properties()}
        # What was decided is written, also if another resource that binds the two has put the role back meanwhile.
        return self._write(call, asked, examined, stored, olds, anew=True)

    def _not_given(
        self, call: EngineCall, made: Made, asked: Inputs, _stored: Inputs, olds: Mapping[str, Any]
    ) -> tuple[Exception, Account]:
        [outcome] = made.failed or made.outcomes
        if isinstance(outcome.error, NotFound):
            return NotFound(
                f"There is no {asked.token_in_words} in organization {asked.organization_id} any more, so it was not bound to "
                f"{asked.deployment_in_words}. Run `pulumi refresh`, or give the token that took its place."
            ), NOTHING_LOST
        if not made.in_doubt:
            return outcome.error or made.own.as_error, NOTHING_LOST
        sent = sent_in_words(asked.in_words(), str(asked.role))
        unfinished = WriteNotConfirmed(f"{outcome.error or made.own.in_words} {sent}")
        unfinished.kept = Kept(call.id, {**(olds or asked.properties()), UNFINISHED: True})
        return unfinished, NOTHING_LOST

    def _not_taken(self, made: Made, stored: Inputs) -> tuple[Exception, Account]:
        [outcome] = made.failed or made.outcomes
        if not made.in_doubt:
            return outcome.error or made.own.as_error, NOTHING_LOST
        in_doubt = f"{removal_sent_in_words(stored.in_words())} It stays in the state. {BEFORE_AGAIN}"
        return WriteNotConfirmed(f"{outcome.error or made.own.in_words} {in_doubt}"), NOTHING_LOST

    @within_its_time
    def read(self, call: EngineCall, olds: Mapping[str, Any]) -> tuple[Properties, Properties] | None:
        """Read the binding by its id; without stored outputs (`olds`) it must exist.

        Returns:
            Inputs and outputs as they are now; None if the binding is gone. Without stored outputs, the inputs are what a
            user would write for it.

        Raises:
            NotFound: the binding is gone and must exist.
            AbsenceNotProven: the token is not listed, and the credential may not see all tokens.
            InputError: the binding must exist, and its token is not the organization's.
        """
        binding, stored = BindingId.parse(call.id), Inputs.stored(olds).of(call.id)
        reader = self._readers.of(binding.organization_id)
        found = reader.role_of(binding, confirm_absence=True)
        if found is None and not olds:
            raise NotFound(f"There is no binding {call.id}: {binding.in_words} has no role. Check the three ids.")
        if found is None:
            notices.note(f"{_what_is_gone(reader, binding, stored)}, so a refresh takes the binding out of the state.")
            return None
        if olds and dead_deployments(reader, [binding.deployment_id]):
            notices.note(
                f"{sentence(stored.deployment_in_words)} was deleted, so a refresh takes the binding out of the state. Token "
                f"{found.token.name!r} ({binding.token_id}) still has the role {found.role} there, which gives no access."
            )
            return None
        if not olds:
            require_organization_scope(found.token)
        same = self._is_role(binding.organization_id, stored.role or UNKNOWN, found.role)
        deployment = None if olds else reader.deployments().get(binding.deployment_id)
        inputs = replace(
            stored,
            deployment_name=stored.deployment_name or (deployment.name if deployment else None),
            # Ids are the identity, so a name that was changed in Astro is no drift; `check` warns of it.
            org_token_name=stored.org_token_name or found.token.name,
            role=stored.role if same else found.role,
        )
        return inputs.properties() if olds else self._as_written(reader, inputs), inputs.outputs(found.token)

    def _as_written(self, reader: Reader, inputs: Inputs) -> Properties:
        """Return what a user would write: each thing by its name, if no other has it, and nothing that has its default."""
        deployments = [one.name for one in reader.deployments().values()]
        tokens = reader.tokens().by_name
        deployment, token = inputs.deployment_name, inputs.org_token_name
        by_name = known(deployment) and deployments.count(deployment) == 1
        token_by_name = known(token) and len(tokens.get(token, ())) == 1
        left_out = {
            "overwrite",
            "deployment_id" if by_name else "deployment_name",
            "org_token_id" if token_by_name else "org_token_name",
        }
        with suppress(SettingsError):  # nothing else names the organization, so the program has to
            if self._readers.of(self._settings.organization_id) is reader:
                left_out.add("organization_id")
        return {name: value for name, value in inputs.properties().items() if name not in left_out}


def _filled_in(asked: Inputs, state: Inputs, organization_id: str | None) -> Inputs:
    """Return the inputs, with the ids and names that the state has for what is spelled as it is there.

    A name that the program gives beside an id stays, also if the state has another one. `organization_id` is that of the
    settings, for a program that gives none.
    """
    inputs = replace(asked, organization_id=asked.organization_id or organization_id or state.organization_id)
    if state.organization_id not in (None, inputs.organization_id):
        return inputs  # the state's ids are another organization's, under names that may be the same in both
    for id_, name in THINGS:
        asked_id, asked_name = getattr(asked, id_), getattr(asked, name)
        by_name = asked_id is None and asked_name is not None and asked_name == getattr(state, name)
        if by_name or (asked_id is not None and asked_id == getattr(state, id_)):
            inputs = replace(inputs, **{id_: getattr(state, id_), name: asked_name or getattr(state, name)})
    return inputs


def _what_is_gone(reader: Reader, binding: BindingId, stored: Inputs) -> str:
    with suppress(AstroProviderError):  # the role is gone all the same: its token has shown that
        if reader.unlisted_deployments([binding.deployment_id]):
            return f"{sentence(stored.deployment_in_words)} was deleted"
    if reader.token(binding.token_id) is None:
        return f"{sentence(stored.token_in_words)} was deleted"
    return f"{sentence(stored.token_in_words)} has no role in {stored.deployment_in_words} any more"
