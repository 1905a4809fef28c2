"""The program that declares the adopted bindings, as a person would write it and ruff formats it; or their rows.

A few bindings are declared one by one; many are a table of roles and a loop. Both give the resources the same names, so
a program may be rewritten from one form into the other without a change in the preview. `templates/` has both forms.

Deployments and tokens are given by their names, because people review names; by their ids if several have the name. A
deployment's name and `workspace_id` would be enough too, but only if Astro shows the workspace, and the workspace would
be a guard that the user did not ask for.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from astro_provider.astro.api import ApiToken
from astro_provider.commands.adoption.find import Adoption
from astro_provider.commands.adoption.names import BETWEEN, resource_name
from astro_provider.commands.adoption.project import Door
from astro_provider.messages import shown

MOST_ONE_BY_ONE = 10  # bindings; more than that are easier to read and to change in a table
LONGEST_DESCRIPTION = 80  # characters; enough to distinguish two tokens
ROWS_FILE = "bindings.yaml"
CLASS = "DeploymentOrgTokenBinding"
CLASS_OF_TABLES = "DeploymentOrgTokenBindings"
TABLE = "ROLES"


def program(adoptions: Sequence[Adoption], organization_id: str | None = None, door: Door = Door.DYNAMIC) -> str:
    """Return the program's text.

    Args:
        adoptions: what it declares, by deployment.
        organization_id: the organization, if the program has to name it, because no setting does.
        door: the door through which it declares them.
    """
    groups = [list(group) for _, group in groupby(adoptions, key=lambda one: one.deployment_key)]
    return written(
        "loop.jinja" if len(adoptions) > MOST_ONE_BY_ONE else "bindings.jinja",
        module=door.value,
        name=CLASS,
        organization_id=organization_id,
        groups=groups,
        deployments=[group[0] for group in groups],
        tokens={one.token_key: one for one in sorted(adoptions, key=lambda one: one.token_key)}.values(),
        between=BETWEEN,
    )


def literal(text: str) -> str:
    """The text as a literal of Python, with the quotes that ruff prefers and with hidden characters escaped."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def _escaped(character: str, quote: str) -> str:
    if character in "\"'":
        return f"\\{character}" if character == quote else character
    return repr(character)[1:-1]


def marks_of(token: ApiToken) -> str:
    """The description, maker and day of a token, which distinguish it from others of its name; fit for a comment."""
    parts = [shown.line(token.description, longest=LONGEST_DESCRIPTION)] if token.description else []
    parts += [f"made by {shown.line(token.created_by.display_name)}"] if token.created_by else []
    parts += [f"on {shown.line(token.created_at[:10])}"] if token.created_at else []
    return ", ".join(parts).replace("#", "")  # a linter takes the text behind it for a directive


_TEMPLATES = Environment(  # noqa: S701  none of them is HTML
    loader=PackageLoader("astro_provider.commands.adoption"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {
    "literal": literal,
    "marks": marks_of,
    "comment": lambda text: f"  # {text}" if text else "",
    "quoted": lambda path: shlex.quote(str(path)),
}


def written(template: str, **values: object) -> str:
    """Return the text of a template, which ends with one line break."""
    return _TEMPLATES.get_template(template).render(**values).rstrip("\n") + "\n"


def rows(adoptions: Iterable[Adoption]) -> str:
    """The bindings as rows of `access:bindings`, which the program of templates/infra-repo reads."""
    table = [{**_deployment(one), **_token(one), "role": one.role} for one in adoptions]
    content = {"config": {"access:bindings": table}}
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000))


def _deployment(one: Adoption) -> dict[str, str]:
    return {"deployment_name": one.deployment.name} if one.deployment_by_name else {"deployment_id": one.deployment.id}


def _token(one: Adoption) -> dict[str, str]:
    return {"org_token_name": one.token.name} if one.token_by_name else {"org_token_id": one.token.id}


def bindings_in(program: str) -> set[str] | None:
    """Return the names of the bindings that a program declares; None: they cannot be read from its text.

    It reads the forms that `adopt` writes: calls with a literal name, and a table ROLES. It does not guess at other
    forms.
    """
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = set(_in_the_table(tree))
    has_table = bool(found)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
        name = call.args[0] if call.args else None
        if called == CLASS_OF_TABLES:
            return None  # the keys of its table are Astro's names, not the names of resources
        if called == CLASS and isinstance(name, ast.Constant) and isinstance(name.value, str):
            found.add(name.value)
        elif called == CLASS and not has_table:
            return None
    return found


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
