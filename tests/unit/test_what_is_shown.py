"""Whatever comes from outside is shown in one line, without a character that nobody sees."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astro_provider.errors import InputError, ServiceError
from astro_provider.messages import notices, shown

varied = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TITLE = "\x1b]0;t\x07"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Release Engineer", "Release Engineer", id="plain"),
        pytest.param("two  blanks", "two  blanks", id="blanks within"),
        pytest.param(" \tends\n", "ends", id="blanks at the ends"),
        pytest.param("one\r\n\n two\x85three\u2028four", "one two three four", id="line breaks"),
        pytest.param(f"a{TITLE}b", "a\ufffd]0;t\ufffdb", id="C0"),
        pytest.param("a\x9b31mb\x7f", "a\ufffd31mb\ufffd", id="C1 and DEL"),
        pytest.param("a\u202eb\u2066c\u200fd", "a\ufffdb\ufffdc\ufffdd", id="bidi"),
        pytest.param("a\u200bb\ufeffc\u00add\u2060e\u3164f", "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf", id="no width"),
        pytest.param(
            "a\ufe00b\ufe0fc\U000e0100d\U000e01efe", "a\ufffdb\ufffdc\ufffdd\ufffde", id="variation selectors"
        ),
        pytest.param("a\u180bb\u180fc\u2800d", "a\ufffdb\ufffdc\ufffdd", id="Mongolian selectors, a blank of Braille"),
        pytest.param("a\U00016fe4b\U0001d159c", "a\ufffdb\ufffdc", id="fillers of other scripts"),
        pytest.param("a\u2764\ufe0f", "a\u2764\ufffd", id="a selector beside an emoji"),
        pytest.param("a\ud800b", "a\ufffdb", id="half a character"),
        pytest.param("Lösch-帳簿", "Lösch-帳簿", id="other scripts"),
        pytest.param("क्\u200cष 👩\u200d🚀", "क्\u200cष 👩\u200d🚀", id="joiners that scripts need"),
        pytest.param("ci\u200dbot \u200dx ü\u200cx", "ci\ufffdbot \ufffdx ü\ufffdx", id="joiners that hide"),
        pytest.param("क\u200d\u200d", "क\u200d\ufffd", id="joiners in a row"),
    ],
)
def test_a_line_holds_no_hidden_character(text: str, expected: str) -> None:
    assert expected == shown.line(text)


def test_a_line_is_cut_where_it_is_too_long() -> None:
    assert shown.line("x" * 11, longest=10) == "x" * 9 + "…"
    assert shown.line("x" * 10, longest=10) == "x" * 10


def test_a_long_blank_beginning_hides_nothing() -> None:
    assert shown.line(" " * 100_000 + "words", longest=10) == "words"


@varied
@given(st.text(st.characters()))
def test_whatever_a_line_was_it_can_be_printed_and_stays_as_it_is(text: str) -> None:
    line = shown.line(text)

    assert line == shown.line(line)
    assert not any(map(shown.is_hidden, line))
    line.encode()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", " =", "\t=", "\r@"])
def test_a_csv_cell_starts_no_formula(start: str) -> None:
    assert shown.csv_cell(f"{start}cmd|' /C calc'!A0") == f"'{start.strip()}cmd|' /C calc'!A0"


def test_another_csv_cell_is_as_it_was() -> None:
    assert shown.csv_cell("ci-bot = 1") == "ci-bot = 1"


@varied
@given(st.recursive(st.text(st.characters()), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_is_read_back_as_it_was_and_holds_nothing_hidden(value: object) -> None:
    text = shown.json_text(value)

    assert value == json.loads(text)
    assert not any(map(shown.is_hidden, text.replace("\n", "")))  # JSON has no raw line break within a text


def test_json_keeps_letters_readable() -> None:
    assert shown.json_text("Lösch-帳簿\x9b\U000e0041") == '"Lösch-帳簿\\u009b\\udb40\\udc41"'


def test_an_error_holds_no_hidden_character_wherever_it_came_from() -> None:
    error = ServiceError(f"role {TITLE}\nadmin", status=400)
    reason = InputError("role", f"is {TITLE}.")

    assert str(error) == "role \ufffd]0;t\ufffd admin"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert (str(reason), reason.reason) == ("role: is \ufffd]0;t\ufffd.", "is \ufffd]0;t\ufffd.")


def test_a_notice_holds_no_hidden_character(capsys: pytest.CaptureFixture[str]) -> None:
    notices.note(f"holds {TITLE}\u202e now.")

    assert capsys.readouterr().err == "astro: note: holds \ufffd]0;t\ufffd\ufffd now.\n"
