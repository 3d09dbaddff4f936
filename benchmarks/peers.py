"""The same work done by others: the stock eventsourcing library and LangGraph's SqliteSaver, in the same run.

Append: a change that is in memory is encoded and committed. Load + decide + append: the state is read first. For
eventsourcing a change is an aggregate's event. For LangGraph it is a step of a thread: what the node wrote
(`put_writes`) and the checkpoint behind it (`put`), as its runtime does; the checkpoint alone is shown too. Everybody
gets the same `synchronous`, a file of their own in the same folder, and data of about the same size.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import orjson
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.sqlite import SQLiteApplicationRecorder

from benchmarks.history import body_of, goal_id
from benchmarks.measure import Bench, Prepare, Result
from benchmarks.raw import INSERT, open_raw
from goal_ledger.adapters.store.codec import digest
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.goals import goal as goals
from goal_ledger.domain.goals.goal import GOAL, GoalWaited
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.ledger import Ledger, Settings

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.sqlite import SqliteSaver

_STREAMS = 50
_HISTORY = 20  # events on every stream before the clock starts
_LAST = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
_REASONS = ("the build is queued", "the build is done")
_EVENT = GoalWaited(from_status=GoalStatus.ACTIVE, reason=_REASONS[0])


def peers(bench: Bench) -> Iterator[Result]:
    """Append per commit, NORMAL and FULL, and load + decide + append, beside raw sqlite3."""
    for synchronous, operations in (("NORMAL", bench.size(2_000, 20)), ("FULL", bench.size(400, 10))):
        yield from _report(f"append, {synchronous}", operations, *_append(bench, synchronous, operations))
    operations = bench.size(1_000, 20)
    yield from _report("load + decide + append", operations, *_act(bench, operations))


def _report(what: str, operations: int, figures: dict[str, Any], missing: list[str]) -> Iterator[Result]:
    for name in figures:
        if name != "raw":
            yield Result(f"{what}: {name}", operations, {"ours": figures[name], "raw": figures["raw"]})
    for name in missing:
        yield Result(f"{what}: {name}", skipped="not installed; make bench installs it")


def _append(bench: Bench, synchronous: str, operations: int) -> tuple[dict[str, Any], list[str]]:
    with ExitStack() as stack:
        folder = bench.folder
        store = SqliteStore(folder / f"peers-{synchronous}.db", durable=synchronous == "FULL")
        stack.callback(store.close)
        raw = stack.enter_context(closing(open_raw(folder / f"peers-{synchronous}-raw.db", synchronous=synchronous)))
        positions = count(1)
        stock = _Stock(folder / f"peers-{synchronous}-stock.db", synchronous)
        stack.callback(stock.close)
        ours, theirs = _places(), _places()
        aggregates: list[_Goal] = [stock.application.repository.get(stock.begun()) for _ in range(_STREAMS)]

        def append() -> Callable[[], None]:
            def work() -> None:
                for stream, version in islice(ours, operations):
                    body = body_of(_EVENT)
                    with store.transaction() as log:
                        log.append([(log.head() + 1, stream, version, "goal.waited", body)])

            return work

        def insert() -> Callable[[], None]:
            said = orjson.loads(body_of(_EVENT))

            def work() -> None:
                for position, (stream, version) in islice(zip(positions, theirs, strict=False), operations):
                    row = (position, stream, version, "goal.waited", orjson.dumps(said))
                    raw.execute("BEGIN IMMEDIATE")
                    raw.execute(INSERT, (*row, digest(*row)))
                    raw.execute("COMMIT")

            return work

        def save() -> Callable[[], None]:
            def work() -> None:
                for number in range(operations):
                    goal: _Goal = aggregates[number // 2 % _STREAMS]
                    goal.move("active" if number % 2 else "waiting", _REASONS[number % 2])
                    stock.application.save(goal)

            return work

        ways: dict[str, Prepare] = {"goal-ledger": append, "raw": insert, "eventsourcing": save}
        missing = _with_langgraph(ways, stack, folder / f"peers-{synchronous}-graph.db", synchronous, operations, False)
        return bench.compare(ways, operations), missing


def _places() -> Iterator[tuple[str, int]]:
    """Streams in turns, each with its next version."""
    for version in count(1):
        yield from ((goal_id(number), version) for number in range(_STREAMS))


def _act(bench: Bench, operations: int) -> tuple[dict[str, Any], list[str]]:
    with ExitStack() as stack:
        folder = bench.folder
        settings = Settings(durable=False)
        ledger = stack.enter_context(Ledger.open(folder / "peers-act.db", actor="agent:bench", settings=settings))
        raw = stack.enter_context(closing(open_raw(folder / "peers-act-raw.db", synchronous="NORMAL")))
        stock = _Stock(folder / "peers-act-stock.db", "NORMAL")
        stack.callback(stock.close)
        streams = [_begun(ledger) for _ in range(_STREAMS)]
        told = list(ledger.rows())
        raw.executemany(INSERT, [(*row, digest(*row)) for row in told])
        positions = count(len(told) + 1)
        body = orjson.loads(told[-1][4])
        aggregates = [stock.begun() for _ in range(_STREAMS)]

        def command() -> Callable[[], None]:
            def work() -> None:
                for number in range(operations):
                    stream = streams[number // 2 % _STREAMS]
                    decide = goals.activate if number % 2 else goals.wait
                    ledger.act(stream, GOAL, decide, reason=_REASONS[number % 2])

            return work

        def insert() -> Callable[[], None]:
            def work() -> None:
                for number in range(operations):
                    stream = streams[number // 2 % _STREAMS]
                    raw.execute("BEGIN IMMEDIATE")
                    version = raw.execute(_LAST, (stream,)).fetchone()[0] + 1
                    row = (next(positions), stream, version, "goal.waited", orjson.dumps(body))
                    raw.execute(INSERT, (*row, digest(*row)))
                    raw.execute("COMMIT")

            return work

        def command_stock() -> Callable[[], None]:
            def work() -> None:
                for number in range(operations):
                    stock.move(aggregates[number // 2 % _STREAMS], number)

            return work

        ways: dict[str, Prepare] = {"goal-ledger": command, "raw": insert, "eventsourcing": command_stock}
        missing = _with_langgraph(ways, stack, folder / "peers-act-graph.db", "NORMAL", operations, True)
        return bench.compare(ways, operations), missing


def _begun(ledger: Ledger) -> str:
    goal_id = ledger.goals.create("Cut checkout errors", priority=2).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    for number in range(_HISTORY):
        ledger.act(goal_id, GOAL, goals.activate if number % 2 else goals.wait, reason=_REASONS[number % 2])
    return goal_id


# --- The eventsourcing library, as its manual says


class _Goal(Aggregate):
    @event("Created")
    def __init__(self, title: str) -> None:
        self.title = title
        self.status = "active"

    @event("Moved")
    def move(self, status: str, reason: str) -> None:
        self.status = status


class _Stock:
    """A stock application on its own SQLite recorder, with the durability that is compared."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.application = Application[UUID](
            env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
        )
        recorder = self.application.recorder
        assert isinstance(recorder, SQLiteApplicationRecorder)
        self.recorder = recorder
        # The library leaves `synchronous` alone; its pool keeps one connection for one thread.
        with recorder.datastore.get_connection(commit=True) as connection:
            connection.cursor().execute(f"PRAGMA synchronous = {synchronous}")

    def begun(self) -> UUID:
        goal = _Goal(title="Cut checkout errors")
        for number in range(_HISTORY):
            goal.move("active" if number % 2 else "waiting", _REASONS[number % 2])
        self.application.save(goal)
        return goal.id

    def move(self, goal_id: UUID, number: int) -> None:
        goal: _Goal = self.application.repository.get(goal_id)
        goal.move("active" if number % 2 else "waiting", _REASONS[number % 2])
        self.application.save(goal)

    def close(self) -> None:
        self.application.close()


