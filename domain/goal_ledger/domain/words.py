"""Texts compared by their words."""

import re

_WORD = re.compile(r"\w+")


def words(text: str) -> frozenset[str]:
    """The words of a text, without case; an underscore belongs to its word."""
    return frozenset(_WORD.findall(text.casefold()))


def likeness(first: frozenset[str], second: frozenset[str]) -> float:
    """The share of their words that two texts have in common (Jaccard), 0.0 to 1.0; of two empty ones 1.0."""
    either = len(first | second)
    return len(first & second) / either if either else 1.0
