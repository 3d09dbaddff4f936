"""Process logs: a CSV file with a header, one row per thing that happened in a case.

Three columns are named by the caller: the case, the activity and its time (ISO 8601 with a time zone, or blank when
nobody knows). Every other column is kept with the activity; blank cells say nothing.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.ingest.lines import BadLine, read_table
from goal_ledger.domain.errors import LedgerError
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

    Errors: those of `read_table`.
    """
    seen: Counter[str] = Counter()
    for found in read_table(path, columns):
        yield found if isinstance(found, BadLine) else _understood(*found, columns, seen)


def _understood(line: int, cells: dict[str, str], columns: Columns, seen: Counter[str]) -> EventRecord | BadLine:
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
