"""The log itself: how large it is, proof that it is what was written, and copies of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.errors import Damaged, LedgerError
from goal_ledger.ledger.engine.engine import Engine

if TYPE_CHECKING:
    from goal_ledger.adapters.backends.backend import Backend
    from goal_ledger.adapters.store.verify import Problem
    from goal_ledger.ledger.audit.archive import Copied, Copy
    from goal_ledger.ledger.audit.state_hash import StateHash


class Stats(NamedTuple):
    """path: where the log is, without any password. head: the position of the last event. digest: of that event, in
    hex; None when there is none. bytes: size of the log as it is now, 0 in memory.

    `head:digest`, kept elsewhere, is what `verify` can expect of the log later.
    """

    ledger_id: str
    path: str
    events: int
    streams: int
    head: int
    digest: str | None
    first_at: str | None
    last_at: str | None
    bytes: int


class Log:
    """The log of a ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def stats(self) -> Stats:
        """How large the log is."""
        log = self._engine.core.log
        events, streams = log.counts()
        last, digest = log.head(), self.digest_at(self._engine.head)
        ends = [log.decode(row) for at in {1, last} for row in log.page(at - 1, 1)] if last else []
        times = sorted(recorded.at for recorded in ends if isinstance(recorded, Recorded))
        return Stats(
            self._engine.id, self._engine.core.backend.name, events, streams, self._engine.head, digest,
            times[0] if times else None, times[-1] if times else None, self._engine.core.store.bytes(),
        )  # fmt: skip

    def digest_at(self, position: int) -> str | None:
        """The digest of the event at a position, in hex; None when there is no such event."""
        digest = self._engine.core.store.digest_at(position)
        return digest.hex() if isinstance(digest, bytes) else None  # somebody may have put text there

    def verify(self, progress: Callable[[int], None] = lambda _: None, *, expect: str | None = None) -> int:
        """Prove that the log is what was written; the number of events checked.

        expect: `head` or `head:digest` of earlier `stats`, so that a lost tail is noticed even when the file knows
        nothing of it. The first 8 digits of the digest are enough.

        Damaged: lost_tail, when the log does not reach to there or holds another event there; damaged; both with every
        problem. Invalid: bad_head.
        """
        self._engine.core.require_present("verifying")
        from goal_ledger.adapters.store.verify import kept_head, problems

        kept = None if expect is None else kept_head(expect)
        found = problems(self._engine.core.store, progress, kept)
        if not found:
            return self._engine.core.store.head()  # positions are gapless, as was just proven
        lost = [problem for problem in found if problem.is_lost_tail]
        named = tuple(str(self._named(problem)) for problem in (*lost, *(each for each in found if each not in lost)))
        more = f" (and {len(named) - 1} more)" if len(named) > 1 else ""
        raise Damaged(
            "lost_tail" if lost else "damaged",
            named[0] + more,
            hint="restore a newer backup, or the file together with its -wal; do not write until then"
            if lost
            else "restore a backup; do not write until then",
            problems=named,
        )

    def verify_deep(
        self, progress: Callable[[int, int], None] = lambda _done, _of: None, *, expect: str | None = None
    ) -> StateHash:
        """Prove that the log is what was written, then fold it anew. The hash of what it folds into.

        What cannot be folded is named in `lacking`; it may be newer than this code, and is no damage.

        Errors of `verify` and `state_hash`.
        """
        of = 2 * self._engine.head  # every event is checked, then folded
        head = self.verify(lambda done: progress(done, of), expect=expect)
        return Log(self._engine.as_of(head)).state_hash(lambda done, _: progress(head + done, 2 * head))

    def state_hash(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> StateHash:
        """Fold the log anew and hash every row: equal wherever the state is equal. See `audit.state_hash`.

        Unavailable: disk_full, no_temporary_folder.
        """
        from goal_ledger.ledger.audit.state_hash import state_hash

        pinned = self._engine.as_of(self._engine.head).core.log
        return state_hash(pinned, ledger=self._engine.id, page=self._engine.settings.page, progress=progress)

    def verify_file(self, path: str | Path, *, partial: bool = False) -> int:
        """Prove that an exported file is what the log says; the number of lines. See `archive.verify_file`."""
        from goal_ledger.ledger.audit.archive import verify_file

        return verify_file(Path(path), self._engine, partial=partial)

    def export(self, path: str | Path, progress: Callable[[int], None] = lambda _: None) -> Copy:
        """Write the identity ledger as NDJSON, a byte prefix of every later export. Unavailable: cannot_write."""
        from goal_ledger.ledger.audit.archive import export

        return export(self._engine, Path(path), progress)

    def backup(self, path: str | Path) -> Copy:
        """Copy the log as of one moment, while writers go on, and prove the copy. Rejected: file_exists."""
        self._engine.core.require_present("a backup")
        from goal_ledger.ledger.audit.archive import backup

        return backup(self._engine.core.store, Path(path))

    def copy(self, to: str | Path | Backend, progress: Callable[[int], None] = lambda _: None) -> Copied:
        """Bring another ledger, in a file or on a server, to where this one is, and prove it. See `archive.copy`."""
        self._engine.core.require_present("a copy")
        from goal_ledger.ledger.audit.archive import copy

        return copy(self._engine, self._engine.core.store, to, progress)

    def _named(self, problem: Problem) -> Problem:
        """The problem with the stream that the read models remember, where the log itself cannot tell."""
        if problem.stream is not None or problem.position is None:
            return problem
        try:
            return problem._replace(stream=self._engine.views.stream_at(problem.position))
        except LedgerError:
            return problem
