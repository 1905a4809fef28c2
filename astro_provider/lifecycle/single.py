"""The meaning of check, diff, create, read, update and delete of a binding, on typed values.

Pulumi is not known here, so that the same code can sit behind another engine. `checking.py` has the part of a check that a
table shares, `changing.py` the flow of every write; only `astro/reading/` reads, and only `astro/writing/` writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import require_organization_scope
from astro_provider.astro.writing.account import NOTHING_LOST, Account
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
)
from astro_provider.lifecycle.changing import (
    BEFORE_AGAIN,
    Made,
    Plan,
    carry_out,
    removal_sent_in_words,
    sent_in_words,
)
from astro_provider.lifecycle.checking import Checking, Difference, Properties, within_its_time
from astro_provider.lifecycle.claims import Claimant, State
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import Finding, Weight
from astro_provider.lifecycle.preflight import examine
from astro_provider.lifecycle.resolving import Asked, Examined, Spelled
from astro_provider.lifecycle.values import (
    IDENTITY,
    NAMES,
    ONLY,
    UNKNOWN,
    Entry,
    Inputs,
    Parser,
    Stored,
    Text,
    known,
    outputs,
    parse_inputs,
)
from astro_provider.messages import notices
from astro_provider.messages.words import sentence
from astro_provider.names import UNFINISHED

_AS_GIVEN = [one.name for one in fields(Inputs) if one.name not in (*IDENTITY, *NAMES, "role")]  # nothing is looked up


class Lifecycle(Checking[Inputs]):
    """The life of bindings in one process; safe to share between threads."""

    def _parse(self, news: Mapping[str, Any], parser: Parser | None = None) -> Inputs:
        return parse_inputs(news, parser)

    def _check(self, asked: Inputs, olds: Mapping[str, Any], urn: str) -> tuple[Inputs, list[Finding]]:
        examined, findings = self._examine_and_claim(asked, Stored.parse(olds) if olds else None, Claimant(urn))
        return completed(asked, examined), findings

    def _asked(self, asked: Inputs, stored: Inputs | None, *, about_to_write: bool) -> Asked:
        return asked_of(asked, stored, about_to_write=about_to_write, unchecked=self.is_unchecked)

    def _has(self, stored: Inputs | None, binding: BindingId, _entry: Entry) -> bool:
        return stored is not None and not _is_another(stored, Inputs().of(binding))

    def _examine(self, asked: Inputs, stored: Inputs | None, found: Examined) -> Examined:
        inputs = completed(asked, found)
        had = stored or Inputs()
        # An error, if the old grant would be taken away for nothing. So it may be if a name changes and the state, which
        # was made while the checks were off, lacks its id.
        may_mean_another = any(
            getattr(had, id_) is None and known(was := getattr(had, name)) and was != getattr(inputs, name)
            for id_, name in (("deployment_id", "deployment_name"), ("org_token_id", "org_token_name"))
        )
        is_error = found.asked.about_to_write or _is_another(had, inputs) or may_mean_another
        missing = Weight.ERROR if is_error else Weight.WARNING
        names = ((getattr(asked, name), getattr(had, name)) for name in NAMES)
        stays = (
            not found.asked.about_to_write
            and inputs.binding is not None
            and inputs.binding == had.binding
            and known(inputs.role)
            and known(had.role)
            and self._same_role(inputs.binding.organization_id, inputs.role, had.role)
            and inputs.workspace_id == had.workspace_id
            and not any(given is not None and known(was) and given != was for given, was in names)
        )
        return examine(self._reader_for(asked), found, missing=missing, unchanged=[ONLY] if stays else [])

    def _check_by_spelling(self, asked: Inputs, olds: Mapping[str, Any], urn: str) -> Inputs:
        stored = Stored.parse(olds)
        inputs = _filled_in(asked, stored, self._settings.organization_id)
        for claimed in inputs.claimed if inputs.binding else asked.spellings:
            if not olds or _is_another(stored, inputs):
                how = State.WANTED
            elif claimed == stored.binding or claimed in stored.spellings or isinstance(claimed, BindingId):
                how = State.STORED
            else:
                how = State.PERHAPS
            self._claims.checked(claimed, Claimant(urn), how)
        return inputs

    @within_its_time
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
            not self._is_role_of(stored, checked, in_diff=True)
            or any(_differs(getattr(checked, name), getattr(stored, name) or getattr(checked, name)) for name in NAMES)
            or any(getattr(checked, name) != getattr(stored, name) for name in _AS_GIVEN)
        )
        if stored.binding is None or replaces:
            return Difference(changes=bool(replaces) or in_place, replaces=replaces)
        self._claims.identify(checked.spellings, stored.binding)
        beyond_inputs = self._claims.is_taken(stored.binding) or (stored.unfinished and not in_place)
        return Difference(changes=in_place or beyond_inputs, replaces=[], beyond_inputs=beyond_inputs)

    @within_its_time
    def create(self, call: EngineCall, properties: Mapping[str, Any]) -> tuple[BindingId, Properties]:
        """Give the token its role in the deployment, or adopt the same role that is there; return the id and the outputs."""
        inputs, binding = self._ready_inputs(call, properties, None)
        self._claims.identify(Stored.parse(properties).spellings, binding)
        return binding, self._write(call, inputs, Plan(gives={binding: str(inputs.role)}), inputs.properties())

    @within_its_time
    def update(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Change the role in place, put the binding back if it vanished, or write nothing; return the outputs."""
        stored_id, stored = BindingId.parse(call.id), Stored.parse(olds)
        asked = self._with_organization(parse_inputs(news))
        anew = self._claims.is_taken(stored_id) or stored.unfinished
        # With the checks off no check has compared a name that is new with the id beside it.
        unchecked_name = self.is_unchecked and any(_differs(getattr(asked, one), getattr(stored, one)) for one in NAMES)
        if asked.binding == stored_id and not anew and not unchecked_name and self._is_role_of(stored, asked):
            return {**stored.facts, **asked.properties()}
        inputs, binding = self._ready_inputs(call, news, stored)
        if binding != stored_id:
            raise BindingConflict(
                f"{sentence(stored.of(stored_id).in_words)} cannot become {inputs.in_words} in place, and nothing was written. The "
                "preview could not show it, because previewChecks is off: preview with it on, which shows the replacement."
            )
        if not anew and self._is_role_of(stored, inputs):
            return {**stored.facts, **inputs.properties()}
        return self._write(call, inputs, Plan(puts={binding: str(inputs.role)}), olds)

    def _is_role_of(self, stored: Stored, asked: Inputs, *, in_diff: bool = False) -> bool:
        """Return whether the state has the role that is asked for."""
        known_both = known(asked.role) and known(stored.role)
        return known_both and self._same_role(
            stored.organization_id, str(asked.role), str(stored.role), in_diff=in_diff
        )

    def _ready_inputs(
        self, call: EngineCall, properties: Mapping[str, Any], stored: Stored | None
    ) -> tuple[Inputs, BindingId]:
        asked, examined = self._ready(properties, stored, Claimant(call.urn))
        [binding] = examined.bindings
        return completed(asked, examined), binding

    def _write(self, call: EngineCall, inputs: Inputs, plan: Plan, before: Mapping[str, Any]) -> Properties:
        """Give the role by a plan, and return the outputs; those of `before` are kept, marked, if the role may stand."""
        [binding] = (*plan.gives, *plan.puts)
        called, role = inputs.in_words, str(inputs.role)

        def failing(made: Made) -> tuple[Exception, Account]:
            [outcome] = made.failed or made.outcomes
            if isinstance(outcome.error, NotFound):
                return NotFound(
                    f"There is no {inputs.token_in_words} in organization {inputs.organization_id} any more, so it was not "
                    f"bound to {inputs.deployment_in_words}. Run `pulumi refresh`, or give the token that took its place."
                ), NOTHING_LOST
            if made.in_doubt:
                unfinished = WriteNotConfirmed(f"{outcome.error or made.own.in_words} {sent_in_words(called, role)}")
                unfinished.kept = Kept(str(binding), {**before, UNFINISHED: True})
                return unfinished, NOTHING_LOST
            return outcome.error or made.own.as_error, NOTHING_LOST

        def outputs_of(made: Made) -> Properties:
            [token] = [one.token for one in made.outcomes if one.token is not None]
            return outputs(inputs, token)

        made = carry_out(
            self.shared,
            Claimant(call.urn),
            replace(
                plan,
                called={binding: called},
                overwrite=[binding] if inputs.overwrite is True else [],
                exact=[role] if self._readers.of(binding.organization_id).letters_count(role) else [],
            ),
            failing=failing,
            done=f"{sentence(called)} has the role {role}.",
            keep=lambda made: Kept(str(binding), outputs_of(made)),
        )
        return outputs_of(made)

    @within_its_time
    def delete(self, call: EngineCall, olds: Mapping[str, Any]) -> None:
        """Take the role away, unless it is gone already or the program claims it under another name."""
        binding, stored = BindingId.parse(call.id), Stored.parse(olds)
        called = stored.of(binding).in_words

        def failing(made: Made) -> tuple[Exception, Account]:
            [outcome] = made.failed or made.outcomes
            if not made.in_doubt:
                return outcome.error or made.own.as_error, NOTHING_LOST
            in_doubt = f"{removal_sent_in_words(called)} It stays in the state. {BEFORE_AGAIN}"
            return WriteNotConfirmed(f"{outcome.error or made.own.in_words} {in_doubt}"), NOTHING_LOST

        carry_out(
            self.shared,
            Claimant(call.urn),
            Plan(takes={binding: stored.spellings}, called={binding: called}),
            failing=failing,
            done=f"{sentence(called)} has no role any more.",
        )

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
        binding, stored = BindingId.parse(call.id), Stored.parse(olds)
        reader = self._readers.of(binding.organization_id)
        found = reader.role_of(binding, confirm_absence=True)
        if found is None and not olds:
            raise NotFound(f"There is no binding {call.id}: {binding.in_words} has no role. Check the three ids.")
        if found is None:
            notices.note(
                f"{_what_is_gone(reader, binding, stored.of(binding))}, so a refresh takes the binding out of the state."
            )
            return None
        if olds and dead_deployments(reader, [binding.deployment_id]):
            notices.note(
                f"{sentence(stored.of(binding).deployment_in_words)} was deleted, so a refresh takes the binding out of the state. Token "
                f"{found.token.name!r} ({binding.token_id}) still has the role {found.role} there, which gives no access."
            )
            return None
        if not olds:
            require_organization_scope(found.token)
        same = known(stored.role) and self._same_role(binding.organization_id, stored.role, found.role)
        inputs = replace(
            stored.inputs.of(binding),
            deployment_name=stored.deployment_name or (None if olds else _deployment_name(reader, binding)),
            # Ids are the identity, so a name that was changed in Astro is no drift; `check` warns of it.
            org_token_name=stored.org_token_name or found.token.name,
            role=stored.role if same else found.role,
        )
        return inputs.properties() if olds else self._as_written(reader, inputs), outputs(inputs, found.token)

    def _as_written(self, reader: Reader, inputs: Inputs) -> Properties:
        """Return what a user would write: each thing by its name, if no other has it, and nothing that has its default."""
        deployments = [one.name for one in reader.deployments().values()]
        tokens = reader.tokens().by_name
        deployment_name, token_name = inputs.deployment_name, inputs.org_token_name
        by_name = known(deployment_name) and deployments.count(deployment_name) == 1
        token_by_name = known(token_name) and len(tokens.get(token_name, ())) == 1
        with suppress(SettingsError):  # nothing else names the organization, so the program has to
            if self._readers.of(self._settings.organization_id) is reader:
                inputs = replace(inputs, organization_id=None)
        written = replace(
            inputs,
            deployment_id=None if by_name else inputs.deployment_id,
            deployment_name=deployment_name if by_name else None,
            org_token_id=None if token_by_name else inputs.org_token_id,
            org_token_name=token_name if token_by_name else None,
        )
        return {name: value for name, value in written.properties().items() if name != "overwrite"}


