"""Roll-up: what tasks come to, and what the goal above makes of it."""

from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.goal import (
    ALL_TASKS_BLOCKED,
    GOAL,
    GoalActivated,
    GoalBlocked,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalFailed,
    GoalReadied,
    GoalUnblocked,
)
from goal_ledger.domain.goals.lifecycle import FINISHED, MOVES, GoalStatus
from goal_ledger.domain.work.roll_up import (
    ALL_TASKS_COMPLETE,
    Standing,
    complete,
    fail,
    follow,
    open_criteria,
    question,
    standing,
)
from tests.domain.goals.histories import HISTORIES, created, goal_in
from tests.spec import Spec

S = GoalStatus
HELD: tuple[Event, ...] = (*HISTORIES[S.ACTIVE], GoalBlocked(from_status=S.ACTIVE, reason=ALL_TASKS_BLOCKED))


@pytest.mark.parametrize(
    ("tasks", "come_to"),
    [
        ([], Standing.NONE),
        ([S.COMPLETED, S.COMPLETED_WITH_CAVEATS], Standing.COMPLETE),
        ([S.COMPLETED, S.ARCHIVED, S.REJECTED], Standing.COMPLETE),
        ([S.ARCHIVED, S.REJECTED], Standing.NONE),
        ([S.COMPLETED, S.FAILED], Standing.NONE),
        ([S.COMPLETED, S.BLOCKED, S.FAILED], Standing.BLOCKED),
        *(([S.COMPLETED, S.BLOCKED, status], Standing.OPEN) for status in S if status not in {*FINISHED, S.BLOCKED}),
    ],
)
def test_tasks_come_to_one_standing(tasks: list[GoalStatus], come_to: Standing):
    assert standing(goal_in(status) for status in tasks) is come_to
    assert standing(goal_in(status) for status in reversed(tasks)) is come_to


def test_a_task_that_was_completed_and_put_away_counts_as_completed():
    assert standing([goal_in(S.ARCHIVED)._replace(done=True)]) is Standing.COMPLETE


def test_nothing_is_looked_at_behind_a_task_that_can_be_worked_on():
    def tasks() -> Any:
        yield goal_in(S.READY)
        raise AssertionError("looked at")

    assert standing(tasks()) is Standing.OPEN


# --- Blocked


def test_an_active_goal_is_blocked_while_every_open_task_is():
    active = Spec(GOAL).given(*HISTORIES[S.ACTIVE])
    active.when(follow, standing=Standing.BLOCKED).then(GoalBlocked(from_status=S.ACTIVE, reason="all_tasks_blocked"))
    held = Spec(GOAL).given(*HELD)
    held.when(follow, standing=Standing.BLOCKED).then_quiet()
    for over in set(Standing) - {Standing.BLOCKED}:
        active.when(follow, standing=over).then_quiet()
        held.when(follow, standing=over).then(
            GoalUnblocked(from_status=S.BLOCKED, reason="a task is no longer blocked")
        )


def test_a_goal_that_somebody_blocked_stays_blocked():
    for history in (HISTORIES[S.BLOCKED], (*HELD, GoalUnblocked(from_status=S.BLOCKED), *HISTORIES[S.BLOCKED][-1:])):
        Spec(GOAL).given(*history).when(follow, standing=Standing.OPEN).then_quiet()


@pytest.mark.parametrize("status", sorted(set(S) - {S.ACTIVE}))
def test_only_an_active_goal_is_blocked_by_its_tasks(status: GoalStatus):
    Spec(GOAL).given(*HISTORIES[status]).when(follow, standing=Standing.BLOCKED).then_quiet()


# --- Complete

DONE = [("goal_A", goal_in(S.COMPLETED))]


def test_a_goal_is_completed_and_before_that_started_where_nobody_did():
    completed = GoalCompleted(from_status=S.ACTIVE, reason=ALL_TASKS_COMPLETE)
    activated = GoalActivated(from_status=S.READY, reason=ALL_TASKS_COMPLETE)
    readied = GoalReadied(from_status=S.PLANNED, reason=ALL_TASKS_COMPLETE)
    ways: dict[GoalStatus, list[Event]] = {
        S.ACTIVE: [completed],
        S.READY: [activated, completed],
        S.PLANNED: [readied, activated, completed],
    }
    for status, events in ways.items():
        Spec(GOAL).given(*HISTORIES[status]).when(complete, tasks=DONE).then(*events)


@pytest.mark.parametrize("status", sorted(set(S) - {S.ACTIVE, S.READY, S.PLANNED}))
def test_a_goal_that_is_over_or_was_told_to_wait_is_not_completed_by_its_tasks(status: GoalStatus):
    Spec(GOAL).given(*HISTORIES[status]).when(complete, tasks=DONE).then_quiet()


def test_caveats_of_tasks_are_named_three_of_them():
    tasks = [(f"goal_{name}", goal_in(S.COMPLETED_WITH_CAVEATS)._replace(has_caveats=name != "B")) for name in "ABCDE"]

    def named(caveats: str) -> GoalCompletedWithCaveats:
        return GoalCompletedWithCaveats(from_status=S.ACTIVE, reason=ALL_TASKS_COMPLETE, caveats=caveats)

    active = Spec(GOAL).given(*HISTORIES[S.ACTIVE])
    active.when(complete, tasks=tasks[:3]).then(named("tasks completed with caveats: goal_A, goal_C"))
    active.when(complete, tasks=tasks).then(named("tasks completed with caveats: goal_A, goal_C, goal_D and 1 more"))


def test_an_open_dependency_or_a_required_criterion_keeps_it_open():
    active = Spec(GOAL).given(*HISTORIES[S.ACTIVE])
    active.when(complete, tasks=DONE, dependencies={"goal_B": goal_in(S.ACTIVE)}).then_quiet()
    active.when(complete, tasks=DONE, dependencies={"goal_B": goal_in(S.COMPLETED)}).then(
        GoalCompleted(from_status=S.ACTIVE, reason=ALL_TASKS_COMPLETE)
    )
    for required in (True, False):
        criteria = (Criterion(id="c1", text="error rate < 1 %", required=required),)
        outcome = Spec(GOAL).given(created(status=S.ACTIVE, criteria=criteria)).when(complete, tasks=DONE)
        assert bool(outcome.events) is not required


def test_the_question_names_the_criteria_in_few_words():
    criteria = tuple(Criterion(id=f"c{n}", text=f"{n}" * 50, required=n != 2) for n in range(1, 6))
    asked = question(open_criteria(goal_in(criteria=criteria)))
    assert asked == (
        f"All its tasks are complete. Are its criteria met: {'1' * 35}…, {'3' * 35}…, {'4' * 35}… and 1 more?"
    )
    assert len(asked) < 200  # the smallest limit for a text


# --- Failed


@pytest.mark.parametrize("status", S)
def test_a_critical_task_that_failed_fails_a_started_goal(status: GoalStatus):
    critical = goal_in(S.FAILED, priority=1)
    outcome = Spec(GOAL).given(*HISTORIES[status]).when(fail, task_id="goal_A", task=critical)
    failed = GoalFailed(from_status=status, reason="critical_task_failed: goal_A")
    outcome.then(*([failed] if status in MOVES["fail"].sources else []))


def test_no_other_task_fails_it():
    active = Spec(GOAL).given(*HISTORIES[S.ACTIVE])
    active.when(fail, task_id="goal_A", task=goal_in(S.FAILED, priority=2)).then_quiet()
    active.when(fail, task_id="goal_A", task=goal_in(S.ARCHIVED, priority=1)).then_quiet()
