"""The digest that `pulumi preview --json` prints (also of `refresh` and `destroy` with `--preview-only`), as access.

    op                                 before                  after
    ---------------------------------  ----------------------  -----------------------------------
    create                             -                       what the program asks for
    update                             what the state has      what the program asks for
    replace                            what the state has      what the program asks for
    delete                             what the state has      -, unless the resource is retained
    same                               what the state has      the same
    import                             -                       what is there already
    refresh, in a digest of a preview  only compared with what the state has after the refresh
    refresh, update, delete, in a      what the state          what Astro shows
    digest of a refresh                recorded

A digest has no field that says whether the preview went well. One that was cut short by an error is as well-formed as
a whole one, and lacks the deletes, because the engine computes them last. So everything that shows a digest to be less
than whole is collected in `problems`, and whoever shows the digest must show them first.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from astro_provider.access.model import Grant, Hidden, Subject, access, completed, same_role, seen
from astro_provider.access.resources import OURS, Incomprehensible, grants, property_text
from astro_provider.errors import UnusableInput

REPLACEMENT_STEPS = ("delete-replaced", "create-replacement")
IN_A_REFRESH = frozenset(("refresh", "update", "delete"))
NO_CHANGE = frozenset(("same", "refresh", "read", "read-replacement", "discard", "discard-replaced", *REPLACEMENT_STEPS))
COUNTED = ("create", "update", "replace", "delete")
NOT_PEOPLES = ("pulumi:pulumi:", "pulumi:providers:")  # the stack itself, and providers
LONGEST_MESSAGE = 256

# What our own provider says of a grant that is there before the resource is; the ids stand in parentheses.
_THERE_ALREADY = re.compile(
    r"\((?P<token>[^\s()]+)\) already holds the role (?P<role>.+?) in deployment (?:.*\()?(?P<deployment>[^\s():]+)"
    r"\)?: (?P<rest>.*)",
    re.DOTALL,
)
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=_.-]{80,}")  # a credential, or Pulumi's pickled provider; no word is that long


@dataclass(frozen=True)
class Diagnostic:
    """Something that the run said: an error, a warning, or a note of our own provider."""

    severity: str
    message: str


@dataclass(frozen=True)
class There:
    """A grant that is there before the resource that asks for it.

    Attributes:
        role: the role that the token holds.
        overwritten: the resource will change it; else it will adopt it as it is.
    """

    role: str
    overwritten: bool


@dataclass
class Digest:
    """What a digest tells.

    Attributes:
        stack: `<project>/<stack>`, or None where the digest has no step.
        is_refresh: nothing will be written: `before` is what the state recorded, `after` what Astro shows.
        before: the grants before the run.
        after: the grants after it.
        drifted: subjects whose grant somebody changed or took away since the state was written.
        gaps: subjects that a replacement takes the role from before it gives one.
        there: what is there already, by deployment and token.
        retained: how many grants stay in Astro although their resources are deleted.
        unchanged: how many grants stay as they are; None where the digest does not show them.
        other_changes: how many other resources each operation is about.
        diagnostics: what the run said.
        problems: why the digest may not tell everything, one sentence each; none: it is whole.
    """

    stack: str | None = None
    is_refresh: bool = False
    before: dict[Subject, Grant] = field(default_factory=dict)
    after: dict[Subject, Grant] = field(default_factory=dict)
    drifted: set[Subject] = field(default_factory=set)
    gaps: set[Subject] = field(default_factory=set)
    there: dict[tuple[str, str], There] = field(default_factory=dict)
    retained: int = 0
    unchanged: int | None = None
    other_changes: dict[str, int] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_digest(text: str, source: str) -> Digest:
    """Read a digest.

    Args:
        text: what the engine printed on standard output.
        source: what a message calls it, for example `digest.json`.

    Raises:
        UnusableInput: it is no digest; one sentence.
    """
    document = _document(text, source)
    steps: list[dict[str, Any]] = document["steps"]
    digest = Digest(stack=_stack(steps), is_refresh=_is_refresh(steps))
    try:
        _read_access(digest, steps)
    except Incomprehensible as reason:
        raise UnusableInput(
            f"{source}: a binding in it has {reason}; it was not made by a version of the package that this one knows."
        ) from None
    others = Counter(step["op"] for step in steps if _is_of_others(step) and step["op"] not in NO_CHANGE)
    digest.other_changes = dict(sorted(others.items()))
    said = [found for one in document.get("diagnostics") or [] if (found := _diagnostic(one))]
    digest.there |= dict(_there_already(said))
    digest.diagnostics = [Diagnostic(one.severity, _shortened(one.message)) for one in said]
    digest.problems = list(_problems(document, steps, digest.diagnostics))
    summary = document.get("changeSummary") or {}
    sames = sum(step["op"] == "same" for step in steps)
    if digest.is_refresh or summary.get("same", 0) <= sames:
        kept = [subject for subject in digest.before.keys() & digest.after.keys() if subject not in digest.gaps]
        digest.unchanged = sum(same_role(digest.before[one].role, digest.after[one].role) for one in kept)
    return digest


def _document(text: str, source: str) -> dict[str, Any]:
    if not text.strip():
        raise UnusableInput(
            f"{source} is empty: the preview failed before it began. Look at what it wrote on standard error."
        )
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        if _is_events(text):
            raise UnusableInput(
                f"{source} is a stream of engine events, not a digest: unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW, "
                "and give the output of `pulumi preview --json`."
            ) from None
        raise UnusableInput(
            f"{source} is no JSON, or was cut: give the whole standard output of `pulumi preview --json`."
        ) from None
    if isinstance(document, dict) and isinstance(document.get("deployment"), dict):
        raise UnusableInput(f"{source} is a stack's export, not a digest: `astro-provider audit --state` reads that.")
    steps = document.get("steps", []) if isinstance(document, dict) else None
    known = isinstance(document, dict) and {"steps", "changeSummary", "diagnostics"} & document.keys()
    if not known or not isinstance(steps, list) or not all(map(_is_step, steps)):
        raise UnusableInput(f"{source} is no digest of a preview: give the output of `pulumi preview --json`.")
    return {**document, "steps": steps}


def _is_events(text: str) -> bool:
    try:
        first = json.loads(text.lstrip().partition("\n")[0])
    except ValueError:
        return False
    return isinstance(first, dict) and "sequence" in first


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, dict)
        and isinstance(step.get("op"), str)
        and isinstance(step.get("urn"), str)
        and all(isinstance(step.get(which) or {}, dict) for which in ("oldState", "newState"))
    )


def _type(step: Mapping[str, Any]) -> str:
    return str((step.get("newState") or step.get("oldState") or {}).get("type", ""))


def _is_of_others(step: Mapping[str, Any]) -> bool:
    return _type(step) not in OURS and not _type(step).startswith(NOT_PEOPLES)


def _stack(steps: Iterable[Mapping[str, Any]]) -> str | None:
    for step in steps:
        head, _, rest = step["urn"].removeprefix("urn:pulumi:").partition("::")
        if rest:
            return f"{rest.partition('::')[0]}/{head}"
    return None


def _is_refresh(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether this is a refresh: it looks at each resource once, and an update in it shows what Astro has."""
    refreshed = {step["urn"] for step in steps if step["op"] == "refresh"}
    others = [step for step in steps if step["op"] != "refresh"]
    live = any(step["op"] == "update" and "outputs" in (step.get("newState") or {}) for step in others)
    return (
        bool(refreshed or live)
        and all(step["op"] in IN_A_REFRESH for step in others)
        and not any(step["urn"] in refreshed for step in others)
    )


