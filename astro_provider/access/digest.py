"""Reads the digest that `pulumi preview --json` prints (also `refresh` and `destroy` with `--preview-only`).

`steps.py` reads the steps about our resources; this module reads the rest.

A digest has no field for the success of the preview. One that was cut short by an error is as well-formed as a whole one,
and lacks the deletes, because the engine computes them last. So every sign of a missing part is collected in `problems`,
and each form of a review shows those first.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from astro_provider.access.resources import OURS, Incomprehensible, is_state, stack_of
from astro_provider.access.steps import Steps, read_steps, type_of
from astro_provider.errors import UnusableInput
from astro_provider.messages.words import counted

REPLACEMENT_STEPS = ("delete-replaced", "create-replacement")
NO_CHANGE = frozenset(
    ("same", "refresh", "read", "read-replacement", "discard", "discard-replaced", *REPLACEMENT_STEPS)
)
COUNTED = ("create", "update", "replace", "delete")
OF_THE_ENGINE = ("pulumi:pulumi:", "pulumi:providers:")  # the types of the stack itself, and of providers
NOTE = "note"  # the severity of a notice of our provider that asks for no action
LONGEST_NOTE = 256

_OPERATION = re.compile(r"[a-z]+(-[a-z]+)*")
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=_.-]{80,}")  # a credential, or Pulumi's pickled provider; no word is that long


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning of the run, or a note of our own provider."""

    severity: str
    message: str


@dataclass
class Digest(Steps):
    """A digest: the effects of its steps on our resources, and the rest of it."""

    stack: str | None = None  # `<project>/<stack>`, or None if the digest has no step
    shows_unchanged: bool = True  # whether the digest shows the resources that stay as they are
    # How many other resources are created, updated and so on.
    other_changes: dict[str, int] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    # Sentences, each a sign that a part is missing; none: the digest is whole.
    problems: list[str] = field(default_factory=list)


def read_digest(text: str, source: str) -> Digest:
    """Return a digest from the engine's standard output; `source` is its name in messages.

    Raises:
        UnusableInput: it is no digest; one sentence.
    """
    document = _document(text, source)
    steps: list[dict[str, Any]] = document["steps"]
    try:
        found = read_steps(steps)
    except Incomprehensible as reason:
        raise UnusableInput(reason.in_file(source)) from None
    others = Counter(
        step["op"]
        for step in steps
        if step["op"] not in NO_CHANGE and type_of(step) not in OURS and not type_of(step).startswith(OF_THE_ENGINE)
    )
    said = [one for entry in document.get("diagnostics") or () if (one := _diagnostic(entry))]
    same = int((document.get("changeSummary") or {}).get("same", 0))
    return Digest(
        **vars(found),
        stack=stack_of(steps),
        shows_unchanged=found.is_refresh or same <= sum(step["op"] == "same" for step in steps),
        other_changes=dict(sorted(others.items())),
        diagnostics=said,
        problems=list(_problems(document, said)),
    )


def _document(text: str, source: str) -> dict[str, Any]:
    if not text.strip():
        raise UnusableInput(
            f"{source} is empty: the preview failed before it began. Look at what it wrote on standard error."
        )

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        # Of two values of one key, another reader may take the other one.
        if len(found) < len(pairs):
            twice = next(key for key, number in Counter(key for key, _ in pairs).items() if number > 1)
            raise UnusableInput(
                f"{source} has the key {twice!r} twice in one object, which `pulumi preview --json` never prints: give its "
                "output unchanged."
            )
        return found

    try:
        document = json.loads(text, object_pairs_hook=unique)
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
    if not isinstance(document, dict) or not _is_digest(document):
        raise UnusableInput(f"{source} is no digest of a preview: give the output of `pulumi preview --json`.")
    return {"steps": [], **document}


def _is_events(text: str) -> bool:
    try:
        first = json.loads(text.lstrip().partition("\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "sequence" in first


def _is_digest(document: Mapping[str, Any]) -> bool:
    steps, summary = document.get("steps", []), document.get("changeSummary")
    return (
        not document.keys().isdisjoint(("steps", "changeSummary", "diagnostics"))
        and isinstance(document.get("diagnostics") or [], list)
        and isinstance(steps, list)
        and all(map(_is_step, steps))
        and (summary is None or (isinstance(summary, dict) and all(isinstance(one, int) for one in summary.values())))
    )


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, dict)
        and isinstance(step.get("op"), str)
        and _OPERATION.fullmatch(step["op"]) is not None
        and isinstance(step.get("urn"), str)
        and all(step.get(which) is None or is_state(step[which]) for which in ("oldState", "newState"))
        and isinstance(step.get("detailedDiff") or {}, dict)
    )


def _diagnostic(said: Any) -> Diagnostic | None:
    """Return an error, a warning or a notice of our provider; None: another line, which a review does not show."""
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return None
    severity, message = str(said.get("severity", "")), " ".join(said["message"].split())
    message = message.removeprefix(f"{severity}: ")
    ours = message.startswith("astro: ")
    message = message.removeprefix("astro: ")
    if severity == "info" and ours:
        severity = NOTE
    elif severity == "info#err" and ours:  # printed on standard error: the engine's log was not reached, or by 0.1.0
        severity, _, message = message.partition(": ")
    if severity not in ("error", "warning", NOTE):
        return None
    message = _LONG_RUN.sub("[…]", message)
    # An error and a warning are never cut.
    is_cut = severity == NOTE and len(message) > LONGEST_NOTE
    return Diagnostic(severity, f"{message[: LONGEST_NOTE - 1]}…" if is_cut else message)


def _problems(document: Mapping[str, Any], said: Iterable[Diagnostic]) -> Iterator[str]:
    errors = sum(one.severity == "error" for one in said)
    if errors:
        yield f"It ended with {counted(errors, 'error')}, so steps are missing, above all those that remove roles."
    summary = document.get("changeSummary")
    if not isinstance(summary, dict):
        yield "The digest has no end, so steps may be missing."
        return
    shown = Counter(step["op"] for step in document["steps"])
    for op in COUNTED:
        hidden = int(summary.get(op, 0)) - shown[op]
        if hidden > 0:
            yield f"The engine counts {counted(hidden, op)} that the digest does not show."
