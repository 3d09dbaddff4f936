"""Rankings: the goals that are worth most of many, asked again and again, and by a process that has just begun."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random

from benchmarks.measure import Bench, Budget, Prepare, Result
from goal_ledger.domain.goals.contract import Contract, Origin
from goal_ledger.ledger import Ledger, Settings, Tx
from goal_ledger.ledger.goals.goals import create_in

_AT_ONCE = 1000
_BEST = 10
_RAW = (
    "SELECT goal_id FROM goals ORDER BY ROUND(0.5 * value + 0.25 * (1 - effort) + 0.15 * (1 - risk), 9) DESC,"
    " goal_id LIMIT ?"
)


def ranking(bench: Bench) -> Iterator[Result]:
    """Ours looks first whether anything changed; raw computes the same sum in SQL, over a table of four columns."""
    goals, asked = bench.size(100_000, 300), bench.size(10, 2)
    path = bench.folder / "ranking.db"
    _fill(str(path), goals)
    with Ledger.open(path, actor="agent:bench") as ledger, closing(sqlite3.connect(":memory:")) as raw:
        raw.execute("CREATE TABLE goals (goal_id TEXT PRIMARY KEY, value REAL, effort REAL, risk REAL) WITHOUT ROWID")
        rows = ((one.goal_id, one.value, one.effort, one.risk) for one in ledger.goals.list().rows)
        raw.executemany("INSERT INTO goals VALUES (?, ?, ?, ?)", rows)
        ours = [one.goal_id for one in ledger.work.rank(limit=_BEST)]
        assert ours == [goal_id for (goal_id,) in raw.execute(_RAW, (_BEST,))]
        ways: dict[str, Prepare] = {
            "ours": _again(asked, lambda: ledger.work.rank(limit=_BEST)),
            "raw": _again(asked, lambda: raw.execute(_RAW, (_BEST,)).fetchall()),
        }
        yield Result(f"rank {goals:,} goals, top {_BEST}", asked, bench.compare(ways, asked), (Budget("ms", 50),))

    def first() -> Callable[[], object]:
        fresh = Ledger.open(path, actor="agent:bench")
        fresh.views.catch_up()

        def work() -> None:
            fresh.work.rank(limit=_BEST)
            fresh.close()

        return work

    yield Result(f"rank {goals:,} goals, first of a process", 1, bench.compare({"ours": first}, 1))


def _fill(path: str, goals: int) -> None:
    chance = Random(20260224)
    with Ledger.open(path, actor="agent:bench", settings=Settings(durable=False)) as ledger:
        for begin in range(0, goals, _AT_ONCE):

            def work(tx: Tx, begin: int = begin) -> None:
                for number in range(begin, min(begin + _AT_ONCE, goals)):
                    estimates = {name: round(chance.random(), 3) for name in ("value", "effort", "risk")}
                    contract = Contract.model_validate({"title": f"Cut costs in shop {number}", **estimates})
                    create_in(tx, tx.new_id("goal_"), contract, Origin())

            ledger.transact(work)
        ledger.views.catch_up()


def _again(times: int, ask: Callable[[], object]) -> Prepare:
    def prepare() -> Callable[[], object]:
        def work() -> None:
            for _ in range(times):
                ask()

        return work

    return prepare