def _read_access(digest: Digest, steps: Sequence[Mapping[str, Any]]) -> None:
    ours = [step for step in steps if _type(step) in OURS]
    replaced = {step["urn"] for step in ours if step["op"] == "replace"}
    before: list[Grant] = []
    after: list[Grant] = []
    recorded: list[Grant] = []
    for step in ours:
        op = step["op"]
        if op == "delete-replaced" and step["urn"] not in replaced:
            op = "delete"  # what an earlier run has replaced and could not delete
        if op in ("same", "refresh"):
            kept = _kept(step)
            if op == "refresh" and not digest.is_refresh:
                recorded += kept
            else:
                before += kept
                after += kept if op == "same" or _is_as_recorded(step) else _asked(step)
        elif op in ("update", "replace"):
            before += _had(step)
            after += _asked(step)
        elif op == "delete":
            had = _had(step)
            before += had
            if not digest.is_refresh:
                stays = [grant for grant in had if grant.retained]
                digest.retained += len(stays)
                after += stays
        elif op in ("create", "import"):
            after += _asked(step)
    everything = [*before, *after, *recorded]
    digest.before = access(completed(before, everything))
    digest.after = access(completed(after, everything))
    digest.drifted = _drifted(digest, recorded)
    digest.gaps = _gaps(ours, everything)
    for grant in (grant for step in ours if step["op"] == "import" for grant in _asked(step)):
        if seen(grant.subject.deployment_id) and seen(grant.subject.org_token_id) and seen(grant.role):
            key = (grant.subject.deployment_id, grant.subject.org_token_id)
            digest.there[key] = There(grant.role, overwritten=False)


