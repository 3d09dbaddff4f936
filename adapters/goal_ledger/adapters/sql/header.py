"""What a SQLite file says about itself, without touching its content."""

from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.sql.sqlite import Database, in_our_words


class Header(NamedTuple):
    """application_id: whose file it is, 0 when nobody said. format: the application's own version of its tables."""

    application_id: int
    format: int
    journal_mode: str


def header(path: Path) -> Header:
    """The header of a file that exists. Unavailable: not_a_ledger, cannot_open. Damaged: corrupt."""
    with in_our_words(path):
        database = Database(path)
        try:
            with database.outside_transaction() as connection:
                return Header(
                    *(
                        connection.execute(f"PRAGMA {name}").fetchone()[0]
                        for name in ("application_id", "user_version", "journal_mode")
                    )
                )
        finally:
            database.close()


def sqlite_version() -> str:
    """The version of the SQLite library in use."""
    database = Database(None)
    try:
        with database.read() as connection:
            return str(connection.execute("SELECT sqlite_version()").fetchone()[0])
    finally:
        database.close()
