"""One event, one commit: what the store adds to an INSERT."""

import sqlite3
from collections.abc import Callable, Iterator
from itertools import count, islice

from benchmarks.history import Row, body_of, goal_id
from benchmarks.measure import Bench, Budget, Prepare, Result
from benchmarks.raw import INSERT, open_raw
from goal_ledger.adapters.store.codec import StoredRow, digest
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.goals.goal import GoalActivated, GoalWaited
from goal_ledger.domain.goals.lifecycle import GoalStatus


def append(bench: Bench) -> Iterator[Result]:
    """Append one encoded event per transaction, digest included, with and without a sync per commit."""
    yield _append(bench, "NORMAL", bench.size(3_000, 100), Budget("share", 0.60))
    yield _append(bench, "FULL", bench.size(2_000, 20), Budget("share", 0.85))


def _append(bench: Bench, synchronous: str, operations: int, budget: Budget) -> Result:
    store = SqliteStore(bench.folder / f"append-{synchronous}-ours.db", durable=synchronous == "FULL")
    raw = open_raw(bench.folder / f"append-{synchronous}-raw.db", synchronous=synchronous)
    ours_rows, raw_rows = _events(), ((at, *row) for at, row in zip(count(1), _events(), strict=False))
    try:
        ways: dict[str, Prepare] = {
            "ours": lambda: _ours(store, list(islice(ours_rows, operations))),
            "raw": lambda: _raw(raw, list(islice(raw_rows, operations))),
        }
        figures = bench.compare(ways, operations)
    finally:
        store.close()
        raw.close()
    return Result(f"append one event per commit, {synchronous}", operations, figures, (budget,))


def _ours(store: SqliteStore, rows: list[Row]) -> Callable[[], None]:
    def work() -> None:
        for row in rows:
            with store.transaction() as log:
                log.append([(log.head() + 1, *row)])

    return work


def _raw(connection: sqlite3.Connection, rows: list[StoredRow]) -> Callable[[], None]:
    def work() -> None:
        execute = connection.execute
        for row in rows:
            execute("BEGIN IMMEDIATE")
            execute(INSERT, (*row, digest(*row)))
            execute("COMMIT")

    return work


def _events() -> Iterator[Row]:
    """Goals that wait and go on, a hundred events each, a hundred goals in turns."""
    bodies = [
        ("goal.waited", body_of(GoalWaited(from_status=GoalStatus.ACTIVE, reason="the build is queued"))),
        ("goal.activated", body_of(GoalActivated(from_status=GoalStatus.WAITING, reason="the build is done"))),
    ]
    hundred = 0
    while True:
        for version in range(1, 101):
            name, body = bodies[version % 2]
            yield from ((goal_id(hundred + number), version, name, body) for number in range(100))
        hundred += 100
