"""The life of a table: what of it is its own.

It shares with the bindings of the same process what is known of Astro, the one road of writes, and the claims, so that an
entry may move between a table and a binding by itself in one run, whichever comes first.

A create or an update is made as a whole: if a part fails, the rest is taken back, as far as it still stands as this run has
written it, and the error says what stands. A delete goes on with what it can do, and may be repeated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import BindingId
from astro_provider.astro.reading.reader import Reader
from astro_provider.astro.roles import role_key
from astro_provider.astro.writing.account import NOTHING_LOST, Account
from astro_provider.astro.writing.changes import Outcome
from astro_provider.errors import InputError, Kept, TableNotWritten
from astro_provider.lifecycle.changing import BEFORE_AGAIN, NEXT_RUN, Made, Shared, make, removal_sent_in_words
from astro_provider.lifecycle.claims import Claimant, State, exclusive_in_words
from astro_provider.lifecycle.engine_call import EngineCall
from astro_provider.lifecycle.findings import MOST_NAMED, Finding, Weight, say_all
from astro_provider.lifecycle.life import Life, Properties, dead_deployments, within_its_time
from astro_provider.lifecycle.preflight import examine_existing
from astro_provider.lifecycle.resolving import Examined, Found, T
from astro_provider.lifecycle.tables.strangers import (
    Stranger,
    as_roles,
    removes,
    strangers_of,
    strangers_of_state,
    to_take,
    unnamed,
)
from astro_provider.lifecycle.tables.values import Table
from astro_provider.lifecycle.values import UNKNOWN, Entry, Unknown, known, place
from astro_provider.messages import notices
from astro_provider.messages.words import sentence


class TableLifecycle(Life[Table]):
    """The life of the tables of one process; safe to share between threads."""

    values = Table
    identity = ("organization_id",)
    as_given = ("exclusive", "workspace_id", "overwrite")
    with_places = True

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        # A refresh, which brings no check, has `diff` compare what it found with the *stored* inputs: their rows of `removes`
        # are done, and strangers are drift. A check never leaves a row as it is stored, so what the checks of this process
        # have returned is not mistaken for that.
        self._to_be_taken: set[frozenset[tuple[Entry, str]]] = set()
        self._checked: set[Claimant] = set()

    def _claimant(self, urn: str, asked: Table) -> Claimant:
        """Return the table as the claims know it: by its URN, or else by its content."""
        if urn:
            return Claimant(urn)
        roles = frozenset((entry, role_key(role) if known(role) else role) for entry, role in asked.entries.items())
        return Claimant(table=hash((asked.exclusive, roles, frozenset(asked.rows))))

    def _check(self, asked: Table, olds: Mapping[str, Any], urn: str) -> tuple[Table, list[Finding]]:
        stored = Table.stored(olds)
        state = stored if olds and stored.organization_id == asked.organization_id else None
        had = state or Table()
        # Without an organization or rows there is nothing to look up; the ids of the state stay, so that they are no change.
        if (reader := self._reader_for(asked)) is None or isinstance(asked.roles, Unknown):
            table = replace(asked, deployment_ids=had.deployment_ids, token_ids=had.token_ids)
            return replace(table, removes=removes([], had.removes)), [*unnamed(asked, ["its deployments"])]
        by = self._claimant(urn, asked)
        self._checked.add(by)
        examined, findings = self._examine_and_claim(asked, state, by)
        table = asked.completed(examined)
        if table.exclusive is not False:
            # A row that leaves is the table's own and not a stranger: the engine shows it as a change of `roles`.
            strangers = [one for one in strangers_of(reader, examined, table) if one.binding not in had.bindings]
            findings += self._reserve(examined, by) if table.exclusive is True else ()
            findings += [Finding(Weight.NOTE, "exclusive", one.note) for one in strangers]
            vague = [one.in_words for one in examined.deployments.values() if isinstance(one.id, Unknown)]
            findings += unnamed(table, vague)
            table = replace(table, removes=removes(strangers, had.removes))
            self._to_be_taken.add(to_take(table.removes))
        return table, findings

    def _examine(self, asked: Table, stored: Table | None, found: Examined) -> Examined:
        examined = super()._examine(asked, stored, found)
        return replace(examined, findings=[*examined.findings, *_doubles(examined)])

    def _meets(self, stored: Table | None, examined: Examined) -> Iterable[Finding]:
        new = [one for one in examined.bindings if stored is None or one not in stored.bindings]
        reader = self._readers.of(str(examined.wishes.organization_id))
        return examine_existing(reader, examined, reader.roles_of(new, confirm_absence=False))

    def _check_by_spelling(self, asked: Table, olds: Mapping[str, Any], urn: str) -> Table:
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
        by = self._claimant(urn, table)
        self._checked.add(by)
        for entry, claimed in zip(table.entries, table.claimed, strict=True):
            self._claims.checked(claimed, by, State.STORED if entry in state.entries else State.WANTED)
        return table

    def _differs(self, checked: Table, stored: Table) -> bool:
        return (
            not checked.is_known
            or checked.rows.keys() != stored.rows.keys()
            or any(stored.deployment_ids.get(key, id_) != id_ for key, id_ in checked.deployment_ids.items())
            or any(stored.token_ids.get(key, id_) != id_ for key, id_ in checked.token_ids.items())
            or (bool(rows := to_take(checked.removes)) and rows in self._to_be_taken)
        )

    def _has_drifted(self, call: EngineCall, olds: Mapping[str, Any], checked: Table) -> bool:
        return bool(olds.get("strangers")) and self._claimant(call.urn, checked) not in self._checked

    @within_its_time
    def update(self, call: EngineCall, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Give what is new, change what differs, take what left the table, all of it or nothing; return the outputs."""
        stored = Table.stored(olds)
        asked, examined = self._ready(call, news, stored)
        self._identify(asked, examined.bindings)
        return self._write(call, asked, examined, stored, olds)

    def _not_given(
        self, call: EngineCall, made: Made, asked: Table, stored: Table, _olds: Mapping[str, Any]
    ) -> tuple[Exception, Account]:
        back, may_stand, others = self._take_back(made.outcomes, stored, asked)
        text = f"{len(made.left)} of {len(made.outcomes)} changes of this table could not be made:"
        text += f" {_reasons(made.failed, stored, asked)}" if made.failed else ""
        text += f" {made.own.in_words}" if made.own else ""
        error = TableNotWritten(f"{text} {back}")
        left = stored.with_unfinished(asked, may_stand)
        error.kept = Kept(call.id, left.outputs()) if left.unfinished else None
        return error, others

    def _take_back(self, outcomes: Sequence[Outcome], *tables: Table) -> tuple[str, Collection[BindingId], Account]:
        """Take back what was written, as far as it still stands; nothing is raised.

        Returns:
            The end of the error, the bindings that may stand, and the losses of other resources.
        """
        changes = [outcome.taking_back for outcome in outcomes if outcome.taking_back is not None]
        # Only what this run wrote and what still stands: the writer undoes nothing that another writer changed since.
        with operation(self._settings.timeout_seconds):  # the operation's own time may be over
            made = make(self.shared, changes)
        not_taken = [one.change.binding for one in made.failed]
        # What was given up while another thread wrote it has nothing that could take it back.
        not_taken += [one.change.binding for one in outcomes if one.may_stand and one.taking_back is None]
        # A write without an answer may be carried out after it was taken back.
        may_come = [one.change.binding for one in outcomes if one.may_come]
        may_stand = list(dict.fromkeys([*not_taken, *(one.change.binding for one in made.own.changes), *may_come]))
        if not_taken:
            unique = list(dict.fromkeys([*not_taken, *may_come]))
            what = f"could not be taken back, and may stand: {_places(unique, *tables)}."
        elif made.own:
            what = f"was taken back, but {made.own.in_words}"
        elif may_come:
            what = (
                "was taken back, but a write had no answer, and Astro may carry it out later: "
                f"{_places(may_come, *tables)}."
            )
        elif changes:
            return "What this run had written was taken back, so all is as it was before.", (), made.others
        else:
            return "Nothing else was written.", (), made.others
        return f"What this run had written {what} {NEXT_RUN}", may_stand, made.others

    def _not_taken(self, made: Made, stored: Table) -> tuple[Exception, Account]:
        text = [f"{len(made.left)} of {len(made.outcomes)} roles of this table could not be taken away:"]
        text += [_reasons(made.failed, stored)] if made.failed else []
        text += [made.own.in_words] if made.own else []
        if made.in_doubt:
            text.append(removal_sent_in_words(_places(made.in_doubt, stored)))
        elif len(made.left) == len(made.outcomes):
            text.append("None was taken away.")
        if len(made.left) < len(made.outcomes):
            text.append("The others are gone.")
        text.append(f"The table stays in the state. {BEFORE_AGAIN}")
        return TableNotWritten(" ".join(text)), NOTHING_LOST

    @within_its_time
    def read(self, call: EngineCall, olds: Mapping[str, Any]) -> tuple[Properties, Properties] | None:
        """Read the table's entries, and if it is exclusive, the other tokens that have a role in its deployments.

        Returns:
            Inputs and outputs as they are now; None if all its deployments are gone.

        Raises:
            AbsenceNotProven: a token or a deployment is not listed, and the credential may not see all of them.
            InputError: there are no stored outputs; the id alone does not show what stands in the table.
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
        # An entry on a token is no sign that its deployment exists, and a deployment without entries may be deleted: both
        # kinds are looked for in the list of deployments.
        deleted = reader.unlisted_deployments(empty.values()) if empty else set()
        deleted = deleted | dead_deployments(reader, with_entries)
        lost = {key for key in keys if stored.deployment_id(key) in deleted}
        self._note_gone(reader, stored, gone, lost)
        roles: dict[str, dict[str, str]] = {key: {} for key in keys if key not in lost}
        for binding, entry in stored.bindings.items():
            found, role = there[binding], stored.entries.get(entry)
            if found is not None and entry.deployment not in lost:
                # As the program spells it, if it is the same role: another spelling is no drift.
                same = self._is_role(reader.organization_id, role or UNKNOWN, found.role)
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
        strangers = strangers_of_state(reader, table) if table.exclusive is True else []
        return table.properties(), table.outputs(as_roles(strangers))

    def _note_gone(self, reader: Reader, stored: Table, gone: Collection[Entry], lost: Collection[str]) -> None:
        left = [entry for entry in gone if entry.deployment not in lost]
        tokens = dict.fromkeys(entry.token for entry in left)
        deleted = [key for key in tokens if reader.token(stored.token_id(key)) is None]
        texts = [
            f"{sentence(called)} was deleted, so a refresh takes its entries out of the table."
            for called in (*map(stored.deployment_in_words, sorted(lost)), *map(stored.token_in_words, deleted))
        ]
        texts += [
            f"{sentence(stored.in_words(entry))} has no role any more, so a refresh takes the entry out of the table."
            for entry in left
            if entry.token not in deleted
        ]
        say_all(notices.note, texts)

    def _strangers_to_take(self, table: Table, examined: Examined) -> list[Stranger]:
        """Return what the preview has named; without checks nothing was named, so all of them, each with a warning."""
        named = {entry for entry, _ in to_take(table.removes)}
        if table.exclusive is not True or not (named or self.is_unchecked):
            return []
        strangers = strangers_of(self._readers.of(str(table.organization_id)), examined, table)
        if self.is_unchecked:
            say_all(notices.warn, [one.note for one in strangers])
            return strangers
        return [one for one in strangers if one.entry in named]

    def _reserve(self, examined: Examined, by: Claimant) -> Iterable[Finding]:
        """Claim the deployments of an exclusive table, and yield which other resources of the program bind a token there."""
        for found in examined.deployments.values():
            if not known(found.id):
                continue
            for binding, other in self._claims.reserve(str(examined.wishes.organization_id), found.id, by):
                if binding not in examined.bindings:
                    called = f"token {binding.token_id} in {found.in_words} through {other}"
                    yield Finding(Weight.ERROR, "exclusive", exclusive_in_words(by, called))


def _doubles(examined: Examined) -> Iterator[Finding]:
    """Yield what is spelled twice: a deployment in the table, or a token in a deployment."""
    for first, second in _alike(examined.deployments):
        text = f"is {examined.deployments[second].in_words}, and so is {place(first)}: write all its tokens beneath one key."
        yield Finding(Weight.ERROR, place(second), text)
    alike = list(_alike(examined.tokens))
    for deployment in examined.deployments if alike else ():
        for first, second in alike:
            one, other = Entry(deployment, first), Entry(deployment, second)
            if {one, other} <= examined.roles.keys():
                text = (
                    f"is {examined.tokens[second].in_words}, and so is {one.place}: a token has one role in a deployment. "
                    "Remove one of the two."
                )
                yield Finding(Weight.ERROR, other.place, text)


def _alike(found: Mapping[str, Found[T]]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for key, one in found.items():
        if known(one.id) and first.setdefault(one.id, key) != key:
            yield first[one.id], key


def _places(bindings: Sequence[BindingId], *tables: Table) -> str:
    entries = {binding: entry for table in tables for binding, entry in table.bindings.items()}
    named = [entries[one].place if one in entries else one.in_words for one in bindings[:MOST_NAMED]]
    more = len(bindings) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _reasons(failed: Sequence[Outcome], *tables: Table) -> str:
    """Return why changes failed: each reason once, with the first entry that it is about."""
    by_reason: defaultdict[str, list[BindingId]] = defaultdict(list)
    for one in failed:
        by_reason[str(one.error)].append(one.change.binding)
    reasons = []
    for reason, bindings in by_reason.items():
        and_more = f" (and {len(bindings) - 1} more)" if len(bindings) > 1 else ""
        reasons.append(f"{_places(bindings[:1], *tables)}{and_more}: {reason}")
    more = len(reasons) - MOST_NAMED
    return " ".join(reasons[:MOST_NAMED]) + (f" And {more} more reasons." if more > 0 else "")
