"""Histories: whole ledgers as versions of the code wrote them, and what they fold into.

`<name>.jsonl`: a line per event as it was stored, never rewritten. `<name>.json`: the hash of the state that it folds
into, by projection; the hash of one changes only with its `version=`. `python -m tests.histories.write` writes both.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from goal_ledger.adapters.store.base import Command
from goal_ledger.adapters.store.codec import StoredRow, digest
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.ledger import Ledger
from goal_ledger.ledger.audit.state_hash import StateHash

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))

State = dict[str, dict[str, Any]]
"""By projection: digest (of the code), sha256, rows, lacking."""


def log_of(name: str) -> Path:
    return FOLDER / f"{name}.jsonl"


def state_file(name: str) -> Path:
    return FOLDER / f"{name}.json"


def line(row: StoredRow) -> bytes:
    """An event as it is stored, the body letter by letter."""
    _, stream, version, name, body = row
    stored = {
        "stream": stream,
        "version": version,
        "name": name,
        "body": body.decode(),
        "digest": digest(*row).hex(),
    }
    return orjson.dumps(stored) + b"\n"


def stored(name: str) -> Iterator[tuple[StoredRow, bytes]]:
    """The rows of a history, with the digests that were stored beside them."""
    for position, text in enumerate(log_of(name).read_bytes().splitlines(), start=1):
        said = orjson.loads(text)
        row = (position, said["stream"], said["version"], said["name"], said["body"].encode())
        yield row, bytes.fromhex(said["digest"])


def load(name: str, path: Path) -> Path:
    """A new ledger that holds a history byte for byte."""
    return fill(path, [row for row, _ in stored(name)])


def fill(path: Path, rows: Sequence[StoredRow]) -> Path:
    """A new ledger that holds these events, its table of commands derived from them."""
    commands: dict[str, Command] = {}
    for position, *_, body in rows:
        if (said := orjson.loads(body)["command"]) is not None:
            first = commands[said["id"]].first_position if said["id"] in commands else position
            commands[said["id"]] = Command(said["digest"], first, position)
    store = SqliteStore(path)
    try:
        with store.transaction() as log:
            log.append(rows)
            for command_id, command in commands.items():
                log.remember(command_id, command)
    finally:
        store.close()
    return path


def state_of(name: str, folder: Path) -> StateHash:
    """What a history folds into today."""
    with Ledger.open(load(name, folder / f"{name}.db"), create=False) as ledger:
        return ledger.log.state_hash()


def recorded_state(name: str) -> State:
    found: State = json.loads(state_file(name).read_bytes())
    return found


def as_recorded(state: StateHash) -> State:
    return {
        each.name: {"digest": each.digest, "rows": each.rows, "lacking": each.lacking, "sha256": each.sha256}
        for each in state.projections
    }


def changed_silently(before: State, now: State) -> list[str]:
    """The projections that fold a history into another state although they call themselves the same."""
    return [
        name
        for name in now
        if name in before and now[name] != before[name] and now[name]["digest"] == before[name]["digest"]
    ]
