"""Two and three runners that write one token at the same time, in rounds of `up` and `destroy`: `tests.support.rounds`."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.support.rounds import BINDINGS, LATENCY_MS, Counted, play_round

ROUNDS = 10
MOST_POSTS = {2: 34, 3: 60}  # by the number of runners: what this project has set itself


@dataclass(frozen=True)
class Round:
    """One command of one round."""

    number: int
    counted: Counted

    def to_json(self) -> dict[str, Any]:
        """The round as it goes into a file."""
        return {"round": self.number, **asdict(self.counted)}


def rounds() -> Iterator[Round]:
    """Play all rounds; end with an error as soon as a runner loses something."""
    for runners in MOST_POSTS:
        for number in range(1, ROUNDS + 1):
            with tempfile.TemporaryDirectory() as directory:
                for counted in play_round(runners, Path(directory)):
                    if not counted.is_right:
                        raise RuntimeError(f"round {number} of {runners} runners went wrong: {counted}")
                    yield Round(number, counted)


def show(played: Sequence[Round]) -> Table:
    """The least and the most of all rounds."""
    table = Table(
        title=f"{ROUNDS} rounds of runners with {BINDINGS} bindings of one token each ({LATENCY_MS} ms latency)"
    )
    for heading in ("runners", "command", "present", "GET", "POST", "at most", "seconds"):
        table.add_column(heading, justify="left" if heading == "command" else "right")
    by_command: defaultdict[tuple[int, str], list[Counted]] = defaultdict(list)
    for one in played:
        by_command[one.counted.runners, one.counted.command].append(one.counted)
    for (runners, command), some in by_command.items():
        numbers = (
            [one.present for one in some],
            [one.gets for one in some],
            [one.posts for one in some],
            [MOST_POSTS[runners]],
            [one.seconds for one in some],
        )
        table.add_row(f"{runners}", command, *(_range(of) for of in numbers))
    return table


def _range(numbers: Sequence[float]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"
