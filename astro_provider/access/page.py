"""One self-contained page of HTML: tables with a filter, in light and dark, for a phone too.

Nothing is loaded from elsewhere, and the page says so to the browser: its policy allows its own style and its own
script, by their hashes, and nothing else. So a name that were markup after all could not run. Without script the page
shows everything and only lacks the filter.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from astro_provider.access.harmless import in_html
from astro_provider.messages import shown

STYLE = """
:root { color-scheme: light dark; --back: #fff; --front: #1b1f24; --faint: #57606a; --line: #d0d7de; --band: #f6f8fa;
  --good: #1a7f37; --bad: #b3261e; --warn: #8a5a00; --bad-back: #ffebe9; --warn-back: #fff3d6; --link: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --front: #e6edf3; --faint: #9da7b3; --line: #30363d;
  --band: #161b22; --good: #56d364; --bad: #ff9a91; --warn: #e9b949; --bad-back: #3d1513; --warn-back: #33270a;
  --link: #79b8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 78rem; background: var(--back); color: var(--front);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .4rem 0; max-width: 60rem; }
code, .id { font: .86em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.id { color: var(--faint); display: block; }
.faint { color: var(--faint); }
.alarm { border: 1px solid var(--bad); border-left-width: 6px; background: var(--bad-back); padding: .6rem .9rem;
  border-radius: 6px; margin: 1rem 0; }
.alarm p { margin: .2rem 0; overflow-wrap: anywhere; }
.filter { margin: 1rem 0 .5rem; display: flex; gap: .6rem; flex-wrap: wrap; align-items: center; }
.filter[hidden] { display: none; }
input[type=search] { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--faint);
  border-radius: 6px; padding: .35rem .6rem; width: min(24rem, 100%); }
::placeholder { color: var(--faint); opacity: 1; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--faint); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--band); border-bottom: 2px solid var(--line); white-space: nowrap; }
tbody th { font-weight: inherit; }
.scroll { overflow-x: auto; }
.gain, .good { color: var(--good); font-weight: 600; }
.lose, .bad { color: var(--bad); font-weight: 600; }
.change { color: var(--warn); font-weight: 600; }
.mark { display: inline-block; border: 1px solid var(--line); border-radius: 1em; padding: 0 .55em; margin: 0 .2em .2em 0;
  font-size: .82em; white-space: nowrap; }
