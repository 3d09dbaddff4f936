"""Files that a crash, a copy or a disk left shorter than they were."""

import shutil
from pathlib import Path
from random import Random

import pytest

from goal_ledger.cli.frame.main import main
from goal_ledger.domain.base import Recorded
from goal_ledger.ledger import Damaged, Ledger, LedgerError
from tests.faults.children import Tell, chance
from tests.faults.conftest import Start
from tests.faults.work import FAST, sound, views_are_a_clean_fold
from tests.tools import recorded

EVENTS = 30
CODES = {"corrupt", "damaged", "lost_tail", "not_a_ledger", "no_ledger"}


def write_and_wait(tell: Tell, path: str, count: int) -> None:
    """Create so many goals, catch up, and stay with open files, so that the write-ahead log is not folded away."""
    with Ledger.open(path, actor="agent:writer", settings=FAST) as ledger:
        for number in range(count):
            ledger.goals.create(f"{number}", description="x" * (number * 37 % 900))
        ledger.views.catch_up()
        stats = ledger.log.stats()
        tell(f"{stats.head}:{stats.digest}")
        while True:
            tell(None)  # until it is killed


@pytest.fixture
def left(start: Start, tmp_path: Path) -> tuple[Path, str, list[Recorded]]:
    """What a killed writer left: the log's file with a write-ahead log beside it, the head it told, and its events."""
    path = tmp_path / "left" / "ledger.db"
    path.parent.mkdir()
    writer = start(write_and_wait, str(path), EVENTS)
    head = writer.hear()
    writer.kill()
    with Ledger.open(_copied(path, tmp_path / "whole"), read_only=True) as ledger:
        events = recorded(ledger)
    assert len(events) == EVENTS + 1 and head.startswith(f"{len(events)}:")
    return path, head, events


def _copied(path: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent, folder)
    return folder / path.name


def _offsets(size: int, count: int, seeded: Random) -> list[int]:
    """Where to cut: the ends, around headers and frames, and by chance."""
    fixed = {0, 1, 31, 32, 33, 56, 32 + 24 + 4096, 32 + 2 * (24 + 4096) - 1, size - 1, size - 4096, size}
    return sorted(at for at in fixed | {seeded.randrange(size) for _ in range(count)} if 0 <= at <= size)


@pytest.mark.parametrize("count", [12, pytest.param(500, marks=pytest.mark.soak)])
def test_after_a_torn_write_ahead_log_a_ledger_is_a_prefix_and_a_kept_head_tells_the_loss(
    left: tuple[Path, str, list[Recorded]], tmp_path: Path, count: int
):
    original, head, events = left
    lengths = set()
    size = original.with_name("ledger.db-wal").stat().st_size
    for offset in _offsets(size, count, chance()):
        path = _copied(original, tmp_path / "torn")
        path.with_name("ledger.db-shm").unlink(missing_ok=True)  # as after a power cut, or a copy
        with path.with_name("ledger.db-wal").open("r+b") as wal:
            wal.truncate(offset)
        with Ledger.open(path, actor="test:faults") as ledger:
            stored = recorded(ledger)
            if stored[0] != events[0]:  # it began anew: the first commit was lost
                assert len(stored) == 1
                stored = []
            assert stored == events[: len(stored)], offset
            assert ledger.log.verify() == max(1, len(stored))
            views_are_a_clean_fold(ledger)  # those that were kept had folded more
            if len(stored) == len(events):
                assert ledger.log.verify(expect=head) == len(events)
            else:
                with pytest.raises(Damaged) as lost:
                    ledger.log.verify(expect=head)
                assert (lost.value.code, lost.value.exit_code) == ("lost_tail", 6)
        sound(str(path))
        lengths.add(len(stored))
    assert len(lengths) > 3 and max(lengths) == len(events)


def test_a_log_that_went_another_way_is_told_by_the_kept_head(left: tuple[Path, str, list[Recorded]], tmp_path: Path):
    original, head, events = left
    path = _copied(original, tmp_path / "torn")
    path.with_name("ledger.db-shm").unlink(missing_ok=True)
    wal = path.with_name("ledger.db-wal")
    with wal.open("r+b") as file:
        file.truncate(wal.stat().st_size // 2)
    with Ledger.open(path, actor="test:faults") as ledger:
        while ledger.head < len(events) + 5:
            ledger.goals.create("another way")
        assert ledger.log.verify() == len(events) + 5  # the file itself cannot know
        with pytest.raises(Damaged, match="went another way") as lost:
            ledger.log.verify(expect=head)
    assert lost.value.code == "lost_tail"


@pytest.mark.parametrize("count", [25, pytest.param(200, marks=pytest.mark.soak)])
def test_a_file_that_was_cut_off_is_reported_and_nothing_ends_in_a_traceback(
    left: tuple[Path, str, list[Recorded]], tmp_path: Path, capfd: pytest.CaptureFixture[str], count: int
):
    original, head, _ = left
    with Ledger.open(original, actor="test:faults"):
        pass  # folds the write-ahead log into the file
    size = original.stat().st_size
    codes = set()
    for offset in _offsets(size, count, chance()):
        path = _copied(original, tmp_path / "cut")
        with path.open("r+b") as file:
            file.truncate(offset)
        code = main(["--db", str(path), "ledger", "verify", "--expect", head])
        said = capfd.readouterr()
        assert "Traceback" not in said.err and (code == 0) == (offset == size), (offset, code, said)
        for words in (["ledger", "stats"], ["goal", "list"], ["goal", "create", "A"], ["doctor", "--verify"]):
            path = _copied(original, tmp_path / "cut")
            with path.open("r+b") as file:
                file.truncate(offset)
            main(["--db", str(path), *words])
            said = capfd.readouterr()
            assert "Traceback" not in said.err + said.out, (offset, words, said)
        if offset < size:
            with pytest.raises(LedgerError) as found, Ledger.open(path, create=False) as ledger:
                ledger.log.verify(expect=head)
            codes.add(found.value.code)
    assert codes & {"corrupt", "damaged"} and codes <= CODES
