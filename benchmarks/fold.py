"""One projection folded from a whole log by us and by the stock eventsourcing library, on SQLite.

Its ProjectionRunner cannot run on SQLite, whose recorder there has no `subscribe`. So its loop is run without the
threads: `select_notifications`, the application's mapper, and a Projection whose view writes the row and the tracking
record of each event in a transaction of its own, which is how the library makes each event count exactly once. On
PostgreSQL the runner itself is measured: see the case `postgres`.

Its history is of aggregates of the same number of events (one to begin with, eleven changes of status).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEventProtocol, event
from eventsourcing.persistence import Tracking
from eventsourcing.projection import Projection
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder

from benchmarks.history import sequential, write
from benchmarks.measure import Bench, Prepare, Result
from benchmarks.rebuild import finished_rows, ours_alone, raw_alone
from goal_ledger.ledger import Ledger

STATUSES = ("waiting", "active")
LIFE = 12
"""Events of one aggregate, as in our histories."""

_PAGE = 5_000


class Goal(Aggregate):
    """An aggregate as the library's manual writes it."""

    class Created(Aggregate.Created):
        title: str

    class Moved(Aggregate.Event):
        status: str
        reason: str

    @event(Created)
    def __init__(self, title: str) -> None:
        self.title = title
        self.status = "active"

    @event(Moved)
    def move(self, status: str, reason: str) -> None:
        self.status = status


class Goals(Application[UUID]):
    """The application whose events are folded."""

    def fill(self, events: int) -> int:
        """Save as many events, an aggregate at a time; how many there are."""
        for number in range(-(-events // LIFE)):
            goal = Goal(title=f"Cut checkout errors in shop {number}")
            for turn in range(LIFE - 1):
                goal.move(STATUSES[turn % 2], "the build is queued")
            self.save(goal)
        return -(-events // LIFE) * LIFE


class Board(Projection[Any]):
    """A row for each goal, with its title and status."""

    @singledispatchmethod
    def process_event(self, domain_event: DomainEventProtocol[UUID], tracking: Tracking) -> None:
        self.view.skip(tracking)

    @process_event.register
    def created(self, domain_event: Goal.Created, tracking: Tracking) -> None:
        self.view.add(str(domain_event.originator_id), domain_event.title, tracking)

    @process_event.register
    def moved(self, domain_event: Goal.Moved, tracking: Tracking) -> None:
        self.view.move(str(domain_event.originator_id), domain_event.status, tracking)


class _SqliteBoard(SQLiteTrackingRecorder):
    """Its rows, each change with the position that it came from."""

    def construct_create_table_statements(self) -> list[str]:
        return [
            *super().construct_create_table_statements(),
            "CREATE TABLE IF NOT EXISTS board (goal_id TEXT PRIMARY KEY, title TEXT, status TEXT, position INTEGER)",
        ]

    def add(self, goal_id: str, title: str, tracking: Tracking) -> None:
        row = (goal_id, title, tracking.notification_id)
        self._write("INSERT INTO board VALUES (?, ?, 'active', ?)", row, tracking)

    def move(self, goal_id: str, status: str, tracking: Tracking) -> None:
        row = (status, tracking.notification_id, goal_id)
        self._write("UPDATE board SET status = ?, position = ? WHERE goal_id = ?", row, tracking)

    def skip(self, tracking: Tracking) -> None:
        self.insert_tracking(tracking)

    def _write(self, statement: str, row: tuple[Any, ...], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(statement, row)


def fold(bench: Bench) -> Iterator[Result]:
    """Fold one projection: ours, raw sqlite3, and the loop of eventsourcing's ProjectionRunner."""
    events = bench.size(24_000, 240)
    path = bench.folder / "fold.db"
    write(path, sequential(events))
    theirs = bench.folder / "fold-stock.db"
    application = Goals(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(theirs)})
    application.fill(events)
    numbers = count()
    with Ledger.open(path, actor="agent:bench") as ledger:
        ledger.views.catch_up()
        finished = {"goal_definitions": finished_rows(path, ledger)["goal_definitions"]}
        ways: dict[str, Prepare] = {
            "goal-ledger": lambda: ours_alone(ledger, ["goal_definitions"]),
            "raw": lambda: raw_alone(path, finished),
            "eventsourcing": lambda: _theirs(application, bench.folder / f"fold-stock-{next(numbers)}.db"),
        }
        figures = bench.compare(ways, events)
    application.close()
    for name, what in (("goal-ledger", "goal-ledger"), ("eventsourcing", "eventsourcing, its loop")):
        yield Result(f"fold one projection: {what}", events, {"ours": figures[name], "raw": figures["raw"]})


def _theirs(application: Goals, path: Path) -> Callable[[], None]:
    datastore = SQLiteDatastore(str(path), single_row_tracking=True)
    view = _SqliteBoard(datastore)
    view.create_table()
    with datastore.get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA synchronous = NORMAL")
    board = Board(view)

    def work() -> None:
        after, to_event = 0, application.mapper.to_domain_event
        while page := application.recorder.select_notifications(after + 1, _PAGE):
            for notification in page:
                board.process_event(to_event(notification), Tracking(application.name, notification.id))
            after = page[-1].id
        assert view.max_tracking_id(application.name) == after
        datastore.close()

    return work
