"""What differs between two tables of one projection, and the event that gave each row the value it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from goal_ledger.adapters.sql.session import Session
from goal_ledger.adapters.views.history import history, keys_of
from goal_ledger.adapters.views.log import Log
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.errors import Rejected
from goal_ledger.projections.base import Key, Projection


class Change(NamedTuple):
    """A row that differs. fields: by name, what stood there and what stands there now, as stored; {} unless changed.

    what: added, removed or changed. because: the event that gave the row its present value; None when there is none.
    """

    key: Key
    what: str
    fields: Mapping[str, tuple[Any, Any]]
    because: Recorded | None


class Diff(NamedTuple):
    """How a table differs from the one before. position: how far both are folded.

    columns_added, columns_removed: a column that a table lacks counts as empty. changes: the first of them by key, the
    counts are of all.
    """

    projection: str
    before: str
    after: str
    position: int
    rows: int
    added: int
    removed: int
    changed: int
    columns_added: Sequence[str]
    columns_removed: Sequence[str]
    changes: Sequence[Change]

    @property
    def is_empty(self) -> bool:
        """Whether both tables say the same."""
        return not (self.added or self.removed or self.changed)


def compare(
    session: Session, projection: Projection[Any], before: str, after: str, log: Log, position: int, limit: int
) -> Diff:
    """Compare two tables that are folded up to the same position. limit: of the changes told one by one.

    Rejected: nothing_to_compare.
    """
    old_types, new_types = _columns(session, before), _columns(session, after)
    columns = [*new_types, *(column for column in old_types if column not in new_types)]
    retyped = {column for column in old_types.keys() & new_types if old_types[column] != new_types[column]}
    key = projection.key
    if key not in old_types or key in retyped:
        raise Rejected("nothing_to_compare", f"the rows of {projection.name} had another key")
    old, new = _aligned(before, columns, old_types, retyped), _aligned(after, columns, new_types, retyped)
    lacks = 'SELECT {0} FROM "{1}" AS a WHERE NOT EXISTS (SELECT 1 FROM "{2}" AS b WHERE b.{0} = a.{0})'
    differing = {
        "added": lacks.format(key, after, before),
        "removed": lacks.format(key, before, after),
        "changed": f"SELECT {key} FROM ({new} EXCEPT {old}) AS a "
        f'WHERE EXISTS (SELECT 1 FROM "{before}" AS b WHERE b.{key} = a.{key})',
    }
    counts = {
        what: session.execute(f"SELECT COUNT(*) FROM ({sql}) AS c").fetchone()[0] for what, sql in differing.items()
    }
    found = sorted(
        (row[0], what)
        for what, sql in differing.items()
        if counts[what]
        for row in session.execute(f"{sql} ORDER BY {key} LIMIT ?", (limit,))
    )[:limit]
    fields = {
        row_key: _fields(session, columns, (old, new), key, row_key) if what == "changed" else {}
        for row_key, what in found
    }
    because = _reasons(projection, log, position, fields)
    return Diff(
        projection.name,
        before,
        after,
        position,
        session.execute(f'SELECT COUNT(*) FROM "{after}"').fetchone()[0],
        counts["added"],
        counts["removed"],
        counts["changed"],
        [column for column in new_types if column not in old_types],
        [column for column in old_types if column not in new_types],
        [Change(row_key, what, fields[row_key], because.get(row_key)) for row_key, what in found],
    )


def _columns(session: Session, table: str) -> dict[str, Any]:
    """The columns of a table, and what the driver calls their types."""
    description = session.execute(f'SELECT * FROM "{table}" LIMIT 0').description
    return {column[0]: column[1] for column in description}


def _aligned(table: str, columns: Sequence[str], own: Collection[str], retyped: Collection[str]) -> str:
    """Its rows with all columns; values of different types are compared as text."""
    cells = (
        f"NULL AS {column}" if column not in own
        else f"CAST({column} AS TEXT) AS {column}" if column in retyped
        else column
        for column in columns
    )  # fmt: skip
    return f'SELECT {", ".join(cells)} FROM "{table}"'


def _fields(
    session: Session, columns: Sequence[str], sides: tuple[str, str], key: str, row_key: Key
) -> dict[str, tuple[Any, Any]]:
    before, after = (
        session.execute(f"SELECT * FROM ({side}) AS s WHERE {key} = ?", (row_key,)).fetchone() for side in sides
    )
    return {column: (was, now) for column, was, now in zip(columns, before, after, strict=True) if was != now}


def _reasons(
    projection: Projection[Any], log: Log, position: int, rows: Mapping[Key, Mapping[str, Any]]
) -> dict[Key, Recorded]:
    """By row, the first event after which it had its present value for good, in the fields that changed."""
    since: dict[Key, Recorded] = {}
    values: dict[Key, Any] = {}
    states: dict[Key, Any] = {}
    for item in history(projection, log, list(rows), position):
        if isinstance(item, Unreadable):
            continue
        for key in keys_of(projection, [item]) & rows.keys():
            try:
                after = projection.folds[type(item.event)].handler(states.get(key), item, item.event)
            except Exception:  # noqa: S112  # it is in the quarantine, with its reason
                continue
            states[key] = after
            value = None if after is None else tuple(getattr(after, field, None) for field in rows[key])
            if key not in since or value != values[key]:
                since[key], values[key] = item, value
    return since
