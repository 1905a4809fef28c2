"""Which bindings a program declared that `adopt` replaces, as far as its text tells.

What is read is what `adopt` writes: calls with a literal name, and a table ROLES. A program that somebody has rewritten
otherwise is not guessed at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from astro_provider.commands.adoption.names import resource_name

CLASS = "DeploymentOrgTokenBinding"
CLASS_OF_TABLES = "DeploymentOrgTokenBindings"
TABLE = "ROLES"


def bindings_in(program: str) -> set[str] | None:
    """Return the names of the bindings that a program declares; None: its text does not tell."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return None
    if any(isinstance(node, ast.Call) and _called(node) == CLASS_OF_TABLES for node in ast.walk(tree)):
        return None  # the keys of its table are Astro's names, of which resources were named otherwise
    found = set(_in_the_table(tree))
    has_table = bool(found)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == CLASS:
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                found.add(name.value)
            elif not has_table:
                return None
    return found


def _called(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _in_the_table(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [one.id for one in node.targets if isinstance(one, ast.Name)] == [TABLE]:
            try:
                table = ast.literal_eval(node.value)
            except ValueError:
                continue
            for deployment, roles in table.items() if isinstance(table, dict) else ():
                for token in roles if isinstance(roles, dict) else ():
                    yield resource_name(str(deployment), str(token))
