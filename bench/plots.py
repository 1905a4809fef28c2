"""The figures of `bench/results/*.json` as pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {
    "ours": "tab:blue",
    "native": "tab:cyan",
    "table": "tab:green",
    "naive": "tab:red",
    "no-op": "tab:gray",
    "bare no-op": "tab:olive",
}


def draw(results: Path) -> None:
    """Draw a picture for each file of figures that is there."""
    for name, picture in (("writes", _writes), ("reads", _reads), ("tables", _tables)):
        path = results / f"{name}.json"
        if path.exists():
            picture(json.loads(path.read_text()), results / f"{name}.png")


def _writes(figures: list[dict[str, Any]], path: Path) -> None:
    """Bars: bindings present after `up`, and seconds, for each shape and contender."""
    ups = [f for f in figures if f["command"] == "up"]
    shapes = list(dict.fromkeys((f["tokens"], f["deployments"], f["rate_limits"]) for f in ups))
    labels = [f"{t} × {d}{', limits' if limited else ''}" for t, d, limited in shapes]
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    contenders = list(dict.fromkeys(f["contender"] for f in ups))
    width = 0.8 / len(contenders)
    for index, contender in enumerate(contenders):
        found = {(f["tokens"], f["deployments"], f["rate_limits"]): f for f in ups if f["contender"] == contender}
        places = [number + (index - (len(contenders) - 1) / 2) * width for number in range(len(shapes))]
        if contender != "no-op":
            shares = [100 * found[s]["present"] / (s[0] * s[1]) for s in shapes]
            left.bar(places, shares, width, label=contender, color=COLOURS[contender])
        right.bar(places, [found[s]["seconds"] for s in shapes], width, label=contender, color=COLOURS[contender])
    left.set_title("bindings present after up, %")
    right.set_title("seconds of up")
    for axes in (left, right):
        axes.set_xticks(range(len(shapes)), labels, rotation=20)
        axes.legend()
    figure.suptitle("tokens × deployments")
    figure.savefig(path, dpi=110)


def _reads(figures: list[dict[str, Any]], path: Path) -> None:
    """Lines over the number of bindings: seconds above, calls below, a column for each command."""
    commands = list(dict.fromkeys(f["command"] for f in figures))
    figure, rows = plt.subplots(2, len(commands), figsize=(14, 7), layout="constrained", squeeze=False)
    kinds = {
        "one token": lambda f: f["tokens"] == 1,
        "one deployment": lambda f: f["deployments"] == 1,
        "grid": lambda f: f["tokens"] > 1 and f["deployments"] > 1,
    }
    for column, command in enumerate(commands):
        for kind, style in zip(kinds, ("o-", "s--", "^:"), strict=True):
            for contender in ("ours", "no-op", "bare no-op"):
                line = sorted(
                    (f["tokens"] * f["deployments"], f["seconds"], f["gets"] + f["posts"])
                    for f in figures
                    if f["command"] == command and f["contender"] == contender and kinds[kind](f)
                )
                for row, value in ((0, 1), (1, 2)):
                    if row == 1 and contender != "ours":
                        continue
                    rows[row][column].plot(
                        [point[0] for point in line],
                        [point[value] for point in line],
                        style,
                        color=COLOURS[contender],
                        label=f"{contender}, {kind}",
                    )
        rows[0][column].set_title(command)
        rows[1][column].set_xlabel("bindings")
    rows[0][0].set_ylabel("seconds")
    rows[1][0].set_ylabel("calls to the service")
    rows[0][0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def _tables(figures: list[dict[str, Any]], path: Path) -> None:
    """Lines over the number of bindings of one token: seconds above, calls below, a column for each command."""
    commands = list(dict.fromkeys(f["command"] for f in figures))
    figure, rows = plt.subplots(2, len(commands), figsize=(16, 7), layout="constrained", squeeze=False)
    for column, command in enumerate(commands):
        for contender in dict.fromkeys(f["contender"] for f in figures):
            line = sorted(
                (f["deployments"], f["seconds"], f["gets"] + f["posts"])
                for f in figures
                if (f["command"], f["contender"], f["tokens"]) == (command, contender, 1)
            )
            for row, value in ((0, 1), (1, 2)):
                points = [point[value] for point in line]
                rows[row][column].plot(
                    [point[0] for point in line], points, "o-", color=COLOURS[contender], label=contender
                )
        rows[0][column].set_title(command)
        rows[1][column].set_xlabel("bindings of one token")
        for row in (0, 1):
            rows[row][column].set_xscale("log")
    rows[0][0].set_ylabel("seconds")
    rows[1][0].set_ylabel("calls to the service")
    rows[0][0].legend(fontsize=8)
    figure.savefig(path, dpi=110)
