"""A look at views from outside, which neither makes, heals nor moves anything."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from goal_ledger.adapters.sql.session import Session
from goal_ledger.adapters.sql.sqlite import Database, in_our_words
from goal_ledger.adapters.views.shelf import LIVE, Role
from goal_ledger.adapters.views.table import Table
from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])


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


def rows(path: Path, projection: Projection[R], where: Mapping[str, Any]) -> list[R]:
    """Rows of a projection as they stand, not caught up; [] when this code has folded none.

    where: columns and what they must equal. Errors: those of `look`.
    """
    with in_our_words(path):
        database = Database(path)
        try:
            with database.snapshot() as session:
                return rows_in(session, projection, where)
        finally:
            database.close()


def rows_in(session: Session, projection: Projection[R], where: Mapping[str, Any]) -> list[R]:
    """The same, as a session sees them. The session must see one moment: a name, and the table that has it."""
    found = session.execute(LIVE, (projection.name, projection.digest, Role.LIVE)).fetchone()
    if found is None:
        return []
    table = Table(projection, found[0])
    sql, values = table.select(where, [projection.key], descending=False, after=None, limit=None)
    return [table.decode(row) for row in session.execute(sql, values).fetchall()]
