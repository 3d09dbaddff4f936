"""A ledger in a SQLite file, its read models in another one beside it; or both in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from goal_ledger.adapters.backends.backend import FORMS, SETTINGS_FILE
from goal_ledger.domain.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from goal_ledger.adapters.backends.examination import Examined, ExaminedViews
    from goal_ledger.adapters.store.base import Store
    from goal_ledger.adapters.views.log import Log
    from goal_ledger.adapters.views.views import Views
    from goal_ledger.domain.settings import Settings
    from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])

_URL = "sqlite:///"
_MEMORY = ":memory:"


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
        from goal_ledger.adapters.backends.sqlite_files import examine

        return examine(self.path)

    def examine_views(self) -> ExaminedViews:
        """The tables in the file beside the log."""
        from goal_ledger.adapters.backends.sqlite_files import examine_views

        return examine_views(None if self.path is None else views_beside(self.path))

    def rows(self, projection: Projection[R], where: Mapping[str, Any]) -> list[R]:
        """Rows as they stand, not caught up; [] when this code has folded none."""
        from goal_ledger.adapters.views.look import rows

        if self.path is None or not (path := views_beside(self.path)).exists():
            return []
        return rows(path, projection, where)
