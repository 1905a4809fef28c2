"""Digests that no engine prints: each part of another type, keys twice, huge numbers. None is believed, none is a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from astro_provider.access.digest import read_digest
from astro_provider.access.document import review_document
from astro_provider.access.export import read_export
from astro_provider.access.facts import Facts
from astro_provider.access.review import review
from astro_provider.access.review_text import as_markdown
from astro_provider.errors import UnusableInput
from tests.access.test_what_the_engine_will_do import D0, D1, ORGANIZATION, TOKEN, TYPE, asked, state, step, urn

OTHER_TYPES: tuple[Any, ...] = (None, True, -1, 10**30, 1e308, "", "x", [], ["x"], {}, {"x": 1}, [{}])
Path = tuple[str | int, ...]


def whole() -> dict[str, Any]:
    """A digest with a step of each kind, and a table."""
    kind = f"{TYPE}s"
    table = {
        "urn": urn("t", kind), "type": kind,
        "inputs": {
            "organization_id": ORGANIZATION, "roles": {D0: {TOKEN: "A"}}, "exclusive": True,
            "removes": {D0: {"stranger": "B"}}, "deployment_ids": {"etl": D0}, "token_ids": {"ci": TOKEN},
        },
    }  # fmt: skip
    old = {**table, "id": f"{ORGANIZATION}/x", "outputs": {**table["inputs"], "unfinished": {D0: [TOKEN]}}}  # type: ignore[dict-item]
    left = state("left", D1, delete=True)
    return {
        "steps": [
            step("refresh", state("b"), state("b")),
            step("update", old, table) | {"detailedDiff": {"roles": {"kind": "update"}}},
            step("delete-replaced", state("b")),
            step("replace", state("b", pendingReplacement=True), asked("b", D1)),
            step("create-replacement", state("b", pendingReplacement=True), asked("b", D1)),
            step("delete", state("c", D1, deletedWith=urn("d"), retainOnDelete=False)),
            step("delete", state("d")),
            step("delete-replaced", left),
        ],
        "changeSummary": {"update": 1, "replace": 1, "delete": 2, "same": 1},
        "diagnostics": [{"severity": "info", "message": "astro: a note", "urn": urn("b")}],
    }


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """Every place in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*here, key)
        yield from paths(inner, (*here, key))


def changed(document: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    found = copy.deepcopy(document)
    parent: Any = found
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return found


@pytest.mark.parametrize("value", OTHER_TYPES, ids=repr)
def test_a_part_of_another_type_is_read_or_refused_in_one_sentence(value: Any) -> None:
    document = whole()

    for path in paths(document):
        text = json.dumps(changed(document, path, value))
        try:
            found = review(read_digest(text, "digest.json"), Facts())
        except UnusableInput:
            continue
        assert json.dumps(review_document(found)), path
        assert as_markdown(found, 60_000), path


def test_a_key_that_stands_twice_is_refused() -> None:
    text = json.dumps(whole()).replace('"role": "DEPLOYMENT_ADMIN"', '"role": "A", "role": "DEPLOYMENT_ADMIN"', 1)

    with pytest.raises(UnusableInput) as refused:
        read_digest(text, "digest.json")

    assert str(refused.value) == (
        "digest.json has the key 'role' twice in one object, which `pulumi preview --json` never prints: give its output unchanged."
    )


def test_a_number_of_ten_thousand_digits_is_refused() -> None:
    text = json.dumps(whole()).replace('"delete": 2', f'"delete": {"9" * 10_000}')

    with pytest.raises(UnusableInput):
        read_digest(text, "digest.json")


@pytest.mark.parametrize("value", OTHER_TYPES, ids=repr)
def test_a_part_of_an_export_of_another_type_is_read_or_refused_in_one_sentence(value: Any) -> None:
    document = {"version": 3, "deployment": {"resources": [state("b"), state("c", D1, delete=True)]}}

    for path in paths(document):
        with suppress(UnusableInput):
            assert read_export(json.dumps(changed(document, path, value)), "export.json"), path
