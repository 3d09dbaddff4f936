"""A look into a views file, which neither makes, heals nor moves anything."""

from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.sql.sqlite import Database, in_our_words


class Folded(NamedTuple):
    """A table of rows. digest: of the projection that folds it. role: live, new or old. ledger: whose log it was.

    quarantined: events it could not fold.
    """

    table: str
    projection: str
    digest: str
    role: str
    position: int
    ledger: str
    quarantined: int


_FOLDED = (
    "SELECT name, projection, digest, role, position, ledger, "
    "(SELECT COUNT(*) FROM quarantine WHERE quarantine.name = folded.name) "
    "FROM folded ORDER BY name"
)


def look(path: Path) -> list[Folded]:
    """Every table of a views file that exists, those of earlier versions too. Damaged: corrupt. Unavailable."""
    with in_our_words(path):
        database = Database(path)
        try:
            with database.outside_transaction() as connection:
                return [Folded(*row) for row in connection.execute(_FOLDED)]
        finally:
            database.close()