def asked_of(
    asked: Inputs, stored: Inputs | None = None, *, about_to_write: bool = False, unchecked: bool = False
) -> Asked:
    """Return the wishes of a binding in the form in which they are examined; flags as in `Asked`."""
    had = stored or Inputs()
    if had.organization_id not in (None, asked.organization_id):
        had = Inputs()  # ids of another organization

    def spelled(id_property: str, name_property: str) -> Spelled:
        return Spelled(
            id_property,
            name_property,
            getattr(asked, id_property),
            getattr(asked, name_property),
            stored_id=getattr(had, id_property),
            stored_name=getattr(had, name_property),
        )

    return Asked(
        asked.organization_id,
        {ONLY.deployment: spelled("deployment_id", "deployment_name")},
        {ONLY.token: spelled("org_token_id", "org_token_name")},
        {ONLY: asked.role or UNKNOWN},
        workspace_id=asked.workspace_id,
        overwrite=asked.overwrite,
        must_exist=stored is not None or about_to_write,
        about_to_write=about_to_write,
        unchecked=unchecked,
    )


def completed(asked: Inputs, examined: Examined) -> Inputs:
    """Return the inputs with what was found: ids, names, and the role in Astro's spelling.

    An id is missing if nothing has the name yet.
    """
    deployment, token = examined.deployments[ONLY.deployment], examined.tokens[ONLY.token]
    return replace(
        asked,
        deployment_id=deployment.id,
        deployment_name=deployment.name,
        org_token_id=token.id,
        org_token_name=token.name,
        role=examined.roles[ONLY],
    )


