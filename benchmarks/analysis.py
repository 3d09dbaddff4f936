"""Questions to imported incidents, answered from the ledger alone: `python -m benchmarks.analysis EXPORT.ndjson`.

A line per source of the import: how many cases there are, how many went on after they were completed, how many passed
through three or more teams, how many were never completed. Takes an export or a ledger; an export may be gzipped.
"""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from goal_ledger.adapters.ingest.lines import reading
from goal_ledger.ledger import Ledger, LedgerError
from goal_ledger.ledger.audit.archive import lines

COMPLETED = "Completed"
TEAM = "team"
MANY_TEAMS = 3

_SQLITE = b"SQLite format 3\0"

_When = tuple[bool, str, int]
"""Sorts by the time it was true, what has none last; within one instant by position."""


class Answers(NamedTuple):
    """Numbers of cases. reopened: something other than its completion follows its first completion."""

    cases: int
    reopened: int
    many_teams: int
    never_completed: int


class _Case:
    """What the answers need of one case, whatever the order in which its rows arrive."""

    __slots__ = ("completed", "latest_other", "teams")

    def __init__(self) -> None:
        self.completed: _When | None = None
        self.latest_other: _When | None = None
        self.teams: set[str] = set()

    def see(self, activity: str, when: _When, team: str | None) -> None:
        if team is not None:
            self.teams.add(team)
        if activity == COMPLETED:
            self.completed = when if self.completed is None else min(self.completed, when)
        else:
            self.latest_other = when if self.latest_other is None else max(self.latest_other, when)

    @property
    def was_reopened(self) -> bool:
        return self.completed is not None and self.latest_other is not None and self.latest_other > self.completed


def analyse(exported: Iterable[bytes]) -> dict[str, Answers]:
    """The answers by source, from the lines of an export."""
    sources: dict[str, dict[str, _Case]] = {}
    cases: dict[str, _Case] = {}
    for text in exported:
        line = orjson.loads(text)
        meta: dict[str, Any] = line["meta"]
        if line["event"] == "goal_created" and meta["source"] == "imported":
            source = meta["created_by"].removeprefix("import:")
            cases[meta["goal_id"]] = sources.setdefault(source, {})[meta["goal_id"]] = _Case()
        elif line["event"] == "goal_activity_recorded" and (case := cases.get(meta["goal_id"])) is not None:
            occurred_at, said = meta["occurred_at"], meta["data"]
            when = (occurred_at is None, occurred_at or "", meta["position"])
            case.see(said["activity"], when, said.get("attributes", {}).get(TEAM))
    return {source: _answers(found.values()) for source, found in sources.items()}


def _answers(cases: Iterable[_Case]) -> Answers:
    found = list(cases)
    return Answers(
        len(found),
        sum(case.was_reopened for case in found),
        sum(len(case.teams) >= MANY_TEAMS for case in found),
        sum(case.completed is None for case in found),
    )


@contextmanager
def exported(path: Path) -> Iterator[Iterable[bytes]]:
    """The lines of an exported file, or those that a ledger would export."""
    with reading(path) as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            file.seek(0)
            yield file
            return
    with Ledger.open(path, read_only=True) as ledger:
        yield lines(ledger)


def main(arguments: list[str] | None = None) -> None:
    """Answer, a line per source in the order of import."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.analysis", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="an export, NDJSON, or a ledger")
    path: Path = parser.parse_args(arguments).file
    try:
        with exported(path) as found:
            answers = analyse(found)
    except LedgerError as error:
        parser.error(error.message)
    except (orjson.JSONDecodeError, LookupError, TypeError):
        parser.error(f"{path} is not an export of a ledger")
    width = max(map(len, answers), default=0)
    for source, (cases, reopened, many_teams, never_completed) in answers.items():
        print(
            f"{source:<{width}}  {cases:,} cases  {reopened:,} reopened  {many_teams:,} with {MANY_TEAMS} or more teams"
            f"  {never_completed:,} never completed"
        )


if __name__ == "__main__":
    main()
