"""Roll-up: an initiative that is made of tasks moves with them. Its tasks are the initiatives directly under it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from goal_ledger.domain.base import Event, operation
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.goal import (
    ALL_TASKS_BLOCKED,
    NO_GOALS,
    Goal,
    GoalActivated,
    GoalBlocked,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalFailed,
    GoalReadied,
    GoalUnblocked,
    Transition,
    open_dependencies,
)
from goal_ledger.domain.goals.lifecycle import FINISHED, MOVES, GoalStatus, GoalType

ALL_TASKS_COMPLETE = "all_tasks_complete"
CRITICAL_TASK_FAILED = "critical_task_failed"
CRITICAL = 1
"""The priority of a task without which the goal above it fails."""

_NAMED = 3  # tasks or criteria that a text names, so that it stays short however many there are
_SHORT = 36  # characters of each
_TO_ACTIVE: Mapping[GoalStatus, tuple[type[Transition], ...]] = {
    GoalStatus.PLANNED: (GoalReadied, GoalActivated),
    GoalStatus.READY: (GoalActivated,),
    GoalStatus.ACTIVE: (),
}
"""What leads to a goal that can be completed. Whoever said that it shall wait, or is blocked, says when it goes on."""


class Standing(StrEnum):
    """What the tasks of a goal come to. COMPLETE: at least one was, and no other one is open or failed."""

    OPEN = "open"
    BLOCKED = "blocked"
    COMPLETE = "complete"
    NONE = "none"


# --- Decisions


@operation("goal.follow")
def follow(goal: Goal, *, standing: Standing) -> list[Event]:
    """Block an active goal when each of its open tasks is blocked, and let it go on when that is over."""
    if standing is Standing.BLOCKED and goal.status is GoalStatus.ACTIVE:
        return [GoalBlocked(from_status=goal.status, reason=ALL_TASKS_BLOCKED)]
    if standing is not Standing.BLOCKED and goal.held_by_tasks:
        return [GoalUnblocked(from_status=GoalStatus.BLOCKED, reason="a task is no longer blocked")]
    return []


@operation("goal.complete")
def complete(
    goal: Goal, *, tasks: Iterable[tuple[str, Goal]], dependencies: Mapping[str, Goal] = NO_GOALS
) -> list[Event]:
    """Complete a goal whose tasks are; one that nobody started is started with it.

    tasks: with their ids. With caveats when a task has some, naming it. Nothing while a dependency is open, a required
    criterion is (see `open_criteria`), or somebody said that it shall wait or is blocked.
    """
    status = goal.status
    if status is None or status not in _TO_ACTIVE or open_dependencies(dependencies) or open_criteria(goal):
        return []
    events: list[Event] = []
    for step in _TO_ACTIVE[status]:
        events.append(step(from_status=status, reason=ALL_TASKS_COMPLETE))
        status = step.to_status
    if caveated := sorted(task_id for task_id, task in tasks if task.has_caveats):
        caveats = f"tasks completed with caveats: {_named(caveated)}"
        return [*events, GoalCompletedWithCaveats(from_status=status, reason=ALL_TASKS_COMPLETE, caveats=caveats)]
    return [*events, GoalCompleted(from_status=status, reason=ALL_TASKS_COMPLETE)]


@operation("goal.fail")
def fail(goal: Goal, *, task_id: str, task: Goal) -> list[Event]:
    """Fail a started goal when a critical task of it failed, which is final: its attempts are used up."""
    if task.status is not GoalStatus.FAILED or task.contract["priority"] != CRITICAL or goal.status is None:
        return []
    if goal.status not in MOVES["fail"].sources:
        return []
    return [GoalFailed(from_status=goal.status, reason=f"{CRITICAL_TASK_FAILED}: {task_id}")]


# --- Rules


def is_task(goal: Goal) -> bool:
    """Whether it counts for the goal above it."""
    return goal.status is not None and goal.goal_type is GoalType.INITIATIVE


def standing(tasks: Iterable[Goal]) -> Standing:
    """What these tasks come to. Rejected ones do not count, nor do archived ones that were not completed.

    Stops at the first task that can be worked on.
    """
    complete = blocked = failed = False
    for task in tasks:
        if task.done:
            complete = True
        elif task.status is GoalStatus.BLOCKED:
            blocked = True
        elif task.status is GoalStatus.FAILED:
            failed = True
        elif task.status not in FINISHED:
            return Standing.OPEN
    if blocked:
        return Standing.BLOCKED
    return Standing.COMPLETE if complete and not failed else Standing.NONE


def open_criteria(goal: Goal) -> list[Criterion]:
    """The required criteria: that its tasks are done does not show that they are met."""
    return [criterion for criterion in goal.contract.get("criteria", ()) if criterion.required]


def question(criteria: Iterable[Criterion]) -> str:
    """What somebody must answer before a goal with these criteria can be completed."""
    return f"All its tasks are complete. Are its criteria met: {_named(_short(one.text) for one in criteria)}?"


def _named(things: Iterable[str]) -> str:
    every = list(things)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
