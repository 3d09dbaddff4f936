"""A look at views from outside, which neither makes, heals nor moves anything."""

from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.sql.session import Session
from goal_ledger.adapters.sql.sqlite import Database, in_our_words


class Folded(NamedTuple):
    """A table of rows. digest: of the projection that folds it. role: live, new or old. ledger: whose log it was.

    builder, lease_until: see `Place`. quarantined: events it could not fold.
    """

    table: str
    projection: str
    digest: str
    role: str
    position: int
    ledger: str
    builder: str | None
    lease_until: float | None
    quarantined: int


_FOLDED = (
    "SELECT name, projection, digest, role, position, ledger, builder, lease_until, "
    "(SELECT COUNT(*) FROM quarantine WHERE quarantine.name = folded.name) "
    "FROM folded ORDER BY name"
)


def look(path: Path) -> list[Folded]:
    """Every table of a views file that exists, those of earlier versions too. Damaged: corrupt. Unavailable."""
    with in_our_words(path):
        database = Database(path)
        try:
            with database.outside_transaction() as connection:
                return tables_in(connection)
        finally:
            database.close()


def tables_in(session: Session) -> list[Folded]:
    """Every table that a session sees."""
    return [Folded(*row) for row in session.execute(_FOLDED)]
