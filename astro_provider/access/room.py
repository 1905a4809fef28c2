"""Texts that have room for so many characters only: as many rows as fit, and never a cut through one."""

from __future__ import annotations

from collections.abc import Callable


def most_rows(write: Callable[[int], str], rows: int, max_length: int) -> str | None:
    """The longest text that fits; None if not even the one with a single row does.

    A text is never cut, because half a code span is none, and what stands in it would have an effect.

    Args:
        write: writes the text with so many rows; more rows never make it shorter.
        rows: how many there are.
        max_length: how many characters there is room for.
    """
    least = min(1, rows)
    fewest, most = least - 1, rows
    while fewest < most:
        middle = (fewest + most + 1) // 2
        if len(write(middle)) <= max_length:
            fewest = middle
        else:
            most = middle - 1
    return None if fewest < least else write(fewest)
