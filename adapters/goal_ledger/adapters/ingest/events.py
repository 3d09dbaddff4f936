"""Process logs: a CSV file with a header, one row per thing that happened in a case.

Three columns are named by the caller: the case, the activity and its time (ISO 8601 with a time zone, or blank when
nobody knows). Every other column is kept with the activity; blank cells say nothing.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.ingest.lines import BadLine, reading
from goal_ledger.domain.errors import Invalid, LedgerError
from goal_ledger.domain.times import parse_utc


class Columns(NamedTuple):
    """The names of the three columns that an import needs."""

    case: str
    activity: str
    time: str


class EventRecord(NamedTuple):
    """One row. digest: of its content, and of how many rows like it came before it in the file."""

    line: int
    case: str
    activity: str
    occurred_at: datetime | None
    attributes: dict[str, str]
    digest: str


def read_events(path: Path, columns: Columns) -> Iterator[EventRecord | BadLine]:
    """The rows of a file; what cannot be read comes as `BadLine`.

    Invalid: no_header, unknown_column, and the errors of `reading`.
    """
    seen: Counter[str] = Counter()
    with reading(path) as file:
        # Bytes that are no UTF-8 become lone surrogates, which the ledger refuses row by row.
        rows = csv.reader(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=""), strict=True)
        header = _header(path, rows, columns)
        while True:
            line = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadLine(line, f"not CSV: {error}")
                continue
            if row:
                yield _understood(line, header, row, columns, seen)


def _header(path: Path, rows: Iterator[list[str]], columns: Columns) -> list[str]:
    try:
        header = [name.strip() for name in next(rows)]
    except (StopIteration, csv.Error):
        raise Invalid("no_header", f"{path} has no header line") from None
    if len(set(header)) < len(header):
        raise Invalid("no_header", f"{path}: the header names a column twice")
    for column in columns:
        if column not in header:
            raise Invalid("unknown_column", f"{path} has no column {column!r}; it has {', '.join(header)}")
    return header


def _understood(
    line: int, header: list[str], row: list[str], columns: Columns, seen: Counter[str]
) -> EventRecord | BadLine:
    if len(row) != len(header):
        return BadLine(line, f"{len(row)} cells, the header has {len(header)}")
    cells = dict(zip(header, row, strict=True))
    case, activity, time = (cells.pop(column).strip() for column in columns)
    if not case or not activity:
        return BadLine(line, f"{columns.activity if case else columns.case}: blank")
    try:
        occurred_at = parse_utc(time) if time else None
    except LedgerError as error:
        return BadLine(line, f"{columns.time}: {error.message}")
    content = "\0".join([case, activity, time, *(f"{name}\0{cells[name]}" for name in sorted(cells))])
    seen[content] += 1
    digest = sha256(f"{seen[content]}\0{content}".encode(errors="surrogateescape")).hexdigest()[:32]
    return EventRecord(line, case, activity, occurred_at, {k: v for k, v in cells.items() if v.strip()}, digest)
