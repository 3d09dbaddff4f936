"""Calls of the operating system that fail, each in turn: done wholly, or refused with nothing half done."""

import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from goal_ledger.ledger import Ledger, LedgerError
from tests.faults.children import Tell
from tests.faults.conftest import Start, Started
from tests.faults.work import FAST, views_are_a_clean_fold
from tests.tools import finished, recorded

HERE = Path(__file__).parent
RUN = "import sys; from tests.faults.failing_calls import main; main(*sys.argv[1:])"


@pytest.fixture(scope="session")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that lets calls fail, compiled here and now."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler; the limits on files below need none")
    library = tmp_path_factory.mktemp("calls") / "failing_calls.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "failing_calls.c"), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no library can be compiled here: {done.stderr}")
    return library


@pytest.mark.parametrize(
    ("error", "how"),
    [
        ("ENOSPC", "on"),
        ("EIO", "once"),
        pytest.param("ENOSPC", "once", marks=pytest.mark.soak),
        pytest.param("EIO", "on", marks=pytest.mark.soak),
    ],
)
@pytest.mark.parametrize(
    ("wish", "every"),
    [
        ("command", 1),
        ("catch_up", 7),
        ("rebuild", 5),
        ("create", 29),
        *(pytest.param(wish, 1, marks=pytest.mark.soak) for wish in ("catch_up", "rebuild", "create")),
    ],
)
def test_whichever_call_fails_nothing_is_half_done_and_it_works_again(
    started: Started, preload: Path, tmp_path: Path, wish: str, error: str, how: str, every: int
):
    environment = {**os.environ, "LD_PRELOAD": str(preload)}
    process = started(RUN, tmp_path, error, how, wish, every, env=environment, cwd=HERE.parents[1])
    told = finished(process).splitlines()
    refused = [line.partition(":")[0] for line in told if line != "done"]
    assert set(refused) <= {"disk_full", "io_error", "unknown_outcome", "cannot_open"}, set(refused)
    assert len(refused) >= 4
    if wish == "command":
        assert refused[-1] == "unknown_outcome"  # the last call is the one that makes it durable


# --- Without a compiler: files that may not grow beyond so many bytes


def write_within(tell: Tell, path: str, limit: int) -> None:
    """Create goals and look at them until it is refused."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Ledger.open(path, actor="agent:writer", settings=FAST) as ledger:
        tell("opened")
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        try:
            for number in range(200):
                goal = ledger.using(command_id=f"{number}").goals.create(f"{number}", description="x" * 2_000)
                tell((goal.position, goal.goal_id))
                ledger.goals.list()
        except LedgerError as error:
            tell((error.code, error.message))


@pytest.mark.parametrize("step", [16_384, pytest.param(512, marks=pytest.mark.soak)])
def test_at_whichever_byte_a_file_may_not_grow_what_was_acknowledged_stays(start: Start, tmp_path: Path, step: int):
    codes = set()
    for number, limit in enumerate(range(0, 200_000, step)):
        path = tmp_path / f"{number}.db"
        writer = start(write_within, str(path), limit)
        assert writer.hear() == "opened"
        *acknowledged, (code, message) = writer.finished()
        codes.add(code)
        assert "nothing was written" in message and "\n" not in message
        with Ledger.open(path, actor="agent:writer", settings=FAST) as ledger:
            stored = [(event.position, event.stream) for event in recorded(ledger)][1:]
            assert stored == acknowledged or (stored[:-1] == acknowledged and "views" in message), limit
            assert ledger.log.verify() == len(stored) + 1
            views_are_a_clean_fold(ledger)
            again = ledger.using(command_id=f"{len(acknowledged)}")
            goal = again.goals.create(f"{len(acknowledged)}", description="x" * 2_000)
            assert goal.position == len(acknowledged) + 2
    assert codes <= {"disk_full", "io_error"}
