"""The other side: what a careful programmer would write with sqlite3 alone, on the tables of the store.

Raw counts positions itself, as a single writer may; the store asks the database for the head under the lock.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path

import orjson

from goal_ledger.adapters.store.codec import StoredRow, digest
from goal_ledger.adapters.store.sqlite import SqliteStore

_PAGE = 5_000
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


def parse_all(path: Path) -> None:
    """Read a log in pages, and parse every body."""
    with closing(sqlite3.connect(path)) as log:
        rows = log.execute("SELECT * FROM stored_events ORDER BY rowid")
        while page := rows.fetchmany(_PAGE):
            for row in page:
                orjson.loads(row[4])
