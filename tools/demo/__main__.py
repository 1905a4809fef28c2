"""Show the life of two bindings and of a table on the real engine, and fail if a step does anything else than it shows.

Run it with `make demo`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from pulumi.automation import CommandError
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tools.demo.stage import EXAMPLE, Interrupted, Role, Stage, stage
from tools.engine.install import NoEngine, find_engine

ACCESSOR, ADMIN = "DEPLOYMENT_ACCESSOR", "DEPLOYMENT_ADMIN"
TABLE = {
    "etl-staging": {"observability": ACCESSOR, "model-trainer": ADMIN},
    "etl-development": {"observability": ACCESSOR},
}
STRANGER = ("airflow-1-migration", "etl-development")
HANGING = 3  # columns by which a line that is too long for the terminal goes on


class Unexpected(Exception):
    """The engine, or Astro afterwards, differs from what the scene shows."""


class Demo:
    """The scenes, in the order in which they are played."""

    def __init__(self, played_on: Stage, console: Console) -> None:
        self._stage = played_on
        self._console = console
        self._line_before = ""
        self._foreign = played_on.roles()

    def play(self) -> None:
        """Play all scenes.

        Raises:
            Unexpected: the engine, or Astro afterwards, differs from what the scene shows.
        """
        self._begin()
        self._preview()
        self._up()
        self._change_a_role()
        self._repair_drift()
        self._destroy()
        self._table()
        self._exclusive_table()

    def _begin(self) -> None:
        self._say(
            f"An Astro runs on this machine ({self._stage.astro.url}), and Pulumi is about to run "
            f"{EXAMPLE.parent.name}/{EXAMPLE.name}/__main__.py against it. The example asks for two bindings: "
            + " and ".join(
                f"{asked['token']} in {self._stage.deployments()[asked['deployment']]}"
                for asked in self._stage.bindings
            )
            + ". The organization's tokens have these roles in deployments already, and must keep them:"
        )
        self._show_assignments()

    def _preview(self) -> None:
        self._title("1. What would happen", "pulumi preview --diff")
        self._run("preview", {"create": 3}, diff=True)  # the third is the stack itself
        self._expect_roles(self._foreign, "the preview has written nothing")

    def _up(self) -> None:
        self._title("2. It happens", "pulumi up --yes")
        self._run("up", {"create": 3})
        self._expect_roles(self._foreign | self._asked_for(), "both bindings are there, every other role is as it was")
        self._title("3. The assignments, as Astro has them now")
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
        self._expect(f'"{ACCESSOR}" => "{ADMIN}"' in shown, "the preview shows the old role and the new one")
        self._expect_roles(before, "the preview has written nothing")
        self._review({(ACCESSOR, ADMIN)})
        self._title("   and now for good", "pulumi up --yes")
        self._run("up", {"update": 1, "same": 2})
        self._expect_roles(self._foreign | self._asked_for(), "the role has changed, every other role is as it was")

    def _review(self, expected: set[tuple[str | None, str | None]]) -> None:
        """Show the review of the same preview, and compare it with the roles before and after."""
        self._title(
            "   and what a reviewer of the pull request sees",
            "pulumi preview --json --show-sames --show-replacement-steps --refresh > digest.json",
            "astro-provider review digest.json --output table --production '*-production'",
        )
        digest = self._stage.digest()
        for line in self._stage.review(digest, "table").rstrip().splitlines():
            self._show_line(line)
        review = json.loads(self._stage.review(digest, "json"))
        found = {(change["before"], change["after"]) for change in review["changes"]}
        self._expect(review["complete"] and found == expected, f"the review shows {expected}", instead=str(found))
        self._gap()
        self._say("✓ Checked: the review shows this change of access and no other.", style="green")

    def _repair_drift(self) -> None:
        self._title("5. Two changes outside Pulumi", "pulumi refresh --diff --yes")
        (changed, removed), store = self._stage.bindings, self._stage.astro.store
        store.bind(self._token_id(changed["token"]), changed["deployment"], ACCESSOR)
        store.unbind(self._token_id(removed["token"]), removed["deployment"])
        self._say(
            f"A colleague gives {changed['token']} its old role again and removes the role of {removed['token']}, in Astro. "
            "A refresh finds both:"
        )
        shown = self._run("refresh", {"update": 1, "delete": 1, "same": 1}, diff=True)
        self._expect(f'"{ADMIN}" => "{ACCESSOR}"' in shown, "the refresh shows the role that was changed")
        self._title("   and repaired", "pulumi up --yes")
        self._run("up", {"update": 1, "create": 1, "same": 1})
        self._expect_roles(self._foreign | self._asked_for(), "both bindings are as the program asks")
        self._show_assignments()

    def _destroy(self) -> None:
        self._title("6. All taken away", "pulumi destroy --yes")
        self._run("destroy", {"delete": 3})
        self._expect_roles(self._foreign, "both bindings are gone, every other role is as it was")
        self._show_assignments()

    def _table(self) -> None:
        self._title("7. Many roles as one resource (examples/04-table)", "pulumi up --yes")
        self._stage.ask_for_table(TABLE, exclusive=False)
        self._run("up", {"create": 2})
        self._expect_roles(self._foreign | self._in_table(), "three roles are there, every other role is as it was")
        self._show_assignments()

    def _exclusive_table(self) -> None:
        self._title("8. No other token", "pulumi config set exclusive true", "pulumi preview --diff")
        name, deployment = STRANGER
        before = self._stage.roles()
        self._stage.astro.store.bind(self._token_id(name), self._deployment_id(deployment), ADMIN)
        self._say(
            f"Meanwhile a colleague has given {name} a role in {deployment}. The table becomes exclusive, and the preview "
            "names what it will remove:"
        )
        self._stage.ask_for_table(TABLE, exclusive=True)
        shown = self._run("preview", {"update": 1, "same": 1}, diff=True)
        self._expect("removes" in shown and f'+ {name}: "{ADMIN}"' in shown, f"the preview names the role of {name}")
        self._review({(ADMIN, None)})
        self._title("   and now for good", "pulumi up --yes")
        self._run("up", {"update": 1, "same": 1})
        self._expect_roles(before, "that role is gone, every other role is as it was")
        self._title("   All taken away again", "pulumi destroy --yes")
        self._run("destroy", {"delete": 2})
        self._expect_roles(self._foreign, "the table's roles are gone, every other role is as it was")

    def _in_table(self) -> set[Role]:
        return {
            (self._token_id(token), "DEPLOYMENT", self._deployment_id(deployment), role, "")
            for deployment, row in TABLE.items()
            for token, role in row.items()
        }

    def _deployment_id(self, name: str) -> str:
        return next(key for key, known in self._stage.deployments().items() if known == name)

    def _run(self, command: str, expected: dict[str, int], **options: bool) -> str:
        """Run an engine command, compare its count of resources with the expected one, and return its output."""
        outcome = self._stage.run(command, self._show_line, **options)
        counted = {kind: count for kind, count in outcome.changes.items() if count}
        self._expect(counted == expected, f"{command} counts {expected}", instead=str(counted))
        return Text.from_ansi(outcome.text).plain

    def _asked_for(self) -> set[Role]:
        return {
            (self._token_id(asked["token"]), "DEPLOYMENT", asked["deployment"], asked["role"], "")
            for asked in self._stage.bindings
        }

    def _token_id(self, name: str) -> str:
        return next(key for key, known in self._stage.organization_tokens().items() if known == name)

    def _expect_roles(self, expected: set[Role], shown: str) -> None:
        """Compare every role of every token with the expected ones, and print that."""
        found = self._stage.roles()
        wrong = f"missing {sorted(expected - found)}, too many {sorted(found - expected)}"
        self._expect(found == expected, shown, instead=wrong)
        self._gap()
        self._say(f"✓ Checked in Astro: {shown}.", style="green")

    def _expect(self, holds: bool, shown: str, instead: str = "it does not") -> None:  # noqa: FBT001  reads well
        if not holds:
            raise Unexpected(f"Expected: {shown}. Found: {instead}.")

    def _show_assignments(self) -> None:
        tokens, deployments = self._stage.organization_tokens(), self._stage.deployments()
        table = Table("ID", "NAME", "DEPLOYMENT", "ROLE", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for role in sorted(self._stage.roles(), key=lambda held: (tokens.get(held[0], ""), *held)):
            token_id, kind, entity_id, name, _ = role
            if kind == "DEPLOYMENT" and token_id in tokens:
                style = "dim" if role in self._foreign else "bold"
                table.add_row(token_id, tokens[token_id], deployments[entity_id], name, style=style)
        self._gap()
        self._console.print(table)
        self._line_before = "the table's last line"

    def _title(self, title: str, *commands: str) -> None:
        self._gap()
        self._say(title, style="bold cyan")
        for command in commands:
            self._console.print(Text(f"   $ {command}", style="bold"), soft_wrap=True)  # to be copied
        self._gap()

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))
        self._line_before = text

    def _gap(self) -> None:
        if self._line_before:
            self._say("")

    def _show_line(self, line: str) -> None:
        """Show a line of the engine; if it is longer than the terminal is wide, it goes on below itself, indented."""
        text = Text.from_ansi(line, end="")
        indent = len(text.plain) - len(text.plain.lstrip())
        self._line_before = text.plain.strip()
        if not self._line_before or not self._console.is_terminal:
            self._console.print(text, soft_wrap=True)
            return
        parts = text[indent:].wrap(self._console, self._console.width - indent - HANGING)
        for number, part in enumerate(parts):
            left = indent + (HANGING if number else 0)
            self._console.print(Padding(part, (0, 0, 0, left), expand=False))


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
    except (Interrupted, KeyboardInterrupt):
        console.print(Text("\nThe demo was ended early; nothing of it is left."))
        return 130
    except (Unexpected, CommandError, subprocess.CalledProcessError) as wrong:
        console.print(Text(f"\nThe demo failed. {wrong}", style="bold red"))
        return 1
    console.print(
        Text(
            "\nShown with the real engine, and checked after each step: preview, review, up, a role change, drift "
            f"found and repaired, destroy, an exclusive table, other roles untouched. {time.monotonic() - started:.0f} seconds, "
            f"pulumi {engine.version}.",
            style="bold green",
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
