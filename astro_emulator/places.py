"""A YAML file whose every value knows its line, so that a message can say where something is wrong.

Every scalar is a text: a name that reads `no`, `17` or `2024-01-08` is a name, whatever YAML thinks of it. A key that
occurs twice in one mapping is refused, because YAML would silently drop the first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]


class SeedError(Exception):
    """A file that cannot be used: one sentence, with the place in the file."""


class Document:
    """A file that was read: its `content` (mappings, lists and texts), and the line of each part.

    Raises:
        SeedError: the file cannot be read, is not UTF-8, not YAML, or holds a key twice.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SeedError(f"{name} cannot be read: {error.strerror or error}.") from None
        except UnicodeDecodeError:
            raise SeedError(f"{name} is not UTF-8 text.") from None
        try:
            self._root = yaml.compose(text, Loader=yaml.BaseLoader)
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise SeedError(f"{name}{line}: not YAML: {error.problem}.") from None
        except yaml.YAMLError:
            raise SeedError(f"{name} is not YAML: it holds characters that YAML does not allow.") from None
        except RecursionError:
            raise SeedError(f"{name} is nested too deeply.") from None
        self.content = self._plain(self._root, (), ()) if self._root is not None else {}

    def error(self, place: Place, what: str) -> SeedError:
        """Return the error that `what` (a clause without a full stop) is wrong at a place."""
        return SeedError(f"{self._name}, line {self._line(place)}: {shown(place)}{what}.")

    def _line(self, place: Place) -> int:
        node, line = self._root, 1
        for step in place:
            if isinstance(node, yaml.MappingNode):
                found = [(key, value) for key, value in node.value if key.value == step]
                if not found:
                    break
                (key, node), *_ = found
                line = key.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                node = node.value[step]
                line = node.start_mark.line + 1
        return line

    def _plain(self, node: yaml.Node, place: Place, within: tuple[yaml.Node, ...]) -> Any:
        if node in within:
            raise SeedError(f"{self._name}, line {node.start_mark.line + 1}: {shown(place)}holds itself.")
        inner = (*within, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*place, index), inner) for index, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return node.value
        plain: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise SeedError(f"{self._name}, line {line}: {shown(place)}a key has to be a text.")
            if key.value in plain:
                raise SeedError(f"{self._name}, line {line}: {shown((*place, key.value))}this key occurs twice.")
            plain[key.value] = self._plain(value, (*place, key.value), inner)
        return plain


def shown(place: Place) -> str:
    """Return a place as a message begins, for example `tokens[3].roles[0]: `; empty for the whole file."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return f"{text.removeprefix('.')}: " if text else ""
