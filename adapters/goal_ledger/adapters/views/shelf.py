"""Which tables of rows there are, how far each is folded, and which of them readers see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from goal_ledger.adapters.sql.session import Session
from goal_ledger.adapters.views.fold import TableFold, Unfolded
from goal_ledger.adapters.views.table import Table
from goal_ledger.projections.base import Key, Projection

SCHEMA = (
    "CREATE TABLE folded (name {text} PRIMARY KEY, projection {text} NOT NULL, digest {text} NOT NULL, "
    "role {text} NOT NULL, position {integer} NOT NULL, head {blob}, ledger {text} NOT NULL, builder {text}, "
    "lease_until {real})",
    "CREATE TABLE quarantine (name {text} NOT NULL, position {integer} NOT NULL, stream {text} NOT NULL, "
    "event {text} NOT NULL, problem {text} NOT NULL, PRIMARY KEY (name, position))",
)
"""Of the two tables that describe the others; the types are the database's."""


_NUMBERS = "CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, number BIGINT NOT NULL)"
"""Of the last table of each digest. Views of earlier versions lack it, and those versions do not miss it."""


LIVE = "SELECT name FROM folded WHERE projection = ? AND digest = ? AND role = ?"
"""Asks for the name of the table that readers of a projection see."""


class Role(StrEnum):
    """live: readers of its digest see it. new: being built beside the live one. old: what was live before."""

    LIVE = "live"
    NEW = "new"
    OLD = "old"


class Place(NamedTuple):
    """A table of rows. digest: of the projection that folds it. position: of the last event folded.

    head: the digest of that event. ledger: whose log it was. builder: who builds it, until lease_until (epoch seconds)
    at the longest without a sign of life.
    """

    name: str
    projection: str
    digest: str
    role: Role
    position: int
    head: bytes | None
    ledger: str
    builder: str | None
    lease_until: float | None

    def fits(self, digest_at: DigestAt, ledger: str) -> bool:
        """Whether it was folded from this ledger's log, and from the past that the log still has."""
        return self.ledger == ledger and (self.position == 0 or digest_at(self.position) == self.head)


DigestAt = Callable[[int], bytes | None]
"""The stored digest of the event at a position of the log, None when there is no such event."""


def _number(name: str) -> int:
    """Of a table among those of one digest: `<projection>__<digest>` is the first."""
    _, _, last = name.rpartition("__")
    return int(last) if len(last) < 12 else 1


TableOf = Callable[[Projection[Any], str], Table[Any]]
"""The table of a projection that has a name."""


