"""What check, diff, create, read, update and delete of a table mean, on typed values.

It shares with the bindings of the same process what is known of Astro, the one road of writes, and the claims, so that an
entry may move between a table and a binding by itself in one run, whichever comes first.

A create or an update is made as a whole: if a part fails, the rest is taken back, as far as it still stands as this run has
written it, and the error says what stands. A delete goes on with what it can do, and may be repeated.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import BELOW_DEPLOYMENT, dag_roles_in, require_roles, same_role
from astro_provider.astro.writing.account import Account
from astro_provider.astro.writing.changes import Outcome, Remove
from astro_provider.astro.writing.writer import Written
from astro_provider.errors import (
    AstroProviderError,
    BindingConflict,
    InputError,
    Kept,
    NotFound,
    TableNotWritten,
    WriteRefused,
)
from astro_provider.lifecycle import failure
from astro_provider.lifecycle.checking import Checking, Difference, Properties, Shared, within_its_time
from astro_provider.lifecycle.claims import (
    Claimant,
    Delete,
    Exchange,
    Spelling,
    State,
    exclusive_in_words,
    twin_in_words,
)
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import MOST_TOLD, ROLES, Entry, Finding, Weight, as_one, say_all
from astro_provider.lifecycle.preflight import examine_existing
from astro_provider.lifecycle.single import dead_deployments
from astro_provider.lifecycle.tables.examining import ExaminedTable, examine_table
from astro_provider.lifecycle.tables.plan import Plan, plan
from astro_provider.lifecycle.tables.strangers import Stranger, as_roles, find_strangers, removes, to_take
from astro_provider.lifecycle.tables.values import Table, parse_table
from astro_provider.lifecycle.values import Parser, Unknown, known
from astro_provider.messages import notices
from astro_provider.messages.words import in_words, sentence
from astro_provider.names import CUID, UNFINISHED

IDENTITY = "organization_id"


class TableLifecycle(Checking[Table]):
    """The life of tables in one process; safe to share between threads."""

    with_places = True

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        # What checks of this process have said. A refresh, which brings no check, has `diff` compare what it found with the
        # *stored* inputs: their rows of `removes` are done, and strangers are drift. A check never leaves a row as it is
        # stored, so the two cannot be taken for each other.
        self._to_be_taken: set[frozenset[tuple[Entry, str]]] = set()
        self._checked: set[Hashable] = set()

    def _parse(self, news: Mapping[str, Any], parser: Parser) -> Table:
        return parse_table(news, parser)

    def _examine(self, asked: Table, olds: Mapping[str, Any], urn: str) -> tuple[Table, list[Finding]]:
        stored = Table.stored(olds) if olds else None
        state = stored if stored is not None and stored.organization_id == asked.organization_id else None
        had = state or Table()
        if (reader := self._reader_for(asked)) is None or isinstance(asked.roles, Unknown):
            ids = replace(asked, deployment_ids=had.deployment_ids, token_ids=had.token_ids)
            return replace(ids, removes=removes([], had.removes)), [*_unnamed(asked, ["its deployments"])]
        examined = examine_table(reader, asked, state, about_to_write=False)
        table = examined.table
        by = _claimant(urn, table)
        self._checked.add(by)
        findings: list[Finding] = []
        for binding, entry in examined.bindings.items():
            how = State.STORED if _has(had, binding, entry) else State.WANTED
            findings += self._claim(binding, by, how, table.entries[entry], examined.in_words(entry), entry.place)
        findings += examined.findings
        new = [binding for binding, entry in examined.bindings.items() if not _has(had, binding, entry)]
        findings += examine_existing(examined, reader.roles_of(new, confirm_absence=False))
        if table.exclusive is not False:
            strangers = [one for one in _strangers(reader, examined) if one.binding not in had.bindings]
            findings += self._reserve(reader, examined, by) if table.exclusive is True else ()
            findings += [Finding(Weight.NOTE, "exclusive", one.note) for one in strangers]
            unnamed = [one.in_words for one in examined.deployments.values() if isinstance(one.id, Unknown)]
            findings += _unnamed(table, unnamed)
            table = replace(table, removes=removes(strangers, had.removes))
            self._to_be_taken.add(to_take(table.removes))
        return table, findings

    def _reserve(self, reader: Reader, examined: ExaminedTable, by: Claimant) -> Iterable[Finding]:
        """Tell other resources of the program that nobody else has a role in the deployments, and find those that do."""
        for found in examined.deployments.values():
            if not known(found.id):
                continue
            for binding, other in self._claims.reserve(reader.organization_id, found.id, by):
                if binding not in examined.bindings:
                    called = f"token {binding.token_id} in {found.in_words}, as {other} does,"
                    yield Finding(Weight.ERROR, "exclusive", exclusive_in_words(by, called))

    def _check_by_spelling(self, asked: Table, olds: Mapping[str, Any], urn: str) -> Table:
        """Fill in what the state tells of keys that are spelled as they were, and claim."""
        state = Table.stored(olds)
        organization_id = asked.organization_id or self._settings.organization_id or state.organization_id
        if state.organization_id != organization_id:
            state = Table()
        tokens = {entry.token for entry in asked.entries}
        table = replace(
            asked,
            organization_id=organization_id,
            deployment_ids={key: id_ for key, id_ in state.deployment_ids.items() if key in asked.rows},
            token_ids={key: id_ for key, id_ in state.token_ids.items() if key in tokens},
            removes=removes([], state.removes),
        )
        by, had = _claimant(urn, table), state.entries
        self._checked.add(by)
        for entry in table.entries:
            claimed = _binding_by_spelling(table, entry) or Spelling(*entry)
            self._claims.checked(claimed, by, State.STORED if entry in had else State.WANTED)
        return table

    def diff(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Difference:
        """Compare stored outputs with checked inputs; a value that is still unknown counts as a change."""
        stored, checked = Table.stored(olds), Table.stored(news)
        if stored.organization_id is None and call.id:
            stored = replace(stored, organization_id=call.id.partition("/")[0])
            notices.warn(
                "The state of this table is incomplete: its outputs have lost the organization. The update writes them again; "
                "a role that the outputs have lost and the program does not have stays in Astro."
            )
        if checked.organization_id is not None and checked.organization_id != stored.organization_id:
            return Difference(changes=True, replaces=[IDENTITY])
        in_place = (
            not checked.is_known
            or not _same_roles(checked, stored)
            or any(stored.deployment_ids.get(key, id_) != id_ for key, id_ in checked.deployment_ids.items())
            or any(stored.token_ids.get(key, id_) != id_ for key, id_ in checked.token_ids.items())
            or checked.workspace_id != stored.workspace_id
            or (checked.exclusive, checked.overwrite) != (stored.exclusive, stored.overwrite)
            or (bool(rows := to_take(checked.removes)) and rows in self._to_be_taken)
        )
        self._identify(stored)
        taken = any(self._claims.is_taken(binding) for binding in stored.bindings)
        drifted = bool(olds.get("strangers")) and _claimant(call.urn, checked) not in self._checked
        beyond_inputs = taken or drifted or (bool(stored.unfinished) and not in_place)
        return Difference(changes=in_place or beyond_inputs, replaces=[], beyond_inputs=beyond_inputs)

    def _identify(self, table: Table) -> None:
        """Tell the claims the ids of entries that `check` could claim by their spelling only."""
        for binding, entry in table.bindings.items():
            self._claims.identify(Spelling(*entry), binding)

    @within_its_time
    def create(self, call: EngineCall, properties: Mapping[str, Any]) -> tuple[str, Properties]:
        """Give all roles of the table, or none; what is there already with the same role is adopted.

        Returns:
            The table's id, `<organization>/` and a random part, and its outputs.
        """
        try:
            examined = self._ready(properties, None)
        except AstroProviderError:
            self._could_not_be_created(call, Table.stored(properties))
            raise
        self._identify(examined.table)
        roles = {binding: str(examined.table.entries[entry]) for binding, entry in examined.bindings.items()}
        strangers = self._strangers_to_take(examined, properties)
        identifier = f"{examined.table.organization_id}/{uuid.uuid4().hex}"
        self._make(replace(call, id=identifier), examined, plan({}, roles, strangers=strangers), Table(), strangers)
        return identifier, outputs(examined.table, [])

    @within_its_time
    def update(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Give what is new, change what differs, take what left the table; all of it or nothing.

        Returns:
            The table's outputs.
        """
        stored = Table.stored(olds)
        try:
            examined = self._ready(news, stored)
        except AstroProviderError:
            self._could_not_be_created(call, Table.stored(news))
            raise
        self._identify(examined.table)
        old = stored.roles_by_binding
        new = {binding: str(examined.table.entries[entry]) for binding, entry in examined.bindings.items()}
        taken = {binding for binding in old if self._claims.is_taken(binding)}
        strangers = self._strangers_to_take(examined, news)
        self._make(call, examined, plan(old, new, taken=taken, strangers=strangers), stored, strangers)
        return outputs(examined.table, [])

    @within_its_time
    def delete(self, call: EngineCall, olds: Mapping[str, Any]) -> None:
        """Take every role of the table away. What is gone already, and what the program has elsewhere, is left alone.

        Args:
            call: the engine's.
            olds: the stored outputs.
        """
        stored = Table.stored(olds)
        if stored.organization_id is None:
            stored = replace(stored, organization_id=call.id.partition("/")[0])
        with self._claims.exchanging(_claimant(call.urn, stored), takes=_spelled(stored)) as exchange:
            self._require_none_refused(exchange, stored)
            kept = self._tell_kept(exchange, stored)
            called = {binding: _in_words(stored, entry) for binding, entry in stored.bindings.items()}
            changes = plan(dict.fromkeys(stored.bindings, ""), {}).changes(overwrite=False, called=called, kept=kept)
            written = self._writer.write_all(changes)
            failed = self._still_there(written.outcomes)
            self._learn(written.outcomes)
            if error := self._not_taken(written, failed, stored):
                raise error

    @within_its_time
    def read(self, call: EngineCall, olds: Mapping[str, Any]) -> tuple[Properties, Properties] | None:
        """Read the table's entries, and if it is exclusive, who else has a role in its deployments.

        Args:
            call: the engine's.
            olds: the stored outputs.

        Returns:
            Inputs and outputs as they are now; None if all its deployments are gone.

        Raises:
            AbsenceNotProven: a token or a deployment is not listed, and the credential may not see all of them.
            InputError: there are no stored outputs; the id alone does not tell what stands in the table.
        """
        if not olds:
            raise InputError(
                "id",
                f"{call.id} does not tell what stands in a table, so it cannot be read by its id: declare the table, or run "
                "`astro-provider adopt --as-table`.",
            )
        stored = Table.stored(olds)
        reader = self._readers.of(str(stored.organization_id))
        there = reader.roles_of(stored.bindings, confirm_absence=True)
        gone = [entry for binding, entry in stored.bindings.items() if there[binding] is None]
        left = {entry.deployment for binding, entry in stored.bindings.items() if there[binding] is not None}
        keys = dict.fromkeys((*stored.rows, *(entry.deployment for entry in stored.unfinished)))
        empty = {key: stored.deployment_id(key) for key in keys if key not in left}
        with_entries = {stored.deployment_id(key) for key in keys if key in left}
        deleted = reader.unlisted_deployments(empty.values()) if empty else set()
        deleted = deleted | dead_deployments(reader, with_entries)
        lost = {key for key in keys if stored.deployment_id(key) in deleted}
        self._tell_gone(stored, gone, lost)
        roles: dict[str, dict[str, str]] = {key: {} for key in keys if key not in lost}
        for binding, entry in stored.bindings.items():
            found, role = there[binding], stored.entries.get(entry)
            if found is not None and entry.deployment not in lost:
                same = known(role) and same_role(role, found.role)
                roles[entry.deployment][entry.token] = str(role) if same else found.role
        if not roles:
            return None
        # What names mean is no drift as long as it exists.
        exists = reader.tokens().by_id if gone else stored.token_ids.values()
        table = replace(
            stored,
            roles=roles,
            deployment_ids={key: id_ for key, id_ in stored.deployment_ids.items() if key in roles},
            token_ids={key: id_ for key, id_ in stored.token_ids.items() if id_ in exists},
            removes={},
            unfinished=frozenset(),
        )
        strangers = _strangers_of_state(reader, table) if table.exclusive is True else []
        return table.properties(), outputs(table, strangers)

    def _tell_gone(self, stored: Table, gone: Collection[Entry], lost: Collection[str]) -> None:
        texts = [
            f"{sentence(_deployment_in_words(stored, key))} was deleted, so a refresh takes its entries out of the table."
            for key in sorted(lost)
        ]
        texts += [
            f"{sentence(_in_words(stored, entry))} has no role any more, so a refresh takes the entry out of the table."
            for entry in gone
            if entry.deployment not in lost
        ]
        say_all(notices.note, texts)

    def _ready(self, properties: Mapping[str, Any], stored: Table | None) -> ExaminedTable:
        """The table of a create or update, with nothing left to be found and nothing that contradicts.

        Raises:
            InputError: something contradicts, or a name does not exist; nothing was written.
        """
        table = self._with_organization(parse_table(properties))
        if not table.is_known:
            raise AssertionError("the engine asked for a write while a value was unknown")
        reader = self._readers.of(str(table.organization_id))
        examined = examine_table(reader, table, stored, about_to_write=True)
        had = stored.bindings if stored is not None else {}
        new = [binding for binding in examined.bindings if binding not in had]
        there = examine_existing(examined, reader.roles_of(new, confirm_absence=False))
        errors = [one for one in (*examined.findings, *there) if one.weight is Weight.ERROR]
        if errors:
            raise as_one([InputError(one.place, one.text) for one in errors], ROLES)
        return examined

    def _could_not_be_created(self, call: EngineCall, table: Table) -> None:
        by = _claimant(call.urn, table)
        for entry in table.entries:
            claimed = _binding_by_spelling(table, entry) or Spelling(*entry)
            self._claims.could_not_be_created(claimed, by)

    def _strangers_to_take(self, examined: ExaminedTable, properties: Mapping[str, Any]) -> dict[BindingId, str]:
        """What the preview has named; without checks nothing was named, so all of them, each with a warning.

        Returns:
            How a message speaks of each.
        """
        if examined.table.exclusive is not True:
            return {}
        named = to_take(Table.stored(properties).removes)
        if not named and not self.is_unchecked:
            return {}
        strangers = _strangers(self._readers.of(str(examined.table.organization_id)), examined)
        if self.is_unchecked:
            say_all(notices.warn, [one.note for one in strangers])
            return {one.binding: one.in_words for one in strangers}
        entries = {entry for entry, _ in named}
        return {one.binding: one.in_words for one in strangers if one.entry in entries}

    def _not_taken(self, written: Written, failed: Sequence[Outcome], stored: Table) -> Exception | None:
        """The error of a delete; None if every role is gone."""
        everything = [one.change.binding for one in written.outcomes]
        own, others = written.lost.of(everything), written.lost.without(everything)
        left = {*(one.change.binding for one in failed), *(one.change.binding for one in own.changes)}
        if not left:
            return (
                TableNotWritten(failure.although_removed("All roles of this table are gone.", others))
                if others
                else None
            )
        in_doubt = [*(one.change.binding for one in failed if one.may_stand), *own.may_stand]
        text = [f"{len(left)} of {len(everything)} roles of this table could not be taken away:"]
        text += [_reasons(failed, stored)] if failed else []
        text += [own.in_words] if own else []
        if in_doubt:
            text.append(failure.may_be_gone(_places(in_doubt, stored)))
        elif len(left) == len(everything):
            text.append("None was taken away.")
        if len(left) < len(everything):
            text.append("The others are gone.")
        text.append(f"The table stays in the state. {failure.BEFORE_AGAIN}")
        return failure.with_others(TableNotWritten(" ".join(text)), others)

    def _make(
        self,
        call: EngineCall,
        examined: ExaminedTable,
        planned: Plan,
        stored: Table,
        strangers: Mapping[BindingId, str],
    ) -> None:
        """Make what is planned, or take back what was made of it.

        Args:
            call: the engine's, with the table's id.
            examined: the table.
            planned: what is planned.
            stored: the table as the state has it.
            strangers: how a message speaks of those who lose their roles.

        Raises:
            BindingConflict: another resource of the program has, or should have had, one of the entries.
            TableNotWritten: a part could not be made; it says what stands.
        """
        spelled = _spelled(stored)
        takes = {binding: spelled.get(binding, ()) for binding in (*planned.takes, *planned.strangers)}
        # The inputs do not have what a failed run has left, so a check took it for new: another resource may have it as well.
        left = {one for one in planned.puts if stored.bindings[one] in stored.unfinished}
        puts = {one: role for one, role in planned.puts.items() if one not in left}
        gives = {**planned.gives, **{one: planned.puts[one] for one in left}}
        by = _claimant(call.urn, examined.table)
        with self._claims.exchanging(by, gives=gives, takes=takes, puts=puts) as exchange:
            if exchange.has_another:
                texts = [
                    twin_in_words(by, other, examined.in_words(examined.bindings[binding]))
                    for binding, other in list(exchange.has_another.items())[:MOST_TOLD]
                ]
                raise BindingConflict(f"Nothing was written. {' '.join(texts)}")
            self._require_none_refused(exchange, stored)
            kept = self._tell_kept(exchange, stored)
            called = {
                **strangers,
                **{binding: _in_words(stored, stored.bindings[binding]) for binding in planned.takes},
                **{one: examined.in_words(examined.bindings[one]) for one in (*planned.gives, *planned.puts)},
            }
            changes = planned.changes(overwrite=examined.table.overwrite is True, called=called, kept=kept)
            written = self._writer.write_all(changes)
            failed = self._still_there(written.outcomes)
            everything = [change.binding for change in changes]
            own, others = written.lost.of(everything), written.lost.without(everything)
            if failed or own:
                back = self._take_back(written.outcomes, stored, examined.table)
                text = f"{len(failed) + len(own.changes)} of {len(changes)} changes of this table could not be made:"
                text += f" {_reasons(failed, stored, examined.table)}" if failed else ""
                text += f" {own.in_words}" if own else ""
                error = TableNotWritten(f"{text} {back.in_words}")
                unfinished = _unfinished(stored, examined.table, back.may_stand)
                error.kept = None if unfinished is None else Kept(call.id, unfinished)
                raise failure.with_others(error, others.and_(back.others))
            self._learn(written.outcomes)
            if others:
                error = TableNotWritten(failure.although_given("All changes of this table were made.", others))
                error.kept = Kept(call.id, outputs(examined.table, []))
                raise error

    def _take_back(self, outcomes: Sequence[Outcome], *tables: Table) -> _TakenBack:
        """Take back what was written, as far as it still stands; nothing is raised."""
        changes = [outcome.taking_back for outcome in outcomes if outcome.taking_back is not None]
        with operation(self._settings.timeout_seconds):
            written = self._writer.write_all(changes)
        everything = [change.binding for change in changes]
        own, others = written.lost.of(everything), written.lost.without(everything)
        not_taken = [one.change.binding for one in self._still_there(written.outcomes)]
        # What was given up while another thread wrote it has nothing that could take it back.
        not_taken += [one.change.binding for one in outcomes if one.may_stand and one.taking_back is None]
        may_come = [one.change.binding for one in outcomes if one.may_come]
        for one in written.outcomes:
            if one.token is not None:
                self._readers.of(one.change.binding.organization_id).written(one.token)
        may_stand = list(dict.fromkeys([*not_taken, *(one.change.binding for one in own.changes), *may_come]))
        if not_taken:
            not_taken = list(dict.fromkeys([*not_taken, *may_come]))
            what = f"could not be taken back, and may stand: {_places(not_taken, *tables)}."
        elif own:
            what = f"was taken back, but {own.in_words}"
        elif may_come:
            what = (
                "was taken back, but a write had no answer, and Astro may carry it out later: "
                f"{_places(may_come, *tables)}."
            )
        elif changes:
            return _TakenBack("What this run had written was taken back, so all is as it was before.", (), others)
        else:
            return _TakenBack("Nothing else was written.", (), others)
        return _TakenBack(f"What this run had written {what} {failure.NEXT_RUN}", may_stand, others)

    def _still_there(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The changes that failed; a role that is to be taken is gone with its token, or with its deployment."""
        failed = [
            one
            for one in outcomes
            if one.error is not None and not (isinstance(one.change, Remove) and isinstance(one.error, NotFound))
        ]
        refused = [one for one in failed if isinstance(one.change, Remove) and isinstance(one.error, WriteRefused)]
        if not refused:
            return failed
        binding = refused[0].change.binding
        try:
            reader = self._readers.of(binding.organization_id)
            gone = reader.evidence.gone_deployments({one.change.binding.deployment_id for one in refused})
        except AstroProviderError:  # each refusal is an error then, and says which deployment is not listed
            return failed
        for one in refused:
            if one.change.binding.deployment_id in gone:
                notices.warn(
                    f"{sentence(one.change.in_words)} is gone with its deployment; its entries on the token were "
                    f"left. {one.error}"
                )
        return [one for one in failed if not (one in refused and one.change.binding.deployment_id in gone)]

    def _learn(self, outcomes: Iterable[Outcome]) -> None:
        """Let the reader know what the tokens have now, and tell of roles in DAGs that remain."""
        removed: defaultdict[str, list[BindingId]] = defaultdict(list)
        tokens = {}
        for one in outcomes:
            if one.token is not None:
                tokens[one.token.id] = one.token
                if isinstance(one.change, Remove):
                    removed[one.token.id].append(one.change.binding)
                self._readers.of(one.change.binding.organization_id).written(one.token)
        for token_id, bindings in removed.items():
            roles = require_roles(tokens[token_id])
            in_dags = {entry.deployment_id for entry in roles if entry.entity_type in BELOW_DEPLOYMENT}
            for binding in bindings:
                left = dag_roles_in(roles, binding.deployment_id) if binding.deployment_id in in_dags else ()
                if left:
                    entries = ", ".join(f"{entry.entity_type} {entry.entity_id} ({entry.role})" for entry in left)
                    notices.warn(
                        f"{sentence(binding.in_words)} lost its role, but roles in DAGs of that deployment remain: {entries}."
                    )

    def _require_none_refused(self, exchange: Exchange, stored: Table) -> None:
        uncertain = [binding for binding, decision in exchange.deletes.items() if decision is Delete.UNCERTAIN]
        if uncertain:
            raise BindingConflict(
                f"{_places(uncertain, stored)} cannot be taken out of this table: another resource of this program has been "
                "given a name that may mean the same, which cannot be told while previewChecks is off. Nothing was written. "
                "Run again with it on."
            )
        refused = [binding for binding, decision in exchange.deletes.items() if decision is Delete.REFUSED]
        if refused:
            raise BindingConflict(
                f"{_places(refused, stored)} cannot be taken out of this table: another resource of this program has it as well, "
                "and could not be created. Nothing was written. Mend that resource's error and run again."
            )

    def _tell_kept(self, exchange: Exchange, stored: Table) -> list[BindingId]:
        kept = [binding for binding, decision in exchange.deletes.items() if decision is Delete.LEFT_UNDONE]
        texts = [
            f"{sentence(_in_words(stored, stored.bindings[binding]) if binding in stored.bindings else binding.in_words)} keeps "
            "its role: another resource of this program binds the two (a move, or a rename?)."
            for binding in kept
        ]
        say_all(notices.note, texts)
        return kept


@dataclass(frozen=True)
class _TakenBack:
    """What stands after a table's changes were taken back, in words, what of it may stand, and losses of others."""

    in_words: str
    may_stand: Collection[BindingId]
    others: Account


def outputs(table: Table, strangers: Collection[Stranger]) -> Properties:
    """The property bag of a table that exists; what is to be removed is no longer there."""
    found = {name: value for name, value in table.properties().items() if name != "removes"}
    if table.unfinished:
        marked: dict[str, list[str]] = {}
        for deployment, token in sorted(table.unfinished):
            marked.setdefault(deployment, []).append(token)
        found[UNFINISHED] = marked
    if table.exclusive is True:
        found["strangers"] = as_roles(strangers)
    return found


def _strangers(reader: Reader, examined: ExaminedTable) -> list[Stranger]:
    """Find who has a role in the table's deployments and is not in the table, perhaps, while not all of it is known."""
    table, bindings = examined.table, examined.bindings.keys()
    deployments = {key: found.thing for key, found in examined.deployments.items() if found.thing is not None}
    found = find_strangers(reader, deployments, bindings)
    if isinstance(table.exclusive, Unknown):
        return [replace(one, perhaps="it is not known yet whether this table is exclusive") for one in found]
    names: defaultdict[str, list[str]] = defaultdict(list)
    for entry in examined.roles:
        if examined.tokens[entry.token].id is None:
            names[entry.deployment].append(repr(entry.token))
    return [
        replace(one, perhaps="the tokens of this table there are not known yet")
        if isinstance(table.rows[key := one.entry.deployment], Unknown)
        else replace(one, unless=f", unless this run gives it the name {' or '.join(names[key])}")
        if key in names
        else one
        for one in found
    ]


def _strangers_of_state(reader: Reader, table: Table) -> list[Stranger]:
    listed = reader.deployments()
    deployments = {key: listed[id_] for key in table.rows if (id_ := table.deployment_id(key)) in listed}
    return find_strangers(reader, deployments, table.bindings.keys())


def _unfinished(stored: Table, asked: Table, may_stand: Collection[BindingId]) -> Properties | None:
    """The outputs of a table of which a run has left something that it could neither finish nor take back.

    They have what the state has, and beside it, as unfinished, each entry of which it is not known whether it stands. So the
    next run shows it, and writes it or takes it away, whatever the program says then.

    Args:
        stored: the table as the state has it.
        asked: the table as it was to be.
        may_stand: bindings that may stand, or may be missing; those of strangers are no entries.
    """
    names = [dict(stored.deployment_ids), dict(stored.token_ids)]
    unfinished = set(stored.unfinished)
    for binding in may_stand:
        entry = stored.bindings.get(binding) or asked.bindings.get(binding)
        if entry is not None:
            ids = (binding.deployment_id, binding.token_id)
            # A name that means another thing in the state, which was made anew since, gives way to the id.
            keys = [
                key if known_as.setdefault(key, id_) == id_ else id_
                for known_as, key, id_ in zip(names, entry, ids, strict=True)
            ]
            unfinished.add(Entry(*keys))
    if not unfinished:
        return None
    deployment_ids, token_ids = ({key: id_ for key, id_ in found.items() if key != id_} for found in names)
    table = stored if stored.organization_id else replace(asked, roles={})
    return outputs(
        replace(table, deployment_ids=deployment_ids, token_ids=token_ids, unfinished=frozenset(unfinished)), []
    )


def _claimant(urn: str, table: Table) -> Claimant:
    """The table as the claims know it: by its URN, else by its content."""
    if urn:
        return Claimant(urn)
    return Claimant(table=hash((table.exclusive, frozenset(table.entries.items()), frozenset(table.rows))))


def _unnamed(table: Table, deployments: Sequence[str]) -> Iterable[Finding]:
    """Yield that a preview cannot name all tokens that an exclusive table takes roles from."""
    if table.exclusive is not False and deployments:
        whether = "is exclusive" if table.exclusive is True else "may be exclusive"
        text = (
            f"This table {whether}, and {', '.join(deployments)} cannot be told yet: the update takes the roles of all "
            "organization tokens there that are not in the table, and its own check names them."
        )
        yield Finding(Weight.NOTE, "exclusive", text)


def _same_roles(one: Table, other: Table) -> bool:
    had, has = other.entries, one.entries
    return (
        one.rows.keys() == other.rows.keys()
        and has.keys() == had.keys()
        and all(same_role(str(role), str(had[entry])) for entry, role in has.items())
    )


def _has(stored: Table, binding: BindingId, entry: Entry) -> bool:
    """Whether the state has an entry: by its ids, or as it is spelled, if a check that was off could not tell the ids."""
    return binding in stored.bindings or (entry in stored.entries and _binding_by_spelling(stored, entry) is None)


def _binding_by_spelling(table: Table, entry: Entry) -> BindingId | None:
    """The id of an entry, if its keys are ids, or names whose ids are known."""
    keys = (entry.deployment in table.deployment_ids, entry.token in table.token_ids)
    ids = [is_known or CUID.fullmatch(key) is not None for is_known, key in zip(keys, entry, strict=True)]
    return table.binding(entry) if all(ids) else None


def _spelled(stored: Table) -> dict[BindingId, tuple[Spelling, ...]]:
    """The entries of the state, each with how a program may spell it."""
    return {
        binding: tuple(
            Spelling(deployment, token)
            for deployment in {entry.deployment, binding.deployment_id}
            for token in {entry.token, binding.token_id}
        )
        for binding, entry in stored.bindings.items()
    }


def _deployment_in_words(table: Table, key: str) -> str:
    id_ = table.deployment_id(key)
    return in_words("deployment", None if key == id_ else key, id_)


def _in_words(table: Table, entry: Entry) -> str:
    """How a message speaks of an entry of the state: names, then ids."""
    id_ = table.token_id(entry.token)
    token = in_words("token", None if entry.token == id_ else entry.token, id_)
    return f"{token} in {_deployment_in_words(table, entry.deployment)}"


def _places(bindings: Sequence[BindingId], *tables: Table) -> str:
    entries = {binding: entry for table in tables for binding, entry in table.bindings.items()}
    named = [entries[one].place if one in entries else one.in_words for one in bindings[:MOST_TOLD]]
    more = len(bindings) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _reasons(failed: Sequence[Outcome], *tables: Table) -> str:
    """Why changes failed: each reason once, with the entries that it is about."""
    by_reason: defaultdict[str, list[BindingId]] = defaultdict(list)
    for one in failed:
        by_reason[str(one.error)].append(one.change.binding)
    told_ = [
        f"{_places(bindings[:1], *tables)}{_and_more(bindings)}: {reason}" for reason, bindings in by_reason.items()
    ]
    more = len(told_) - MOST_TOLD
    return " ".join(told_[:MOST_TOLD]) + (f" And {more} more reasons." if more > 0 else "")


def _and_more(bindings: Sequence[BindingId]) -> str:
    return f" (and {len(bindings) - 1} more)" if len(bindings) > 1 else ""
