"""Words that messages share: a thing by its name and id, a number with its noun, the beginning of a sentence."""

from __future__ import annotations


def in_words(what: str, name: object, identifier: object) -> str:
    """Return a thing of a kind by its name and then its id, as far as they are texts: `token 'ci' (cl…)`."""
    if isinstance(name, str) and isinstance(identifier, str):
        return f"{what} {name!r} ({identifier})"
    if isinstance(name, str):
        return f"{what} {name!r}"
    return f"{what} {identifier}" if isinstance(identifier, str) else f"a {what} that is not known yet"


def sentence(text: str) -> str:
    """Return a text with a capital, as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 token`, `2 tokens`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
