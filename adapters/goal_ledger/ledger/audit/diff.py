"""What changed between two positions: the rows of every noun, as they stood before and after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.goals.goals import Goals
from goal_ledger.projections.registry import NOUNS

_SAID_OTHERWISE = frozenset({"version", "position"})  # they change with every event


class Change(NamedTuple):
    """A row that changed. before, after: None when it was not there. positions: of the events that changed it."""

    noun: str
    id: str
    before: Any
    after: Any
    positions: tuple[int, ...]

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """What happened to the row."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """Each field that differs, before and after."""
        names = (self.after if self.before is None else self.before)._fields
        pairs = {name: (getattr(self.before, name, None), getattr(self.after, name, None)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1] and name not in _SAID_OTHERWISE}


def changes(before: Engine, after: Engine, stream: str | None) -> list[Change]:
    """What differs between two states of one ledger, in the order in which it was first touched.

    stream: only this one; of a goal, its runs too. NotFound: unknown_goal.
    """
    events: Iterable[Recorded | Unreadable]
    if stream is None:
        events = after.events(after=before.head)
    elif stream.startswith("goal_"):
        events = Goals(after).timeline(stream)
    else:
        events = after.stream(stream)
    touched: dict[tuple[str, str], list[int]] = {}
    for recorded in events:
        if isinstance(recorded, Recorded) and recorded.position > before.head:
            for noun, projection in NOUNS.items():
                if type(recorded.event) in projection.folds:
                    touched.setdefault((noun, recorded.stream), []).append(recorded.position)
    found = []
    for (noun, key), positions in touched.items():
        was, now = before.fold(NOUNS[noun], key), after.fold(NOUNS[noun], key)
        if was != now:
            found.append(Change(noun, key, was, now, tuple(positions)))
    return found
