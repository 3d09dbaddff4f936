"""Golden files: the bytes of events as they were once stored, and what the read models made of them.

`events/<name>.v<schema version>.jsonl`: a body per line. `projections.json`: digests of every row that the golden
events fold into. `python -m tests.golden.write` adds what is missing and never rewrites a stored event: the examples of
an event are made once, from then on they are what its file holds.
"""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from goal_ledger.adapters.store.codec import Codec, encode, envelope
from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.registry import EVENTS
from goal_ledger.projections.base import Projection
from tests.golden.examples import made

FOLDER = Path(__file__).parent / "events"
PROJECTIONS_FILE = Path(__file__).parent / "projections.json"
TEXT_LIMIT = 10_000


def golden_file(name: str, version: int) -> Path:
    return FOLDER / f"{name}.v{version}.jsonl"


def stored(name: str, version: int) -> list[bytes]:
    """The golden bodies of one event in one version."""
    return golden_file(name, version).read_bytes().splitlines()


def examples(name: str) -> tuple[Event, ...]:
    """The examples of an event in its present version."""
    version = EVENTS[name].schema_version
    if not golden_file(name, version).exists():
        return made(EVENTS[name])
    return tuple(decoded(name, body) for body in stored(name, version))


def bodies(events: Sequence[Event]) -> list[bytes]:
    """Examples as they are stored today: the first with all circumstances, the others with none."""
    return [
        encode(event, envelope(**circumstances(number)), text_limit=TEXT_LIMIT) for number, event in enumerate(events)
    ]


def circumstances(number: int) -> dict[str, Any]:
    if number:
        return {"at": "2026-02-24T09:00:01.000000Z", "occurred_at": None, "by": "x", "command": None, "cause": None}
    return {
        "at": "2026-02-24T09:00:00.000001Z",
        "occurred_at": "2025-11-09T11:00:00.000000Z",
        "by": "agent:planner",
        "command": ("imported-7", "0123456789abcdef0123456789abcdef"),
        "cause": 41,
    }


def decoded(name: str, body: bytes) -> Event:
    recorded = Codec().decode((1, "stream", 1, name, body))
    assert isinstance(recorded, Recorded), recorded
    return recorded.event


# --- Read models


def history(projection: Projection[Any]) -> Iterator[tuple[Recorded, bytes]]:
    """The golden events that a projection reads, in an order that no rule would allow, on three streams of each kind.

    On the first with all that can be said, on the second with the least, on the third backwards, so that every handler
    meets a row and no row.
    """
    names = [name for name in EVENTS if EVENTS[name] in projection.folds]
    told = [(name, 0, "1") for name in names]
    told += [(name, -1, "2") for name in names]
    told += [(name, 0, "3") for name in reversed(names)]
    versions: dict[str, int] = {}
    for position, (name, which, number) in enumerate(told, start=1):
        stream = f"{name.partition('.')[0]}_{number}"
        versions[stream] = versions.get(stream, 0) + 1
        body = stored(name, EVENTS[name].schema_version)[which]
        at = f"2026-02-24T09:00:{position % 60:02}.{position:06}Z"
        occurred_at = None if position % 5 == 0 else at.replace("2026", "2025")
        by = f"agent:{position % 3}"
        event = decoded(name, body)
        yield Recorded(position, stream, versions[stream], name, at, occurred_at, by, None, None, event), body


def digests(projection: Projection[Any]) -> dict[str, str]:
    """What the projection reads and what it makes of it: the row after every event counts, not only the last."""
    read, made = sha256(), sha256()
    rows: dict[Any, Any] = {}
    for recorded, body in history(projection):
        read.update(f"{recorded.name}\n".encode() + body + b"\n")
        fold = projection.folds[type(recorded.event)]
        key = recorded.stream if fold.at is None else fold.at(recorded, recorded.event)
        rows[key] = fold.handler(rows.get(key), recorded, recorded.event)
        made.update(orjson.dumps([key, None if rows[key] is None else list(rows[key])], default=str) + b"\n")
    return {"projection": projection.digest, "events": read.hexdigest(), "rows": made.hexdigest()}


def golden_digests() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(PROJECTIONS_FILE.read_bytes()) if PROJECTIONS_FILE.exists() else {}
    return found


def fold_changed_silently(before: dict[str, str] | None, now: dict[str, str]) -> bool:
    """Whether the same events give other rows although the projection calls itself the same."""
    return before is not None and before["rows"] != now["rows"] and {**before, "rows": ""} == {**now, "rows": ""}
