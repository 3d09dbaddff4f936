"""The other side: what a careful programmer would write with sqlite3 alone, on the tables of the store.

Raw counts positions itself, as a single writer may; the store asks the database for the head under the lock.
"""

import sqlite3
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from goal_ledger.adapters.store.codec import StoredRow, digest
from goal_ledger.adapters.store.sqlite import SqliteStore

INSERT = "INSERT INTO stored_events VALUES (?, ?, ?, ?, ?, ?)"


def open_raw(path: Path, *, synchronous: str) -> sqlite3.Connection:
    """A plain connection to a file with the store's own tables, index and triggers, made by the store."""
    SqliteStore(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    return connection


def insert_all(connection: sqlite3.Connection, rows: Iterable[StoredRow], size: int) -> None:
    """Append rows with digests, so many to a transaction."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, [(*row, digest(*row)) for row in batch])
        connection.execute("COMMIT")
