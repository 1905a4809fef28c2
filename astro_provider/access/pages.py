"""A review and an audit as self-contained pages of HTML: tables with a filter, in light and dark, for a phone too.

A page loads nothing: its policy allows its own style and its own script, by their hashes, and nothing else, so even a name
that were markup could not run. Without script the page shows everything and only lacks the filters. `templates/` has the
HTML; every value in it is text from outside, escaped here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from astro_provider.access.audit import Audit, Finding
from astro_provider.access.audit_text import HEADLINE, LOUD_FINDINGS, remarks, summary
from astro_provider.access.flags import LOUD, Flag
from astro_provider.access.matrix import matrix
from astro_provider.access.model import Kind
from astro_provider.access.review import Review
from astro_provider.access.review_text import VERBS, counts, headline, notes, role_in_words
from astro_provider.messages import shown

_LONG_WORD = re.compile(r"[^\s]{30}(?=[^\s])")


def _as_text(value: object) -> object:
    """Replace the hidden characters of a value, which the template then escapes; HTML of a template stays as it is."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else shown.line(str(value))


def _breakable(value: str) -> Markup:
    """Return a text as HTML that breaks where it is too long for a column, and never turns the direction of what follows."""
    text = _LONG_WORD.sub(lambda found: f"{found[0]}\n", shown.line(value).replace("_", "_\n"))
    return Markup("<bdi>{}</bdi>").format(Markup("<wbr>").join(text.split("\n")))


_TEMPLATES = Environment(
    loader=PackageLoader("astro_provider.access"),
    autoescape=True,
    finalize=_as_text,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters["breakable"] = _breakable
_TEMPLATES.filters["sha256"] = lambda text: f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def review_page(review: Review) -> str:
    """Return a review as a page."""
    there = {flag for row in review.rows for flag in row.flags}
    return _page(
        "review.html",
        f"{headline(review)}: {review.stack}" if review.stack else headline(review),
        review=review,
        several=len({row.organization_id for row in review.rows}) > 1,
        labels=lambda row: [(flag, flag in LOUD) for flag in row.flags],
        flags=[flag for flag in Flag if flag in there],
        verdicts=[verdict.text for verdict in review.verdicts],
        said=[f"{said.severity}: {said.message}" for said in review.diagnostics],
        counts=counts,
        notes=notes,
        VERBS=VERBS,
        KEEP=Kind.KEEP,
        role_in_words=role_in_words,
    )


def audit_page(found: Audit) -> str:
    """Return an audit as a page: the findings, and a matrix that shows which tokens may touch production."""
    there = {one.finding for one in found.findings}
    return _page(
        "audit.html",
        HEADLINE,
        found=found,
        summary=summary(found),
        remarks=remarks(found),
        matrix=matrix(found),
        verdicts=[verdict.text for verdict in found.verdicts],
        explained=[one for one in Finding if one in there],
        LOUD=LOUD_FINDINGS,
    )


def _page(template: str, title: str, **values: object) -> str:
    folder = files(__package__) / "templates"
    style, script = (Markup((folder / file).read_text()) for file in ("page.css", "page.js"))  # noqa: S704  our own
    return _TEMPLATES.get_template(template).render(title=title, style=style, script=script, **values)