def _is_another(stored: Inputs, inputs: Inputs) -> bool:
    """Return whether these inputs would replace the binding of a state, as far as the ids are known."""
    ids = ((getattr(inputs, name), getattr(stored, name)) for name in IDENTITY)
    return any(known(asked) and known(was) and asked != was for asked, was in ids)


def _filled_in(asked: Inputs, state: Stored, organization_id: str | None) -> Inputs:
    """Return the inputs, with the ids and names that the state has for what is spelled as it is there.

    A name that the program gives beside an id stays, also if the state has another one. `organization_id` is that of the
    settings, for a program that gives none.
    """
    inputs = replace(asked, organization_id=asked.organization_id or organization_id or state.organization_id)
    if state.organization_id not in (None, inputs.organization_id):
        return inputs  # the state's ids are another organization's, under names that may be the same in both
    for id_, name in (("org_token_id", "org_token_name"), ("deployment_id", "deployment_name")):
        asked_id, asked_name = getattr(asked, id_), getattr(asked, name)
        by_name = asked_id is None and asked_name is not None and asked_name == getattr(state, name)
        if by_name or (asked_id is not None and asked_id == getattr(state, id_)):
            inputs = replace(inputs, **{id_: getattr(state, id_), name: asked_name or getattr(state, name)})
    return inputs


