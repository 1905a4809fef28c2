"""Names that somebody else chose have no effect, wherever a review or an audit shows them."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from astro_emulator import Emulator
from astro_provider.access import facts
from astro_provider.access.audit import Assignment, Audit, audit
from astro_provider.access.audit_text import as_csv
from astro_provider.access.audit_text import as_markdown as audit_as_markdown
from astro_provider.access.digest import read_digest
from astro_provider.access.document import audit_document, review_document
from astro_provider.access.pages import audit_page, review_page
from astro_provider.access.review import Review, review
from astro_provider.access.review_text import as_markdown
from astro_provider.access.rules import Rules
from astro_provider.messages import shown
from tests.support.cast import PRODUCTION
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


RULES = Rules(admin_tokens=())


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def hostile(request: pytest.FixtureRequest) -> str:
    """A name that a token and a deployment have."""
    name: str = request.param
    return name


@pytest.fixture
def known(hostile: str) -> facts.Facts:
    return facts.Facts(
        asked=True,
        tokens={OLD_DEPLOYER: facts.Token(OLD_DEPLOYER, hostile)},
        deployments={PRODUCTION: facts.Deployment(PRODUCTION, hostile, "")},
    )


@pytest.fixture
def reviewed(previews: Previews, known: facts.Facts) -> Review:
    return review(read_digest(previews.many.text, "digest.json"), known, production=["*"], rules=RULES)


@pytest.fixture
def audited(known: facts.Facts) -> Audit:
    given = [Assignment(PRODUCTION, OLD_DEPLOYER, ADMIN)]
    return audit("clo", given, known, [], production=["*"], rules=RULES)


def flat(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *flat(token.children or []))]


OWN = (
    "<!-- astro-provider review bindings/test -->",
    "<!-- astro-provider audit -->",
    "<details>",
    "<summary>",
    "</summary>",
    "</details>",
)


def in_a_cell(name: str) -> str:
    """The same, without backslashes before a pipe, which parsers of tables do not agree about."""
    return re.sub(r"\\+(?=\|)", lambda found: "\ufffd" * len(found[0]), shown.line(name))


def parsed(markdown: str) -> list[Token]:
    """The comment as a reader's browser gets it, without what is our own."""
    tokens = flat(MarkdownIt("gfm-like", {"linkify": False}).parse(markdown))
    assert not [c for c in EFFECTS if c in markdown]
    assert {"html_block"} >= {one.type for one in tokens if one.type.startswith("html")}
    for block in (one.content for one in tokens if one.type == "html_block"):
        rest = block
        for mark in OWN:
            rest = rest.replace(mark, "")
        assert "<" not in rest
    assert not [one for one in tokens if one.type in ("link_open", "image", "s_open", "hardbreak", "blockquote_open")]
    assert not [one for one in tokens if one.type == "text" and ("evil" in one.content or "@" in one.content)]
    return tokens


def test_in_a_comment_a_name_is_text_in_one_cell_and_nothing_else(reviewed: Review, hostile: str) -> None:
    tokens = parsed(as_markdown(reviewed, 60_000))

    rows = [one for one in tokens if one.type == "tr_open"]
    cells = [one for one in tokens if one.type in ("td_open", "th_open")]
    assert (len(rows), len(cells)) == (1 + 8, 6 * (1 + 8))
    spans = [one.content for one in tokens if one.type == "code_inline"]
    assert spans.count(in_a_cell(hostile)) >= 3
    assert sum(one.type == "heading_open" for one in tokens) == 1


def test_in_an_issue_a_name_is_text_too(audited: Audit, hostile: str) -> None:
    tokens = parsed(audit_as_markdown(audited, 60_000))

    assert (
        sum(one.type == "tr_open" for one in tokens),
        sum(one.type in ("td_open", "th_open") for one in tokens),
    ) == (1 + 1, 5 * (1 + 1))  # one row for a grant, whatever was found about it
    assert [one.content for one in tokens if one.type == "code_inline"].count(in_a_cell(hostile)) == 2


def test_outside_a_table_a_pipe_stays_a_pipe() -> None:
    known = facts.Facts(asked=True, tokens={OLD_DEPLOYER: facts.Token(OLD_DEPLOYER, "a | b")})
    given = [Assignment(PRODUCTION, OLD_DEPLOYER, ADMIN)]

    tokens = parsed(audit_as_markdown(audit("clo", given, known, [], rules=RULES), 60_000))

    [_, rule] = [one.content for one in tokens if one.type == "code_inline" and "a | b" in one.content]
    assert rule.startswith(f"Token 'a | b' ({OLD_DEPLOYER}) in deployment ")


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


def test_on_a_page_a_name_is_text(reviewed: Review, audited: Audit, hostile: str) -> None:
    for html in (review_page(reviewed), audit_page(audited)):
        page = _Page()
        page.feed(html)

        assert page.handlers == []
        assert 1 == page.tags.count("script") == page.tags.count("h1")
        assert not {"img", "a", "iframe", "b"} & set(page.tags)
        assert shown.line(hostile) in "".join(page.text)
        assert not [c for c in EFFECTS if c in html]


def test_json_gives_the_name_back_and_shows_it_without_effect(reviewed: Review, audited: Audit, hostile: str) -> None:
    for document, rows in ((review_document(reviewed), "changes"), (audit_document(audited), "findings")):
        text = shown.json_text(document)

        assert hostile in {row["org_token_name"] for row in json.loads(text)[rows]}
        assert not [c for c in EFFECTS if c in text]


def test_no_cell_of_a_csv_file_can_start_a_formula(audited: Audit, hostile: str) -> None:
    text = as_csv(audited)

    cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
    assert shown.line(hostile) in {cell.removeprefix("'") for cell in cells}
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert not [c for c in EFFECTS if c in text]


def test_on_a_terminal_a_name_has_no_effect(astro: Emulator, previews: Previews, tmp_path: Path) -> None:
    hostile = "".join(EFFECTS) + "=cmd|x"
    grant_bindings(astro)
    astro.store.rename_token(OLD_DEPLOYER, hostile)
    digest, rules = tmp_path / "digest.json", tmp_path / "access.toml"
    digest.write_text(previews.many.text)
    rules.write_text("[admin]\ntokens = []\n")

    for command in (["review", str(digest), "--output", "table"], ["audit"]):
        ended = run(astro, *command, "--rules", str(rules))

        assert ended.status == 0
        assert not [c for c in EFFECTS if c in ended.out + ended.err]
        assert (ended.out + ended.err).count("=cmd|x") >= 1


def test_a_name_in_a_digest_alone_has_no_effect_either(previews: Previews) -> None:
    name = "\x1b[2J@everyone|<script>`\u202e"
    text = previews.of_a_fork.text.replace("snowflake-direct", json.dumps(name)[1:-1])

    comment = as_markdown(review(read_digest(text, "digest.json"), facts.Facts()), 60_000)

    assert "``\ufffd[2J@everyone\\|<script>`\ufffd``" in comment
    parsed(comment)
