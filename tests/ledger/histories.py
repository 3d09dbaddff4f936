"""Histories at random: what hypothesis draws, played on a ledger, and all that a ledger answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, get_args

from hypothesis import strategies as st

from goal_ledger.domain.ids import new_id
from goal_ledger.ledger import (
    UNKNOWN,
    ArchiveCause,
    BusinessOutcome,
    FailureCategory,
    Ledger,
    LedgerError,
    LessonCategory,
    LocalOutcome,
    Settings,
)
from goal_ledger.ledger.engine.circumstances import Occurred
from goal_ledger.ledger.goals.goals import GoalSort
from goal_ledger.projections.registry import PROJECTIONS
from tests.tools import START, Clock


class Step(NamedTuple):
    """A wish. pick: which goal, run or lesson. when: minutes from the start, None for now, `unknown`."""

    verb: str
    pick: int
    when: int | str | None


VERBS = (
    "create", "create", "create below", "create behind", "ready", "activate", "wait", "resume", "block", "amend",
    "complete", "archive", "start", "start", "start", "act", "finish", "fail", "fail", "cost", "outcome", "learn",
    "confirm", "contradict", "retire", "create measured", "measure", "measure",
)  # fmt: skip


def steps(*, timed: bool = False, most: int = 30) -> st.SearchStrategy[list[Step]]:
    """Lists of steps. timed: each is true when it is recorded."""
    whens = st.none() if timed else st.one_of(st.none(), st.integers(-90, 90), st.just("unknown"))
    return st.lists(st.builds(Step, st.sampled_from(VERBS), st.integers(0, 3), whens), min_size=4, max_size=most)


def opened(*, page: int = 3) -> Ledger:
    """An empty ledger in memory, whose clock ticks."""
    return Ledger.open(":memory:", actor="test:past", clock=Clock(), settings=Settings(page=page, state_cache=2))


def play(ledger: Ledger, wishes: list[Step]) -> Iterator[int]:
    """Do one after the other; the position reached each time. A wish that is refused changes nothing."""
    goals: list[str] = []
    for step in wishes:
        try:
            made = _do(ledger.using(occurred_at=_time(step.when)), step, goals)
        except LedgerError:
            continue
        if step.verb.startswith("create"):
            goals.append(made.goal_id)
        yield ledger.head


def _time(when: int | str | None) -> Occurred:
    if isinstance(when, int):
        return START + timedelta(minutes=when)
    return None if when is None else UNKNOWN


def _do(ledger: Ledger, step: Step, goals: list[str]) -> Any:
    goal = goals[step.pick % len(goals)] if goals else ""
    runs = sorted(row.run_id for row in ledger.runs.list().rows)
    run = runs[-1 - step.pick % len(runs)] if runs else ""
    lesson = f"lesson {step.pick}"
    lesson_rows = ledger.lessons.list(active=None).rows
    lesson_id = lesson_rows[step.pick % len(lesson_rows)].lesson_id if lesson_rows else ""
    match step.verb:
        case "create":
            return ledger.goals.create("A", priority=1 + step.pick, time_horizon="2026-02-25")
        case "create below":
            return ledger.goals.create("B", parent_goal_id=goal or None)
        case "create behind":
            return ledger.goals.create("C", dependencies=[goal] if goal else [])
        case "create measured":
            above = ledger.goals.create("D", goal_type="objective").goal_id
            return ledger.goals.create("E", goal_type="key_result", parent_goal_id=above, target=3.0)
        case "measure":
            results = ledger.key_results.list().rows
            return ledger.key_results.record(results[step.pick % len(results)].goal_id if results else goal, step.pick)
        case "ready" | "activate" | "wait" | "resume" | "complete":
            return getattr(ledger.goals, step.verb)(goal)
        case "block":
            return ledger.goals.block(goal, reason="no key")
        case "amend":
            return ledger.goals.amend(goal, priority=1 + step.pick)
        case "archive":
            return ledger.goals.archive(goal, cause=ArchiveCause.STOPPED)
        case "start":
            return ledger.runs.start(goal, agent=f"agent:{step.pick}")
        case "act":
            return ledger.runs.act(run, "copied")
        case "finish":
            return ledger.runs.finish(run, LocalOutcome.SUCCEEDED)
        case "fail":
            return ledger.runs.finish(run, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
        case "cost":
            return ledger.runs.cost(run, tokens_in=step.pick)
        case "outcome":
            return ledger.runs.outcome(run, list(BusinessOutcome)[step.pick])
        case "learn":
            return ledger.lessons.add(lesson, category=LessonCategory.SAFE_DEFAULT)
        case "confirm" | "contradict":
            return getattr(ledger.lessons, step.verb)(lesson_id)
        case "retire":
            return ledger.lessons.retire(lesson_id, reason="moot")
    raise AssertionError(step)


NOBODY = new_id("goal_", datetime(2000, 1, 1, tzinfo=UTC), b"0123456789")


def answers(ledger: Ledger) -> dict[str, Any]:
    """Everything that can be asked of a ledger, told with types."""
    goals = ledger.goals.list().rows
    runs = ledger.runs.list().rows
    lessons = ledger.lessons.list(active=None).rows
    told: dict[str, Any] = {
        "head": ledger.head,
        "stats": ledger.log.stats()._replace(bytes=0),
        "events": list(ledger.events()),
        "tree": ledger.goals.tree(),
        "runs": runs,
        "lessons": lessons,
        "active lessons": ledger.lessons.list(),
        "rows": {name: ledger.views.select(one, order=(one.key,)) for name, one in PROJECTIONS.items()},
        "quarantined": ledger.views.repairs.quarantined(),
        "goal": [
            (ledger.goals.get(row.goal_id), ledger.goals.blocked_by(row), ledger.goals.timeline(row.goal_id))
            for row in goals
        ],
        "run": [(ledger.runs.get(row.run_id), ledger.runs.timeline(row.run_id)) for row in runs],
        "lesson": [(ledger.lessons.get(row.lesson_id), ledger.lessons.timeline(row.lesson_id)) for row in lessons],
        "nobody": ledger.stream(NOBODY),
    }
    for sort in get_args(GoalSort):
        for reverse in (False, True):
            told[f"goals by {sort}, {reverse}"] = ledger.goals.list(sort=sort, reverse=reverse)
            pages, after = [], None
            while True:
                page = ledger.goals.list(sort=sort, reverse=reverse, after=after, limit=2)
                pages.append(page)
                if (after := page.next) is None:
                    break
            told[f"pages by {sort}, {reverse}"] = pages
    return {name: repr(answer) for name, answer in told.items()}
