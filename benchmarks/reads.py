"""Questions to warm read models: one goal, and the first page of many."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from benchmarks.history import Row, goal_id, life, write
from benchmarks.measure import Bench, Budget, Prepare, Result
from goal_ledger.adapters.backends.sqlite import views_beside
from goal_ledger.adapters.views.table import Table
from goal_ledger.ledger import Ledger
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.runs.goal_runs import goal_runs

_PAGE = 50


def reads(bench: Bench) -> Iterator[Result]:
    """Ask a caught-up ledger; raw sends the plain SQL to the same table and takes the tuples as they come."""
    goals, asked = bench.size(100_000, 200), bench.size(1_000, 10)
    path = bench.folder / "reads.db"
    write(path, _many(goals))
    ids = [goal_id(number * 7919 % goals) for number in range(asked)]
    board, tried = Table(goal_definitions), Table(goal_runs)
    with (
        Ledger.open(path, actor="agent:bench") as ledger,
        closing(sqlite3.connect(views_beside(path))) as raw,
    ):
        ledger.views.catch_up()
        one = _asking(raw, board.get, [(goal,) for goal in ids])
        yield Result(
            f"goals.get, one of {goals:,}",
            asked,
            bench.compare({"ours": _each(ledger.goals.get, ids), "raw": one}, asked),
            (Budget("times", 3),),
        )
        yield Result(
            f"views.get, one of {goals:,}",
            asked,
            bench.compare(
                {"ours": _each(lambda goal: ledger.views.get(goal_definitions, goal), ids), "raw": one}, asked
            ),
            (Budget("times", 3),),
        )
        pages = bench.size(100, 5)
        first_page, newest = _page(board, ("priority", "goal_id"), False), _page(tried, ("run_id",), True)
        yield Result(
            f"goals.list, first {_PAGE} of {goals:,}",
            pages,
            bench.compare(
                {
                    "ours": _each(lambda _: ledger.goals.list(limit=_PAGE), range(pages)),
                    "raw": _asking(raw, first_page, [(_PAGE,)] * pages),
                },
                pages,
            ),
            (Budget("ms", 1),),
        )
        yield Result(
            f"runs.list, newest {_PAGE} of {goals:,}",
            pages,
            bench.compare(
                {
                    "ours": _each(lambda _: ledger.runs.list(limit=_PAGE), range(pages)),
                    "raw": _asking(raw, newest, [(_PAGE,)] * pages),
                },
                pages,
            ),
            (Budget("ms", 1),),
        )


def _many(goals: int) -> Iterator[Row]:
    for number in range(goals):
        for row in life(number):
            if row[2] in ("goal.created", "goal.readied", "run.started", "run.finished"):
                yield row


def _page(table: Table[Any], order: tuple[str, ...], descending: bool) -> str:
    return table.select({}, order, descending=descending, after=None, limit=_PAGE)[0]


def _each(ask: Callable[[Any], object], questions: Any) -> Prepare:
    def prepare() -> Callable[[], None]:
        def work() -> None:
            for question in questions:
                ask(question)

        return work

    return prepare


def _asking(connection: sqlite3.Connection, sql: str, values: list[tuple[Any, ...]]) -> Prepare:
    return _each(lambda value: connection.execute(sql, value).fetchall(), values)
