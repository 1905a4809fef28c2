"""A review and an audit as JSON documents, version 1.

`schemas/` publishes their shape; keys are added, never changed. A row and a finding have the fields of their classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from astro_provider.access.audit import Audit
from astro_provider.access.review import Review, Row
from astro_provider.access.rules import Verdict

VERSION = 1


def review_document(found: Review) -> dict[str, Any]:
    """Return a review as `schemas/review-1.json` describes it."""
    return {
        "version": VERSION,
        "stack": found.stack,
        "complete": found.is_complete,
        "problems": list(found.problems),
        "refresh": found.is_refresh,
        "offline": not found.asked,
        "changes": [_change(row) for row in found.rows],
        "unchanged": found.unchanged,
        "retained": found.retained,
        "other_changes": dict(found.other_changes),
        "rules": _rules(found.verdicts),
        "diagnostics": [dict(vars(said)) for said in found.diagnostics],
    }


def audit_document(found: Audit) -> dict[str, Any]:
    """Return an audit as `schemas/audit-1.json` describes it."""
    return {
        "version": VERSION,
        "organization_id": found.organization_id,
        "stacks": list(found.stacks),
        "findings": [{**vars(one), "stacks": list(one.stacks)} for one in found.findings],
        "assignments": len(found.assignments),
        "unreadable": found.unreadable,
        "rules": _rules(found.verdicts),
    }


def _change(row: Row) -> dict[str, Any]:
    values = vars(row) | {"flags": list(row.flags), "undecided": list(row.undecided)}
    return {"change": values.pop("kind"), **values}


def _rules(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    return [{"rule": one.rule, "decided": one.decided, "text": one.text} for one in verdicts]
