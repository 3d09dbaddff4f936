"""Maintenance goals: what comes due, what is completed, and that the goal goes on."""

from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.contract import CatchUp
from goal_ledger.domain.goals.goal import GOAL, GoalActivated, GoalArchived, GoalCompleted, GoalReadied, GoalWaited
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus, GoalType
from goal_ledger.domain.goals.maintenance import (
    OccurrenceCompleted,
    OccurrenceDue,
    OccurrencesSkipped,
    complete,
    complete_by_run,
    fall_due,
)
from tests.domain.goals.histories import HISTORIES, created
from tests.spec import Spec

S, P = GoalStatus, CatchUp
DAYS = [f"2026-03-{day:02}T08:00:00.000000Z" for day in range(1, 8)]


def sweep(policy: CatchUp = P.COALESCE, **fields: Any) -> tuple[Event, ...]:
    known = {"goal_type": GoalType.MAINTENANCE, "review_cadence": "0 8 * * *", "catch_up": policy, **fields}
    return created(**known), GoalReadied(from_status=S.PLANNED), GoalActivated(from_status=S.READY)


def due(day: int, policy: CatchUp = P.COALESCE, missed: int = 0) -> OccurrenceDue:
    return OccurrenceDue(due_at=DAYS[day], missed=missed, policy=policy)


# --- Coming due


@pytest.mark.parametrize("policy", P)
def test_what_comes_due_in_time_is_due_under_every_policy(policy: CatchUp):
    Spec(GOAL).given(*sweep(policy)).when(fall_due, due=DAYS[:1]).then(due(0, policy))


def test_of_several_missed_ones_the_policy_decides():
    def missed(policy: CatchUp) -> Any:
        return Spec(GOAL).given(*sweep(policy), due(0, policy)).when(fall_due, due=DAYS[1:4])

    missed(P.CATCH_UP_ALL).then(*(due(day, P.CATCH_UP_ALL) for day in (1, 2, 3)))
    missed(P.LATEST_ONLY).then(due(3, P.LATEST_ONLY, missed=3))
    missed(P.COALESCE).then(due(3, P.COALESCE, missed=3))
    missed(P.SKIP).then(OccurrencesSkipped(due_at=DAYS[3], missed=3))


def test_what_was_dealt_with_does_not_come_due_again():
    for before in (due(3), OccurrencesSkipped(due_at=DAYS[3], missed=2)):
        known = Spec(GOAL).given(*sweep(), before)
        known.when(fall_due, due=DAYS[:4]).then_quiet()
        known.when(fall_due, due=[]).then_quiet()


def test_after_skipping_the_next_one_is_due():
    skipped = OccurrencesSkipped(due_at=DAYS[3], missed=4)
    Spec(GOAL).given(*sweep(P.SKIP), skipped).when(fall_due, due=DAYS[4:5]).then(due(4, P.SKIP))


@pytest.mark.parametrize(
    "history",
    [
        (*sweep(), GoalWaited(from_status=S.ACTIVE)),
        sweep()[:2],
        sweep(review_cadence=None),
        sweep(goal_type=GoalType.INITIATIVE),
        (*sweep(), GoalArchived(from_status=S.ACTIVE, cause=ArchiveCause.DONE)),
    ],
    ids=["waiting", "ready", "without a cadence", "another type", "archived"],
)
def test_only_an_active_maintenance_goal_with_a_cadence_repeats(history: tuple[Event, ...]):
    Spec(GOAL).given(*history).when(fall_due, due=DAYS).then_quiet()


def test_only_catching_up_keeps_several_open():
    for policy, still_open in ((P.CATCH_UP_ALL, DAYS[:2]), (P.COALESCE, DAYS[1:2]), (P.LATEST_ONLY, DAYS[1:2])):
        state = Spec(GOAL).given(*sweep(policy), due(0, policy), due(1, policy)).state()
        assert state.open_occurrences == tuple(still_open)


# --- Completing


def test_completing_closes_the_oldest_open_occurrence_and_the_goal_stays_active():
    known = Spec(GOAL).given(*sweep(), due(0, P.CATCH_UP_ALL), due(1, P.CATCH_UP_ALL))
    done = OccurrenceCompleted(due_at=DAYS[0], evidence="restored", caveats="one disk", reason="late")
    known.when(complete, evidence="restored", caveats="one disk", reason="late").then(done)
    state = known.given(done).state()
    assert (state.status, state.done, state.open_occurrences) == (S.ACTIVE, False, (DAYS[1],))


def test_without_an_open_occurrence_there_is_nothing_to_complete():
    Spec(GOAL).given(*sweep()).when(complete).then_rejected("no_occurrence", "archiving")
    done = OccurrenceCompleted(due_at=DAYS[0])
    Spec(GOAL).given(*sweep(), due(0), done).when(complete).then_rejected("no_occurrence")
    Spec(GOAL).given(*sweep()[:2]).when(complete).then_rejected("not_allowed")
    Spec(GOAL).given(*sweep(), due(0)).when(complete, caveats=" ").then_rejected("no_caveats")


def test_any_other_goal_completes_as_ever():
    Spec(GOAL).given(*HISTORIES[S.ACTIVE]).when(complete, evidence="seen").then(
        GoalCompleted(from_status=S.ACTIVE, evidence="seen")
    )
    Spec(GOAL).given(*HISTORIES[S.COMPLETED]).when(complete).then_quiet()


def test_a_run_closes_an_occurrence_when_there_is_one():
    Spec(GOAL).given(*sweep(), due(0)).when(complete_by_run, run_id="grun_1").then(
        OccurrenceCompleted(due_at=DAYS[0], run_id="grun_1")
    )
    Spec(GOAL).given(*sweep()).when(complete_by_run, run_id="grun_1").then_quiet()
    waiting = (*sweep(), due(0), GoalWaited(from_status=S.ACTIVE))
    Spec(GOAL).given(*waiting).when(complete_by_run, run_id="grun_1").then_quiet()
