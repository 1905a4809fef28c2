"""`astro-provider doctor`: whether everything is there for a first `pulumi up`. `diagnosis` looks, this prints."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Output(StrEnum):
    """How the answer is written."""

    TABLE = "table"
    JSON = "json"


def doctor(
    *,
    output: Annotated[Output, typer.Option(help="For people (table) or for programs (json).")] = Output.TABLE,
) -> None:
    """Look whether everything is there for a first `pulumi up`.

    It looks at the credential, the organization, the service, the permissions, Pulumi and its interpreter, and the
    directory of locks. Nothing is changed, and no credential is shown. Call it where you would call `pulumi`: the
    project there says which interpreter is used.

    A tick is seen to be well, a cross has to be mended (exit status 1); `!` is well today, and `?` cannot be seen.

    \b
    Examples:
      astro-provider doctor
      astro-provider doctor --output json | jq '.checks[] | select(.status != "ok")'
    """  # noqa: D301  click's mark of a paragraph that keeps its lines
    from astro_provider.cli.consultation import run  # noqa: PLC0415 half a second

    run(as_json=output is Output.JSON)
