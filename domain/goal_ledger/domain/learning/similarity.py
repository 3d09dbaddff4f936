"""Whether two lessons say the same, or the opposite."""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from goal_ledger.domain.learning.lesson import LessonCategory, Scope
from goal_ledger.domain.words import likeness, words

NEARLY_EQUAL = 0.8
"""Texts are nearly equal when their likeness is above this."""

_WORD = re.compile(r"\w+")
_SHORT_NOT = re.compile(r"n['\u2019]t\b")
_AGAINST = frozenset({"not", "never", "no", "avoid", "dont"})
_TURNS = _AGAINST | {"always", "do"}
"""Words that say whether to do something, not what."""


class Said(NamedTuple):
    """What a lesson says, and where."""

    lesson_id: str
    scope: Scope
    text: str
    category: LessonCategory


class Contradiction(NamedTuple):
    """Two lessons that cannot both be followed. why: in words."""

    first: str
    first_text: str
    second: str
    second_text: str
    why: str


def advises_against(text: str, category: LessonCategory) -> bool:
    """Whether the lesson says what not to do: an anti-pattern always does, others by their words.

    `never`, `not`, `don't`, `no` and `avoid` turn the sense around, two of them turn it back.
    """
    if category is LessonCategory.ANTI_PATTERN:
        return True
    return sum(word in _AGAINST for word in _told(text)) % 2 == 1


def says_the_same(first: Said, second: Said) -> bool:
    """Whether one lesson repeats the other: nearly equal texts in one scope that advise the same way."""
    return (
        first.scope == second.scope
        and likeness(words(first.text), words(second.text)) > NEARLY_EQUAL
        and _against(first) == _against(second)
    )


def duplicate_of(said: Said, others: Iterable[Said]) -> str | None:
    """The lesson that this one repeats, the likest one, of equals the first by id; None when it is new."""
    own = words(said.text)
    found = [(-likeness(own, words(other.text)), other.lesson_id) for other in others if says_the_same(said, other)]
    return min(found)[1] if found else None


def contradictions(lessons: Sequence[Said]) -> list[Contradiction]:
    """The pairs of lessons that may apply together and say the opposite of nearly the same, in order of their ids.

    Words like `always` and `never` do not count when the texts are compared.
    """
    known = [(one, _matter(one.text), _against(one)) for one in sorted(lessons)]
    found = []
    for (first, ours, against), (second, theirs, other_way) in combinations(known, 2):
        if against is other_way or min(len(ours), len(theirs)) <= NEARLY_EQUAL * max(len(ours), len(theirs)):
            continue
        if _overlap(first.scope, second.scope) and likeness(ours, theirs) > NEARLY_EQUAL:
            why = _why(first, second)
            found.append(Contradiction(first.lesson_id, first.text, second.lesson_id, second.text, why))
    return found


def _against(said: Said) -> bool:
    return advises_against(said.text, said.category)


def _told(text: str) -> list[str]:
    return _WORD.findall(_SHORT_NOT.sub(" not", text.casefold()))


def _matter(text: str) -> frozenset[str]:
    """What it is about: the words without those that say whether to do it."""
    return frozenset(_told(text)) - _TURNS


def _overlap(first: Scope, second: Scope) -> bool:
    """Whether both may apply to one goal."""
    return all(None in pair or pair[0] == pair[1] for pair in zip(first, second, strict=True))


def _why(first: Said, second: Said) -> str:
    if LessonCategory.ANTI_PATTERN in (first.category, second.category):
        return f"{first.category} and {second.category} in nearly the same words"
    return "one says to do what the other says not to do"
