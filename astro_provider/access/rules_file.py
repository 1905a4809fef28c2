"""Reads `access.toml`, the file of the rules, or refuses it whole, with the line that is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from astro_provider.access.rules import Rules, Where, fault_of_pattern
from astro_provider.errors import UnusableInput

KEYS = {
    "": ("production", "roles", "admin", "binding"),
    "admin": ("tokens", "most"),
    "binding": ("protect", "no_overwrite"),
}
_SYNTAX = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)


def read_rules(text: str, source: str) -> Rules:
    """Return the rules of a file; `source` is its name in messages.

    Raises:
        UnusableInput: it is no TOML, has an unknown key, a value is of the wrong kind, or a pattern is not whole; the text
            names the line.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX.fullmatch(str(error))
        line = found["line"] if found and found["line"] else len(text.splitlines())
        raise UnusableInput(f"{source}, line {line}: it is no TOML: {found['what'] if found else error}.") from None
    try:
        return _rules(document)
    except _Wrong as wrong:
        raise UnusableInput(f"{source}, line {_line(text, wrong.path)}: {wrong}") from None


class _Wrong(ValueError):
    """A key or a value that is wrong."""

    def __init__(self, table: str, key: str, text: str) -> None:
        super().__init__(text)
        self.path = [table, key] if table else [key]


def _rules(document: Mapping[str, Any]) -> Rules:
    admin, binding, roles = (_table(document, name) for name in ("admin", "binding", "roles"))
    for table, found in (("", document), ("admin", admin), ("binding", binding)):
        for key in found:
            if key not in KEYS[table]:
                where = f"in [{table}]" if table else "at the top of the file"
                known = ", ".join(KEYS[table])
                raise _Wrong(table, key, f"unknown key {key!r} {where}: the keys there are {known}.")
    return Rules(
        production=_texts("", "production", document.get("production", [])),
        roles=tuple((pattern, _texts("roles", pattern, value)) for pattern, value in roles.items()),
        admin_tokens=_texts("admin", "tokens", admin["tokens"]) if "tokens" in admin else None,
        most_admins=_number(admin, "most"),
        protect=_where(binding, "protect"),
        no_overwrite=_where(binding, "no_overwrite"),
    )


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise _Wrong("", name, f"{name} is a table: write [{name}] on a line of its own.")
    return found


def _texts(table: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise _Wrong(table, key, f'{key!r} must be a list of texts, as in {key!r} = ["…"].')
    for pattern in (key, *value) if table == "roles" else value:
        if fault := fault_of_pattern(pattern):
            raise _Wrong(table, key, fault)
    return tuple(value)


def _number(admin: Mapping[str, Any], key: str) -> int | None:
    value = admin.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise _Wrong("admin", key, f"{key!r} must be a whole number, 0 or more.")
    return value


def _where(binding: Mapping[str, Any], key: str) -> Where | None:
    try:
        return Where(binding[key]) if key in binding else None
    except ValueError:
        raise _Wrong("binding", key, f'{key!r} must be "production" or "everywhere".') from None


def _line(text: str, path: Sequence[str]) -> int:
    """Return the line, from 1, on which the value of a key begins.

    `tomllib` gives no positions, so the beginnings of the file are parsed: the value begins on the line after the longest
    whole beginning without the key.
    """
    lines, whole = text.split("\n"), 0
    for number in range(1, len(lines)):
        try:
            found: Any = tomllib.loads("\n".join([*lines[:number], ""]))
        except tomllib.TOMLDecodeError:
            continue  # the line is within a value
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            break
        whole = number
    return whole + 1
