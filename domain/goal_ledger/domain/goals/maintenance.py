"""Maintenance goals: occurrences come due by a cadence, are completed one by one, and the goal goes on."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from goal_ledger.domain.base import Count, Event, operation
from goal_ledger.domain.errors import STREAM, Hint, Rejected
from goal_ledger.domain.goals import goal as goals
from goal_ledger.domain.goals.contract import CatchUp
from goal_ledger.domain.goals.goal import GOAL, Goal, existing
from goal_ledger.domain.goals.lifecycle import GoalStatus, GoalType, moves

# --- Events


class OccurrenceDue(Event):
    """An occurrence came due.

    due_at: when, UTC text. missed: earlier ones that it stands for or takes the place of. policy: why so.
    """

    stored = "goal.occurrence_due"

    due_at: str
    missed: Count = 0
    policy: Annotated[CatchUp, Field(strict=False)]


class OccurrencesSkipped(Event):
    """Occurrences that were missed are left out. due_at: the last of them. missed: how many."""

    stored = "goal.occurrences_skipped"

    due_at: str
    missed: Count


class OccurrenceCompleted(Event):
    """An occurrence was done; the goal goes on. run_id: the run that did it. caveats: what is missing."""

    stored = "goal.occurrence_completed"

    due_at: str
    run_id: str | None = None
    evidence: str | None = None
    caveats: str | None = None


# --- State


@GOAL.on(OccurrenceDue)
def _due(goal: Goal, event: OccurrenceDue) -> Goal:
    return goal._replace(last_due=event.due_at, open_occurrences=with_due(goal.open_occurrences, event))


@GOAL.on(OccurrencesSkipped)
def _skipped(goal: Goal, event: OccurrencesSkipped) -> Goal:
    return goal._replace(last_due=event.due_at)


@GOAL.on(OccurrenceCompleted)
def _completed(goal: Goal, event: OccurrenceCompleted) -> Goal:
    return goal._replace(open_occurrences=without(goal.open_occurrences, event))


def with_due(still_open: tuple[str, ...], event: OccurrenceDue) -> tuple[str, ...]:
    """The open occurrences after one came due: only `catch_up_all` keeps older ones."""
    return (*still_open, event.due_at) if event.policy is CatchUp.CATCH_UP_ALL else (event.due_at,)


def without(still_open: tuple[str, ...], event: OccurrenceCompleted) -> tuple[str, ...]:
    """The open occurrences after one was completed."""
    return tuple(due_at for due_at in still_open if due_at != event.due_at)


# --- Decisions


def is_repeating(goal: Goal) -> bool:
    """Whether occurrences of it come due: maintenance with a cadence, and active."""
    return (
        goal.status is GoalStatus.ACTIVE
        and goal.goal_type is GoalType.MAINTENANCE
        and goal.contract["review_cadence"] is not None
    )


@operation("goal.fall_due")
def fall_due(goal: Goal, *, due: Sequence[str]) -> list[Event]:
    """Let occurrences come due, as the goal's catch_up policy says when there are several.

    catch_up_all: each of them. latest_only: the last one; the earlier ones are dropped. skip: none of several, the next
    one that comes alone. coalesce: one for all, which is the last one, and says how many it stands for.

    due: UTC texts, in order; those dealt with already are left out. Nothing for a goal that does not repeat.
    """
    existing(goal)
    due = [due_at for due_at in due if goal.last_due is None or due_at > goal.last_due]
    if not (due and is_repeating(goal)):
        return []
    policy: CatchUp = goal.contract["catch_up"]
    if policy is CatchUp.CATCH_UP_ALL:
        return [OccurrenceDue(due_at=due_at, policy=policy) for due_at in due]
    if policy is CatchUp.SKIP and len(due) > 1:
        return [OccurrencesSkipped(due_at=due[-1], missed=len(due))]
    missed = len(due) - 1 + len(goal.open_occurrences)
    return [OccurrenceDue(due_at=due[-1], missed=missed, policy=policy)]


@operation("goal.complete")
def complete(
    goal: Goal, *, evidence: str | None = None, caveats: str | None = None, reason: str | None = None
) -> list[Event]:
    """Say that a goal is reached; of a maintenance goal, that its oldest open occurrence is done.

    Rejected: no_occurrence, and what completing any goal refuses.
    """
    existing(goal)
    if goal.goal_type is not GoalType.MAINTENANCE:
        return goals.complete(goal, evidence=evidence, caveats=caveats, reason=reason)
    return complete_occurrence(goal, evidence=evidence, caveats=caveats, reason=reason)


@operation("goal.complete_occurrence")
def complete_occurrence(
    goal: Goal,
    *,
    run_id: str | None = None,
    evidence: str | None = None,
    caveats: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Close the oldest open occurrence. Rejected: not_allowed, no_occurrence, no_caveats."""
    status = existing(goal)
    if status is not GoalStatus.ACTIVE:
        moves(status, "complete")  # refuses, and names the way to active
    if status is not GoalStatus.ACTIVE or not goal.open_occurrences:
        raise Rejected(
            "no_occurrence",
            "a maintenance goal repeats, and no occurrence of it is open; only archiving ends it",
            hint=Hint("goal", "archive", STREAM, cause="done"),
        )
    if caveats is not None and not caveats.strip():
        raise Rejected("no_caveats", "caveats are blank; say what is missing, or complete without them")
    return [
        OccurrenceCompleted(
            due_at=goal.open_occurrences[0], run_id=run_id, evidence=evidence, caveats=caveats, reason=reason
        )
    ]


@operation("goal.complete_by_run")
def complete_by_run(goal: Goal, *, run_id: str, evidence: str | None = None, caveats: str | None = None) -> list[Event]:
    """Close the oldest open occurrence, when there is one: a run succeeded. Rejected: no_caveats."""
    if goal.status is not GoalStatus.ACTIVE or not goal.open_occurrences:
        return []
    return complete_occurrence(goal, run_id=run_id, evidence=evidence, caveats=caveats)
