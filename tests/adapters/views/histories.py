"""Histories to fold, a small read model to fold them into, and the same fold by hand."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from goal_ledger.adapters.store.base import Store
from goal_ledger.adapters.store.codec import encode, envelope, name_of
from goal_ledger.adapters.views.diff import Diff
from goal_ledger.adapters.views.log import Log, Progress
from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.goals.goal import GoalBlocked, GoalCreated, GoalFailed, GoalReadied
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.registry import EVENTS
from goal_ledger.projections.base import Projection
from tests.golden.files import stored

Told = tuple[str, Event]


Written = tuple[str, int, str, bytes]
"""stream, version, name, body."""


class Stop(Exception):
    """Somebody pressed a key."""


def stop_at(position: int) -> Progress:
    """Somebody who watches the progress and presses a key."""

    def told(done: int, _of: int) -> None:
        if done >= position:
            raise Stop

    return told


def append(log: Store, *events: Written) -> None:
    """Write events as they are, whether anybody can read them or not."""
    with log.transaction() as tx:
        tx.append([(position, *event) for position, event in enumerate(events, tx.head() + 1)])


# --- Golden events of every kind


def fill(log: Store, repeat: int = 1) -> None:
    """Every golden event, on a few streams of each kind."""
    append(log, *_golden(repeat))


def _golden(repeat: int) -> Iterable[Written]:
    versions: dict[str, int] = {}
    for number in range(repeat):
        for name, event_type in EVENTS.items():
            for which, body in enumerate(stored(name, event_type.schema_version)):
                stream = f"{name.partition('.')[0]}_{number}_{which}"
                versions[stream] = versions.get(stream, 0) + 1
                yield stream, versions[stream], name, body


def by_hand(log: Log, projection: Projection[Any]) -> list[Any]:
    """The rows, folded in plain Python, in order of their keys."""
    rows: dict[Any, Any] = {}
    for item in map(log.decode, log.page(0, 1_000_000)):
        if isinstance(item, Recorded) and (fold := projection.folds.get(type(item.event))):
            key = item.stream if fold.at is None else fold.at(item, item.event)
            rows[key] = fold.handler(rows.get(key), item, item.event)
    return [rows[key] for key in sorted(rows) if rows[key] is not None]


def everything(views: Views, projection: Projection[Any]) -> list[Any]:
    """The rows that readers see, in order of their keys."""
    return views.select(projection, order=(projection.key,))


# --- A read model of the tests' own


class Tally(NamedTuple):
    stream: str
    moves: int
    share: float | None
    odd: bool


def tally(name: str = "tally", *, step: int = 1, version: int = 1) -> Projection[Tally]:
    """Counts how often a goal was readied; a goal that failed has no row. Some reasons are poison."""
    projection = Projection(name, Tally, key="stream", indexes=(("moves", "stream"),), version=version)

    @projection.on(GoalCreated)
    def begun(_: Tally | None, item: Recorded, event: GoalCreated) -> Tally:
        return Tally(item.stream, 0, None, False)

    @projection.on(GoalReadied)
    def moved(row: Tally | None, item: Recorded, event: GoalReadied) -> Tally | None:
        if event.reason == "raise":
            raise RuntimeError("cannot count that")
        if event.reason == "overflow" and row is not None:
            return row._replace(moves=2**64)
        if event.reason == "nonsense" and row is not None:
            return row._replace(share=object())  # type: ignore[arg-type]
        return None if row is None else row._replace(moves=row.moves + step, share=0.5, odd=not row.odd)

    @projection.on(GoalFailed)
    def gone(row: Tally | None, item: Recorded, event: GoalFailed) -> Tally | None:
        return None

    return projection


def tell(log: Store, *told: Told) -> None:
    """Append events to streams."""
    versions: dict[str, int] = {}
    events = []
    for stream, event in told:
        shared = envelope(at="2026-02-24T09:00:00.000000Z", occurred_at=None, by="x", command=None, cause=None)
        versions[stream] = versions.get(stream, len(log.stream(stream))) + 1
        events.append((stream, versions[stream], name_of(event), encode(event, shared, text_limit=100)))
    append(log, *events)


def begin(*streams: str) -> list[Told]:
    return [(stream, GoalCreated(title=stream, status=GoalStatus.PLANNED)) for stream in streams]


def ready(stream: str, reason: str | None = None) -> Told:
    return stream, GoalReadied(from_status=GoalStatus.PLANNED, reason=reason)


def failed(stream: str) -> Told:
    return stream, GoalFailed(from_status=GoalStatus.ACTIVE, reason="x")


def blocked(stream: str) -> Told:
    return stream, GoalBlocked(from_status=GoalStatus.ACTIVE, reason="no key")


def changes_of(diff: Diff) -> list[tuple[Any, ...]]:
    """Every change: its key, what it is, its fields, the position of the event that explains it."""
    return [
        (change.key, change.what, change.fields, change.because and change.because.position) for change in diff.changes
    ]
