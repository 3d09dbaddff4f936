"""Proof that the log is what was written: every byte, every place, every command id."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import orjson

from goal_ledger.adapters.store.base import Proof, Store
from goal_ledger.adapters.store.codec import digest
from goal_ledger.domain.base import Unreadable
from goal_ledger.domain.errors import Hint, Invalid

_TYPES = (int, str, int, str, bytes)
"""Of a row as it was written; a change by SQL may leave text where bytes were."""

_HEAD = re.compile(r"([1-9]\d{0,18})(?::([0-9a-f]{8,64}))?", re.ASCII)

_MANY = 10_000
"""More than this many in a row are reported as one."""


class Problem(NamedTuple):
    """One finding. position and stream are None where the log cannot tell.

    is_lost_tail: it is about a head that was kept elsewhere.
    """

    position: int | None
    stream: str | None
    finding: str
    is_lost_tail: bool = False

    def __str__(self) -> str:
        place = "" if self.position is None else f"position {self.position}"
        whose = "" if self.stream is None else f"stream {self.stream}"
        return ", ".join(part for part in (place, whose) if part) + (": " if place or whose else "") + self.finding


class KeptHead(NamedTuple):
    """Where the log once ended. digest: the first hex digits of that event's, "" when only the position was kept."""

    position: int
    digest: str


def kept_head(text: str) -> KeptHead:
    """Reads `1234` or `1234:9f86d081…`. Invalid: bad_head."""
    if (match := _HEAD.fullmatch(text.strip().lower())) is None:
        raise Invalid(
            "bad_head",
            f"{text!r} is no head of a log: it looks like 1234 or 1234:9f86d081, the digest with 8 digits or more",
            hint="see the present one: " + Hint("ledger", "stats"),
        )
    return KeptHead(int(match[1]), match[2] or "")


class _Gap(NamedTuple):
    """A version that a stream lacks, and the positions it must have stood between."""

    stream: str
    version: int
    after: int
    before: int


def problems(
    store: Store, progress: Callable[[int], None] = lambda _: None, kept: KeptHead | None = None
) -> list[Problem]:
    """Everything that is not as it was written, in order of position.

    progress: called with the number of events checked so far, every few thousand. kept: what the log must hold still.
    """
    with store.proof() as proof:
        found = [Problem(None, None, finding) for finding in proof.findings]
        gaps = [*_gaps(proof, found)]
        found += _rows(proof, gaps, progress)
        found += [
            Problem(None, gap.stream, f"version {gap.version} is missing") for gap in gaps
        ]  # those that no missing position explains
        found += _commands(proof)
        if kept is not None:
            found += _lost_tail(proof, kept)
    return sorted(found, key=lambda problem: (problem.position is None, problem.position or 0))


def _lost_tail(proof: Proof, kept: KeptHead) -> Iterator[Problem]:
    head, digest = proof.head(), proof.digest_at(kept.position)
    if head < kept.position:
        finding = f"the log once reached position {kept.position}, and ends at {head}"
        yield Problem(None, None, finding, is_lost_tail=True)
    elif not (isinstance(digest, bytes) and digest.hex().startswith(kept.digest)):
        finding = "another event stands here than the one that was kept: the log went another way"
        yield Problem(kept.position, None, finding, is_lost_tail=True)


def _gaps(proof: Proof, found: list[Problem]) -> Iterator[_Gap]:
    last_stream, last_version, last_position = "", 0, 0
    for stream, version, position in proof.versions():
        if type(version) is not int:  # changed by somebody: its digest shows it
            continue
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


def _rows(proof: Proof, gaps: list[_Gap], progress: Callable[[int], None]) -> Iterator[Problem]:
    expected = 1
    for count, (row, stored_digest) in enumerate(proof.rows(), start=1):
        position, stream, _, name, body = row
        yield from _missing(expected, position - 1, gaps)
        expected = position + 1
        if tuple(map(type, row)) != _TYPES or digest(*row) != stored_digest:
            yield Problem(position, stream, "the stored event was changed or moved: its digest does not match")
        elif isinstance(event := proof.decode(row), Unreadable):
            if not event.newer:  # what newer code wrote is as it was written
                yield Problem(position, stream, f"{name} cannot be read: {event.problem}")
        elif event.command is not None and not _is_known(proof, position, body):
            yield Problem(position, stream, f"command id {event.command!r} is not in the table of commands")
        if count % 5000 == 0:
            progress(count)
    last = proof.last()
    if last is None:
        yield Problem(None, None, "the sequence counter is gone")
        return
    yield from _missing(expected, last, gaps)
    if last < expected - 1:
        yield Problem(None, None, f"the sequence counter says {last}, the log ends at {expected - 1}")


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


def _is_known(proof: Proof, position: int, body: bytes) -> bool:
    said = orjson.loads(body)["command"]
    command = proof.command(said["id"])
    return (
        command is not None
        and command.digest == said["digest"]
        and command.first_position <= position <= command.last_position
    )


def _commands(proof: Proof) -> Iterator[Problem]:
    head = proof.last() or 0
    for command_id, command in proof.commands():
        for position in {command.first_position, command.last_position}:
            event = proof.event_at(position)
            if event is None:
                if not 1 <= position <= head:  # otherwise reported as missing already
                    yield Problem(
                        None, None, f"command id {command_id!r} points at position {position}, which never was"
                    )
                continue
            stream, body = event
            try:
                said = orjson.loads(body)["command"]
            except (orjson.JSONDecodeError, LookupError, TypeError):
                continue  # reported as changed already
            if said is None or said["id"] != command_id:
                yield Problem(position, stream, f"command id {command_id!r} points here, the event does not carry it")
