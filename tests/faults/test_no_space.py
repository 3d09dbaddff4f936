"""A disk that is full, a file that may not grow: said clearly, nothing half-written, and on it goes."""

import resource
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.adapters.sql.sqlite import Database
from goal_ledger.ledger import Ledger, LedgerError, Unavailable
from tests.tools import recorded


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
            assert len(recorded(ledger)) == ledger.log.stats().events == ledger.log.stats().head
            ballast.write_bytes(b"x" * max(0, ballast.stat().st_size - 130_000))
            before = ledger.log.stats().events
            goal = ledger.goals.create("Space again")
            assert (goal.position, ledger.goals.get(goal.goal_id).title) == (before + 1, "Space again")
        ballast.unlink()
        assert ledger.log.verify() == ledger.log.stats().events
    with Ledger.open(path, actor="test:faults") as ledger:
        assert ledger.log.verify() == ledger.log.stats().events


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
        assert len(ledger.goals.list().rows) == ledger.log.stats().events - 1
        assert ledger.log.verify() == ledger.log.stats().events


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
        assert ledger.log.verify() == 1


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
        assert ledger.log.verify() == len(told) + 1
    with Ledger.open(path, actor="test:faults") as ledger:
        assert ledger.log.verify() == len(told) + 1


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
