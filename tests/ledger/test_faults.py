"""Faults, as real processes meet them: many writers, sudden death, no space."""

import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.adapters.sql.sqlite import Database
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.goals.goal import GOAL, GoalCreated
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.ledger import Ledger, LedgerError, Settings, Unavailable
from goal_ledger.projections.registry import PROJECTIONS
from tests.adapters.views.histories import by_hand
from tests.places import Place
from tests.tools import finished, python, recorded, tables

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix signals, limits and mounts")

SEED = 20260224
Started = Callable[..., "subprocess.Popen[str]"]
FAST = Settings(durable=False)


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts processes; whatever is still running at the end of a test is killed."""
    running: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
        running.append(python(code, *arguments, **options))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()


# --- Many writers


AMEND = """
import sys
from goal_ledger.ledger import Ledger
path, goal_id, name, count = sys.argv[1:]
with Ledger.open(path, actor=f"agent:{name}") as ledger:
    for number in range(int(count)):
        ledger.goals.amend(goal_id, description=f"{name} {number}")
"""


@pytest.mark.parametrize("count", [50, pytest.param(200, marks=pytest.mark.soak)])
def test_eight_processes_on_one_goal_lose_nothing_and_meet_no_conflict(started: Started, place: Place, count: int):
    path = place.url
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
        assert ledger.verify() == 8 * count + 2


OPEN = """
import sys
from goal_ledger.ledger import Ledger
print("ready", flush=True)
for line in sys.stdin:
    with Ledger.open(line.rstrip(), actor="agent:opener") as ledger:
        ledger.goals.list()
        ledger.goals.create("A")
        assert ledger.goals.list().goals
        print(ledger.id, flush=True)
"""


@pytest.mark.parametrize("times", [20, pytest.param(300, marks=pytest.mark.soak)])
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
                assert ledger.verify() == 13
                assert [event.name for event in recorded(ledger)] == ["ledger.created"] + ["goal.created"] * 12
    finally:
        errors = [opener.communicate(timeout=100)[1] for opener in openers]
    assert errors == [""] * 12


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def _tell(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def test_threads_create_one_ledger_at_once(place: Place):
    barrier = threading.Barrier(8)
    ids: list[str] = []

    def create() -> None:
        barrier.wait()
        with Ledger.open(place.url, actor="test:faults") as ledger:
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
with Ledger.open(sys.argv[1], settings=Settings(page=int(sys.argv[2]))) as ledger:
    for number in range(20):
        goals = ledger.goals.list().goals
        assert len({goal.goal_id for goal in goals}) == len(goals)
        if sys.argv[3] == "rebuild" and number % 5 == 0:
            ledger.views.rebuild()
    print(ledger.views.catch_up())
"""


def test_processes_catch_up_and_rebuild_at_once_while_others_write(started: Started, tmp_path: Path):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, actor="test:faults", settings=FAST) as ledger:
        _many(ledger, 200)
        readers = [started(LIST, path, page, what) for page, what in ((7, "list"), (1000, "list"), (50, "rebuild"))]
        for number in range(100):
            goal = ledger.goals.create(f"while {number}")
            assert ledger.goals.list().goals[-1].title != "" and ledger.goals.get(goal.goal_id) == goal
        for reader in readers:
            finished(reader)
        ledger.views.catch_up()
        together = tables(tmp_path / "ledger.views.db")
        for projection in PROJECTIONS.values():
            listed = ledger.views.select(projection, order=(projection.key,))
            with closing(SqliteStore(path, read_only=True)) as log:
                assert listed == by_hand(log, projection)
    (tmp_path / "ledger.views.db").unlink()
    with Ledger.open(path) as ledger:
        ledger.views.catch_up()
    assert tables(tmp_path / "ledger.views.db") == together


def _many(ledger: Ledger, count: int) -> None:
    def work(tx: Any) -> None:
        for number in range(count):
            tx.act(tx.new_id("goal_"), GOAL, lambda _, n=number: [GoalCreated(title=str(n), status=GoalStatus.PLANNED)])

    ledger.transact(work)


# --- Sudden death


