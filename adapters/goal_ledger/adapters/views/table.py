"""A projection's rows as a table: names, SQL and values, from the row type alone.

The SQL is the part that SQLite and PostgreSQL share.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import orjson

from goal_ledger.projections.base import Projection

R = TypeVar("R", bound=tuple[Any, ...])

SqlTypes = Mapping[type, str]

SQLITE_TYPES: SqlTypes = {str: "TEXT", int: "INTEGER", bool: "INTEGER", float: "REAL", Decimal: "TEXT"}
# Text is compared by its bytes on both, so that lists have one order everywhere.
POSTGRES_TYPES: SqlTypes = {
    str: 'TEXT COLLATE "C"', int: "BIGINT", bool: "BOOLEAN", float: "DOUBLE PRECISION", Decimal: 'TEXT COLLATE "C"',
}  # fmt: skip


class Table(Generic[R]):
    """Where the rows of a projection live. name: of the table; `<projection>__<digest>` by default."""

    def __init__(self, projection: Projection[R], name: str | None = None, types: SqlTypes = SQLITE_TYPES) -> None:
        self.projection = projection
        self.name = name or f"{projection.name}__{projection.digest}"
        hints = get_type_hints(projection.row)
        self.columns = tuple(hints)
        kinds = [_kind(hint) for hint in hints.values()]
        self._writers = [(at, write) for at, kind in enumerate(kinds) if (write := _writer(kind)) is not None]
        self._readers = [(at, read) for at, kind in enumerate(kinds) if (read := _reader(kind)) is not None]
        key, names = projection.key, ", ".join(self.columns)
        columns = ", ".join(
            f"{column} {types.get(kind, types[str])}" + (" PRIMARY KEY" if column == key else "")
            for column, kind in zip(self.columns, kinds, strict=True)
        )
        updates = ", ".join(f"{column} = excluded.{column}" for column in self.columns if column != key)
        self.create = f'CREATE TABLE "{self.name}" ({columns})'
        self.indexes = [
            f'CREATE INDEX IF NOT EXISTS "{self.name}__by{number}" ON "{self.name}" ({", ".join(index)})'
            for number, index in enumerate(projection.indexes, start=1)
        ]
        self.drop = f'DROP TABLE IF EXISTS "{self.name}"'
        self.upsert = (
            f'INSERT INTO "{self.name}" ({names}) VALUES ({", ".join("?" * len(self.columns))}) '
            f"ON CONFLICT ({key}) DO {f'UPDATE SET {updates}' if updates else 'NOTHING'}"
        )
        self.delete = f'DELETE FROM "{self.name}" WHERE {key} = ?'
        self.get = f'SELECT {names} FROM "{self.name}" WHERE {key} = ?'
        self.count = f'SELECT COUNT(*) FROM "{self.name}"'

    def select(
        self,
        where: Mapping[str, Any],
        order: Sequence[str],
        *,
        descending: bool,
        after: Sequence[Any] | None,
        limit: int | None,
        columns: Sequence[str] | None = None,
    ) -> tuple[str, list[Any]]:
        """The SQL of one page of rows, or of some of their columns.

        where: columns and what they must equal; a list stands for any of its values. order: columns that are never
        null, the last one unique. after: their values in the last row seen. columns: all by default.
        """
        parts, values = self._filters(where)
        if after is not None:
            place, marks = ", ".join(self._known(order)), ", ".join("?" * len(order))
            parts.append(f"({place}) {'<' if descending else '>'} ({marks})")
            values.extend(after)
        direction = " DESC" if descending else ""
        sql = f'SELECT {", ".join(self._known(columns or self.columns))} FROM "{self.name}"'
        sql += f" WHERE {' AND '.join(parts)}" if parts else ""
        sql += " ORDER BY " + ", ".join(column + direction for column in self._known(order))
        if limit is not None:
            sql += " LIMIT ?"
            values.append(limit)
        return sql, values

    def encode(self, row: R) -> list[Any]:
        """The row as values that a database stores."""
        values = list(row)
        for at, write in self._writers:
            values[at] = write(values[at])
        return values

    def decode(self, stored: Sequence[Any]) -> R:
        """The row as its type declares it."""
        values = list(stored)
        for at, read in self._readers:
            if values[at] is not None:
                values[at] = read(values[at])
        row: R = self.projection.row(*values)
        return row

    def decoder(self, columns: Sequence[str]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """What decodes some columns of a row, as its type declares them."""
        readers = [(columns.index(self.columns[at]), read) for at, read in self._readers if self.columns[at] in columns]

        def decode(stored: Sequence[Any]) -> tuple[Any, ...]:
            values = list(stored)
            for at, read in readers:
                if values[at] is not None:
                    values[at] = read(values[at])
            return tuple(values)

        return decode

    def _filters(self, where: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
        parts: list[str] = []
        values: list[Any] = []
        for column, wanted in where.items():
            self._known([column])
            if isinstance(wanted, (list, tuple, set, frozenset)):
                if not wanted:
                    parts.append("1 = 0")  # PostgreSQL knows no empty list
                    continue
                parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
                values.extend(wanted)
            else:
                parts.append(f"{column} = ?")
                values.append(wanted)
        return parts, values

    def _known(self, columns: Sequence[str]) -> Sequence[str]:
        for column in columns:
            if column not in self.columns:
                raise ValueError(f"{self.projection.name} has no column {column}")
        return columns


def _kind(hint: Any) -> Any:
    """The type of a column, without `| None`."""
    if isinstance(hint, UnionType) or get_origin(hint) is UnionType:
        [kind] = [part for part in get_args(hint) if part is not NoneType]
        return kind
    return hint


def _writer(kind: Any) -> Callable[[Any], Any] | None:
    if kind is Decimal:
        return lambda value: None if value is None else str(value)
    if get_origin(kind) in (tuple, dict):
        return _as_json
    return None


def _as_json(value: Any) -> str | None:
    if value:
        return orjson.dumps(value).decode()
    return None if value is None else "{}" if type(value) is dict else "[]"  # most are empty: that saves time


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    if kind in (bool, Decimal) or (isinstance(kind, type) and issubclass(kind, StrEnum)):
        reader: Callable[[Any], Any] = kind
        return reader
    if get_origin(kind) is tuple:
        return lambda value: tuple(orjson.loads(value))
    if get_origin(kind) is dict:
        return orjson.loads
    return None
