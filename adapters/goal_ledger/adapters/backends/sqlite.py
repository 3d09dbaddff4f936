"""A ledger in a SQLite file, its read models in another one beside it; or both in memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from goal_ledger.adapters.backends.backend import (
    FORMS,
    SETTINGS_FILE,
    Diagnosis,
    Examined,
    ExaminedViews,
    Level,
    beginning,
)
from goal_ledger.domain.errors import Blank, Hint, Invalid, LedgerError, Unavailable

if TYPE_CHECKING:
    from goal_ledger.adapters.store.base import Store
    from goal_ledger.adapters.views.log import Log
    from goal_ledger.adapters.views.views import Views
    from goal_ledger.domain.settings import Settings
    from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])

_URL = "sqlite:///"
_MEMORY = ":memory:"

_LARGE_WAL = 64 * 1024 * 1024
"""Bytes: SQLite folds its write-ahead log into the file at 4 MB, unless a reader holds it back."""


def at(url: str) -> SqliteBackend:
    """What a path, `sqlite:///relative`, `sqlite:////absolute` or `:memory:` names.

    Invalid: bad_url. Unavailable: cannot_open.
    """
    text = url.removeprefix(_URL)
    if text == _MEMORY:
        return SqliteBackend()
    if not text or "\0" in text or text.endswith("/") or (text == url and "://" in url):
        raise Invalid("bad_url", f"{text!r} names no file", hint=FORMS)
    path = Path(text)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise Unavailable("cannot_open", f"{text} cannot be opened: {error.strerror}") from None
    if is_folder:
        raise Invalid("bad_url", f"{text} is a folder", hint=f"name a file in it: {text}/goal-ledger.db")
    return SqliteBackend(path)


def views_beside(path: Path) -> Path:
    """The file of the read models, beside the log."""
    stem = path.name.removesuffix(".db")
    return path.with_name(f"{stem}.views.db")


class SqliteBackend(NamedTuple):
    """A file, or memory when path is None."""

    path: Path | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return _MEMORY if self.path is None else str(self.path)

    @property
    def is_memory(self) -> bool:
        """Whether it ends with its process."""
        return self.path is None

    @property
    def settings_file(self) -> Path | None:
        """The file of the settings, beside the log."""
        return None if self.path is None else self.path.with_name(SETTINGS_FILE)

    def open_store(self, settings: Settings, *, read_only: bool, create: bool) -> Store:
        """The log. create: False refuses one that does not exist. Errors: those of `Ledger.open`."""
        from goal_ledger.adapters.store.sqlite import SqliteStore

        path = self.path
        if not create and path is not None and not (path.exists() and path.stat().st_size):
            read_only = True  # refuses what is not there, in the store's words
        return SqliteStore(path, wait_s=settings.lock_wait_s, durable=settings.durable, read_only=read_only)

    def open_views(
        self,
        log: Log,
        projections: Iterable[Projection[Any]],
        settings: Settings,
        *,
        ledger: str,
        store: Store | None = None,
    ) -> Views:
        """The read models of a log. ledger: its id. store: when both are in memory, they share its lock."""
        from goal_ledger.adapters.store.sqlite import SqliteStore
        from goal_ledger.adapters.views.sqlite import sqlite_views

        both_in_memory = self.path is None and isinstance(store, SqliteStore) and store.path is None
        return sqlite_views(
            None if self.path is None else views_beside(self.path),
            log,
            projections,
            ledger=ledger,
            page=settings.page,
            wait_s=settings.lock_wait_s,
            stale=settings.stale,
            lock=store.database.lock if store is not None and both_in_memory else None,
        )

    # --- Seen from outside

    def examine(self) -> Examined:
        """Permissions, the write-ahead log, and the header of the file."""
        path = self.path
        if path is None:
            nothing = Diagnosis("ledger", Level.OK, "in memory: it ends with its process")
            return Examined([nothing], is_there=False)
        if not path.exists():
            nothing = Diagnosis(
                "ledger", Level.WARNING, f"there is none at {path}", "create one: " + beginning(self.name)
            )
            return Examined([nothing], is_there=False)
        findings = [*_around(path)]
        if path.stat().st_size == 0:
            nothing = Diagnosis("ledger", Level.WARNING, f"{path} is empty", "begin one in it: " + beginning(self.name))
            return Examined([*findings, nothing], is_there=False)
        try:
            return Examined(findings, format=_format(path), waiting=_size(_wal(path)))
        except LedgerError as error:
            return Examined(findings, error=error)

    def examine_views(self) -> ExaminedViews:
        """The tables in the file beside the log."""
        from goal_ledger.adapters.sql.header import header
        from goal_ledger.adapters.views.look import look
        from goal_ledger.adapters.views.sqlite import APPLICATION_ID

        if self.path is None or not (path := views_beside(self.path)).exists():
            return ExaminedViews()
        try:
            if (whose := header(path).application_id) != APPLICATION_ID:
                level = Level.PROBLEM if whose else Level.WARNING
                says = f"{path} is where they belong, and is something else"
                return ExaminedViews(trouble=Diagnosis("views", level, says, "move it away"))
            return ExaminedViews(look(path))
        except LedgerError as error:
            away = f"delete it, nothing is lost: rm {_quoted(path)}*"
            says = f"{path} cannot be used: {error.message}"
            return ExaminedViews(trouble=Diagnosis("views", Level.WARNING, says, away))

    def rows(self, projection: Projection[R], where: Mapping[str, Any]) -> list[R]:
        """Rows as they stand, not caught up; [] when this code has folded none."""
        from goal_ledger.adapters.views.look import rows

        if self.path is None or not (path := views_beside(self.path)).exists():
            return []
        return rows(path, projection, where)


# --- What stands around a file


def _around(path: Path) -> Iterator[Diagnosis]:
    yield _permissions("folder", path.absolute().parent)
    yield _permissions("file", path)
    if (size := _size(_wal(path))) > _LARGE_WAL:
        yield Diagnosis(
            "write-ahead log", Level.WARNING, f"{size:,} bytes: a reader holds it back", "end readers that run for long"
        )


def _permissions(check: str, path: Path) -> Diagnosis:
    mode = path.stat().st_mode
    what, quoted = f"{path} ({stat.filemode(mode)})", _quoted(path)
    usable = os.X_OK if path.is_dir() else 0
    if not os.access(path, os.R_OK | usable):
        return Diagnosis(check, Level.PROBLEM, f"{what} cannot be read", f"chmod u+rX {quoted}, or ask its owner")
    if not os.access(path, os.W_OK):
        return Diagnosis(check, Level.WARNING, f"{what} cannot be written", f"chmod u+w {quoted}, or ask its owner")
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return Diagnosis(check, Level.WARNING, f"{what} can be changed by anybody", f"chmod o-w {quoted}")
    return Diagnosis(check, Level.OK, what)


def _quoted(path: Path) -> str:
    import shlex  # only what goes wrong needs it

    return shlex.quote(str(path))


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _format(path: Path) -> Diagnosis:
    """Of the log's tables. Unavailable: not_a_ledger, cannot_open. Damaged: corrupt."""
    from goal_ledger.adapters.sql.header import header
    from goal_ledger.adapters.store.sqlite import APPLICATION_ID

    found = header(path)
    if found.application_id != APPLICATION_ID:
        raise Unavailable("not_a_ledger", f"{path} is not a goal-ledger file", hint="name another file with --db")
    says = f"{found.format}, journal mode {found.journal_mode}"
    if found.journal_mode != "wal":
        return Diagnosis(
            "format", Level.WARNING, f"{says}: readers wait for writers",
            "copy it: " + Hint("ledger", "backup", Blank("FILE")) + ", and go on with the copy",
        )  # fmt: skip
    return Diagnosis("format", Level.OK, says)