WRITE = """
import sys
from goal_ledger.ledger import Ledger
with Ledger.open(sys.argv[1], actor="agent:writer") as ledger:
    number = 0
    while True:
        number += 1
        goal = ledger.using(command_id=f"{sys.argv[2]}-{number}").goals.create(f"{number}")
        print(goal.position, goal.goal_id, flush=True)
        if number % 3 == 0:
            ledger.goals.list(limit=1)
"""


@pytest.mark.parametrize("times", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_a_writer_that_is_killed_loses_nothing_it_acknowledged(started: Started, place: Place, times: int):
    path = place.url
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    acknowledged: list[tuple[int, str]] = []
    for number in range(times):
        writer = started(WRITE, path, number)
        assert writer.stdout is not None
        for _ in range(chance.randint(1, 60)):
            acknowledged.append(_acknowledgement(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=100)
        acknowledged += [_acknowledgement(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        assert writer.returncode == -signal.SIGKILL

        with Ledger.open(path, actor="test:faults") as ledger:
            assert ledger.verify() == ledger.stats().events == ledger.stats().head
            stored = {event.position: event.stream for event in recorded(ledger)}
            assert [(position, goal_id) for position, goal_id in acknowledged if stored[position] != goal_id] == []
            assert len(stored) - 1 - len(acknowledged) <= number + 1  # a kill may come between commit and word
            assert len(ledger.goals.list().goals) == len(stored) - 1
    assert len(acknowledged) >= times


def _acknowledgement(line: str) -> tuple[int, str]:
    position, goal_id = line.split()
    return int(position), goal_id


REBUILD = """
import sys
from goal_ledger.ledger import Ledger, Settings
with Ledger.open(sys.argv[1], settings=Settings(page=20)) as ledger:
    while True:
        ledger.views.rebuild(progress=lambda done, of: print(done, flush=True))
"""


@pytest.mark.parametrize("times", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_a_rebuild_that_is_killed_leaves_the_old_rows_or_the_new_ones(started: Started, tmp_path: Path, times: int):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, actor="test:faults", settings=FAST) as ledger:
        _many(ledger, 500)
        ledger.views.catch_up()
        before = ledger.goals.list().goals
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    for _ in range(times):
        rebuilder = started(REBUILD, path)
        assert rebuilder.stdout is not None
        for _ in range(chance.randint(1, 60)):
            assert rebuilder.stdout.readline()
        rebuilder.send_signal(signal.SIGKILL)
        rebuilder.communicate(timeout=100)
        with Ledger.open(path) as ledger:
            assert ledger.views.status()[0].rows == 500
            assert ledger.goals.list().goals == before


CREATE_AND_DIE = """
import os, sys
from goal_ledger.adapters.sql.sqlite import Database
from goal_ledger.adapters.store.sqlite import SqliteStore
outside = Database.outside_transaction
class Dying:
    def __init__(self, inner): self.inner = inner
    def __enter__(self):
        connection = self.inner.__enter__()
        if sys.argv[2] == "after":
            connection.execute("PRAGMA journal_mode = WAL")
        os._exit(9)
    def __exit__(self, *_): pass
Database.outside_transaction = lambda self: Dying(outside(self))
from goal_ledger.ledger import Ledger
Ledger.open(sys.argv[1], actor="agent:x")
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_creation_that_is_killed_can_be_done_again(started: Started, tmp_path: Path, when: str):
    process = started(CREATE_AND_DIE, tmp_path / "ledger.db", when)
    process.communicate(timeout=100)
    assert process.returncode == 9
    assert (tmp_path / "ledger.db").exists()
    with Ledger.open(tmp_path / "ledger.db", actor="test:faults") as ledger:
        assert ledger.verify() == 1


# --- No space


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _until_refused(ledger: Ledger) -> LedgerError:
    for number in range(10_000):
        try:
            ledger.goals.create(f"{number}", description="x" * 5_000)
        except LedgerError as error:
            return error
    raise AssertionError("there was space without end")


def test_a_full_disk_is_said_clearly_and_writing_goes_on_when_there_is_space(small_disk: Path):
    path, ballast = small_disk / "ledger.db", small_disk / "ballast"
    ballast.write_bytes(b"x" * 400_000)
    with Ledger.open(path, actor="test:faults") as ledger:
        for _ in range(3):
            error = _until_refused(ledger)
            assert (type(error), error.code, error.exit_code) == (Unavailable, "disk_full", 1)
            assert str(path) in error.message and "nothing was written" in error.message
            assert len(recorded(ledger)) == ledger.stats().events == ledger.stats().head
            ballast.write_bytes(b"x" * max(0, ballast.stat().st_size - 130_000))
            before = ledger.stats().events
            goal = ledger.goals.create("Space again")
            assert (goal.position, ledger.goals.get(goal.goal_id).title) == (before + 1, "Space again")
        ballast.unlink()
        assert ledger.verify() == ledger.stats().events
    with Ledger.open(path, actor="test:faults") as ledger:
        assert ledger.verify() == ledger.stats().events


def test_a_disk_too_full_for_the_views_says_so_and_the_log_is_written(small_disk: Path):
    path, ballast = small_disk / "ledger.db", small_disk / "ballast"
    with Ledger.open(path, actor="test:faults") as ledger:
        ledger.goals.create("A")
        left = 1_000_000 - sum(file.stat().st_size for file in small_disk.iterdir())
        ballast.write_bytes(b"x" * (left - 40_000))

        def use_it() -> None:
            for _ in range(100):
                ledger.goals.list()
                ledger.goals.create("x" * 500)

        with pytest.raises(LedgerError) as refused:
            use_it()
        assert refused.value.code == "disk_full"
        ballast.unlink()
        assert len(ledger.goals.list().goals) == ledger.stats().events - 1
        assert ledger.verify() == ledger.stats().events


def test_on_a_full_disk_no_ledger_is_made_and_later_it_is(small_disk: Path):
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="space"):
        ballast.write_bytes(b"x" * 2_000_000)
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            Ledger.open(small_disk / "ledger.db", actor="test:faults")
        assert refused.value.code in ("disk_full", "io_error")
    ballast.unlink()
    with Ledger.open(small_disk / "ledger.db", actor="test:faults") as ledger:
        assert ledger.verify() == 1


@pytest.fixture
def largest_file() -> Iterator[Any]:
    """Sets the size no file may exceed; writing beyond it fails instead of killing the process."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size: int | None) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits if size is None else (size, limits[1]))

    yield limit
    limit(None)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_file_that_may_not_grow_is_said_clearly_and_writing_goes_on_when_it_may(tmp_path: Path, largest_file: Any):
    path = tmp_path / "ledger.db"
    with Ledger.open(path, actor="test:faults") as ledger:
        ledger.goals.create("A")
        largest_file(300_000)
        error = _until_refused(ledger)
        assert (type(error), error.code) in [(Unavailable, "disk_full"), (Unavailable, "io_error")]
        assert "nothing was written" in error.message
        told = recorded(ledger)
        largest_file(None)
        assert recorded(ledger) == told
        goal = ledger.goals.create("B")
        assert goal.position == len(told) + 1
        assert ledger.verify() == len(told) + 1
    with Ledger.open(path, actor="test:faults") as ledger:
        assert ledger.verify() == len(told) + 1


def test_a_database_that_reached_its_limit_keeps_what_it_holds(tmp_path: Path):
    with closing(Database(tmp_path / "any.db")) as database:
        with database.write() as connection:
            connection.execute("CREATE TABLE t (x)")
        with database.outside_transaction() as connection:
            connection.execute("PRAGMA max_page_count = 4")
        with pytest.raises(sqlite3.OperationalError, match="full"), database.write() as connection:
            connection.executemany("INSERT INTO t VALUES (?)", [("x" * 4000,)] * 10)
        with database.read() as connection:
            assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == (0,)
        with database.write() as connection:
            connection.execute("INSERT INTO t VALUES (1)")


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
        assert ledger.goals.get(goal.goal_id) == goal == ledger.goals.list().goals[0]  # readers don't wait
        holder.communicate("done\n", timeout=100)
        assert ledger.goals.ready(goal.goal_id).version == 2
