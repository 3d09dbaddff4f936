"""The log that a location names, and its read models, whichever database holds them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from goal_ledger.adapters.store.base import Store
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.errors import Unavailable
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.engine.location import Location, views_beside

if TYPE_CHECKING:
    from goal_ledger.adapters.views.log import Log
    from goal_ledger.adapters.views.views import Views


def open_store(location: Location, settings: Settings, *, read_only: bool, create: bool) -> Store:
    """The log there. create: False refuses one that does not exist. Errors: those of `Ledger.open`."""
    if location.url is not None:
        try:
            from goal_ledger.adapters.store.postgres import PostgresStore
        except ImportError as error:
            raise Unavailable(
                "missing_extra", f"PostgreSQL needs a package: {error}", hint="pip install 'goal-ledger[postgres]'"
            ) from None
        return PostgresStore(
            location.url,
            schema=location.schema,
            name=location.name,
            wait_s=settings.lock_wait_s,
            durable=settings.durable,
            read_only=read_only,
            create=create and not read_only,
        )
    path = location.path
    if not create and path is not None and not (path.exists() and path.stat().st_size):
        read_only = True  # refuses what is not there, in the store's words
    return SqliteStore(path, wait_s=settings.lock_wait_s, durable=settings.durable, read_only=read_only)


def open_views(
    location: Location, log: Log, settings: Settings, *, ledger: str, in_memory: bool, lock: threading.RLock | None
) -> Views:
    """The read models of a log. ledger: its id. in_memory: they leave no trace. lock: of a log in memory."""
    # Commands on one goal need no read models, and a ledger in a file needs no server's driver.
    from goal_ledger.adapters.views.sqlite import sqlite_views
    from goal_ledger.projections.registry import PROJECTIONS

    projections = PROJECTIONS.values()
    if location.url is not None and not in_memory:
        from goal_ledger.adapters.views.postgres import postgres_views

        return postgres_views(
            location.url,
            log,
            projections,
            schema=location.schema,
            name=location.name,
            ledger=ledger,
            page=settings.page,
            wait_s=settings.lock_wait_s,
            stale=settings.stale,
        )
    return sqlite_views(
        None if in_memory or location.path is None else views_beside(location.path),
        log,
        projections,
        ledger=ledger,
        page=settings.page,
        wait_s=settings.lock_wait_s,
        stale=settings.stale,
        lock=lock,
    )
