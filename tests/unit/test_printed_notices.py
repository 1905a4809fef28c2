"""A notice is one line, printed once in a process."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from astro_provider.messages import notices


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    notices.forget()


def test_a_notice_is_printed_to_stderr_and_to_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    notices.warn("the token expired.")
    notices.note("it will be adopted.")

    assert capsys.readouterr() == ("", "astro: warning: the token expired.\nastro: note: it will be adopted.\n")


def test_a_notice_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        notices.warn("the token expired.")

    assert capsys.readouterr().err == "astro: warning: the token expired.\n"


def test_a_warning_and_a_note_of_the_same_words_are_two_notices(capsys: pytest.CaptureFixture[str]) -> None:
    notices.warn("the token expired.")
    notices.note("the token expired.")

    assert capsys.readouterr().err.count("\n") == 2


def test_a_notice_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    notices.warn("a token named 'two\nlines'\n\n  is expired.")

    assert capsys.readouterr().err == "astro: warning: a token named 'two lines' is expired.\n"


def test_of_many_threads_one_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(notices.warn, ["the token expired."] * 64))

    assert capsys.readouterr().err == "astro: warning: the token expired.\n"


def test_a_notice_that_nobody_reads_any_more_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    broken = os.fdopen(writing, "w", encoding="utf-8", buffering=1)
    monkeypatch.setattr(sys, "stderr", broken)

    notices.warn("the token expired.")

    with pytest.raises(BrokenPipeError):
        broken.close()
