"""The identity ledger as NDJSON: one line per event, chained, a byte prefix of every later export.

    {"ts": 1762696800.0, "schema": 2, "event": "goal_created", "meta": {…}, "prev": "genesis", "sha": "…"}

`ts` is the running maximum of the time of recording, in Unix seconds. `meta` holds the event as it was stored, so that
later versions of the code write the same bytes. `sha` is the sha256 of the line without it; `prev` is the `sha` before.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from goal_ledger.domain.errors import Damaged, NotFound, Unavailable

SCHEMA = 2
GENESIS = "genesis"

StoredRow = tuple[int, str, int, str, bytes]
"""position, stream, version, name, body: as the log stores it."""

ID_OF = {
    "ledger": "ledger_id",
    "goal": "goal_id",
    "run": "run_id",
    "lesson": "lesson_id",
    "loop": "loop_id",
    "session": "session_id",
    "proposal": "proposal_id",
    "scan": "scan_id",
    "belief": "belief_id",
    "monitor": "monitor_id",
    "review": "aar_id",
    "rule": "rule_id",
    "cycle": "cycle_id",
    "feed": "feed_id",
    "project": "project_id",
}


class Finding(NamedTuple):
    """What is wrong with an exported file. line: from 1."""

    line: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


def lines(rows: Iterable[StoredRow]) -> Iterator[bytes]:
    """The lines of an export, each with its newline; rows: the whole log from its first position."""
    latest, prev = 0.0, GENESIS
    for row in rows:
        try:
            envelope = orjson.loads(row[4])
        except orjson.JSONDecodeError as error:
            raise Damaged("damaged", f"position {row[0]}, stream {row[1]}: {error}", hint="verify the ledger") from None
        latest = max(latest, datetime.fromisoformat(envelope["at"]).timestamp())
        line: dict[str, Any] = {
            "ts": latest,
            "schema": SCHEMA,
            "event": row[3].replace(".", "_"),
            "meta": _meta(row, envelope),
            "prev": prev,
        }
        prev = line["sha"] = _sha(line)
        yield orjson.dumps(line) + b"\n"


def findings(path: Path, expected: Iterable[bytes] | None, *, partial: bool = False) -> Iterator[Finding]:
    """What is wrong with a file by itself, and against the lines that the log gives now.

    partial: it may end before the log does, as an older export. NotFound: no_file. Unavailable: cannot_read.
    """
    try:
        with path.open("rb") as file:
            if expected is None:
                yield from _alone(file)
            else:
                yield from _against(file, expected, partial)
    except FileNotFoundError:
        raise NotFound("no_file", f"there is no file {path}") from None
    except OSError as error:
        raise Unavailable("cannot_read", f"{path} cannot be read: {error.strerror or error}") from None


def _alone(file: Iterable[bytes]) -> Iterator[Finding]:
    prev = GENESIS
    for number, raw in enumerate(file, start=1):
        problem, prev = _broken(raw, prev)
        if problem is not None:
            yield Finding(number, problem)
            return  # what follows a break proves nothing


def _against(file: Iterable[bytes], expected: Iterable[bytes], partial: bool) -> Iterator[Finding]:
    missing = last = 0
    for number, (found, wanted) in enumerate(zip_longest(file, expected), start=1):
        if found is None:
            missing += 1
        elif wanted is None:
            yield Finding(number, "the log ends before this line")
            return
        elif found != wanted:
            yield Finding(number, "the line is not what the log says")
            return
        last = number
    if missing and not partial:
        yield Finding(last - missing + 1, f"the file ends here, the log holds {missing} more events")


def _broken(raw: bytes, prev: str) -> tuple[str | None, str]:
    try:
        line = orjson.loads(raw)
        sha = line.pop("sha")
        if not raw.endswith(b"\n"):
            return "the line is cut off", prev
        if line["prev"] != prev:
            return "it does not follow the line before", prev
        if sha != _sha(line) or raw != orjson.dumps({**line, "sha": sha}) + b"\n":
            return "the line was changed: its sha does not match", prev
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return "not a line of an export", prev
    return None, sha


def _sha(line: dict[str, Any]) -> str:
    return sha256(orjson.dumps(line)).hexdigest()


def _meta(row: StoredRow, envelope: dict[str, Any]) -> dict[str, Any]:
    position, stream, version, name, _ = row
    data = envelope["data"]
    meta: dict[str, Any] = {ID_OF.get(name.split(".")[0], "stream"): stream}
    if name == "goal.created":
        meta |= {
            "category": data.get("category"),
            "source": data.get("source"),
            "created_by": data.get("created_by") or envelope["by"],
        }
    command = envelope["command"]
    return meta | {
        "position": position,
        "version": version,
        "by": envelope["by"],
        "occurred_at": envelope["occurred_at"],
        "command_id": None if command is None else command["id"],
        "cause": envelope["cause"],
        "v": envelope["v"],
        "data": data,
    }
