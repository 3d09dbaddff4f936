"""Lets every call of the operating system that changes a file fail, one after the other.

Runs in a process of its own that has failing_calls.c loaded before the C library: `FOLDER ERROR once|on WISH EVERY`.
"""

import ctypes
import errno
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from goal_ledger.domain.base import Recorded
from goal_ledger.ledger import Ledger, LedgerError, Settings
from tests.faults.work import FAST, fill, views_are_a_clean_fold
from tests.tools import recorded

Fail = Callable[[int, Callable[[], object]], LedgerError | None]
"""Does what is wished while the nth call fails; why it was refused. StopIteration when it makes fewer calls."""


def failing(error: int, *, from_then_on: bool) -> Fail:
    """Lets calls fail with an error, once or from then on until the wish ends."""
    library = ctypes.CDLL(None)

    def fail(nth: int, wish: Callable[[], object]) -> LedgerError | None:
        library.fail_at(nth, error, int(from_then_on))
        try:
            wish()
        except LedgerError as refusal:
            return refusal
        finally:
            has_failed = library.has_failed()
            library.fail_at(-1, 0, 0)
        if not has_failed:
            raise StopIteration
        return None

    return fail


def command(folder: Path, fail: Fail, every: int) -> Iterator[LedgerError | None]:
    """One command, which is done wholly or refused and not done, also when the process is killed right then."""
    path = folder / "ledger.db"
    with Ledger.open(path, actor="test:calls") as ledger:
        for nth in count(1, every):
            command_id = f"call {nth}"

            def wish(command_id: str = command_id) -> Any:
                return ledger.using(command_id=command_id).goals.create("B", description="x" * 6_000)

            before = recorded(ledger)
            refusal = fail(nth, wish)
            after = recorded(ledger)
            assert after[: len(before)] == before and len(after) == len(before) + (refusal is None), refusal
            kept = _after_a_crash(path, folder / "crash")
            if refusal is not None and refusal.code == "unknown_outcome":
                assert kept == before or [event.command for event in kept[len(before) :]] == [command_id]
            else:
                assert kept == after, refusal
            assert wish().position == len(before) + 1 == ledger.log.verify()
            yield refusal


def catch_up(folder: Path, fail: Fail, every: int) -> Iterator[LedgerError | None]:
    """Catching up, which leaves rows that the next question completes."""
    with Ledger.open(folder / "ledger.db", actor="test:calls", settings=FAST) as ledger:
        for nth in count(1, every):
            fill(ledger, 30)
            yield fail(nth, ledger.views.catch_up)
            views_are_a_clean_fold(ledger)


def rebuild(folder: Path, fail: Fail, every: int) -> Iterator[LedgerError | None]:
    """A rebuild, which leaves the old rows or the new ones."""
    with Ledger.open(folder / "ledger.db", actor="test:calls", settings=Settings(durable=False, page=20)) as ledger:
        fill(ledger, 100)
        for nth in count(1, every):
            before = ledger.goals.list().rows
            yield fail(nth, ledger.views.rebuilds.rebuild)
            assert ledger.goals.list().rows == before
            views_are_a_clean_fold(ledger)


def create(folder: Path, fail: Fail, every: int) -> Iterator[LedgerError | None]:
    """Making a ledger and its views, which can be done again."""
    for nth in count(1, every):
        path = folder / f"{nth}.db"

        def make(path: Path = path) -> None:
            with Ledger.open(path, actor="test:calls", settings=FAST) as ledger:
                ledger.goals.create("A")
                ledger.goals.list()

        yield fail(nth, make)
        with Ledger.open(path, actor="test:calls") as ledger:
            ledger.goals.create("B")
            assert ledger.log.verify() == ledger.head <= 3
            views_are_a_clean_fold(ledger)


def _after_a_crash(path: Path, folder: Path) -> list[Recorded]:
    """What a ledger holds whose process is killed now."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copy(path.with_name(path.name + suffix), folder)
    with Ledger.open(folder / path.name, actor="test:calls", settings=FAST) as ledger:
        assert ledger.log.verify() == ledger.head
        return recorded(ledger)


def main(folder: str, error: str, how: str, wish: str, every: str) -> None:
    """Print, for each call that failed, what became of the wish. every: 1 for each call, 2 for every other one."""
    attempts = {each.__name__: each for each in (command, catch_up, rebuild, create)}[wish]
    fail = failing(getattr(errno, error), from_then_on=how == "on")
    with suppress(RuntimeError):  # a generator turns StopIteration into it
        for refusal in attempts(Path(folder), fail, int(every)):
            print("done" if refusal is None else f"{refusal.code}: {refusal.message}")


if __name__ == "__main__":
    main(*sys.argv[1:])
