"""CONTRIBUTING.md, docs/design.md and `__all__` describe the house as it is."""

from __future__ import annotations

import re
from pathlib import Path

import astro_provider

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "astro_provider"


def rooms() -> str:
    """The table of rooms."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return text.partition("## The wings")[2].partition("\n## ")[0]


def test_every_module_and_every_room_stands_in_the_table_of_rooms() -> None:
    modules = [path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("__")]
    folders = [f"{path.name}/" for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith("__")]
    writing = [path.name for path in (PACKAGE / "astro" / "writing").glob("*.py") if not path.name.startswith("__")]

    missing = [name for name in (*modules, *folders, *writing) if f"`{name}`" not in rooms()]

    assert missing == []


def test_the_table_of_rooms_names_nothing_that_is_not_there() -> None:
    named = re.findall(r"`([a-z_/]+(?:\.py|/))`", rooms().partition("|---|")[2])
    there = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    wings = [path for path in PACKAGE.iterdir() if path.is_dir()]

    gone = [
        name
        for name in named
        if Path(name).name not in there and not any((base / name).exists() for base in (ROOT, PACKAGE, *wings))
    ]

    assert gone == []


def test_the_ways_name_files_and_what_is_in_them() -> None:
    ways = [line for line in (ROOT / "docs" / "design.md").read_text().splitlines() if re.match(r"\| \d+\. ", line)]

    assert len(ways) > 30
    for way in ways:
        file = PACKAGE
        for name in re.findall(r"`([^`]+)`", way.split("|")[2]):
            if "/" in name or name.endswith(".py"):
                file = PACKAGE / name
                assert file.exists(), way
            elif file.suffix == ".py":
                assert re.search(rf"(def|class) {name}\b", file.read_text()), f"{file} lacks {name}: {way}"


def test_what_contributing_calls_public_is_there() -> None:
    public = (ROOT / "CONTRIBUTING.md").read_text().partition("What is public: ")[2].partition(".\n")[0]

    for name in re.findall(r"`astro_provider\.(\w+)`", public):
        assert name == "__all__" or (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()
    assert all(getattr(astro_provider, name) is not None for name in astro_provider.__all__)


def test_the_wings_hold_a_docstring_only() -> None:
    for wing in ("reading", "writing"):
        text = (PACKAGE / "astro" / wing / "__init__.py").read_text().strip()

        assert text.startswith('"""')
        assert text.index('"""', 3) == len(text) - 3, f"{wing} imports something"
