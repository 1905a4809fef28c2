"""Names that somebody else chose have no effect, wherever a review or an audit shows them."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from astro_provider.emulator import Emulator
from tests.support.cast import OBSERVABILITY, PRODUCTION
from tests.support.previews import ADMIN, OLD_DEPLOYER, Previews, grant_bindings
from tests.support.shell import run

HOSTILE = [
    "a | b | c",
    r"a \| b \\| c",
    "`code` ``more`` ```",
    "`",
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "<!-- astro-provider review x --> @everyone #12 !7 owner/repo#3",
    "[click](https://evil.example) https://evil.example www.evil.example me@evil.example",
    "**bold** _it_ ~~no~~ $x^2$ :tada:",
    "</td></tr></table><h1>big</h1>",
    "</code></details>",
    "&lt;b&gt; &#64;everyone",
    '" autofocus onfocus="alert(1)',
    "line one\nline two\r\n\n# heading\n| x | y |",
    "\x1b]0;title\x07\x1b[2J\x9b31m\u202eevil\u2066x\u200b",
    "=cmd|' /C calc'!A0",
    "x" * 256,
]
EFFECTS = ("\x1b", "\x07", "\x9b", "\x9d", "\u202e", "\u2066", "\u200b", "\r")


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def hostile(request: pytest.FixtureRequest, astro: Emulator) -> str:
    """A name that a token and a deployment have."""
    name: str = request.param
    grant_bindings(astro)
    astro.store.rename_token(OLD_DEPLOYER, name)
    state = astro.store.shown()
    for deployment in state["deployments"]:
        if deployment["id"] == PRODUCTION:
            deployment["name"] = name
    astro.store.replace(state)
    return name


@pytest.fixture
def digest(previews: Previews, tmp_path: Path) -> str:
    path = tmp_path / "digest.json"
    path.write_text(previews.many.text)
    return str(path)


def flat(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *flat(token.children or []))]


def harmless(name: str) -> str:
    """The name as it may show: on one line, without what has an effect."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(name.split()))


def test_in_a_comment_a_name_is_text_in_one_cell_and_nothing_else(astro: Emulator, digest: str, hostile: str) -> None:
    comment = run(astro, "review", digest).out

    tokens = flat(MarkdownIt("gfm-like", {"linkify": False}).parse(comment))
    rows = [one for one in tokens if one.type == "tr_open"]
    cells = [one for one in tokens if one.type in ("td_open", "th_open")]
    assert (1 + 8, 6 * (1 + 8)) == (len(rows), len(cells))
    shown = [one.content for one in tokens if one.type == "code_inline"]
    expected = harmless(hostile).replace("\\\\|", "\ufffd\ufffd|").replace("\\|", "\ufffd|")
    assert 3 <= shown.count(expected)
    own = ("<!-- astro-provider review bindings/test -->", "<details>", "<summary>", "</summary>", "</details>")
    assert {"html_block"} == {one.type for one in tokens if one.type.startswith("html")}
    for block in (one.content for one in tokens if one.type == "html_block"):
        for mark in own:
            block = block.replace(mark, "")  # noqa: PLW2901  taken apart piece by piece
        assert "<" not in block
    assert not {"link_open", "image", "s_open", "em_open"} & {
        one.type for one in tokens if one.content != "not known yet"
    } - {"em_open"}
    assert not [one for one in tokens if one.type == "text" and ("evil" in one.content or "@" in one.content)]
    assert not [c for c in EFFECTS if c in comment]


class _Page(HTMLParser):
    """What a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name in ("src", "href", "autofocus")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("command", ["review", "audit"])
def test_on_a_page_a_name_is_text(astro: Emulator, digest: str, hostile: str, command: str) -> None:
    arguments = [digest] if command == "review" else []
    html = run(astro, command, *arguments, "--output", "html").out

    page = _Page()
    page.feed(html)
    assert [] == page.handlers
    assert 1 == page.tags.count("script") == page.tags.count("h1")
    assert not {"img", "a", "iframe", "b"} & set(page.tags)
    assert harmless(hostile) in "".join(page.text)
    assert not [c for c in EFFECTS if c in html]


def test_in_a_table_and_on_standard_error_a_name_has_no_effect(astro: Emulator, digest: str, hostile: str) -> None:
    rules = Path(digest).with_name("access.toml")
    rules.write_text("[admin]\ntokens = []\n")

    for command in (["review", digest, "--output", "text"], ["audit"]):
        ended = run(astro, *command, "--rules", str(rules))

        assert 0 == ended.status
        assert not [c for c in EFFECTS if c in ended.out + ended.err]
        assert harmless(hostile)[:20] in ended.out


def test_json_gives_the_name_back_and_shows_it_without_effect(astro: Emulator, digest: str, hostile: str) -> None:
    ended = run(astro, "review", digest, "--output", "json")

    names = {row["org_token_name"] for row in json.loads(ended.out)["changes"]}
    assert hostile in names
    assert not [c for c in EFFECTS if c in ended.out]


def test_no_cell_of_a_csv_file_can_start_a_formula(astro: Emulator, hostile: str) -> None:
    ended = run(astro, "audit", "--output", "csv", "--production", "*")

    cells = [cell for row in csv.reader(ended.out.splitlines()) for cell in row]
    assert harmless(hostile) in {cell.removeprefix("'") for cell in cells}
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert not [c for c in EFFECTS if c in ended.out]


def test_a_name_in_a_digest_alone_has_no_effect_either(previews: Previews, tmp_path: Path) -> None:
    path = tmp_path / "digest.json"
    hostile = "\x1b[2J@everyone|<script>`\u202e"
    path.write_text(previews.of_a_fork.text.replace("snowflake-direct", json.dumps(hostile)[1:-1]))

    comment = run(None, "review", str(path), "--offline").out

    assert "`` \ufffd[2J@everyone\\|<script>`\ufffd ``" in comment
    assert ADMIN in comment
    assert OBSERVABILITY not in comment
