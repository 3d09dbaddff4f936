"""Many processes and threads at once on one ledger."""

import subprocess
import threading
from pathlib import Path

import pytest

from goal_ledger.ledger import Ledger, LedgerError, Settings
from tests.faults.conftest import Started
from tests.faults.work import FAST, fill, views_are_a_clean_fold
from tests.tools import PATIENCE_S, finished, recorded, tables

# --- Many writers


AMEND = """
import sys
from goal_ledger.ledger import Ledger, Settings
path, goal_id, name, count = sys.argv[1:]
with Ledger.open(path, actor=f"agent:{name}", settings=Settings(lock_wait_s=300)) as ledger:
    for number in range(int(count)):
        ledger.goals.amend(goal_id, description=f"{name} {number}")
"""


@pytest.mark.parametrize("count", [30, pytest.param(200, marks=pytest.mark.soak)])
def test_eight_processes_on_one_goal_lose_nothing_and_meet_no_conflict(started: Started, tmp_path: Path, count: int):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, actor="test:faults") as ledger:
        goal = ledger.goals.create("A")
    for writer in [started(AMEND, path, goal.goal_id, name, count) for name in "abcdefgh"]:
        finished(writer)

    with Ledger.open(path, actor="test:faults") as ledger:
        told = recorded(ledger, goal.goal_id)
        assert [event.version for event in told] == list(range(1, 8 * count + 2))
        assert [event.position for event in told] == list(range(2, 8 * count + 3))
        for name in "abcdefgh":
            written = [event.event.changes["description"] for event in told[1:] if event.by == f"agent:{name}"]  # type: ignore[attr-defined]
            assert written == [f"{name} {number}" for number in range(count)]
        texts = ["", *(event.event.changes["description"] for event in told[1:])]  # type: ignore[attr-defined]
        assert [event.event.was["description"] for event in told[1:]] == texts[:-1]  # type: ignore[attr-defined]
        assert ledger.log.verify() == 8 * count + 2


OPEN = """
import sys
from goal_ledger.ledger import Ledger, Settings
print("ready", flush=True)
for line in sys.stdin:
    with Ledger.open(line.rstrip(), actor="agent:opener", settings=Settings(lock_wait_s=300)) as ledger:
        ledger.goals.list()
        ledger.goals.create("A")
        assert ledger.goals.list().rows
        print(ledger.id, flush=True)
"""


@pytest.mark.parametrize("times", [6, pytest.param(300, marks=pytest.mark.soak)])
def test_twelve_processes_create_one_ledger_and_its_views_at_once(started: Started, tmp_path: Path, times: int):
    openers = [started(OPEN, stdin=subprocess.PIPE) for _ in range(12)]
    try:
        assert {_line(opener) for opener in openers} == {"ready"}
        for number in range(times):
            path = tmp_path / f"{number}.db"
            for opener in openers:
                _tell(opener, f"{path}\n")
            ids = {_line(opener) for opener in openers}
            with Ledger.open(path, read_only=True) as ledger:
                assert ids == {ledger.id}
                assert ledger.log.verify() == 13
                assert [event.name for event in recorded(ledger)] == ["ledger.created"] + ["goal.created"] * 12
    finally:
        errors = [opener.communicate(timeout=PATIENCE_S)[1] for opener in openers]
    assert errors == [""] * 12


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def _tell(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def test_threads_create_one_ledger_at_once(tmp_path: Path):
    barrier = threading.Barrier(8)
    ids: list[str] = []

    def create() -> None:
        barrier.wait()
        with Ledger.open(tmp_path / "ledger.db", actor="test:faults") as ledger:
            ids.append(ledger.id)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8 and len(set(ids)) == 1


LIST = """
import sys
from goal_ledger.ledger import Ledger, Settings
with Ledger.open(sys.argv[1], settings=Settings(page=int(sys.argv[2]), lock_wait_s=300)) as ledger:
    for number in range(20):
        goals = ledger.goals.list().rows
        assert len({goal.goal_id for goal in goals}) == len(goals)
        if sys.argv[3] == "rebuild" and number % 5 == 0:
            ledger.views.rebuilds.rebuild()
    print(ledger.views.catch_up())
"""


def test_processes_catch_up_and_rebuild_at_once_while_others_write(started: Started, tmp_path: Path):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, actor="test:faults", settings=FAST) as ledger:
        fill(ledger, 200)
        readers = [started(LIST, path, page, what) for page, what in ((7, "list"), (1000, "list"), (50, "rebuild"))]
        for number in range(100):
            goal = ledger.goals.create(f"while {number}")
            assert ledger.goals.list().rows[-1].title != "" and ledger.goals.get(goal.goal_id) == goal
        for reader in readers:
            finished(reader)
        ledger.views.catch_up()
        together = tables(tmp_path / "ledger.views.db")
        views_are_a_clean_fold(ledger)
    (tmp_path / "ledger.views.db").unlink()
    with Ledger.open(path) as ledger:
        ledger.views.catch_up()
    assert tables(tmp_path / "ledger.views.db") == together


# --- A busy lock


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_lock_that_stays_busy_is_a_conflict_and_nothing_is_written(started: Started, tmp_path: Path):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, actor="test:faults", settings=Settings(lock_wait_s=0.05)) as ledger:
        goal = ledger.goals.create("A")
        holder = started(HOLD, path, stdin=subprocess.PIPE)
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(LedgerError) as refused:
            ledger.goals.ready(goal.goal_id)
        assert (refused.value.code, refused.value.exit_code) == ("busy", 4)
        assert ledger.goals.get(goal.goal_id) == goal == ledger.goals.list().rows[0]  # readers don't wait
        holder.communicate("done\n", timeout=PATIENCE_S)
        assert ledger.goals.ready(goal.goal_id).version == 2
