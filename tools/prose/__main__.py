"""Counts habits of prose that hinder a reader, for each wing, and fails if one has grown: `python -m tools.prose`.

CONTRIBUTING ("Words") says what to write instead. The counts of `ceilings.json` may only fall: `--lower` writes today's
counts there where they are smaller, and never a larger one.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
CEILINGS = Path(__file__).with_name("ceilings.json")
PACKAGES = ("astro_provider", "astro_emulator")
HEADLESS = re.compile(r"(What|Who|Whether|Which|Where|How)\b")
WORDS = {
    "persons": re.compile(r"\b(whoever|nobody|somebody)\b", re.IGNORECASE),
    "tell": re.compile(r"\b(tells?|told|telling)\b", re.IGNORECASE),
    "loans": re.compile(
        r"\b(held against|hold against|leave away|as ever|is no matter|of which nobody|the own)\b", re.IGNORECASE
    ),
}


def counts() -> dict[str, dict[str, int]]:
    """Return how often each habit occurs in each wing (a folder of `astro_provider`, or its modules on top)."""
    counted: dict[str, Counter[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).parts
            wing = "/".join(parts[:2]) if len(parts) > 2 else package  # noqa: PLR2004  package, wing, module
            counted.setdefault(wing, Counter()).update(_in(path.read_text()))
    return {wing: {habit: found[habit] for habit in ("headless", *WORDS)} for wing, found in sorted(counted.items())}


def _in(source: str) -> Counter[str]:
    found = Counter({habit: len(pattern.findall(source)) for habit, pattern in WORDS.items()})
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node)
            found["headless"] += bool(docstring and HEADLESS.match(docstring))
    return found


def main(arguments: list[str]) -> int:
    """Compare today's counts with the ceilings; return 1 if one has grown."""
    today = counts()
    ceilings: dict[str, dict[str, int]] = json.loads(CEILINGS.read_text())
    grown = [
        f"{wing}: {habit} {number}, at most {ceilings.get(wing, {}).get(habit, 0)}"
        for wing, found in today.items()
        for habit, number in found.items()
        if number > ceilings.get(wing, {}).get(habit, 0)
    ]
    for line in grown:
        print(f"{line}. CONTRIBUTING, Words, says what to write instead.")  # noqa: T201  a command's answer
    if "--lower" in arguments and not grown:
        CEILINGS.write_text(json.dumps(today, indent=2) + "\n")
    return bool(grown)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
