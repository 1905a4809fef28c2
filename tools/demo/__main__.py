"""Show the whole life of two bindings, and end with an error if anything is not as told.

Run it with `make demo`.
"""

from __future__ import annotations

import sys
import time

from pulumi.automation import CommandError
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tools.demo.stage import EXAMPLE, Interrupted, Role, Stage, stage
from tools.engine.install import NoEngine, find_engine

ADMIN = "DEPLOYMENT_ADMIN"
HANGING = 6  # columns by which a line that is too long for the terminal goes on


class NotAsTold(Exception):
    """Something happened that the demo does not tell."""


class Demo:
    """The six scenes, in the order in which they are played."""

    def __init__(self, played_on: Stage, console: Console) -> None:
        self._stage = played_on
        self._console = console
        self._foreign = played_on.roles()

    def play(self) -> None:
        """Play all scenes.

        Raises:
            NotAsTold: the engine, or the service afterwards, shows something else than the scene tells.
        """
        self._show_beginning()
        self._preview()
        self._up()
        self._change_a_role()
        self._mend_drift()
        self._destroy()

    def _show_beginning(self) -> None:
        self._say(
            f"An Astro runs on this machine ({self._stage.astro.url}), and Pulumi is about to run "
            f"{EXAMPLE.parent.name}/{EXAMPLE.name}/__main__.py. Its configuration asks for two bindings, and the two "
            "tokens hold other roles already, which must stay as they are:"
        )
        self._show_assignments()

    def _preview(self) -> None:
        self._title("1. What would happen", "pulumi preview --diff")
        self._run("preview", {"create": 3}, diff=True)  # the third is the stack itself
        self._expect_roles(self._foreign, "a preview writes nothing")

    def _up(self) -> None:
        self._title("2. It happens", "pulumi up")
        self._run("up", {"create": 3})
        self._title("3. The assignments, as Astro has them now")
        self._expect_roles(self._foreign | self._asked_for(), "both bindings are there, and all other roles")
        self._show_assignments()

    def _change_a_role(self) -> None:
        self._title(
            "4. Another role for a token",
            f"pulumi config set --path 'bindings[0].role' {ADMIN}",
            "pulumi preview --diff",
        )
        before = self._stage.roles()
        self._stage.ask_for_role(0, ADMIN)
        shown = self._run("preview", {"update": 1, "same": 2}, diff=True)
        self._expect(f'"DEPLOYMENT_ACCESSOR" => "{ADMIN}"' in shown, "the preview shows the old role and the new one")
        self._expect_roles(before, "a preview writes nothing")
        self._title("   and now for good", "pulumi up")
        self._run("up", {"update": 1, "same": 2})
        self._expect_roles(self._foreign | self._asked_for(), "the role has changed, and no other")

    def _mend_drift(self) -> None:
        self._title("5. A change behind Pulumi's back", "pulumi refresh")
        (changed, removed), wanted, store = self._stage.bindings, self._asked_for(), self._stage.astro.store
        store.bind(self._token_id(changed["token"]), changed["deployment"], "DEPLOYMENT_ACCESSOR")
        store.unbind(self._token_id(removed["token"]), removed["deployment"])
        self._say(
            f"Somebody has given {changed['token']} its old role again, and taken the role of {removed['token']} away. "
            "A refresh finds both:"
        )
        shown = self._run("refresh", {"update": 1, "delete": 1, "same": 1}, diff=True)
        self._expect(f'"{ADMIN}" => "DEPLOYMENT_ACCESSOR"' in shown, "the refresh shows the role that was changed")
        self._title("   and mended", "pulumi up")
        self._run("up", {"update": 1, "create": 1, "same": 1})
        self._expect_roles(self._foreign | wanted, "both bindings are as the program asks")
        self._show_assignments()

    def _destroy(self) -> None:
        self._title("6. All taken away", "pulumi destroy")
        self._run("destroy", {"delete": 3})
        self._expect_roles(self._foreign, "only the two bindings are gone")
        self._say("What is left in Astro is what was there before:")
        self._show_assignments()

    def _run(self, command: str, expected: dict[str, int], **options: bool) -> str:
        outcome = self._stage.run(command, self._show_line, **options)
        counted = {kind: count for kind, count in outcome.changes.items() if count}
        self._expect(counted == expected, f"{command} counts {expected}", instead=str(counted))
        return Text.from_ansi(outcome.text).plain

    def _asked_for(self) -> set[Role]:
        return {
            (self._token_id(asked["token"]), "DEPLOYMENT", asked["deployment"], asked["role"])
            for asked in self._stage.bindings
        }

    def _token_id(self, name: str) -> str:
        return next(key for key, known in self._stage.names().items() if known == name)

    def _expect_roles(self, expected: set[Role], told: str) -> None:
        found = self._stage.roles()
        wrong = f"missing {sorted(expected - found)}, too many {sorted(found - expected)}"
        self._expect(found == expected, told, instead=wrong)

    def _expect(self, holds: bool, told: str, instead: str = "it does not") -> None:  # noqa: FBT001  reads well
        if not holds:
            raise NotAsTold(f"told: {told}; found: {instead}")

    def _show_assignments(self) -> None:
        names = self._stage.names()
        table = Table("ID", "NAME", "DEPLOYMENT", "ROLE", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for token_id, kind, entity_id, role in sorted(self._stage.roles(), key=lambda row: (names[row[0]], *row)):
            if kind == "DEPLOYMENT":
                ours = (token_id, kind, entity_id, role) not in self._foreign
                table.add_row(token_id, names[token_id], names[entity_id], role, style="bold" if ours else "dim")
        self._console.print(Padding(table, (1, 0)))

    def _title(self, title: str, *commands: str) -> None:
        self._console.print()
        self._console.print(Text(title, style="bold cyan"))
        for command in commands:
            self._console.print(Text(f"   $ {command}", style="bold"))
        self._console.print()

    def _say(self, text: str) -> None:
        self._console.print(Text(text))

    def _show_line(self, line: str) -> None:
        text = Text.from_ansi(line, end="")
        if not self._console.is_terminal:
            self._console.print(text, soft_wrap=True)
            return
        first, *more = text.wrap(self._console, self._console.width - HANGING) or [text]
        self._console.print(first)
        for rest in more:
            self._console.print(Padding(rest, (0, 0, 0, HANGING)))


def main() -> int:
    """Play the demo and return the exit status."""
    console = Console(highlight=False, markup=False)
    started = time.monotonic()
    try:
        engine = find_engine()
        with stage(engine, color=console.color_system is not None) as played_on:
            Demo(played_on, console).play()
    except NoEngine as none:
        console.print(Text(str(none)))
        return 1
    except Interrupted as interrupted:
        console.print(Text(f"The demo ended early ({interrupted}); nothing of it is left."))
        return 130
    except (NotAsTold, CommandError) as wrong:
        console.print(Text(f"\nThe demo failed. {wrong}", style="bold red"))
        return 1
    console.print()
    console.print(
        Text(
            "Shown with the real engine, and checked in Astro after each step: preview, up, role change, drift found and "
            f"mended, destroy, other roles untouched. {time.monotonic() - started:.0f} seconds, pulumi {engine.version}.",
            style="bold green",
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