def _had(step: Mapping[str, Any], moment: str = "before") -> list[Grant]:
    state = step.get("oldState") or {}
    return grants(state, state.get("outputs") or state.get("inputs") or {}, moment=moment)


def _asked(step: Mapping[str, Any]) -> list[Grant]:
    """What there will be: the inputs, or what Astro shows where the engine has read it."""
    state = step.get("newState") or {}
    found = grants(state, state.get("outputs") or state.get("inputs") or {}, moment="after")
    if step["op"] == "update" and "role" not in (step.get("detailedDiff") or {"role": None}):
        # The engine says which properties change; a secret role that is not among them stays what it is.
        had = {grant.subject: grant for grant in _had(step)}
        return [had.get(grant.subject, grant) if not seen(grant.role) else grant for grant in found]
    return found


def _kept(step: Mapping[str, Any]) -> list[Grant]:
    """What a resource has that stays; nothing for one that is not made, because the run is aimed at others."""
    if not any((step.get(which) or {}).get("id") for which in ("oldState", "newState")):
        return []
    return _had(step) if step.get("oldState") else _asked(step)


def _is_as_recorded(step: Mapping[str, Any]) -> bool:
    old, new = step.get("oldState") or {}, step.get("newState") or {}
    return bool(old.get("outputs") == new.get("outputs"))


def _drifted(digest: Digest, recorded: Iterable[Grant]) -> set[Subject]:
    """Find what a refresh before the preview found to be other than the state said."""
    found = set()
    for grant in recorded:
        live = digest.before.get(grant.subject)
        if live is None or (seen(live.role) and seen(grant.role) and not same_role(live.role, grant.role)):
            found.add(grant.subject)
    return found


def _gaps(ours: Sequence[Mapping[str, Any]], everything: Sequence[Grant]) -> set[Subject]:
    taken: dict[str, Mapping[str, Any]] = {}
    found: list[Grant] = []
    for step in ours:
        if step["op"] == "delete-replaced":
            taken[step["urn"]] = step
        elif step["op"] == "create-replacement" and step["urn"] in taken:
            found += [*_had(taken[step["urn"]]), *_asked(step)]
    return {grant.subject for grant in completed(found, everything)}


def _diagnostic(said: Any) -> Diagnostic | None:
    """Return what is worth showing: errors, warnings, and what our provider says; never a long run of characters."""
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return None
    severity, message = str(said.get("severity", "")), " ".join(said["message"].split())
    if severity.startswith("info"):
        if not message.startswith("astro: "):
            return None
        severity, _, message = message.removeprefix("astro: ").partition(": ")
    if severity not in ("error", "warning", "note"):
        return None
    return Diagnostic(severity, message.removeprefix(f"{severity}: "))


def _shortened(message: str) -> str:
    clean = _LONG_RUN.sub("[…]", message)
    return clean if len(clean) <= LONGEST_MESSAGE else f"{clean[: LONGEST_MESSAGE - 1]}…"


def _there_already(diagnostics: Iterable[Diagnostic]) -> Iterable[tuple[tuple[str, str], There]]:
    for said in diagnostics:
        if found := _THERE_ALREADY.search(said.message):
            rest = found["rest"]
            if "adopt" in rest or "overwrite" in rest:
                key = (found["deployment"], found["token"])
                yield key, There(found["role"], overwritten="adopt" not in rest)


def _problems(
    document: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], diagnostics: Sequence[Diagnostic]
) -> Iterable[str]:
    errors = sum(said.severity == "error" for said in diagnostics)
    if errors:
        yield f"It ended with {_counted(errors, 'error')}, so steps are missing, and above all what it would take away."
    summary = document.get("changeSummary")
    if not isinstance(summary, dict):
        yield "The digest has no end, so steps may be missing."
        return
    shown = Counter(step["op"] for step in steps)
    for op in COUNTED:
        hidden = summary.get(op, 0) - shown[op] if isinstance(summary.get(op, 0), int) else 0
        if hidden > 0:
            yield f"The engine counts {_counted(hidden, op)} more than the digest shows."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
