"""Claims: processes that ask for work at once, and never get the same."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

from benchmarks.measure import Bench, Prepare, Result
from goal_ledger.ledger import Ledger, RunStatus, Settings

_WORKER = """
import sys
from goal_ledger.ledger import Ledger, Settings
url, name, durable = sys.argv[1:]
with Ledger.open(url, actor=f"agent:{name}", settings=Settings(durable=durable == "FULL")) as ledger:
    ledger.work.next()
    print("ready", flush=True)
    sys.stdin.readline()
    while ledger.work.claim(lease_s=600) is not None:
        pass
    print("done", flush=True)
"""

Workers = list["subprocess.Popen[str]"]


def claims(bench: Bench) -> Iterator[Result]:
    """Four processes claim every ready goal of a ledger; that no goal is claimed twice is checked after each round."""
    goals, workers = bench.size(1000, 8), bench.size(4, 2)
    with ExitStack() as stack:
        numbers = count()

        def file() -> str:
            return str(bench.folder / f"claims-{next(numbers)}.db")

        for synchronous in ("NORMAL", "FULL"):
            case = f"claims by {workers} processes, SQLite {synchronous}"
            yield _measured(bench, case, file, goals, workers, synchronous)
        case = f"claims by {workers} processes, PostgreSQL"
        try:
            from tests.postgres import running

            server = stack.enter_context(running())
        except (ImportError, RuntimeError) as error:
            yield Result(case, skipped=str(error).splitlines()[0])
            return
        yield _measured(bench, case, server.fresh, goals, workers)


def _measured(
    bench: Bench, case: str, place: Callable[[], str], goals: int, workers: int, synchronous: str = "FULL"
) -> Result:
    open_rounds: list[tuple[str, Workers]] = []

    def prepare() -> Callable[[], object]:
        url = place()
        with Ledger.open(url, actor="agent:bench", settings=Settings(durable=False)) as ledger:
            for number in range(goals):
                goal = ledger.goals.create(f"Cut checkout errors in shop {number}", priority=number % 5 + 1)
                ledger.goals.ready(goal.goal_id)
            ledger.views.catch_up()
        started = [_started(url, name, synchronous) for name in range(workers)]
        for worker in started:
            _heard(worker, "ready")
        open_rounds.append((url, started))

        def work() -> None:
            for worker in started:
                assert worker.stdin is not None
                print(file=worker.stdin, flush=True)
            for worker in started:
                _heard(worker, "done")

        return work

    ways: dict[str, Prepare] = {"ours": prepare}
    figures = bench.compare(ways, goals)
    for url, started in open_rounds:
        for worker in started:
            worker.communicate()
        with Ledger.open(url, read_only=True) as ledger:
            claimed = [row.goal_id for row in ledger.runs.list(status=RunStatus.RUNNING).rows]
            assert len(claimed) == len(set(claimed)) == goals, "a goal was claimed twice, or not at all"
    return Result(case, goals, figures)


def _started(url: str, name: int, synchronous: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _WORKER, url, str(name), synchronous]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _heard(worker: "subprocess.Popen[str]", word: str) -> None:
    assert worker.stdout is not None
    said = worker.stdout.readline().strip()
    assert said == word, f"a worker said {said!r} instead of {word!r}"
