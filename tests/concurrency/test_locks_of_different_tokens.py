"""A lock is that of one token of one organization of one service, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from astro_provider.astro.api.deadline import operation
from astro_provider.astro.identity import TokenKey
from astro_provider.astro.writing.locks import TokenLocks
from astro_provider.errors import LockTimeout

HOST, ORGANIZATION, TOKEN = "https://api.astronomer.io", "clo", "clt"


def can_be_had_beside(held: tuple[str, str, str], wanted: tuple[str, str, str], directory: Path) -> bool:
    """Whether somebody else can have a lock while one is held."""
    with operation(5), TokenLocks(held[0], str(directory)).holding(TokenKey(*held[1:])):
        try:
            with operation(0.05), TokenLocks(wanted[0], str(directory)).holding(TokenKey(*wanted[1:])):
                return True
        except LockTimeout:
            return False


@pytest.mark.parametrize(
    "wanted",
    [("http://127.0.0.1:8765", ORGANIZATION, TOKEN), (HOST, "another", TOKEN), (HOST, ORGANIZATION, "another")],
    ids=["host", "organization", "token"],
)
def test_a_lock_holds_up_nobody_who_writes_something_else(wanted: tuple[str, str, str], tmp_path: Path) -> None:
    assert can_be_had_beside((HOST, ORGANIZATION, TOKEN), wanted, tmp_path)


def test_a_lock_holds_up_whoever_writes_the_same_token(tmp_path: Path) -> None:
    same = (HOST, ORGANIZATION, TOKEN)

    assert not can_be_had_beside(same, same, tmp_path)
