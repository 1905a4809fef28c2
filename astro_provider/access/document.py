"""A review and an audit as JSON documents, version 1. `schemas/` publishes their shape; keys are added, never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from astro_provider.access.audit import Audit, Found
from astro_provider.access.review import Review
from astro_provider.access.rules import Verdict
from astro_provider.messages import shown

VERSION = 1


def as_json(document: dict[str, Any]) -> str:
    """The document as JSON that may be printed on a terminal; a reader gets every text back as it was."""
    return shown.json_text(json.dumps(document, indent=2, ensure_ascii=False))


def review_document(found: Review) -> dict[str, Any]:
    """A review as `schemas/review-1.json` describes it."""
    return {
        "version": VERSION,
        "stack": found.stack,
        "complete": found.is_complete,
        "problems": list(found.problems),
        "refresh": found.is_refresh,
        "offline": not found.asked,
        "changes": [
            {
                "change": row.kind.value,
                "organization_id": row.organization_id,
                "deployment_id": row.deployment_id,
                "deployment_name": row.deployment_name,
                "org_token_id": row.org_token_id,
                "org_token_name": row.org_token_name,
                "before": row.before,
                "after": row.after,
                "before_known": row.before_known,
                "after_known": row.after_known,
                "flags": [flag.value for flag in row.flags],
                "undecided": [flag.value for flag in row.undecided],
            }
            for row in found.rows
        ],
        "unchanged": found.unchanged,
        "retained": found.retained,
        "other_changes": dict(found.other_changes),
        "rules": rules_document(found.verdicts),
        "diagnostics": [asdict(said) for said in found.diagnostics],
    }


def audit_document(found: Audit) -> dict[str, Any]:
    """An audit as `schemas/audit-1.json` describes it."""
    return {
        "version": VERSION,
        "organization_id": found.organization_id,
        "stacks": list(found.stacks),
        "findings": [finding_row(one) for one in found.findings],
        "assignments": len(found.assignments),
        "unreadable": found.unreadable,
        "rules": rules_document(found.verdicts),
    }


def finding_row(one: Found) -> dict[str, Any]:
    """One finding, by the names of the document."""
    return {
        "finding": one.finding.value,
        "organization_id": one.organization_id,
        "deployment_id": one.deployment_id,
        "deployment_name": one.deployment_name,
        "org_token_id": one.org_token_id,
        "org_token_name": one.org_token_name,
        "role": one.role,
        "recorded_role": one.recorded_role,
        "stacks": list(one.stacks),
    }


def rules_document(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """What the rules say."""
    return [{"rule": one.rule.value, "decided": one.decided, "text": one.text} for one in verdicts]
