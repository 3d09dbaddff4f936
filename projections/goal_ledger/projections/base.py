"""A projection: a fold from recorded events to rows, one row at a time."""

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar

from goal_ledger.domain.base import Event, Recorded, Unreadable
from goal_ledger.domain.registry import NAMES

R = TypeVar("R", bound=tuple[Any, ...])
N = TypeVar("N", bound=NamedTuple)
E = TypeVar("E", bound=Event)
_OUR_MODULES = re.compile(r"\bgoal_ledger(?:\.\w+)*\.(?=\w)")

Key = str | int
"""Of a row. A number is the position of the one event that the row is about."""


class Fold(NamedTuple):
    """How one event type changes a row, and which row: the stream's own when at is None."""

    handler: Callable[[Any, Recorded, Any], Any]
    at: Callable[[Recorded, Any], Key] | None


def event_itself(recorded: Recorded, _: object) -> int:
    """For `Projection.on(at=…)`, where every event has a row of its own."""
    return recorded.position


def changed(row: N | None, recorded: Recorded, **changes: Any) -> N | None:
    """The row with changes, at the version and position of an event of its stream; None when there is no row."""
    return None if row is None else row._replace(version=recorded.version, position=recorded.position, **changes)


def updated(row: N | None, recorded: Recorded, **changes: Any) -> N | None:
    """The same for a row that has `updated_at`, which an event leaves as it is when nobody knows its time."""
    if recorded.occurred_at is not None:
        changes["updated_at"] = recorded.occurred_at
    return changed(row, recorded, **changes)


class Projection(Generic[R]):
    """Rows of one type, folded from the events that it handles.

    row: a NamedTuple whose fields are the columns. key: the field that identifies a row. indexes: columns that
    questions filter or order by. version: add 1 when a fold changes its meaning, so that stored rows are folded anew.
    noun: what people call the thing that a row is about, in conditions and comparisons; None: they ask nothing of it.
    """

    def __init__(
        self,
        name: str,
        row: type[R],
        *,
        key: str,
        indexes: Sequence[Sequence[str]] = (),
        version: int = 1,
        noun: str | None = None,
    ) -> None:
        self.name = name
        self.row = row
        self.key = key
        self.indexes = indexes
        self.version = version
        self.noun = noun
        self.folds: dict[type[Event], Fold] = {}

    def on(
        self, *types: type[E], at: Callable[[Recorded, E], Key] | None = None
    ) -> Callable[[Callable[[R | None, Recorded, E], R | None]], Callable[[R | None, Recorded, E], R | None]]:
        """Register how events of these types change a row: None in, no row yet; None out, delete it.

        at: which row, when it is not that of the event's own stream.
        """

        def register(
            handler: Callable[[R | None, Recorded, E], R | None],
        ) -> Callable[[R | None, Recorded, E], R | None]:
            for event_type in types:
                self.folds[event_type] = Fold(handler, at)
            return handler

        return register

    def fold(self, row: R | None, recorded: Recorded | Unreadable) -> R | None:
        """The row of one stream after an event of it; what it does not handle leaves the row as it is."""
        if isinstance(recorded, Unreadable) or (fold := self.folds.get(type(recorded.event))) is None:
            return row
        folded: R | None = fold.handler(row, recorded, recorded.event)
        return folded

    @property
    def is_by_stream(self) -> bool:
        """Whether each row belongs to one stream, and is folded from nothing else."""
        return all(fold.at is None for fold in self.folds.values())

    @property
    def digest(self) -> str:
        """Names the shape of the rows and what they are folded from: 12 hex digits that change when either does.

        In which module a type of ours stands is no part of the shape.
        """
        shape = [f"{field}:{_OUR_MODULES.sub('', str(kind))}" for field, kind in self.row.__annotations__.items()]
        reads = sorted(f"{NAMES[event_type]}@{event_type.schema_version}" for event_type in self.folds)
        text = "\n".join([self.name, self.key, str(self.version), *shape, *reads, repr(self.indexes)])
        return sha256(text.encode()).hexdigest()[:12]
