"""The digest that `pulumi preview --json` prints (also of `refresh` and `destroy` with `--preview-only`), as access.

`steps.py` reads what it says of our resources; this module reads the rest.

A digest has no field that says whether the preview went well. One that was cut short by an error is as well-formed as
a whole one, and lacks the deletes, because the engine computes them last. So everything that shows a digest to be less
than whole is collected in `problems`, and whoever shows the digest must show them first.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from astro_provider.access.resources import OURS, Incomprehensible, is_state
from astro_provider.access.steps import Steps, read_steps, type_of
from astro_provider.errors import UnusableInput

REPLACEMENT_STEPS = ("delete-replaced", "create-replacement")
NO_CHANGE = frozenset(
    ("same", "refresh", "read", "read-replacement", "discard", "discard-replaced", *REPLACEMENT_STEPS)
)
COUNTED = ("create", "update", "replace", "delete")
NOT_PEOPLES = ("pulumi:pulumi:", "pulumi:providers:")  # the stack itself, and providers
NOTE = "note"  # the severity of what our provider says and nobody needs to mend
LONGEST_NOTE = 256

_OPERATION = re.compile(r"[a-z]+(-[a-z]+)*")
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=_.-]{80,}")  # a credential, or Pulumi's pickled provider; no word is that long


@dataclass(frozen=True)
class Diagnostic:
    """Something that the run said: an error, a warning, or a note of our own provider."""

    severity: str
    message: str


@dataclass
class Digest(Steps):
    """What a digest tells, beside what its steps tell of our resources.

    Attributes:
        stack: `<project>/<stack>`, or None if the digest has no step.
        shows_unchanged: whether the digest shows the resources that stay as they are.
        other_changes: how many other resources each operation is about.
        diagnostics: what the run said.
        problems: why the digest may not tell everything, one sentence each; none: it is whole.
    """

    stack: str | None = None
    shows_unchanged: bool = True
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
    try:
        found = read_steps(steps)
    except Incomprehensible as reason:
        raise UnusableInput(
            f"{source}: a binding in it has {reason}; it was not made by a version of the package that this one knows."
        ) from None
    others = Counter(step["op"] for step in steps if _is_of_others(step) and step["op"] not in NO_CHANGE)
    said = [one for entry in document.get("diagnostics") or [] if (one := _diagnostic(entry))]
    return Digest(
        **vars(found),
        stack=_stack(steps),
        shows_unchanged=_shows_unchanged(document, found),
        other_changes=dict(sorted(others.items())),
        diagnostics=[Diagnostic(one.severity, _shown(one)) for one in said],
        problems=list(_problems(document, said)),
    )


def _document(text: str, source: str) -> dict[str, Any]:
    if not text.strip():
        raise UnusableInput(
            f"{source} is empty: the preview failed before it began. Look at what it wrote on standard error."
        )
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except KeyTwice as twice:
        raise UnusableInput(
            f"{source} has the key {twice.key!r} twice in one place, which `pulumi preview --json` never prints."
        ) from None
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
    known = (
        isinstance(document, dict)
        and {"steps", "changeSummary", "diagnostics"} & document.keys()
        and isinstance(document.get("diagnostics") or [], list)
    )
    if not known or not isinstance(steps, list) or not all(map(_is_step, steps)) or not _is_summary(document):
        raise UnusableInput(f"{source} is no digest of a preview: give the output of `pulumi preview --json`.")
    return {**document, "steps": steps}


class KeyTwice(ValueError):
    """An object of JSON has a key twice, so that two readers may see different values."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise KeyTwice(key)
        found[key] = value
    return found


def _is_events(text: str) -> bool:
    try:
        first = json.loads(text.lstrip().partition("\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "sequence" in first


def _is_summary(document: Mapping[str, Any]) -> bool:
    summary = document.get("changeSummary")
    return summary is None or (isinstance(summary, dict) and all(isinstance(one, int) for one in summary.values()))


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, dict)
        and isinstance(step.get("op"), str)
        and _OPERATION.fullmatch(step["op"]) is not None
        and isinstance(step.get("urn"), str)
        and all(step.get(which) is None or is_state(step[which]) for which in ("oldState", "newState"))
        and isinstance(step.get("detailedDiff") or {}, dict)
    )


def _is_of_others(step: Mapping[str, Any]) -> bool:
    return type_of(step) not in OURS and not type_of(step).startswith(NOT_PEOPLES)


def _stack(steps: Iterable[Mapping[str, Any]]) -> str | None:
    for step in steps:
        head, _, rest = step["urn"].removeprefix("urn:pulumi:").partition("::")
        if rest:
            return f"{rest.partition('::')[0]}/{head}"
    return None


def _diagnostic(said: Any) -> Diagnostic | None:
    """Return what is worth showing: errors, warnings, and what our provider says; never a long run of characters."""
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return None
    severity, message = str(said.get("severity", "")), " ".join(said["message"].split())
    message = message.removeprefix(f"{severity}: ")
    ours = message.startswith("astro: ")
    message = message.removeprefix("astro: ")
    if severity == "info" and ours:
        severity = NOTE
    elif severity == "info#err" and ours:  # printed, because the engine took no notices, or by 0.1.0
        severity, _, message = message.partition(": ")
    if severity not in ("error", "warning", NOTE):
        return None
    return Diagnostic(severity, message)


def _shown(said: Diagnostic) -> str:
    """The message without long runs of characters; a note is cut if it is long, an error and a warning never."""
    clean = _LONG_RUN.sub("[…]", said.message)
    return clean if said.severity != NOTE or len(clean) <= LONGEST_NOTE else f"{clean[: LONGEST_NOTE - 1]}…"


def _shows_unchanged(document: Mapping[str, Any], found: Steps) -> bool:
    counted = int((document.get("changeSummary") or {}).get("same", 0))
    return found.is_refresh or counted <= sum(step["op"] == "same" for step in document["steps"])


def _problems(document: Mapping[str, Any], said: Iterable[Diagnostic]) -> Iterator[str]:
    errors = sum(one.severity == "error" for one in said)
    if errors:
        yield f"It ended with {_counted(errors, 'error')}, so steps are missing, and above all what it would take away."
    summary = document.get("changeSummary")
    if not isinstance(summary, dict):
        yield "The digest has no end, so steps may be missing."
        return
    shown = Counter(step["op"] for step in document["steps"])
    for op in COUNTED:
        hidden = int(summary.get(op, 0)) - shown[op]
        if hidden > 0:
            yield f"The engine counts {_counted(hidden, op)} that the digest does not show."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
