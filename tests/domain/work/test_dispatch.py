"""Handing out attempts: what stands in the way, what follows from a failure."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.errors import STREAM, Hint
from goal_ledger.domain.goals.contract import Overlap
from goal_ledger.domain.goals.goal import (
    GOAL,
    Goal,
    GoalActivated,
    GoalFailed,
    GoalReadied,
    GoalWaited,
    RetryScheduled,
    RunDispatched,
    RunEnqueued,
)
from goal_ledger.domain.goals.lifecycle import GoalStatus
from goal_ledger.domain.policies import Receipt
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.work import dispatch
from goal_ledger.domain.work.dispatch import Spent, backoff_s
from tests.domain.goals.histories import HISTORIES, created, goal_in
from tests.spec import Outcome, Spec

S = GoalStatus
NOW = datetime(2026, 2, 24, 9, tzinfo=UTC)
STEADY = Settings(retry_jitter=0)


def active(**contract: Any) -> tuple[Event, ...]:
    return created(**contract), GoalReadied(from_status=S.PLANNED), GoalActivated(from_status=S.READY)


def dispatching(*history: Event, **more: Any) -> Outcome:
    wish: dict[str, Any] = {"run_id": "grun_2", "agent": None, "running": (), "dependencies": {}, **more}
    return Spec(GOAL).given(*history).when(dispatch.dispatch, **wish)


def dispatched(attempt: int, run_id: str, *beside: str) -> RunDispatched:
    return RunDispatched(run_id=run_id, attempt=attempt, running=(*beside, run_id))


# --- The next attempt


def test_the_first_run_of_a_ready_goal_activates_it():
    dispatching(*HISTORIES[S.READY], run_id="grun_1", agent="agent:a", reason="due").then(
        GoalActivated(from_status=S.READY),
        RunDispatched(run_id="grun_1", attempt=1, agent="agent:a", running=("grun_1",), reason="due"),
    )


def test_attempts_are_numbered_from_one():
    history = (*HISTORIES[S.ACTIVE], dispatched(1, "grun_1"))
    dispatching(*history).then(dispatched(2, "grun_2"))
    dispatching(*history, dispatched(2, "grun_2"), run_id="grun_3").then(dispatched(3, "grun_3"))


def test_the_receipt_of_the_policy_stands_in_the_event():
    why = Receipt(
        policy="router@1", settings_digest="s", position=3, candidates=(), count=0, digest="d", chosen="goal_1"
    )
    dispatching(*HISTORIES[S.ACTIVE], receipt=why).then(
        RunDispatched(run_id="grun_2", attempt=1, running=("grun_2",), receipt=why)
    )


@pytest.mark.parametrize("status", [status for status in S if status not in (S.READY, S.ACTIVE)])
def test_only_a_ready_or_an_active_goal_is_given_a_run(status: GoalStatus):
    dispatching(*HISTORIES[status]).then_rejected("not_allowed", status, "active")


def test_a_goal_with_an_open_dependency_is_given_no_run():
    dispatching(*HISTORIES[S.READY], dependencies={"goal_b": goal_in(S.FAILED)}).then_rejected(
        "open_dependencies", "goal_b (failed)"
    )


def test_history_may_tell_of_any_attempt():
    for status in S:
        history = (*HISTORIES[status], dispatched(1, "grun_1"))
        Spec(GOAL).given(*history).when(dispatch.record_dispatch, run_id="grun_2", agent="agent:a").then(
            RunDispatched(run_id="grun_2", attempt=2, agent="agent:a", running=("grun_1",))
        )
    over = (*active(max_attempts=1, budget_usd=Decimal(0)), dispatched(1, "grun_1"))
    assert Spec(GOAL).given(*over).when(dispatch.record_dispatch, run_id="grun_2", agent=None).error is None
    Spec(GOAL).when(dispatch.record_dispatch, run_id="grun_1", agent=None).then_rejected("unknown_goal")


# --- Overlap


def test_a_second_run_beside_an_open_one_is_refused_unless_allowed():
    history = (*HISTORIES[S.ACTIVE], dispatched(1, "grun_1"))
    error = dispatching(*history, running=["grun_1"]).then_rejected("run_overlap", "grun_1")
    assert error.hint == Hint("run", "show", "grun_1")
    dispatching(*history, running=["grun_1"], overlap=Overlap.ALLOW).then(dispatched(2, "grun_2", "grun_1"))
    dispatching(*history, running=[]).then(dispatched(2, "grun_2"))  # the first one is closed by now


def test_the_goal_says_what_happens_beside_an_open_run():
    def beside(overlap: Overlap) -> Outcome:
        return dispatching(*active(overlap=overlap), dispatched(1, "grun_1"), running=["grun_1"])

    beside(Overlap.FORBID).then_rejected("run_overlap")
    beside(Overlap.ALLOW).then(dispatched(2, "grun_2", "grun_1"))
    beside(Overlap.REPLACE).then(dispatched(2, "grun_2"))
    beside(Overlap.ENQUEUE).then(RunEnqueued(run_id="grun_2", attempt=2))


@pytest.mark.parametrize("overlap", Overlap)
def test_without_an_open_run_the_overlap_does_not_matter(overlap: Overlap):
    dispatching(*active(overlap=overlap)).then(dispatched(1, "grun_2"))


def test_nobody_jumps_the_queue():
    history = (*active(overlap=Overlap.ENQUEUE), dispatched(1, "grun_1"), RunEnqueued(run_id="grun_2", attempt=2))
    dispatching(*history, run_id="grun_3", queued=["grun_2"]).then(RunEnqueued(run_id="grun_3", attempt=3))


def queued(*history: Event, **more: Any) -> Outcome:
    wish = {"run_id": "grun_2", "attempt": 2, "agent": None, "running": (), "dependencies": {}, **more}
    return Spec(GOAL).given(*history).when(dispatch.dispatch_queued, **wish)


def test_a_queued_run_keeps_its_number_and_leaves_the_queue():
    history = (
        *active(overlap=Overlap.ENQUEUE),
        dispatched(1, "grun_1"),
        RunEnqueued(run_id="grun_2", attempt=2),
        RunEnqueued(run_id="grun_3", attempt=3),
    )
    queued(*history).then(dispatched(2, "grun_2"))
    after = Spec(GOAL).given(*history, dispatched(2, "grun_2")).state()
    assert (after.attempts, after.queued, after.running) == (3, ("grun_3",), ("grun_2",))


def test_the_queue_waits_for_the_open_run_and_for_the_goal():
    history = (*active(overlap=Overlap.ENQUEUE), dispatched(1, "grun_1"), RunEnqueued(run_id="grun_2", attempt=2))
    queued(*history, running=["grun_1"]).then_rejected("run_overlap", "grun_1")
    queued(*history, GoalWaited(from_status=S.ACTIVE)).then_rejected("not_allowed", "waiting")
    queued(*history, dependencies={"goal_b": goal_in(S.ACTIVE)}).then_rejected("open_dependencies")


# --- The number of attempts


def test_the_limit_counts_the_first_attempt_too():
    history = (*active(max_attempts=2), dispatched(1, "grun_1"))
    dispatching(*history).then(dispatched(2, "grun_2"))
    error = dispatching(*history, dispatched(2, "grun_2"), run_id="grun_3").then_rejected(
        "no_attempts_left", "all 2 attempts"
    )
    assert error.hint == Hint("goal", "amend", STREAM, max_attempts=3)


def after_failure(*history: Event, **more: Any) -> Outcome:
    wish = {"run_id": "grun_1", "is_busy": False, "now": NOW, "settings": STEADY, **more}
    return Spec(GOAL).given(*history).when(dispatch.after_failure, **wish)


def test_a_failed_attempt_is_tried_again_later():
    history = (*active(max_attempts=3), dispatched(1, "grun_1"))
    retry = RetryScheduled(run_id="grun_1", attempt=2, not_before="2026-02-24T09:01:00.000000Z", backoff_s=60.0)
    after_failure(*history).then(retry)
    after_failure(*history, dispatched(2, "grun_2"), run_id="grun_2").then(
        RetryScheduled(run_id="grun_2", attempt=3, not_before="2026-02-24T09:02:00.000000Z", backoff_s=120.0)
    )
    assert Spec(GOAL).given(*history, retry).state().not_before == "2026-02-24T09:01:00.000000Z"
    assert Spec(GOAL).given(*history, retry, dispatched(2, "grun_2")).state().not_before is None


def test_the_last_failed_attempt_fails_the_goal():
    history = (*active(max_attempts=1), dispatched(1, "grun_1"))
    after_failure(*history).then(GoalFailed(from_status=S.ACTIVE, reason="attempts_exhausted"))
    after_failure(*history, GoalWaited(from_status=S.ACTIVE)).then(
        GoalFailed(from_status=S.WAITING, reason="attempts_exhausted")
    )


def test_nothing_follows_a_failure_without_a_limit_or_while_another_run_is_under_way():
    after_failure(*active(), dispatched(1, "grun_1")).then_quiet()
    after_failure(*active(max_attempts=1), dispatched(1, "grun_1"), is_busy=True).then_quiet()
    after_failure(*active(max_attempts=3), dispatched(1, "grun_1"), GoalWaited(from_status=S.ACTIVE)).then_quiet()


@pytest.mark.parametrize("status", [S.COMPLETED, S.FAILED, S.ARCHIVED])
def test_a_goal_that_is_over_is_not_failed_again(status: GoalStatus):
    goal = goal_in(status, max_attempts=1)._replace(attempts=1)
    assert dispatch.after_failure(goal, run_id="grun_1", is_busy=False, now=NOW, settings=STEADY) == []


def test_the_wait_doubles_up_to_the_longest():
    assert [backoff_s(failed, "grun_1", STEADY) for failed in (1, 2, 3, 6, 7, 100, 100_000)] == [
        60, 120, 240, 1920, 3600, 3600, 3600,
    ]  # fmt: skip


def test_the_wait_is_up_to_a_tenth_shorter_and_the_same_for_the_same_run():
    waits = [backoff_s(1, f"grun_{number}", Settings()) for number in range(200)]
    assert waits == [backoff_s(1, f"grun_{number}", Settings()) for number in range(200)]
    assert 54 <= min(waits) < 55 < 59 < max(waits) <= 60


# --- Budgets


@pytest.mark.parametrize(("spent", "free"), [("0.99", True), ("1.00", False), ("1.01", False)])
def test_a_goal_whose_budget_is_used_up_is_given_no_run(spent: str, free: bool):
    outcome = dispatching(*active(budget_usd=Decimal("1.00")), spent=Spent(Decimal(spent)))
    outcome.then(dispatched(1, "grun_2")) if free else outcome.then_rejected("over_budget", "$1.00", f"${spent}")


def test_costs_that_nobody_knows_are_counted_and_not_guessed():
    history = active(budget_usd=Decimal(1))
    dispatching(*history, spent=Spent(Decimal(0), unknown=7)).then(dispatched(1, "grun_2"))
    dispatching(*history, spent=Spent(Decimal(1), unknown=1)).then_rejected("over_budget", "nobody knows what 1 run")
    dispatching(*history, spent=Spent(Decimal(1), unknown=2)).then_rejected("over_budget", "nobody knows what 2 runs")


def billed(goal: Goal, before: str, after: str) -> list[Event]:
    return dispatch.after_bill(goal, before=Spent(Decimal(before)), after=Spent(Decimal(after)))


def test_a_bill_that_goes_beyond_the_budget_pauses_the_goal_once():
    goal = goal_in(S.ACTIVE, budget_usd=Decimal(1))
    paused = [GoalWaited(from_status=S.ACTIVE, reason="budget_exceeded")]
    assert billed(goal, "0.5", "1.01") == paused
    assert billed(goal, "1", "1.01") == paused
    assert billed(goal, "0.5", "1") == []
    assert billed(goal, "1.01", "1.02") == []  # somebody took it up again all the same


def test_a_goal_without_a_budget_or_that_is_not_active_is_not_paused():
    assert billed(goal_in(S.ACTIVE), "0", "1000") == []
    for status in S:
        if status is not S.ACTIVE:
            assert billed(goal_in(status, budget_usd=Decimal(1)), "0", "2") == []