def _deployment_name(reader: Reader, binding: BindingId) -> str | None:
    deployment = reader.deployments().get(binding.deployment_id)
    return deployment.name if deployment else None


def _what_is_gone(reader: Reader, binding: BindingId, stored: Stored) -> str:
    with suppress(AstroProviderError):  # the role is gone all the same: its token has shown that
        if reader.unlisted_deployments([binding.deployment_id]):
            return f"{sentence(stored.deployment_in_words)} was deleted"
    if reader.token(binding.token_id) is None:
        return f"{sentence(stored.token_in_words)} was deleted"
    return f"{sentence(stored.token_in_words)} has no role in {stored.deployment_in_words} any more"


def dead_deployments(reader: Reader, deployment_ids: Collection[str]) -> set[str]:
    """Return those of these deployments that do not exist any more, by evidence, and warn of a doubt about that.

    An entry on a token is no sign that its deployment exists. So a refresh asks about each deployment whose list of tokens
    the service has not just given, and if that cannot be known, it goes on with what the token shows.
    """
    in_question = [one for one in deployment_ids if not reader.has_listed(one)]
    try:
        return reader.unlisted_deployments(in_question) if in_question else set()
    except (AbsenceNotProven, UnexpectedAnswer) as doubt:
        notices.warn(str(doubt))
    except AstroProviderError as error:
        # Without a hint this is no warning: a credential may be allowed to read tokens only.
        for one in in_question:
            if reader.refuses_to_list(one):
                notices.warn(
                    f"Astro does not list the tokens of deployment {one}, which may have been deleted. That cannot be known, "
                    f"so what is bound to it stays in the state. {error}"
                )
    return set()


def _differs(new: Text | None, old: Text | None) -> bool:
    """Return whether a checked value is there and differs from the stored one."""
    return new is not None and new != old


def _binding_of(identifier: str) -> BindingId | None:
    """Return the binding of an id; None for that of a resource of another kind, which an alias has made one of ours."""
    try:
        return BindingId.parse(identifier)
    except InputError:
        return None
