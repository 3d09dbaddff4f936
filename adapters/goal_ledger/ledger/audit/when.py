"""When a condition first held: one fold of the log, which stops there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.conditions import Condition, Count, holds, leaves, nouns_of, parse
from goal_ledger.domain.errors import Damaged, Invalid
from goal_ledger.projections.fields import kinds
from goal_ledger.projections.registry import NOUNS


class Held(NamedTuple):
    """The event after which a condition began to hold, and the row that fulfils it.

    For a condition on counts alone, the row that the event changed; none when it changed none.
    """

    recorded: Recorded
    noun: str | None
    row: Any


def read(text: str, *, of_one_goal: bool) -> Condition:
    """The condition on goals, runs and lessons that a text says. Invalid: bad_condition."""
    condition = parse(text, {noun: kinds(projection.row) for noun, projection in NOUNS.items()})
    _subject(nouns_of(condition))
    if of_one_goal and (strangers := [noun for noun in _named(condition) if noun not in ("goal", "run")]):
        raise Invalid(
            "bad_condition", f"a {strangers[0]} belongs to no goal's timeline", hint="ask without naming a goal"
        )
    return condition


def first_held(events: Iterable[Recorded | Unreadable], condition: Condition, after: int) -> Held | None:
    """The first event behind a position after which the condition held for a row for which it did not hold before.

    Damaged: cannot_fold.
    """
    watch = _Watch(condition)
    for recorded in events:
        if isinstance(recorded, Recorded):
            held = watch.take(recorded)
            if held is not None and recorded.position > after:
                return held
    return None


class _Watch:
    """The rows that a condition looks at, how many each count finds, and for which rows it holds."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._subject, self._links = _subject(nouns_of(condition))
        self._rows: dict[str, dict[str, Any]] = {noun: {} for noun in _named(condition)}
        self._below: dict[tuple[str, str], list[str]] = {}  # the subject's rows that belong to a row of another noun
        self._counts = {leaf: 0 for leaf in leaves(condition) if isinstance(leaf, Count)}
        self._truths: tuple[bool, ...] = ()
        self._holding: set[str] = set()

    def take(self, recorded: Recorded) -> Held | None:
        """Fold one event; what the condition began to hold for."""
        changed = [noun for noun in self._rows if self._fold(noun, recorded)]
        truths = tuple(holds(count, {}, self._counts) for count in self._counts)
        moved, self._truths = truths != self._truths, truths
        if self._subject is None:
            noun = changed[0] if changed else None
            row = None if noun is None else self._rows[noun].get(recorded.stream)
            return Held(recorded, noun, row) if moved and self._began("", {}) else None
        rows = self._rows[self._subject]
        keys = list(rows) if moved else [key for noun in changed for key in self._concerned(noun, recorded.stream)]
        began = [key for key in keys if self._began(key, self._around(rows.get(key)))]
        if not began:
            return None
        key = recorded.stream if recorded.stream in began else began[0]
        return Held(recorded, self._subject, rows[key])

    def _fold(self, noun: str, recorded: Recorded) -> bool:
        """Whether the event changed a row of the noun."""
        projection, rows, key = NOUNS[noun], self._rows[noun], recorded.stream
        was = rows.get(key)
        try:
            row = projection.fold(was, recorded)
        except Exception as error:
            place = f"position {recorded.position}, stream {recorded.stream}"
            raise Damaged("cannot_fold", f"{place}: {recorded.name} cannot be folded: {error}") from error
        if row is was:
            return False
        for count in self._counts:
            if next(iter(nouns_of(count.condition))) == noun:
                fulfil = [each is not None and holds(count.condition, {noun: each}, {}) for each in (was, row)]
                self._counts[count] += fulfil[1] - fulfil[0]
        if row is None:
            del rows[key]
        else:
            rows[key] = row
        if noun == self._subject and was is None:
            for other, field in self._links.items():
                self._below.setdefault((other, getattr(row, field)), []).append(key)
        return True

    def _concerned(self, noun: str, key: str) -> Iterator[str]:
        """The subject's rows that look different after this one changed."""
        if noun == self._subject:
            yield key
        elif noun in self._links:
            yield from self._below.get((noun, key), ())

    def _around(self, row: Any) -> dict[str, Any]:
        """The row that each noun stands for, seen from a row of the subject."""
        if row is None or self._subject is None:
            return {}
        others = {noun: self._rows[noun].get(getattr(row, field)) for noun, field in self._links.items()}
        return {self._subject: row, **others}

    def _began(self, key: str, rows: dict[str, Any]) -> bool:
        """Whether it holds now for a row, and did not before."""
        now = bool(rows or self._subject is None) and holds(self._condition, rows, self._counts)
        if not now:
            self._holding.discard(key)
            return False
        known = key in self._holding
        self._holding.add(key)
        return not known


def _named(condition: Condition) -> list[str]:
    """Every noun that is named, in counts too."""
    inside = [nouns_of(leaf.condition) for leaf in leaves(condition) if isinstance(leaf, Count)]
    return sorted(nouns_of(condition).union(*inside))


def _subject(nouns: frozenset[str]) -> tuple[str | None, dict[str, str]]:
    """The noun whose rows are looked at one by one, and by which fields they lead to those of the others.

    Invalid: bad_condition.
    """
    if not nouns:
        return None, {}
    for noun in sorted(nouns):
        links = {other: f"{other}_id" for other in nouns if other != noun}
        if set(links.values()) <= set(NOUNS[noun].row._fields):
            return noun, links
    raise Invalid(
        "bad_condition",
        f"a {' and a '.join(sorted(nouns))} have no row in common",
        hint="ask for one of them at a time, or count(…) one: count(lesson.active = true) > 3",
    )
