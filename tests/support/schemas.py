"""The published shapes of JSON outputs, as a user finds them in the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema_rs


def valid(name: str, text: str) -> dict[str, Any]:
    """A document that has the shape of a schema, for example `review-1`; the test fails if it has not."""
    schema = json.loads((files("astro_provider.access") / "schemas" / f"{name}.json").read_text())
    document: dict[str, Any] = json.loads(text)
    jsonschema_rs.Draft202012Validator(schema).validate(document)
    return document
