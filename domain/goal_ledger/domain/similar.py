"""Texts that say nearly the same, for a person to confirm: nothing is merged because it is alike.

Compared by the three-letter pieces that they share, the rarer the heavier (tf-idf, cosine), which forgives endings,
typing errors and word order. Chosen by measurement; see "Similar goals" in docs/performance.md.
"""

from collections import Counter
from collections.abc import Sequence
from heapq import nsmallest
from itertools import chain
from math import hypot, log
from typing import NamedTuple

_PIECE = 3  # characters


class Candidate(NamedTuple):
    """A text, and what it is called."""

    id: str
    text: str


class Near(NamedTuple):
    """A candidate and how like the text it is: 0.0, nothing in common, to 1.0, the same."""

    id: str
    score: float


def nearest(text: str, candidates: Sequence[Candidate], *, limit: int) -> Sequence[Near]:
    """The candidates that are most like a text, the best first, at most `limit`.

    What has nothing in common is left out; equal scores go by id.

    A piece weighs (1 + ln n) · ln(1 + N / d): n times in its text, in d of all N texts.
    """
    asked, others = _pieces(text), [_pieces(candidate.text) for candidate in candidates]
    containing = Counter(chain(asked, *others))
    texts = 1 + len(others)
    weights = {piece: log(1 + texts / number) for piece, number in containing.items()}
    wanted = _weighed(asked, weights)
    found = (
        Near(candidate.id, round(_cosine(wanted, _weighed(pieces, weights)), 4))
        for candidate, pieces in zip(candidates, others, strict=True)
        if not wanted.keys().isdisjoint(pieces)
    )
    return nsmallest(limit, found, key=lambda near: (-near.score, near.id))


def _pieces(text: str) -> Counter[str]:
    """How often each piece is in a text, without case; a space stands before and behind it, and between words."""
    line = f" {' '.join(text.casefold().split())} "
    return Counter(line[at : at + _PIECE] for at in range(len(line) - _PIECE + 1))


def _weighed(pieces: Counter[str], weights: dict[str, float]) -> dict[str, float]:
    return {
        piece: weights[piece] if number == 1 else (1 + log(number)) * weights[piece] for piece, number in pieces.items()
    }


def _cosine(first: dict[str, float], second: dict[str, float]) -> float:
    shared = sum(weight * second[piece] for piece, weight in first.items() if piece in second)
    return shared / (hypot(*first.values()) * hypot(*second.values()))
