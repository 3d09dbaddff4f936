"""The conditions of goals: what is refused, what they refuse, and what they make of a run."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from goal_ledger.domain.goals.goal import GoalArchived, GoalReadied
from goal_ledger.domain.goals.loop import LoopKind
from goal_ledger.domain.goals.watchdog import WatchdogCleared, WatchdogFired
from goal_ledger.domain.runs.run import RunStatus
from goal_ledger.ledger import (
    UNKNOWN,
    FailureCategory,
    GoalStatus,
    Ledger,
    LedgerError,
    LocalOutcome,
    Tx,
)
from goal_ledger.ledger.duties import DUTIES
from goal_ledger.ledger.goals.conditions import InStreams, InViews
from goal_ledger.projections.runs.goal_runs import RunRow
from tests.ledger.histories import Step, opened, play, steps
from tests.tools import START, recorded

LATER = START + timedelta(days=30)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with opened() as ledger:
        yield ledger


def refused(ledger: Ledger, ask: Any, *arguments: Any, **wish: Any) -> LedgerError:
    """The refusal, which left the log as it was."""
    before = recorded(ledger)
    with pytest.raises(LedgerError) as refusal:
        ask(*arguments, **wish)
    assert recorded(ledger) == before
    return refusal.value


def active(ledger: Ledger, **contract: Any) -> str:
    goal_id = ledger.goals.create("A", **contract).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def failed(ledger: Ledger, goal_id: str) -> None:
    run_id = ledger.runs.start(goal_id).run_id
    ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)


def lines(ledger: Ledger, **how: Any) -> list[str]:
    """What a tick does, every duty well; detectors have tests of their own."""
    ticked = ledger.tick(**({"duties": [name for name in DUTIES if name != "detection"]} | how))
    assert ticked.ok, ticked
    return [line for duty in ticked.duties for line in duty.done]


# --- What they may say


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("start_condition", "now > soon", "start_condition: column 7: now is a time"),
        ("stop_condition", "errors < 1%", "stop_condition: column 1: 'errors' is about nothing known"),
        ("watch", "the disk is full", "watch: column 1: 'the' is about nothing known"),
        ("watch", "", "watch: column 1: a comparison is needed here, not the end"),
        ("failure_conditions", ["disk full", "run.x = 1"], "failure_conditions: column 1: 'run.x': run has no 'x'"),
        ("failure_conditions", ["run.attempt > 3 -> boredom"], "column 20: 'boredom' is no failure category"),
        ("constraints", ["sum(run.cost_usd) <= much"], "constraints: column 22: a sum is a number"),
        ("constraints", ["only users logged in (since May)"], "constraints: column 1: 'only' is about nothing"),
        ("constraints", ["count(lesson.active = true) > 1"], "constraints: column 7: 'lesson.active' is about nothing"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused_with_field_and_column(
    ledger: Ledger, field: str, value: Any, words: str
):
    made = ledger.goals.create("A").goal_id
    contract: dict[str, Any] = {field: value}
    for ask in (lambda: ledger.goals.create("B", **contract), lambda: ledger.goals.amend(made, **contract)):
        error = refused(ledger, ask)
        assert (error.code, error.message[: len(words)]) == ("bad_condition", words) or words in error.message


def test_prose_is_taken_as_it_is_and_never_acts(ledger: Ledger):
    prose: dict[str, Any] = {
        "start_condition": "the disk is mounted",
        "stop_condition": "moved elsewhere",
        "failure_conditions": ["two nights without one", "disk full -> resource_limit"],
        "constraints": ["at most 5 USD a month"],
    }
    goal = ledger.goals.create("A", **prose)
    assert ledger.goals.acting(goal) == []
    assert ledger.goals.ready(goal.goal_id).status is GoalStatus.READY
    run = ledger.runs.start(goal.goal_id)
    assert ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED).local_outcome is LocalOutcome.SUCCEEDED
    assert lines(ledger, now=LATER) == []


def test_it_is_told_which_conditions_act(ledger: Ledger):
    goal = ledger.goals.create("A", start_condition="when ready", constraints=["cheap", "run.attempt <= 3"])
    assert ledger.goals.acting(goal) == ["constraints: run.attempt <= 3"]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("goal(goal_01KJ7E0WM0JN74MNPW0ARN644K).done = true", "unknown_goal"),
        ("goal(x).done = true", "unknown_goal"),
        ("run(grun_01KJ7E0WM0JN74MNPW0ARN644K).attempt = 1", "unknown_run"),
    ],
)
def test_a_goal_or_run_that_a_condition_names_must_be_there(ledger: Ledger, condition: str, code: str):
    made = ledger.goals.create("A").goal_id
    assert refused(ledger, ledger.goals.create, "B", stop_condition=condition).code == code
    assert refused(ledger, ledger.goals.amend, made, watch=condition).code == code
    assert ledger.goals.create("C", stop_condition=f"goal({made}).done = true").stop_condition


# --- Start


def test_a_planned_goal_becomes_ready_when_its_start_condition_holds_and_not_before(ledger: Ledger):
    other = active(ledger)
    goal_id = ledger.goals.create("B", start_condition=f"goal({other}).status = completed").goal_id
    assert lines(ledger) == []
    assert ledger.goals.get(goal_id).status is GoalStatus.PLANNED

    ledger.goals.complete(other)
    reason = f"start_condition: goal({other}).status = completed"
    assert lines(ledger, now=LATER) == [f"{goal_id} ready: {reason}"]
    last = recorded(ledger, goal_id)[-1]
    assert last.event == GoalReadied(from_status=GoalStatus.PLANNED, reason=reason)
    assert last.occurred_at == "2026-03-26T09:00:00.000000Z"
    assert lines(ledger, now=LATER) == lines(ledger) == []


def test_nobody_makes_a_goal_ready_before_its_start_condition_holds(ledger: Ledger):
    goal_id = ledger.goals.create("A", start_condition="now >= 2026-03-01").goal_id
    assert refused(ledger, ledger.goals.ready, goal_id).code == "start_condition_not_met"
    assert refused(ledger, ledger.using(occurred_at=UNKNOWN).goals.ready, goal_id).code == "start_condition_not_met"
    assert ledger.using(occurred_at=LATER).goals.ready(goal_id).status is GoalStatus.READY
    assert ledger.goals.ready(goal_id).status is GoalStatus.READY  # already so


def test_a_start_condition_waits_for_the_dependencies_too(ledger: Ledger):
    first = active(ledger)
    goal_id = ledger.goals.create("B", start_condition="now > 2026-01-01", dependencies=[first]).goal_id
    assert lines(ledger) == []
    ledger.goals.complete(first)
    assert lines(ledger) == [f"{goal_id} ready: start_condition: now > 2026-01-01"]


# --- Stop


@pytest.mark.parametrize("status", [status for status in GoalStatus if status is not GoalStatus.ARCHIVED])
def test_a_goal_whose_stop_condition_holds_is_archived_from_any_state(ledger: Ledger, status: GoalStatus):
    from goal_ledger.domain.goals.contract import GoalSource
    from goal_ledger.domain.goals.lifecycle import path
    from goal_ledger.ledger import Origin

    is_proposed = status in (GoalStatus.PROPOSED, GoalStatus.REJECTED)
    origin = Origin(source=GoalSource.SYSTEM) if is_proposed else None
    goal = ledger.goals.create("A", origin=origin, stop_condition="now >= 2026-03-01")
    for verb in path(goal.status, frozenset({status})):
        why: dict[str, str] = {"reason": "why"}
        if verb == "complete --caveats":
            verb, why = "complete", {"caveats": "some"}
        getattr(ledger.goals, verb)(goal.goal_id, **why)
    assert lines(ledger, now=START) == []

    assert lines(ledger, now=LATER) == [f"{goal.goal_id} archived: stop_condition: now >= 2026-03-01"]
    archived = recorded(ledger, goal.goal_id)[-1].event
    assert isinstance(archived, GoalArchived)
    assert (archived.from_status, archived.cause) == (status, "stopped")
    assert lines(ledger, now=LATER) == []


def test_what_follows_from_what_follows_is_done_in_the_same_tick(ledger: Ledger):
    first = ledger.goals.create("A").goal_id
    second = ledger.goals.create("B", stop_condition=f"goal({first}).status = archived").goal_id
    third = ledger.goals.create("C", stop_condition="now > 2026-03-01").goal_id
    ledger.goals.amend(first, stop_condition=f"goal({third}).status = archived")

    assert [line.split()[0] for line in lines(ledger, now=LATER)] == [third, first, second]
    assert lines(ledger, now=LATER) == []


def test_a_count_is_of_the_own_runs_and_children_alone(ledger: Ledger):
    stranger = active(ledger)
    for _ in range(2):
        failed(ledger, stranger)
    goal_id = active(ledger, stop_condition="count(run.local_outcome = failed) >= 2")
    parent = ledger.goals.create("P", stop_condition="count(goal.status = archived) = 1 and goal.attempts = 0").goal_id
    child = ledger.goals.create("C", parent_goal_id=parent).goal_id
    failed(ledger, goal_id)
    assert lines(ledger) == []
    failed(ledger, goal_id)
    assert [line.split()[0] for line in lines(ledger)] == [goal_id]
    ledger.goals.archive(child)
    assert [line.split()[0] for line in lines(ledger)] == [parent]


def test_a_child_that_was_moved_away_counts_no_more(ledger: Ledger):
    parent, other = (
        ledger.goals.create(title, stop_condition="count(goal.priority = 1) > 0").goal_id for title in "PQ"
    )
    child = ledger.goals.create("C", parent_goal_id=parent, priority=1).goal_id
    ledger.goals.amend(child, parent_goal_id=other)
    assert [line.split()[0] for line in lines(ledger)] == [other]


# --- Watch


def test_a_watchdog_fires_once_per_incident(ledger: Ledger):
    watched = active(ledger)
    condition = f"goal({watched}).status = blocked"
    goal_id = active(ledger, goal_type="watchdog", watch=condition)
    assert lines(ledger) == []
    incidents = set()
    for _ in range(2):
        ledger.goals.block(watched, reason="no key")
        assert lines(ledger) == [f"{goal_id} fired: {condition}"]
        *_, fired = [each.event for each in recorded(ledger, goal_id) if isinstance(each.event, WatchdogFired)]
        assert fired.condition == condition
        assert [loop.goal_id for loop in ledger.loops.list(kind=LoopKind.FOLLOW_UP).rows] == [goal_id]
        [queued, *_] = ledger.runs.list(status=RunStatus.QUEUED).rows
        assert (queued.goal_id, queued.plan_summary) == (goal_id, f"recover from: {condition}")
        assert lines(ledger) == []
        ledger.goals.unblock(watched)
        assert lines(ledger) == [f"{goal_id} cleared: {condition}"]
        assert recorded(ledger, goal_id)[-1].event == WatchdogCleared(incident=fired.incident)
        assert lines(ledger) == []
        incidents.add(fired.incident)
    assert len(incidents) == 2


def test_a_watchdog_that_watches_no_more_ends_its_incident(ledger: Ledger):
    goal_id = active(ledger, goal_type="watchdog", watch="goal.priority = 3")
    assert lines(ledger) == [f"{goal_id} fired: goal.priority = 3"]
    ledger.goals.amend(goal_id, watch=None)
    assert lines(ledger) == [f"{goal_id} cleared: it watches for nothing more"]


def test_only_an_active_watchdog_watches(ledger: Ledger):
    active(ledger, watch="goal.priority = 3")  # of another type
    goal_id = ledger.goals.create("A", goal_type="watchdog", watch="goal.priority = 3").goal_id
    ledger.goals.ready(goal_id)
    assert lines(ledger) == []
    ledger.goals.activate(goal_id)
    assert lines(ledger) == [f"{goal_id} fired: goal.priority = 3"]
    ledger.goals.complete(goal_id)
    assert lines(ledger) == [f"{goal_id} cleared: goal.priority = 3"]
    assert lines(ledger) == []


# --- Failure conditions


def finished(ledger: Ledger, goal_id: str, outcome: LocalOutcome = LocalOutcome.SUCCEEDED, **said: Any) -> RunRow:
    return ledger.runs.finish(ledger.runs.start(goal_id).run_id, outcome, **said)


def test_a_success_for_which_a_failure_condition_holds_is_a_failure(ledger: Ledger):
    goal_id = active(ledger, failure_conditions=["run.duration_seconds > 60 -> execution_timeout"])
    slow = finished(ledger, goal_id, duration_seconds=61.0, detail="done")
    assert (slow.local_outcome, slow.failure_category, slow.source_outcome, slow.detail) == (
        LocalOutcome.FAILED,
        FailureCategory.EXECUTION_TIMEOUT,
        "succeeded",
        "failure condition: run.duration_seconds > 60 -> execution_timeout; done",
    )
    quick = finished(ledger, goal_id, duration_seconds=60.0)
    assert (quick.local_outcome, quick.failure_category, quick.source_outcome) == ("succeeded", None, None)


def test_the_first_failure_condition_that_holds_counts_and_says_the_category(ledger: Ledger):
    conditions = [
        "run.cost_usd > 5 -> resource_limit",
        "run.verifier_status != passed",
        "run.attempt > 0 -> tool_error",
    ]
    goal_id = active(ledger, failure_conditions=conditions)
    assert finished(ledger, goal_id).failure_category is FailureCategory.VERIFICATION_FAILURE


def test_a_reported_failure_keeps_its_category_and_a_partial_run_gets_one(ledger: Ledger):
    goal_id = active(ledger, failure_conditions=["run.attempt > 0 -> planning_error"])
    failure = finished(ledger, goal_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
    partial = finished(ledger, goal_id, LocalOutcome.PARTIAL)
    own = finished(ledger, goal_id, LocalOutcome.PARTIAL, failure_category=FailureCategory.TOOL_ERROR)
    assert [(run.local_outcome, run.failure_category) for run in (failure, partial, own)] == [
        (LocalOutcome.FAILED, FailureCategory.TOOL_ERROR),
        (LocalOutcome.PARTIAL, FailureCategory.PLANNING_ERROR),
        (LocalOutcome.PARTIAL, FailureCategory.TOOL_ERROR),
    ]


def test_a_failure_condition_sees_the_run_as_it_would_be_among_the_others(ledger: Ledger):
    goal_id = active(ledger, failure_conditions=["count(run.local_outcome = succeeded) > 1"])
    assert [finished(ledger, goal_id).local_outcome for _ in range(3)] == ["succeeded", "failed", "failed"]


def test_a_finish_that_is_refused_is_refused_as_ever(ledger: Ledger):
    goal_id = active(ledger, failure_conditions=["run.attempt > 0"])
    run_id = ledger.runs.start(goal_id).run_id
    assert refused(ledger, ledger.runs.finish, run_id, LocalOutcome.FAILED).code == "no_failure_category"
    ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED)
    assert refused(ledger, ledger.runs.finish, run_id, LocalOutcome.SUCCEEDED).code == "not_allowed"
    nobody = "grun_01KJ7E0WM0JN74MNPW0ARN644K"
    assert refused(ledger, ledger.runs.finish, nobody, LocalOutcome.SUCCEEDED).code == "unknown_run"


def test_a_classified_finish_is_answered_alike_under_its_command_id(ledger: Ledger):
    goal_id = active(ledger, failure_conditions=["run.attempt > 0"])
    run_id = ledger.runs.start(goal_id).run_id
    once = ledger.using(command_id="f1")
    first = once.runs.finish(run_id, LocalOutcome.SUCCEEDED)
    assert first.local_outcome is LocalOutcome.FAILED
    before = recorded(ledger)
    assert once.runs.finish(run_id, LocalOutcome.SUCCEEDED) == first
    assert recorded(ledger) == before


# --- Constraints


def test_a_bill_that_would_break_the_budget_is_refused(ledger: Ledger):
    goal_id = active(ledger, constraints=["cheap", "sum(run.cost_usd) <= 5"])
    first = ledger.runs.start(goal_id).run_id
    ledger.runs.cost(first, cost_usd=Decimal("4.90"))
    ledger.runs.finish(first, LocalOutcome.SUCCEEDED)
    second = ledger.runs.start(goal_id).run_id
    ledger.runs.cost(second, cost_usd=Decimal("0.10"))

    error = refused(ledger, ledger.runs.cost, second, cost_usd=Decimal("0.01"))
    assert error.code == "policy_block" and "sum(run.cost_usd) <= 5" in error.message
    assert ledger.runs.cost(second, tokens_in=5).tokens_in == 5


def test_no_run_is_handed_out_and_nothing_is_done_beyond_a_constraint(ledger: Ledger):
    goal_id = active(ledger, constraints=["run.attempt <= 1", "now < 2026-03-01"])
    run_id = ledger.runs.start(goal_id).run_id
    ledger.runs.act(run_id, "copied")
    assert refused(ledger, ledger.using(occurred_at=LATER).runs.act, run_id, "copied").code == "policy_block"
    ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED)
    assert refused(ledger, ledger.runs.start, goal_id).code == "policy_block"


def test_what_is_unknown_breaks_no_constraint(ledger: Ledger):
    goal_id = active(ledger, constraints=["run.cost_usd <= 5", "not run.duration_seconds > 60", "now < 2026-03-01"])
    run_id = ledger.using(occurred_at=UNKNOWN).runs.start(goal_id).run_id
    assert ledger.runs.act(run_id, "copied").cost_usd is None
    assert refused(ledger, ledger.runs.cost, run_id, cost_usd=Decimal(6)).code == "policy_block"


# --- Two ways to look


def test_the_streams_tell_of_children_what_the_read_models_tell(ledger: Ledger):
    parent, other = (ledger.goals.create(title).goal_id for title in "PQ")
    child = ledger.goals.create("C", parent_goal_id=parent).goal_id
    ledger.goals.amend(child, parent_goal_id=other)
    ledger.goals.create("D", parent_goal_id=parent)

    assert [row.title for row in InViews(ledger, {}).of_goal("goal", parent)] == ["D"]
    agree(ledger)


@given(steps(most=25))
def test_the_streams_tell_what_the_read_models_tell(wishes: list[Step]):
    with opened() as ledger:
        for _ in play(ledger, wishes):
            pass
        agree(ledger)


def agree(ledger: Ledger) -> None:
    goals = ledger.goals.list().rows

    def compare(tx: Tx) -> None:
        views, streams = InViews(ledger, {}), InStreams(tx)
        for row in goals:
            assert repr(streams.row("goal", row.goal_id)) == repr(row)
            for noun in ("goal", "run"):
                assert repr(streams.of_goal(noun, row.goal_id)) == repr(views.of_goal(noun, row.goal_id))

    ledger.transact(compare)
