"""What the light copies of one open ledger share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from goal_ledger.adapters.store.base import Store
from goal_ledger.domain.errors import Rejected, Unavailable
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.fresh_ids import FreshIds
from goal_ledger.ledger.location import Location, views_beside
from goal_ledger.ledger.transaction import StateCache

if TYPE_CHECKING:
    from goal_ledger.adapters.views.views import Views


class Core:
    """What the light copies of one Ledger share."""

    def __init__(
        self, store: Store, location: Location, clock: Callable[[], datetime], settings: Settings, read_only: bool
    ) -> None:
        self.store = store
        self.location = location
        self.clock = clock
        self.settings = settings
        self.read_only = read_only
        self.ids = FreshIds()
        self.states = StateCache(settings.state_cache)
        self.rows = StateCache(settings.state_cache)
        self.closed = False
        self._ledger_id: str | None = None
        self._views: Views | None = None
        self._lock = threading.RLock()
        self._in_transaction = False

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Threads of this process take turns; a transaction inside a transaction is refused."""
        with self._lock:
            if self._in_transaction:
                raise Rejected("nested", "a transaction is under way in this thread", hint="use its tx instead")
            self._in_transaction = True
            try:
                yield
            finally:
                self._in_transaction = False

    def ledger_id(self) -> str:
        """The stream of the first event; blank while there is none."""
        if self._ledger_id is None:
            rows = self.store.page(0, 1)
            if not rows:
                return ""
            self._ledger_id = rows[0][1]
        return self._ledger_id

    def views(self) -> Views:
        """The read models, opened when they are first asked for."""
        if self._views is not None:  # readers don't wait for a transaction under way
            return self._views
        with self._lock:
            if self.closed:
                raise Unavailable("closed", "the ledger is closed", hint="open it again")
            if self._views is None:
                self._views = self._open_views()
            return self._views

    def wait_for_events(self, after: int, timeout_s: float) -> None:
        """Wait until there are events behind a position, by whatever process, or for timeout_s seconds."""
        with suppress(Unavailable):  # closed by another thread, just now
            self.store.wait(after, timeout_s)

    def close(self) -> None:
        """Close the files and wake the followers."""
        self.closed = True
        with self._lock:
            if self._views is not None:
                self._views.close()
            self.store.close()

    def _open_views(self) -> Views:
        # Commands on one goal need no read models, and a ledger in a file needs no server's driver.
        from goal_ledger.adapters.views.sqlite import sqlite_views
        from goal_ledger.projections.registry import PROJECTIONS

        where, settings, projections = self.location, self.settings, PROJECTIONS.values()
        if where.url is not None and not self.read_only:
            from goal_ledger.adapters.views.postgres import postgres_views

            return postgres_views(
                where.url,
                self.store,
                projections,
                schema=where.schema,
                name=where.name,
                ledger=self.ledger_id(),
                page=settings.page,
                wait_s=settings.lock_wait_s,
                stale=settings.stale,
            )
        return sqlite_views(
            None if self.read_only or where.path is None else views_beside(where.path),
            self.store,
            projections,
            ledger=self.ledger_id(),
            page=settings.page,
            wait_s=settings.lock_wait_s,
            stale=settings.stale,
            lock=self.store.database.lock if where.is_memory else None,
        )
