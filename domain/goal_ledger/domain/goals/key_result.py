"""Key results: readings of a number on its way from a baseline to a target, and the progress that follows."""

import math
from collections.abc import Iterable

from goal_ledger.domain.base import Event, operation
from goal_ledger.domain.errors import STREAM, Blank, Hint, Rejected
from goal_ledger.domain.goals.goal import GOAL, Goal, GoalAmended, existing
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType

FIRST = "the first measurement is the baseline, as none was given"

# --- Events


class KeyResultMeasured(Event):
    """A key result was measured.

    measured_at: when the value was true, UTC text; unknown when missing. objective_id, baseline, target, unit: as they
    were, so that the progress can be told from the event alone.
    """

    stored = "goal.key_result_measured"

    value: float
    note: str | None = None
    measured_at: str | None = None
    objective_id: str | None = None
    baseline: float | None = None
    target: float | None = None
    unit: str | None = None


# --- State


@GOAL.on(KeyResultMeasured)
def _measured(goal: Goal, event: KeyResultMeasured) -> Goal:
    if not is_later(event.measured_at, goal.measured_at):
        return goal
    return goal._replace(current=event.value, measured_at=event.measured_at)


def is_later(measured_at: str | None, last: str | None) -> bool:
    """Whether a measurement takes the place of the last one: it is not older; one of unknown time gives way."""
    return (measured_at or "") >= (last or "")


# --- Decisions


@operation("goal.measure")
def measure(
    goal: Goal, *, value: float, note: str | None = None, measured_at: str | None, reason: str | None = None
) -> list[Event]:
    """Note a value; without a baseline, the first one becomes it. The same value of the same instant is quiet.

    measured_at: when it was true, UTC text; None when nobody knows.

    Rejected: not_a_key_result, archived, no_target. NotFound: unknown_goal.
    """
    status = existing(goal)
    if goal.goal_type is not GoalType.KEY_RESULT:
        raise Rejected(
            "not_a_key_result",
            f"only a key_result is measured, and this goal is of type {goal.goal_type}",
            hint=Hint("kr", "list"),
        )
    if status is GoalStatus.ARCHIVED:
        raise Rejected("archived", "the key result is archived, which is final: it takes no measurements")
    contract = goal.contract
    if contract["target"] is None:
        raise Rejected(
            "no_target",
            "the key result has no target to measure against",
            hint=Hint("goal", "amend", STREAM, target=Blank(95)),
        )
    if value == goal.current and measured_at is not None and measured_at == goal.measured_at:
        return []
    measured = KeyResultMeasured(
        value=value, note=note, measured_at=measured_at, objective_id=contract["parent_goal_id"],
        baseline=contract["baseline"], target=contract["target"], unit=contract["unit"], reason=reason,
    )  # fmt: skip
    if measured.baseline is not None:
        return [measured]
    first = {"baseline": measured.value}
    return [GoalAmended(changes=first, was={"baseline": None}, reason=FIRST), measured.model_copy(update=first)]


# --- Arithmetic


def progress_of(baseline: float | None, target: float | None, current: float | None) -> float | None:
    """How far the way from baseline to target is done, 0.0 to 1.0, in either direction; None when that is not known.

    When baseline and target are the same, more is better: 1.0 when current reaches them, else 0.0.
    """
    if baseline is None or target is None or current is None:
        return None
    if baseline == target:
        return 1.0 if current >= target else 0.0
    low, high = min(baseline, target), max(baseline, target)
    done, way = min(max(current, low), high) - baseline, target - baseline
    if math.isinf(way):  # further than a float can say
        done, way = min(max(current, low), high) / 4 - baseline / 4, target / 4 - baseline / 4
    return done / way + 0.0  # not -0.0


def progress_of_goal(
    goal_type: GoalType, own: float | None, *, done: bool, children: Iterable[tuple[GoalType, float, GoalStatus, bool]]
) -> float:
    """How far a goal is, 0.0 to 1.0.

    A key result says so itself, 0.0 until it is measured. An objective is the mean of its key results; any other goal
    is the share of its children that are completed, or its own completion when it has none. What was archived or
    rejected without being completed does not count.

    own: what its measurements say. children: type, progress, status and whether it was completed.
    """
    if goal_type is GoalType.KEY_RESULT:
        return own or 0.0
    children = list(children)
    if goal_type is GoalType.OBJECTIVE:
        measured = [part for kind, part, status, _ in children
                    if kind is GoalType.KEY_RESULT and status is not GoalStatus.ARCHIVED]  # fmt: skip
        if measured:
            return sum(measured) / len(measured)
    ends = (GoalStatus.ARCHIVED, GoalStatus.REJECTED)
    counted = [completed for *_, status, completed in children if completed or status not in ends]
    if counted:
        return sum(counted) / len(counted)
    return 1.0 if done else 0.0