class Shelf:
    """The tables as one session sees them. ledger: whose log they are folded from.

    seen: the names that were last looked up.
    """

    def __init__(self, session: Session, ledger: str, table_of: TableOf) -> None:
        self.session = session
        self.table_of = table_of
        self.seen: Sequence[str] = ()
        self._ledger = ledger

    # --- Looking

    def places(self) -> list[Place]:
        """Every table, the one that was folded furthest first."""
        rows = self.session.execute(
            "SELECT name, projection, digest, role, position, head, ledger, builder, lease_until FROM folded "
            "ORDER BY position DESC, name"
        )
        places = [Place(name, projection, digest, Role(role), *rest) for name, projection, digest, role, *rest in rows]
        self.seen = [place.name for place in places]
        return places

    def live(self, projection: str, digest: str) -> str | None:
        """The name of the table that readers of a projection see."""
        self.seen = [name for (name,) in self.session.execute(LIVE, (projection, digest, Role.LIVE)).fetchall()]
        return self.seen[0] if self.seen else None

    def place(self, projection: Projection[Any], role: Role) -> Place | None:
        """The table of this projection, as the code is now, that has a role."""
        return next((place for place in self._own(projection) if place.role is role), None)

    def others(self, projection: Projection[Any]) -> list[Place]:
        """The tables that other code of the same projection folded."""
        return [
            place
            for place in self.places()
            if place.projection == projection.name and place.digest != projection.digest and place.role is Role.LIVE
        ]

    def _own(self, projection: Projection[Any]) -> list[Place]:
        wanted = projection.name, projection.digest
        return [place for place in self.places() if (place.projection, place.digest) == wanted]

    # --- Changing

    def create(self, projection: Projection[Any], role: Role) -> Place:
        """A new table without rows and without indexes, under a name that no other had."""
        name = self._new_name(projection)
        place = Place(name, projection.name, projection.digest, role, 0, None, self._ledger, None, None)
        table = self.table_of(projection, name)
        self.session.execute(table.drop)
        self.session.execute(table.create)
        self.session.execute("INSERT INTO folded VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", place)
        return place

    def _new_name(self, projection: Projection[Any]) -> str:
        first = f"{projection.name}__{projection.digest}"
        self.session.execute(_NUMBERS)
        last = self.session.execute("SELECT number FROM numbers WHERE name = ?", (first,)).fetchone()
        taken = [_number(place.name) for place in self._own(projection)]  # by versions that did not note it
        number = max(last[0] if last else 0, *taken, 0) + 1
        self.session.execute(
            "INSERT INTO numbers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number",
            (first, number),
        )
        return first if number == 1 else f"{first}__{number}"

    def index(self, projection: Projection[Any], place: Place) -> None:
        """Make the indexes of a table, as far as they are not there."""
        for statement in self.table_of(projection, place.name).indexes:
            self.session.execute(statement)

    def drop(self, places: Iterable[Place | None]) -> None:
        """Take tables away for good."""
        for place in places:
            if place is not None:
                self.session.execute(f'DROP TABLE IF EXISTS "{place.name}"')
                self.session.execute("DELETE FROM quarantine WHERE name = ?", (place.name,))
                self.session.execute("DELETE FROM folded WHERE name = ?", (place.name,))

    def give(self, place: Place, role: Role) -> None:
        """Let a table have another role, and no builder."""
        self.session.execute(
            "UPDATE folded SET role = ?, builder = NULL, lease_until = NULL WHERE name = ?", (role, place.name)
        )

    def lease(self, names: Sequence[str], builder: str | None, until: float | None) -> None:
        """Note who builds tables, and until when without a sign of life."""
        for name in names:
            self.session.execute(
                "UPDATE folded SET builder = ?, lease_until = ? WHERE name = ?", (builder, until, name)
            )

    def move(self, name: str, position: int, head: bytes | None, quarantined: Sequence[Unfolded]) -> None:
        """Note how far a table is folded, and what it could not fold."""
        if quarantined:
            self.session.executemany(
                "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?) ON CONFLICT (name, position) "
                "DO UPDATE SET problem = excluded.problem",
                [(name, *item) for item in quarantined],
            )
        self.session.execute(
            "UPDATE folded SET position = ?, head = ?, ledger = ? WHERE name = ?", (position, head, self._ledger, name)
        )

    def quarantined(self, place: Place) -> int:
        """How many events a table could not fold."""
        counted = self.session.execute("SELECT COUNT(*) FROM quarantine WHERE name = ?", (place.name,)).fetchone()
        return int(counted[0])

    # --- Rows

    def load(self, table: Table[Any], key: Key) -> Any:
        """The row under a key, None when there is none."""
        stored = self.session.execute(table.get, (key,)).fetchone()
        return None if stored is None else table.decode(stored)

    def write(self, fold: TableFold) -> None:
        """Write the rows that changed."""
        table, rows = fold.table, fold.rows
        changed = sorted(fold.changed)  # neighbours share the pages of the table
        if kept := [table.encode(rows[key]) for key in changed if rows[key] is not None]:
            self.session.executemany(table.upsert, kept)
        if gone := [(key,) for key in changed if rows[key] is None]:
            self.session.executemany(table.delete, gone)

    def take_away(self, table: Table[Any], keys: Iterable[Key], positions: Iterable[int]) -> None:
        """Delete rows, and what is said about the events that they are folded from."""
        self.session.executemany(table.delete, [(key,) for key in keys])
        self.session.executemany(
            "DELETE FROM quarantine WHERE name = ? AND position = ?", [(table.name, position) for position in positions]
        )
