"""Proof that the log is what was written: every byte, every place, every command id."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

import orjson

from goal_ledger.adapters.sql.sqlite import in_our_words
from goal_ledger.adapters.store.codec import StoredRow, digest
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.base import Unreadable

_ROWS = "SELECT rowid, originator_id, originator_version, topic, state, digest FROM stored_events ORDER BY rowid"
_VERSIONS = (
    "SELECT originator_id, originator_version, rowid FROM stored_events "
    "WHERE typeof(originator_version) = 'integer' ORDER BY originator_id, originator_version"
)
_TYPES = (int, str, int, str, bytes)
"""Of a row as it was written; a change by SQL may leave text where bytes were."""

_MANY = 10_000
"""More than this many in a row are reported as one."""


class Problem(NamedTuple):
    """One finding. position and stream are None where the log cannot tell."""

    position: int | None
    stream: str | None
    finding: str

    def __str__(self) -> str:
        place = "" if self.position is None else f"position {self.position}"
        whose = "" if self.stream is None else f"stream {self.stream}"
        return ", ".join(part for part in (place, whose) if part) + (": " if place or whose else "") + self.finding


class _Gap(NamedTuple):
    """A version that a stream lacks, and the positions it must have stood between."""

    stream: str
    version: int
    after: int
    before: int


def problems(store: SqliteStore, progress: Callable[[int], None] = lambda _: None) -> list[Problem]:
    """Everything that is not as it was written, in order of position.

    progress: called with the number of events checked so far, every few thousand.
    """
    with in_our_words(store.path), store.database.snapshot() as connection:
        found = [*_file(connection)]
        gaps = [*_gaps(connection, found)]
        found += _rows(connection, store, gaps, progress)
        found += [
            Problem(None, gap.stream, f"version {gap.version} is missing") for gap in gaps
        ]  # those that no missing position explains
        found += _commands(connection)
    return sorted(found, key=lambda problem: (problem.position is None, problem.position or 0))


def _file(connection: sqlite3.Connection) -> Iterator[Problem]:
    for (line,) in connection.execute("PRAGMA quick_check(10)"):
        if line != "ok":
            yield Problem(None, None, f"the file is corrupt: {line}")
    triggers = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'stored_events'"
    if connection.execute(triggers).fetchone()[0] != 2:
        yield Problem(None, None, "the triggers that keep the log append-only are gone")


def _gaps(connection: sqlite3.Connection, found: list[Problem]) -> Iterator[_Gap]:
    last_stream, last_version, last_position = "", 0, 0
    for stream, version, position in connection.execute(_VERSIONS):
        if stream != last_stream:
            last_stream, last_version, last_position = stream, 0, 0
        if version - last_version > _MANY:
            found.append(
                Problem(position, stream, f"the versions from {last_version + 1} to {version - 1} are missing")
            )
        else:
            yield from (_Gap(stream, lost, last_position, position) for lost in range(last_version + 1, version))
        if position < last_position or version < 1:
            found.append(Problem(position, stream, f"version {version} stands out of order"))
        last_version, last_position = version, position


def _rows(
    connection: sqlite3.Connection, store: SqliteStore, gaps: list[_Gap], progress: Callable[[int], None]
) -> Iterator[Problem]:
    expected = 1
    for count, (*columns, stored_digest) in enumerate(connection.execute(_ROWS), start=1):
        row: StoredRow = tuple(columns)
        position, stream, _, name, body = row
        yield from _missing(expected, position - 1, gaps)
        expected = position + 1
        if tuple(map(type, row)) != _TYPES or digest(*row) != stored_digest:
            yield Problem(position, stream, "the stored event was changed or moved: its digest does not match")
        elif isinstance(event := store.decode(row), Unreadable):
            if not event.newer:  # what newer code wrote is as it was written
                yield Problem(position, stream, f"{name} cannot be read: {event.problem}")
        elif event.command is not None and not _is_known(connection, position, body):
            yield Problem(position, stream, f"command id {event.command!r} is not in the table of commands")
        if count % 5000 == 0:
            progress(count)
    sequence = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'").fetchone()
    if sequence is None:
        yield Problem(None, None, "the sequence counter is gone")
        return
    yield from _missing(expected, sequence[0], gaps)
    if sequence[0] < expected - 1:
        yield Problem(None, None, f"the sequence counter says {sequence[0]}, the log ends at {expected - 1}")


def _missing(first: int, last: int, gaps: list[_Gap]) -> Iterator[Problem]:
    if last - first >= _MANY:
        yield Problem(first, None, f"the events from here to position {last} are missing")
    else:
        yield from (_missing_at(position, gaps) for position in range(first, last + 1))


def _missing_at(position: int, gaps: list[_Gap]) -> Problem:
    for gap in gaps:
        if gap.after < position < gap.before:
            gaps.remove(gap)
            return Problem(position, gap.stream, f"the event is missing (version {gap.version} of its stream)")
    return Problem(position, None, "the event is missing")


def _is_known(connection: sqlite3.Connection, position: int, body: bytes) -> bool:
    command = orjson.loads(body)["command"]
    return (
        connection.execute(
            "SELECT 1 FROM commands WHERE id = ? AND digest = ? AND ? BETWEEN first_position AND last_position",
            (command["id"], command["digest"], position),
        ).fetchone()
        is not None
    )


def _commands(connection: sqlite3.Connection) -> Iterator[Problem]:
    [head] = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence").fetchone()
    for command_id, first, last in connection.execute("SELECT id, first_position, last_position FROM commands"):
        for position in {first, last}:
            row = connection.execute(
                "SELECT originator_id, state FROM stored_events WHERE rowid = ?", (position,)
            ).fetchone()
            if row is None:
                if not 1 <= position <= head:  # otherwise reported as missing already
                    yield Problem(
                        None, None, f"command id {command_id!r} points at position {position}, which never was"
                    )
                continue
            try:
                command = orjson.loads(row[1])["command"]
            except (orjson.JSONDecodeError, LookupError, TypeError):
                continue  # reported as changed already
            if command is None or command["id"] != command_id:
                yield Problem(position, row[0], f"command id {command_id!r} points here, the event does not carry it")
