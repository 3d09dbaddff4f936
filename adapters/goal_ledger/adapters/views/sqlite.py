"""Where the views of a SQLite ledger live: a file beside the log, thrown away when it cannot be used."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from goal_ledger.adapters.sql.sqlite import BLANK, Database, in_our_words, lock_folder
from goal_ledger.adapters.views.log import Log
from goal_ledger.adapters.views.read_models import ReadModels
from goal_ledger.adapters.views.shelf import SCHEMA
from goal_ledger.adapters.views.table import SQLITE_TYPES
from goal_ledger.adapters.views.views import Views
from goal_ledger.domain.errors import Damaged, Unavailable
from goal_ledger.domain.settings import Stale
from goal_ledger.projections.base import Projection

APPLICATION_ID = 0x676C7677  # "glvw", in the file's header
FORMAT = 2  # of the tables that describe the others, in the header's user_version


def sqlite_views(
    path: Path | None,
    log: Log,
    projections: Iterable[Projection[Any]],
    *,
    ledger: str,
    page: int = 5_000,
    wait_s: float = 30.0,
    stale: Stale = Stale.REBUILD,
    lock: threading.RLock | None = None,
) -> Views:
    """Views in a file, or in memory when path is None; see `ReadModels` and `Views`.

    lock: of the log when it is in memory too, so that neither waits for the other.
    """
    if path is None:
        stale = Stale.REBUILD  # nobody else can build them
    database = _open(path, wait_s, lock)
    models = ReadModels(database, log, projections, ledger=ledger, page=page, wait_s=wait_s, types=SQLITE_TYPES)
    return Views(models, stale)


def _open(path: Path | None, wait_s: float, lock: threading.RLock | None) -> Database:
    try:
        return _opened(path, wait_s, lock)
    except (Damaged, Unavailable) as error:
        if path is None or error.code not in ("corrupt", "not_a_ledger", "other_format"):
            raise
        if error.code == "not_a_ledger":  # perhaps somebody else's file
            path.replace(path.with_name(path.name + ".corrupt"))
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()
        return _opened(path, wait_s, lock)


def _opened(path: Path | None, wait_s: float, lock: threading.RLock | None) -> Database:
    with in_our_words(path):
        if path is not None and not (path.exists() and path.stat().st_size > BLANK):
            with lock_folder(path.parent):  # switching to WAL fails at once while another process reads
                database = Database(path, wait_s=wait_s)
                try:
                    _create_if_blank(database)
                finally:
                    database.close()
        database = Database(path, wait_s=wait_s, synchronous="NORMAL", lock=lock)
        try:
            if path is None:
                _create_if_blank(database)
            with database.read() as connection:
                [application] = connection.execute("PRAGMA application_id").fetchone()
                [found] = connection.execute("PRAGMA user_version").fetchone()
            if application == APPLICATION_ID and found != FORMAT:
                raise Unavailable("other_format", f"{path} is of another version")
            if application != APPLICATION_ID:
                raise Unavailable(
                    "not_views", f"{path} is where the views belong, and is something else", hint="move it away"
                )
        except BaseException:
            database.close()
            raise
    return database


def _create_if_blank(database: Database) -> None:
    with database.outside_transaction() as connection:
        [application] = connection.execute("PRAGMA application_id").fetchone()
        [tables] = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if application or tables:
            return
        if database.path is not None:
            connection.execute("PRAGMA journal_mode = WAL")
    with database.write() as connection:
        for statement in SCHEMA:
            connection.execute(statement.format(text="TEXT", integer="INTEGER", real="REAL", blob="BLOB"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
