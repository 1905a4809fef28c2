"""Words that messages share: a thing by its name and id, and the beginning of a sentence."""

from __future__ import annotations


def in_words(what: str, name: object, identifier: object) -> str:
    """A thing by its name and then its id, as far as they are known: `token 'ci' (cl…)`.

    Args:
        what: the kind of thing.
        name: its name; anything but a text is not known.
        identifier: its id; anything but a text is not known.
    """
    if isinstance(name, str) and isinstance(identifier, str):
        return f"{what} {name!r} ({identifier})"
    if isinstance(name, str):
        return f"{what} {name!r}"
    return f"{what} {identifier}" if isinstance(identifier, str) else f"a {what} that is not known yet"


def sentence(text: str) -> str:
    """A text that begins a sentence."""
    return text[:1].upper() + text[1:]
