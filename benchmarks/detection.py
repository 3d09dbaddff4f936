"""How good the detection of failing tasks is: weekly scans over the checks of real monitors, judged by what came after.

A *finding* is what a scan proposed and was sure enough of, whether or not it became a goal. It names one task, or the
tasks of one incident. An *episode* is a task's failures with no success between them; it begins with the first.

precision: findings after whose scan, within 14 days, another episode of a task that they name began / all findings.
recall: episodes that began within 14 days after the scan of a finding that names their task / all episodes.

Both judge the whole history: episodes before the first scan count as missed, findings behind which the history ends
count as wrong. *By task* takes a finding for as many findings as it names tasks, which takes away the advantage of
naming many; the same share for every task of the monitor at every scan is what guessing would have reached.
"""

import gzip
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Bench, Budget, Result
from goal_ledger.domain.proposals.detectors.base import Check
from goal_ledger.domain.proposals.detectors.task_failure import NAME, episodes_of
from goal_ledger.domain.proposals.proposal import RejectionCode
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.ledger import Ledger

_MONITOR = "digitaleditions"
_EVERY = timedelta(days=7)
_AHEAD = timedelta(days=14)
_SETTINGS = Settings(detectors={NAME: {"lookback_hours": _EVERY / timedelta(hours=1)}})  # all else as it comes
_ALWAYS = "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"


class Named(NamedTuple):
    """The tasks that a finding names. at: when the scan was that made it, UTC text."""

    at: str
    tasks: frozenset[str]


class Judged(NamedTuple):
    """Shares, 0.0 to 1.0: see the module."""

    precision: float
    recall: float


def detection(bench: Bench) -> Iterator[Result]:
    """Import a history of checks, scan it week by week, and compare the findings with the episodes that followed."""
    path = bench.data / "checks_upptime.csv.gz"
    if bench.quick:
        path = bench.folder / "checks.csv.gz"
        _write_checks(path, weeks=6)
    elif not path.exists():
        yield Result("detection of failing tasks", skipped=f"{path.name} is not there")
        return
    with Ledger.open(bench.folder / "detection.db", actor="cli:bench", settings=_SETTINGS) as ledger:
        ledger.imports.checks(path)
        checks = ledger.history.checks(*_ALWAYS)
        scans = _scan_times(checks)
        named = _findings(ledger, scans)
    yield from _results("all monitors", named, checks)
    only = [check for check in checks if check.source == _MONITOR]
    tasks = frozenset(check.task for check in only)
    theirs = [finding for finding in named if finding.tasks & tasks]
    yield Result(f"proposals for {_MONITOR}", value=len(theirs), budgets=(Budget("most", 200),))
    yield from _results(_MONITOR, theirs, only)
    seen = [at for at in scans if only[0].at <= at < _later(only[-1].at, _EVERY)]
    guesses = [Named(at, frozenset({task})) for at in seen for task in sorted({check.task for check in only})]
    yield Result(f"the same by guessing, {_MONITOR}", value=judge(guesses, _begun(only)).precision)


def judge(named: Sequence[Named], begun: Mapping[str, Sequence[str]]) -> Judged:
    """What findings are worth. begun: by task, when its episodes began, in order."""
    held = sum(any(_within(begun.get(task, ()), finding.at) for task in finding.tasks) for finding in named)
    foreseen = {
        (task, start)
        for finding in named
        for task in finding.tasks
        for start in _within(begun.get(task, ()), finding.at)
    }
    episodes = sum(map(len, begun.values()))
    return Judged(held / len(named) if named else 0.0, len(foreseen) / episodes if episodes else 0.0)


def _results(where: str, named: Sequence[Named], checks: Sequence[Check]) -> Iterator[Result]:
    begun = _begun(checks)
    judged, by_task = judge(named, begun), judge(list(_by_task(named)), begun)
    yield Result(f"precision, {where}", len(named), value=judged.precision, budgets=(Budget("least", 0.60),))
    yield Result(f"recall, {where}", len(named), value=judged.recall, budgets=(Budget("least", 0.30),))
    yield Result(f"precision by task, {where}", len(named), value=by_task.precision)


def _begun(checks: Iterable[Check]) -> dict[str, list[str]]:
    """When the episodes of each task began, in order."""
    begun: dict[str, list[str]] = {}
    for episode in episodes_of(checks):
        begun.setdefault(episode.task, []).append(episode.began_at)
    return begun


def _findings(ledger: Ledger, scans: Iterable[str]) -> list[Named]:
    """Scan at these times; what was found and was sure enough."""
    found = []
    for at in scans:
        for one in ledger.proposals.scan(now=parse_utc(at)).proposals:
            if one.detector == NAME and one.code is not RejectionCode.CONFIDENCE_TOO_LOW:
                evidence = ledger.proposals.get(one.proposal_id).evidence
                tasks = evidence.get("task_types") or [evidence["task_type"]]
                found.append(Named(at, frozenset(tasks)))
    return found


def _scan_times(checks: Sequence[Check]) -> list[str]:
    """Every seventh day after the first check, until all are seen."""
    times = [_later(checks[0].at, _EVERY)]
    while times[-1] < checks[-1].at:
        times.append(_later(times[-1], _EVERY))
    return times


def _by_task(named: Iterable[Named]) -> Iterator[Named]:
    """The findings, one for each task and scan."""
    return (
        Named(at, frozenset({task})) for at, task in sorted({(one.at, task) for one in named for task in one.tasks})
    )


def _within(begun: Sequence[str], at: str) -> Sequence[str]:
    """Those that began after this time, and no later than 14 days after it."""
    return begun[bisect_right(begun, at) : bisect_right(begun, _later(at, _AHEAD))]


def _later(at: str, by: timedelta) -> str:
    return utc_text(parse_utc(at) + by)


def _write_checks(path: Path, weeks: int) -> None:
    """Five tasks checked daily that fail together on every fifth day, one of which fails daily in the first week."""
    begin = datetime(2026, 1, 5, 9, tzinfo=UTC)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        file.write("monitor,task,checked_at,status\n")
        for day in range(weeks * 7):
            for number in range(5):
                down = day % 5 == 4 or (number == 0 and day < 7)
                at = (begin + timedelta(days=day, minutes=number)).isoformat()
                file.write(f"{_MONITOR},task {number},{at},{'down' if down else 'up'}\n")