.mark.loud { border-color: var(--bad); color: var(--bad); font-weight: 600; }
ul { padding-left: 1.2rem; } li { overflow-wrap: anywhere; margin: .2rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .9rem; } dd { margin: 0; }
.wide { overflow: auto; max-height: 70vh; border: 1px solid var(--line); border-radius: 6px; }
.matrix { width: auto; border-collapse: separate; border-spacing: 0; }
.matrix th, .matrix td { border-right: 1px solid var(--line); overflow-wrap: anywhere; }
.matrix td { font-size: .86em; } .matrix .mark { white-space: normal; }
.matrix thead th { position: sticky; top: 0; z-index: 2; white-space: normal; min-width: 7.2rem; max-width: 14rem; }
.matrix tbody th { position: sticky; left: 0; background: var(--back); z-index: 1; min-width: 14rem; max-width: 18rem; }
.matrix thead th:first-child { left: 0; z-index: 3; }
.matrix td.production { background: var(--warn-back); } .matrix td.admin { background: var(--bad-back); }
@media (max-width: 44rem) {
  .rows thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .rows, .rows tbody, .rows tr, .rows td, .rows th { display: block; }
  .rows caption { display: block; }
  .rows tr { border: 1px solid var(--line); border-radius: 6px; margin: .6rem 0; padding: .3rem 0; }
  .rows tr[hidden] { display: none; }
  .rows td, .rows tbody th { border: 0; padding: .2rem .7rem .2rem 7.5rem; position: relative; min-height: 1.9rem;
    overflow-wrap: anywhere; }
  .rows [data-head]::before { content: attr(data-head); position: absolute; left: .7rem; width: 6.4rem;
    color: var(--faint); font-weight: 400; }
  .matrix tbody th { min-width: 8rem; max-width: 9rem; }
  dl { grid-template-columns: 1fr; } dd { margin: 0 0 .4rem; }
}
@media print { .filter { display: none; } .wide { max-height: none; overflow: visible; } }
"""

SCRIPT = """
for (const box of document.querySelectorAll(".filter")) {
  const rows = [...document.querySelectorAll("#" + box.dataset.of + " tbody tr")];
  const input = box.querySelector("input"), told = box.querySelector("output");
  const apply = () => {
    const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    told.textContent = words.length ? shown + " of " + rows.length + " rows" : "";
  };
  box.hidden = false;
  input.addEventListener("input", apply);
}
"""


@dataclass(frozen=True)
class Cell:
    """A cell: HTML that is harmless already, and its class."""

    html: str
    kind: str = ""


_LONG_WORD = re.compile(r"[^\s]{30}(?=[^\s])")


def text(value: str) -> str:
    """A text as HTML that breaks where it is too long for a column, and never turns the direction of what follows."""
    parts = (in_html(part) for part in _LONG_WORD.sub(lambda found: f"{found[0]}\n", shown.line(value)).split("\n"))
    return f"<bdi>{'<wbr>'.join(parts)}</bdi>"


def named(name: str | None, identifier: str | None) -> str:
    """A name with its id beneath it, as HTML."""
    if not name and not identifier:
        return '<span class="faint">not known yet</span>'
    if not name:
        return f"<code>{text(identifier or '')}</code>"
    return text(name) + (f'<span class="id">{text(identifier)}</span>' if identifier else "")


def marks(texts: Iterable[tuple[str, bool]]) -> str:
    """Small labels, each loud or not."""
    return " ".join(f'<span class="mark{" loud" if loud else ""}">{in_html(text)}</span>' for text, loud in texts)


def table(identifier: str, caption: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, header: int) -> str:
    """A table with a filter above it.

    Args:
        identifier: of the element.
        caption: what it shows.
        heads: of the columns.
        rows: the cells of each.
        header: the number of the column that names the row.
    """
    lines = []
    for row in rows:
        cells = []
        for number, (head, cell) in enumerate(zip(heads, row, strict=True)):
            tag, scope = ("th", ' scope="row"') if number == header else ("td", "")
            kind = f' class="{cell.kind}"' if cell.kind else ""
            cells.append(f'<{tag}{scope}{kind} data-head="{in_html(head)}">{cell.html}</{tag}>')
        lines.append(f"<tr>{''.join(cells)}</tr>")
    columns = "".join(f'<th scope="col">{in_html(head)}</th>' for head in heads)
    return (
        f'<div class="filter" data-of="{identifier}" hidden><label for="{identifier}-words">Filter</label>'
        f'<input type="search" id="{identifier}-words" placeholder="a token, a deployment, a role, a flag">'
        '<output class="faint" aria-live="polite"></output></div>\n'
        f'<div class="scroll"><table class="rows" id="{identifier}"><caption>{in_html(caption)}</caption><thead><tr>{columns}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(lines)}\n</tbody></table></div>"
    )


def alarm(title: str, sentences: Iterable[str]) -> str:
    """What must not be overlooked."""
    lines = "".join(f"<p>{in_html(one)}</p>" for one in sentences)
    return f'<div class="alarm" role="alert"><p><strong>{in_html(title)}</strong></p>{lines}</div>'


def items(title: str, sentences: Sequence[str]) -> str:
    """A list under a heading; nothing if it is empty."""
    if not sentences:
        return ""
    lines = "".join(f"<li>{in_html(one)}</li>" for one in sentences)
    return f"<h2>{in_html(title)}</h2>\n<ul>{lines}</ul>"


def meanings(title: str, explained: Iterable[tuple[str, str]]) -> str:
    """A list of words and what they mean; nothing if it is empty."""
    lines = "".join(f"<dt>{in_html(word)}</dt><dd>{in_html(text)}.</dd>" for word, text in explained)
    return f"<h2>{in_html(title)}</h2>\n<dl>{lines}</dl>" if lines else ""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole page; `title` is text, the parts are HTML."""
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
    )
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{in_html(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{in_html(title)}</h1>\n"
        f"{body}\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
