"""The flow of a write, of one binding and of many: the claims, the changes, the evidence, and what is kept of a failure.

One contract of failure: what may stand is in the state, and the error says what was sent, what may stand, what to do.

    what became of the write                    create            update            delete
    ------------------------------------------  ----------------  ----------------  -----------------------------------
    nothing was sent, or it was seen undone     not kept          as before         as before
    sent, and no answer or read has shown it    kept, unfinished  kept, unfinished  as before; the error says to refresh
    it stands, and one of another resource      kept, as done     kept, as done     as before; the error says to refresh
    was undone after it had ended as done

A create that is kept although it sent nothing would have `destroy` remove a grant that is not ours. What is kept as
unfinished carries UNFINISHED among its outputs, beside the role and never as one, because with `--target` the outputs are
inputs of other resources. The engine updates it in the next run, whatever the program says then.

The lifecycles differ in the plan, in the words for their entries, and in this: a table takes back what it could not finish.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from astro_provider.astro.api import ApiTokenRole
from astro_provider.astro.api.deadline import current
from astro_provider.astro.evidence import Evidence
from astro_provider.astro.identity import BindingId
from astro_provider.astro.organizations import PerOrganization
from astro_provider.astro.reading.reader import Readers
from astro_provider.astro.roles import BELOW_DEPLOYMENT, require_roles, same_role
from astro_provider.astro.settings import Settings
from astro_provider.astro.writing.account import NOTHING_LOST, Account
from astro_provider.astro.writing.changes import Add, Change, Outcome, Put, Remove
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.astro.writing.writer import Writer
from astro_provider.errors import AstroProviderError, BindingConflict, Kept, NotFound, WriteNotConfirmed, WriteRefused
from astro_provider.lifecycle.claims import Claimant, Claims, Delete, Exchange, twin_in_words
from astro_provider.lifecycle.findings import MOST_NAMED, say_all
from astro_provider.lifecycle.values import Entry
from astro_provider.messages import notices
from astro_provider.messages.words import sentence

NEXT_RUN = (
    "The state shows it as unfinished: the next preview shows an update, and the next `pulumi up` writes what the program "
    "asks for then."
)
BEFORE_AGAIN = "Run again to remove it; before you declare it again, run `pulumi refresh`."
_REFUSALS = {
    Delete.UNCERTAIN: "another resource of this program has been given a name that may mean the same binding, which cannot "
    "be known while previewChecks is off. Nothing was written. Run again with it on.",
    Delete.REFUSED: "another resource of this program binds the two as well, and could not be created. Nothing was written. "
    "Fix that resource's error and run again.",
}


@dataclass(frozen=True)
class Shared:
    """Shared by the resources of all kinds in one process: settings, facts, the one road of writes, and claims."""

    settings: Settings
    readers: Readers
    writer: Writer
    claims: Claims

    @classmethod
    def of(cls, settings: Settings, *, operations_at_once: int) -> Shared:
        """Make it for a process in which the engine has at most so many operations under way."""
        client = settings.client()
        evidence = PerOrganization(lambda one: Evidence(client.of(one)))
        writer = Writer(
            client,
            TokenLocks(settings.host, settings.lock_directory),
            settle_seconds=settings.settle_seconds,
            timeout_seconds=settings.timeout_seconds,
            most_at_once=operations_at_once,
            evidence=evidence,
        )
        return cls(settings, Readers(client, evidence), writer, Claims())


@dataclass(frozen=True)
class Plan:
    """The changes of one operation, at most one for each binding."""

    gives: Mapping[BindingId, str] = field(default_factory=dict)  # the roles of entries that are new to the resource
    # The roles of entries that the resource has: another role, or one that a delete of this run has taken.
    puts: Mapping[BindingId, str] = field(default_factory=dict)
    # What leaves the resource, each binding with its spellings, or stands outside an exclusive table.
    takes: Mapping[BindingId, Collection[Entry]] = field(default_factory=dict)
    called: Mapping[BindingId, str] = field(default_factory=dict)  # how a message speaks of each binding
    overwrite: Collection[BindingId] = ()  # the new entries that may take over what is there with another role
    exact: Collection[str] = ()  # the roles that differ from another role of the organization in case only

    def changes(self, kept: Collection[BindingId] = ()) -> list[Change]:
        """Return the changes, those of one token beside each other; none takes what is kept for another resource."""
        changes: list[Change] = []
        for one, role in self.gives.items():
            called, exact = self.called[one], role in self.exact
            changes.append(Add(one, role, one in self.overwrite, called=called, exact=exact))
        for one, role in self.puts.items():
            changes.append(Put(one, role, called=self.called[one], exact=role in self.exact))
        changes += [Remove(one, called=self.called[one]) for one in self.takes if one not in kept]
        return sorted(changes, key=lambda change: (change.binding.token_id, change.binding.deployment_id))


@dataclass(frozen=True)
class Made:
    """The ends of the changes of one operation."""

    outcomes: Sequence[Outcome]
    failed: Sequence[Outcome]  # those that failed
    own: Account  # the changes that were made and do not stand in the end, or are not known to
    others: Account  # the same of other resources, which this operation has to report

    @property
    def left(self) -> set[BindingId]:
        """Return the bindings whose changes failed or do not stand."""
        return {one.change.binding for one in self.failed} | {one.change.binding for one in self.own.changes}

    @property
    def in_doubt(self) -> list[BindingId]:
        """Return the bindings whose changes were sent and may stand, or not."""
        return [*(one.change.binding for one in self.failed if one.may_stand), *self.own.may_stand]


def carry_out(  # noqa: PLR0913  a plan, and what only the resource can say about it
    shared: Shared,
    by: Claimant,
    plan: Plan,
    *,
    failing: Callable[[Made], tuple[Exception, Account]],
    done: str,
    keep: Callable[[Made], Kept] | None = None,
) -> Made:
    """Make the changes of a plan: the one way in which a lifecycle writes.

    Args:
        shared: the process's.
        by: the resource.
        plan: the changes.
        failing: makes the error of a plan of which a part failed; it may take back what was made, and returns the losses
            of other resources that this has met.
        done: what the plan has done, as a sentence, for an error that is about other resources only.
        keep: makes what the engine keeps then; None for a delete, which the engine repeats.

    Raises:
        BindingConflict: another resource of the program has, or should have had, one of the bindings; nothing was written.
        WriteNotConfirmed: all was made, and changes of other resources were lost.
        Exception: that of `failing`.
    """
    # The claims must learn in this block whether the plan failed: other resources wait for that, or decide by it.
    with shared.claims.exchanging(by, gives=plan.gives, puts=plan.puts, takes=plan.takes) as exchange:
        _refuse_twins(shared.readers, by, plan, exchange)
        kept = _kept(plan, exchange)
        made = make(shared, plan.changes(kept))
        is_delete, failed = keep is None, bool(made.failed or made.own)
        if is_delete or not failed:
            _warn_of_roles_in_dags(made)
        if failed:
            error, others = failing(made)
            others = made.others.and_(others)
            waited = "" if current().remaining else exchange.waited
            raise _with(error, [waited, others.with_advice if others else ""])
        if made.others:
            text = f"{done} That stays. But this run lost changes of other resources: {made.others.with_advice}"
            if is_delete:
                text += f" This resource is in the state until then. {BEFORE_AGAIN}"
            lost = WriteNotConfirmed(text)
            lost.kept = keep(made) if keep is not None else None
            raise lost
        return made


def make(shared: Shared, changes: Sequence[Change]) -> Made:
    """Make changes, and let the reader learn what they have left on the tokens; nothing is raised for one that fails."""
    if not changes:
        return Made((), (), NOTHING_LOST, NOTHING_LOST)
    written = shared.writer.write_all(changes)
    bindings = {change.binding for change in changes}
    undone = {one.key for one in written.lost.changes}
    for one in written.outcomes:
        if one.token is not None and one.change.binding.token_key not in undone:
            shared.readers.of(one.change.binding.organization_id).written(one.token)
    failed = list(_failed(shared.readers, written.outcomes))
    return Made(written.outcomes, failed, written.lost.of(bindings), written.lost.without(bindings))


def sent_in_words(called: str, role: str) -> str:
    """Return the sentences for a role that was sent and may stand."""
    return f"The role {role} for {called} was sent, and Astro has not shown since whether it stands. {NEXT_RUN}"


def removal_sent_in_words(called: str) -> str:
    """Return the sentence for a removal that was sent and may have been made."""
    return f"The removal of {called} was sent, and Astro has not shown since whether the role is gone."


def _failed(readers: Readers, outcomes: Sequence[Outcome]) -> Iterable[Outcome]:
    """Yield the changes that failed; a removal has not, if the role is gone with its token or with its deployment."""
    refused = []
    for one in outcomes:
        if not isinstance(one.change, Remove) or not isinstance(one.error, NotFound | WriteRefused):
            if one.error is not None:
                yield one
        elif isinstance(one.error, WriteRefused):
            refused.append(one)
    if not refused:
        return
    gone, doubt = set[str](), ""
    try:
        deployment_ids = {one.change.binding.deployment_id for one in refused}
        gone = readers.of(refused[0].change.binding.organization_id).evidence.gone_deployments(deployment_ids)
    except AstroProviderError as unproven:
        doubt = f" {unproven}"
    for one in refused:
        if one.change.binding.deployment_id in gone:
            called = sentence(one.change.in_words)
            notices.warn(f"{called} is gone with its deployment; its entries on the token were left. {one.error}")
        else:
            yield replace(one, error=WriteRefused(f"{one.error}{doubt}"))


def _refuse_twins(readers: Readers, by: Claimant, plan: Plan, exchange: Exchange) -> None:
    """Refuse to give what another resource of the program has.

    Raises:
        BindingConflict: it has it; nothing was written.
    """
    twins = [twin_in_words(by, other, plan.called[one]) for one, other in exchange.has_another.items()]
    for one in exchange.may_be_own:
        # A replacement that failed in an earlier run, after its delete, comes like a second resource. Its role is not
        # there, or just as it is asked for if the create failed after its write: then it must not be stuck.
        there = readers.of(one.organization_id).role_now(one)
        if there is not None and not same_role(there, plan.gives[one]):
            twins.append(twin_in_words(by, by, plan.called[one]))
    if twins:
        raise BindingConflict(f"Nothing was written. {' '.join(twins[:MOST_NAMED])}")


def _kept(plan: Plan, exchange: Exchange) -> list[BindingId]:
    """Return the bindings that are not taken after all, because another resource of the program has them.

    Raises:
        BindingConflict: it is not known whether another resource has one, or it should have it; nothing was written.
    """
    for decision, why in _REFUSALS.items():
        if refused := [plan.called[one] for one, decided in exchange.deletes.items() if decided is decision]:
            more = f" and {len(refused) - MOST_NAMED} more" if len(refused) > MOST_NAMED else ""
            names = sentence(", ".join(refused[:MOST_NAMED]))
            raise BindingConflict(f"{names}{more} {'was' if len(refused) == 1 else 'were'} not removed: {why}")
    kept = [one for one, decided in exchange.deletes.items() if decided is Delete.LEFT_UNDONE]
    why = "another resource of this program binds the two (a move, or a rename?)."
    say_all(notices.note, [f"{sentence(plan.called[one])} keeps its role: {why}" for one in kept])
    return kept


def _with(error: Exception, sentences: Iterable[str]) -> Exception:
    """Return an error of a resource's own, together with what else its operation has to report."""
    more = " ".join(filter(None, sentences))
    if not more:
        return error
    both = WriteNotConfirmed(f"{error} {more}")
    both.kept = getattr(error, "kept", None)
    return both


def _warn_of_roles_in_dags(made: Made) -> None:
    """Warn of roles in DAGs that remain in a deployment whose role was taken; what they still open is not documented."""
    lost = {one.change.binding for one in made.own.changes}
    removed = [
        (one.change, one.token)
        for one in made.outcomes
        if isinstance(one.change, Remove) and one.token is not None and one.change.binding not in lost
    ]
    below: defaultdict[tuple[str, str | None], list[ApiTokenRole]] = defaultdict(list)
    for token in {token.id: token for _, token in removed}.values():  # once each: a list may have thousands of entries
        for entry in require_roles(token):
            if entry.entity_type in BELOW_DEPLOYMENT:
                below[token.id, entry.deployment_id].append(entry)
    for change, _ in removed:
        if left := below.get((change.binding.token_id, change.binding.deployment_id)):
            entries = ", ".join(f"{entry.entity_type} {entry.entity_id} ({entry.role})" for entry in left)
            called = sentence(change.in_words)
            notices.warn(f"{called} lost its role, but roles in DAGs of that deployment remain: {entries}.")
