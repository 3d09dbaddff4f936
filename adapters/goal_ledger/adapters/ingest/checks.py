"""Outcomes of scheduled tasks: a CSV file with a header, one row per check.

Needed columns: `task`, `checked_at` (ISO 8601 with a time zone), `status` (up, ok, success, passed, true, 1; or down,
fail, failed, failure, error, timeout, false, 0). Known ones: `monitor` (who schedules the task), `error`, `http_code`,
`response_ms`. Other columns are left out.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.ingest.lines import BadLine, reading
from goal_ledger.domain.errors import Invalid, LedgerError
from goal_ledger.domain.times import parse_utc

NEEDED = ("task", "checked_at", "status")
_OK = frozenset({"up", "ok", "success", "succeeded", "passed", "true", "1"})
_FAILED = frozenset({"down", "fail", "failed", "failure", "error", "timeout", "false", "0"})


class CheckRecord(NamedTuple):
    """One row. digest: of its content, and of how many rows like it came before it in the file."""

    line: int
    source: str
    task: str
    ok: bool
    checked_at: datetime
    error: str | None
    duration_seconds: float | None
    digest: str


def read_checks(path: Path) -> Iterator[CheckRecord | BadLine]:
    """The rows of a file; what cannot be read comes as `BadLine`. Invalid: no_header, unknown_column."""
    seen: Counter[str] = Counter()
    with reading(path) as file:
        rows = csv.reader(io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline=""), strict=True)
        try:
            header = [name.strip() for name in next(rows)]
        except (StopIteration, csv.Error):
            raise Invalid("no_header", f"{path} has no header line") from None
        for column in NEEDED:
            if column not in header:
                raise Invalid("unknown_column", f"{path} has no column {column!r}; it has {', '.join(header)}")
        while True:
            line = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadLine(line, f"not CSV: {error}")
                continue
            if not row:
                continue
            if len(row) != len(header):
                yield BadLine(line, f"{len(row)} cells, the header has {len(header)}")
                continue
            content = "\0".join(row)
            seen[content] += 1
            digest = sha256(f"{seen[content]}\0{content}".encode(errors="surrogateescape")).hexdigest()[:32]
            yield _understood(line, dict(zip(header, map(str.strip, row), strict=True)), digest)


def _understood(line: int, cells: Mapping[str, str], digest: str) -> CheckRecord | BadLine:
    word = cells["status"].casefold()
    if not cells["task"]:
        return BadLine(line, "task: blank")
    if word not in _OK | _FAILED:
        return BadLine(line, f"status: {cells['status']!r} is neither {', '.join(sorted(_OK))} nor "
                             f"{', '.join(sorted(_FAILED))}")  # fmt: skip
    try:
        checked_at = parse_utc(cells["checked_at"])
        milliseconds = float(cells["response_ms"]) if cells.get("response_ms") else None
    except LedgerError as problem:
        return BadLine(line, f"checked_at: {problem.message}")
    except ValueError:
        return BadLine(line, f"response_ms: {cells['response_ms']!r} is no number")
    ok = word in _OK
    error = None if ok else cells.get("error") or _http(cells.get("http_code")) or None
    seconds = None if milliseconds is None else milliseconds / 1000
    return CheckRecord(line, cells.get("monitor", ""), cells["task"], ok, checked_at, error, seconds, digest)


def _http(code: str | None) -> str | None:
    """What an HTTP status says of a check that failed; 0 means that nobody answered."""
    if not code:
        return None
    return "no answer" if code == "0" else f"http {code}"
