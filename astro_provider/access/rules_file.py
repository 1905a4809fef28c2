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
    """Return the rules of a file.

    Args:
        text: the text of the file.
        source: its name in messages, for example `access.toml`.

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
    return _Reading(document, text, source).rules()


class _Reading:
    """One file while it is read: its values, and its lines for messages."""

    def __init__(self, document: Mapping[str, Any], text: str, source: str) -> None:
        self._document = document
        self._lines = text.split("\n")
        self._source = source

    def rules(self) -> Rules:
        """Return the rules, after all keys and values were checked."""
        admin, binding, roles = self._table("admin"), self._table("binding"), self._table("roles")
        for table, keys in (("", self._document), ("admin", admin), ("binding", binding)):
            for key in keys:
                if key not in KEYS[table]:
                    where = f"in [{table}]" if table else "at the top of the file"
                    known = ", ".join(KEYS[table])
                    raise self._error(table, key, f"unknown key {key!r} {where}: the keys there are {known}.")
        return Rules(
            production=self._texts("", "production", self._document.get("production", [])),
            roles=tuple((pattern, self._texts("roles", pattern, value)) for pattern, value in roles.items()),
            admin_tokens=self._texts("admin", "tokens", admin["tokens"]) if "tokens" in admin else None,
            most_admins=self._number("admin", "most", admin["most"]) if "most" in admin else None,
            protect=self._where("binding", "protect", binding["protect"]) if "protect" in binding else None,
            no_overwrite=self._where("binding", "no_overwrite", binding["no_overwrite"])
            if "no_overwrite" in binding
            else None,
        )

    def _table(self, name: str) -> Mapping[str, Any]:
        found = self._document.get(name, {})
        if not isinstance(found, dict):
            raise self._error("", name, f"{name} is a table: write [{name}] on a line of its own.")
        return found

    def _texts(self, table: str, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self._error(table, key, f'{key!r} must be a list of texts, as in {key!r} = ["…"].')
        for pattern in (key, *value) if table == "roles" else value:
            if fault := fault_of_pattern(pattern):
                raise self._error(table, key, fault)
        return tuple(value)

    def _number(self, table: str, key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._error(table, key, f"{key!r} must be a whole number, 0 or more.")
        return value

    def _where(self, table: str, key: str, value: Any) -> Where:
        try:
            return Where(value)
        except ValueError:
            raise self._error(table, key, f'{key!r} must be "production" or "everywhere".') from None

    def _error(self, table: str, key: str, text: str) -> UnusableInput:
        line = self._line([table, key] if table else [key])
        return UnusableInput(f"{self._source}, line {line}: {text}")

    def _line(self, path: Sequence[str]) -> int:
        """Return the line, from 1, on which the value of a key begins.

        `tomllib` gives no positions, so the beginnings of the file are parsed: the value begins on the line after the longest
        whole beginning without the key.
        """
        whole = 0
        for number in range(1, len(self._lines)):
            try:
                before = tomllib.loads("\n".join([*self._lines[:number], ""]))
            except tomllib.TOMLDecodeError:
                continue  # the line is within a value
            if _has(before, path):
                break
            whole = number
        return whole + 1


def _has(document: Any, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return True