# --- LangGraph's checkpoint saver


def _with_langgraph(
    ways: dict[str, Prepare], stack: ExitStack, path: Path, synchronous: str, operations: int, load: bool
) -> list[str]:
    """Add LangGraph's way when it is installed; the names of those that are not."""
    try:
        from langgraph.checkpoint.sqlite import SqliteSaver
    except ImportError:
        return ["LangGraph"]

    def way(name: str, writes: bool) -> Prepare:
        connection = stack.enter_context(closing(sqlite3.connect(path.with_suffix(name), check_same_thread=False)))
        saver = SqliteSaver(connection)
        saver.setup()
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        threads = [uuid4().hex for _ in range(_STREAMS)]
        steps = count()
        for thread in threads:
            for _ in range(_HISTORY if load else 0):
                _step(saver, thread, next(steps), writes)

        def prepare() -> Callable[[], None]:
            def work() -> None:
                for number in range(operations):
                    thread = threads[number // 2 % _STREAMS]
                    if load:
                        saver.get_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": ""}})
                    _step(saver, thread, next(steps), writes)

            return work

        return prepare

    ways["LangGraph, a step"] = way(".step", writes=True)
    ways["LangGraph, put only"] = way(".put", writes=False)
    return []


def _step(saver: SqliteSaver, thread: str, step: int, writes: bool) -> None:
    status = "active" if step % 2 else "waiting"
    if writes:
        before: RunnableConfig = {
            "configurable": {"thread_id": thread, "checkpoint_ns": "", "checkpoint_id": f"{step:032x}"}
        }
        saver.put_writes(before, [("status", status), ("reason", _REASONS[step % 2])], f"{step:032x}")
    saver.put(
        {"configurable": {"thread_id": thread, "checkpoint_ns": ""}},
        {
            "v": 4,
            "id": f"{step:032x}",
            "ts": "2025-11-09T14:00:00+00:00",
            "channel_values": {"title": "Cut checkout errors", "status": status, "reason": _REASONS[step % 2]},
            "channel_versions": {"status": step},
            "versions_seen": {},
            "updated_channels": None,
        },
        {"source": "loop", "step": step, "parents": {}},
        {},
    )
