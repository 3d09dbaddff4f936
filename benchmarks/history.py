"""Generated histories: the lives of goals and their runs, as the bytes that the ledger itself would store."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from goal_ledger.adapters.backends.sqlite import views_beside
from goal_ledger.adapters.store.codec import encode, envelope, name_of
from goal_ledger.adapters.store.sqlite import SqliteStore
from goal_ledger.domain.base import Event
from goal_ledger.domain.goals import goal as goals
from goal_ledger.domain.goals.criteria import numbered
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.runs import run as runs
from goal_ledger.ledger import Ledger, Settings

Row = tuple[str, int, str, bytes]
"""stream, version, name, body."""

AT = "2026-02-24T09:00:00.000000Z"
_SHARED = envelope(at=AT, occurred_at=AT, by="agent:bench", command=None, cause=None)
_OPEN_AT_ONCE = 20_000  # goals under way at the same time in an interleaved history
_GOAL, _RUN = "goal_" + "G" * 26, "grun_" + "R" * 26


class _Step(NamedTuple):
    of_run: bool
    version: int
    name: str
    body: bytes


def goal_id(number: int) -> str:
    """The id of a generated goal."""
    return f"goal_{number:026d}"


def run_id(number: int) -> str:
    """The id of a generated goal's run."""
    return f"grun_{number:026d}"


def body_of(event: Event) -> bytes:
    """The event as the ledger stores it."""
    return encode(event, _SHARED, text_limit=10_000)


def life(number: int) -> list[Row]:
    """Everything that happens to one goal and its run: 11 or 12 events."""
    goal, run = goal_id(number), run_id(number)
    ids = goal.encode(), run.encode()
    return [
        (
            run if step.of_run else goal,
            step.version,
            step.name,
            step.body.replace(_GOAL.encode(), ids[0]).replace(_RUN.encode(), ids[1]),
        )
        for step in _LIVES[number % len(_LIVES)]
    ]


def sequential(events: int) -> Iterator[Row]:
    """A history in which one goal is finished before the next begins."""
    return islice((row for number in range(events) for row in life(number)), events)


def interleaved(events: int) -> Iterator[Row]:
    """A history in which thousands of goals are under way at once, their events in random order."""

    def rows() -> Iterator[Row]:
        chance = Random(7)
        for first in range(0, events // 11 + 1, _OPEN_AT_ONCE):
            numbers = range(first, min(first + _OPEN_AT_ONCE, events // 11 + 1))
            lives = [iter(life(number)) for number in numbers]
            turns = [number % len(lives) for number in range(12 * len(lives))]
            chance.shuffle(turns)
            for turn in turns:
                yield from islice(lives[turn], 1)

    return islice(rows(), events)


def write(path: Path, rows: Iterable[Row]) -> None:
    """A new ledger with these events behind its first one."""
    with Ledger.open(path, actor="agent:bench", settings=Settings(durable=False)):
        pass
    extend(path, rows)


def extend(path: Path, rows: Iterable[Row]) -> None:
    """Append these events to a ledger."""
    with opened(path) as store:
        position = store.head()
        rest = iter(rows)
        while batch := list(islice(rest, 20_000)):
            with store.transaction() as log:
                log.append([(position + at, *row) for at, row in enumerate(batch, start=1)])
            position += len(batch)


def ledger_files(path: Path) -> list[Path]:
    """Every file that a ledger and its read models may consist of."""
    return [Path(f"{base}{suffix}") for base in (path, views_beside(path)) for suffix in ("", "-wal", "-shm")]


@contextmanager
def opened(path: Path) -> Iterator[SqliteStore]:
    """The store alone, without the safety of a power cut."""
    store = SqliteStore(path, durable=False)
    try:
        yield store
    finally:
        store.close()


def _lives() -> list[list[_Step]]:
    return [_encoded(_one_life(priority, good=priority % 2 == 0)) for priority in range(1, 6)]


def _encoded(events: list[Event]) -> list[_Step]:
    steps = []
    versions = {True: 0, False: 0}
    for event in events:
        of_run = isinstance(event, runs.RunEvent)
        versions[of_run] += 1
        steps.append(_Step(of_run, versions[of_run], name_of(event), body_of(event)))
    return steps


def _one_life(priority: int, *, good: bool) -> list[Event]:
    created = goals.GoalCreated(
        title="Cut checkout errors below one percent",
        description="Errors on checkout cost us orders every evening; find the three causes that matter and fix them.",
        task_category="reliability",
        owner_agent="agent:planner",
        priority=priority,
        criteria=numbered(["error rate is measured on every release", {"text": "error rate < 1%", "target": 1.0}]),
        constraints=("no downtime", "no new dependencies"),
        time_horizon="2027-01-01T00:00:00.000000Z",
        value=0.8,
        effort=0.3,
        status=GoalStatus.PLANNED,
    )
    work: list[Event] = [
        created,
        goals.GoalReadied(from_status=GoalStatus.PLANNED),
        goals.GoalActivated(from_status=GoalStatus.READY),
        goals.RunDispatched(run_id=_RUN, attempt=1, agent="agent:coder", running=(_RUN,)),
        runs.RunStarted(goal_id=_GOAL, attempt=1, agent="agent:coder", task_category="reliability"),
        runs.ActionTaken(goal_id=_GOAL, action="read the error log", action_type="search", ok=True),
        runs.ActionTaken(goal_id=_GOAL, action="patch the timeout", action_type="edit", attributes={"files": 3}),
        runs.RunHeartbeat(goal_id=_GOAL),
        runs.RunVerified(goal_id=_GOAL, verifier_status=runs.VerifierStatus.PASSED, verifier="pytest", score=0.97),
    ]
    if good:
        return [
            *work,
            runs.CostRecorded(goal_id=_GOAL, cost_usd=Decimal("0.1275"), tokens_in=18_200, tokens_out=2_410),
            runs.RunFinished(goal_id=_GOAL, local_outcome=runs.LocalOutcome.SUCCEEDED, duration_seconds=412.5),
            goals.GoalCompleted(from_status=GoalStatus.ACTIVE, evidence="0.7 % over seven days"),
        ]
    failed = runs.RunFinished(
        goal_id=_GOAL,
        local_outcome=runs.LocalOutcome.FAILED,
        failure_category=runs.FailureCategory.TOOL_ERROR,
        detail="the build server was gone",
    )
    return [*work, failed, goals.GoalFailed(from_status=GoalStatus.ACTIVE, reason="the only attempt failed")]


_LIVES = _lives()
