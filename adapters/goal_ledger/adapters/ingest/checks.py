"""Outcomes of scheduled tasks: a CSV file with a header, one row per check.

Needed columns: `task`, `checked_at` (ISO 8601 with a time zone), `status` (up, ok, success, passed, true, 1; or down,
fail, failed, failure, error, timeout, false, 0). Known ones: `monitor` (who schedules the task), `error`, `http_code`,
`response_ms`. Other columns are left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.ingest.lines import BadLine, read_table
from goal_ledger.domain.errors import LedgerError
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
    """The rows of a file; what cannot be read comes as `BadLine`. Errors: those of `read_table`."""
    seen: Counter[str] = Counter()
    for found in read_table(path, NEEDED):
        if isinstance(found, BadLine):
            yield found
            continue
        line, cells = found
        content = "\0".join(cells.values())
        seen[content] += 1
        digest = sha256(f"{seen[content]}\0{content}".encode(errors="surrogateescape")).hexdigest()[:32]
        yield _understood(line, {name: cell.strip() for name, cell in cells.items()}, digest)


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
