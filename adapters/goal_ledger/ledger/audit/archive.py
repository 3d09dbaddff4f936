"""Copies of the ledger that can be carried away: backups and exports, each proven before it is called done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.backends.backend import Backend
from goal_ledger.adapters.export import ndjson
from goal_ledger.adapters.store import copying
from goal_ledger.adapters.store.base import Store
from goal_ledger.adapters.store.verify import problems
from goal_ledger.domain.errors import Damaged, Hint, LedgerError, Rejected, Unavailable
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.audit.state_hash import state_hash
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.location import locate
from goal_ledger.ledger.engine.past import LogUntil

IDENTITY_LEDGER = Path("data/identity_ledger.ndjson")
"""Where an export goes by default."""


class Copy(NamedTuple):
    """What was written. head: the position of its last event."""

    path: str
    events: int
    head: int
    bytes: int


class Copied(NamedTuple):
    """What was copied. events: those that the target lacked. state: the hash of what both fold into."""

    path: str
    events: int
    head: int
    bytes: int
    state: str


def export(engine: Engine, path: Path, progress: Callable[[int], None] = lambda _: None) -> Copy:
    """Write the identity ledger as NDJSON; the file is replaced when the new one is whole.

    Unavailable: cannot_write, disk_full.
    """
    written = 0
    with _replacing(path) as partial, partial.open("xb") as file:
        for written, line in enumerate(ndjson.lines(engine.rows()), start=1):
            file.write(line)
            if written % 5000 == 0:
                progress(written)
        file.flush()
        os.fsync(file.fileno())
    return Copy(str(path), written, written, path.stat().st_size)


def lines(engine: Engine) -> Iterator[bytes]:
    """The lines that an export writes."""
    return ndjson.lines(engine.rows())


def verify_file(path: Path, engine: Engine | None, *, partial: bool = False) -> int:
    """Prove an exported file: by itself, and against the ledger when there is one. The number of lines.

    partial: the file may end before the ledger does, as an older export.

    Damaged: damaged_export. NotFound: no_file. Unavailable: cannot_read.
    """
    expected: Iterable[bytes] | None = None if engine is None else ndjson.lines(engine.rows())
    found = [*ndjson.findings(path, None)] or [*ndjson.findings(path, expected, partial=partial)]
    if found:
        named = tuple(f"{path}: {finding}" for finding in found)
        hint = "compare with a new one: " + Hint("ledger", "export", "fresh.ndjson")
        if engine is not None and not partial:
            hint = "if it is an older export: " + Hint(partial=True) + "; otherwise " + hint
        raise Damaged("damaged_export", named[0], hint=hint, problems=named)
    with path.open("rb") as file:
        return sum(1 for _ in file)


def backup(store: Store, path: Path) -> Copy:
    """Copy the log as of one moment, while writers go on, and prove the copy.

    Rejected: file_exists. Unavailable: cannot_write, disk_full. Damaged: damaged.
    """
    if path.exists():
        raise Rejected("file_exists", f"{path} exists already", hint="name another file, or remove it")
    with _replacing(path) as partial:
        store.copy_to(partial)
        copied = locate(partial).open_store(Settings(), read_only=False, create=False)
        try:
            _prove(copied)
            head = copied.head()  # and as many events: positions are gapless, as was just proven
        finally:
            copied.close()
    return Copy(str(path), head, head, path.stat().st_size)


def copy(
    engine: Engine, store: Store, to: str | Path | Backend, progress: Callable[[int], None] = lambda _: None
) -> Copied:
    """Bring another ledger, of either kind, to where this one is, and prove it: every byte, and what it folds into.

    to: a ledger that is new, or an older copy, which is carried on.

    Rejected: not_a_prefix. Conflict: not_alone. Damaged: damaged.
    """
    backend = locate(to)
    target = backend.open_store(engine.settings, read_only=False, create=True)
    try:
        events = copying.copy(store, target, progress)
        _prove(target)
        head = target.head()
        pinned = (LogUntil(store, head), LogUntil(target, head))
        states = [state_hash(log, ledger=engine.id, page=engine.settings.page).sha256 for log in pinned]
        if states[0] != states[1]:
            raise Damaged("damaged", "the copy folds into another state", hint="verify both ledgers")
        return Copied(backend.name, events, head, target.bytes(), states[0])
    finally:
        target.close()


def _prove(copied: Store) -> None:
    if found := problems(copied):
        named = tuple(map(str, found))
        raise Damaged("damaged", f"the copy is not sound: {named[0]}", hint="verify the ledger", problems=named)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A new file beside the path that takes its place when the block ends well, and is gone otherwise."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        try:
            yield partial
            partial.replace(path)
        finally:
            for suffix in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    partial.with_name(partial.name + suffix).unlink()
    except LedgerError:
        raise
    except OSError as error:
        raise Unavailable("cannot_write", f"{path} cannot be written: {error.strerror or error}") from None
