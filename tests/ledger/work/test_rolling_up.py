"""Goals that are made of tasks move with them, in one transaction, on every store."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.base import Unreadable
from goal_ledger.domain.goals import goal as rules
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.loop import LoopStatus
from goal_ledger.domain.work.roll_up import Standing, standing
from goal_ledger.ledger import FailureCategory, GoalStatus, Ledger, LocalOutcome, Rejected, Tx
from tests.places import Place
from tests.tools import START, Clock, recorded

S = GoalStatus


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:tasks", clock=Clock()) as opened:
        yield opened


def active(ledger: Ledger, above: str | None = None, **contract: Any) -> str:
    goal_id = ledger.goals.create("A", parent_goal_id=above, **contract).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def family(ledger: Ledger, tasks: int = 2, **contract: Any) -> tuple[str, ...]:
    """An active goal and its active tasks."""
    above = active(ledger, **contract)
    return above, *(active(ledger, above) for _ in range(tasks))


def status(ledger: Ledger, goal_id: str) -> tuple[GoalStatus, str | None]:
    row = ledger.goals.get(goal_id)
    return row.status, row.status_reason


def failed_run(ledger: Ledger, goal_id: str) -> None:
    run_id = ledger.runs.start(goal_id).run_id
    ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)


# --- Complete


def test_the_last_task_completes_the_goal_above_in_its_own_transaction_and_is_named_as_the_cause(ledger: Ledger):
    above, first, second = family(ledger)
    ledger.goals.complete(first)
    assert status(ledger, above) == (S.ACTIVE, None)

    row = ledger.using(command_id="c1", actor="agent:a", occurred_at=START).goals.complete(second)
    assert (row.goal_id, row.status) == (second, S.COMPLETED)
    assert status(ledger, above) == (S.COMPLETED, "all_tasks_complete")
    own, followed = recorded(ledger)[-2:]
    assert (followed.stream, followed.cause, followed.command) == (above, own.position, "c1")
    assert (followed.by, followed.occurred_at) == ("agent:a", own.occurred_at)
    assert ledger.goals.progress(ledger.goals.get(above)) == 1.0


def test_a_repeated_command_does_it_once(ledger: Ledger):
    above, task = family(ledger, 1)
    once = ledger.using(command_id="c1")
    first = once.goals.complete(task)
    head = ledger.head
    assert once.goals.complete(task) == first
    ledger.goals.complete(task)
    ledger.goals.complete(above)
    assert ledger.head == head


def test_it_goes_on_to_the_top_and_stops_at_what_is_measured(ledger: Ledger):
    objective = ledger.goals.create("O", goal_type="objective").goal_id
    top = active(ledger, objective)
    middle = active(ledger, top)
    task = active(ledger, middle)
    ledger.goals.complete(task)
    assert [status(ledger, one)[0] for one in (task, middle, top)] == [S.COMPLETED] * 3
    assert status(ledger, objective)[0] is S.PLANNED
    last = recorded(ledger)[-3:]
    assert [one.cause for one in last[1:]] == [one.position for one in last[:2]]


def test_a_goal_that_nobody_started_is_started_and_completed(ledger: Ledger):
    above = ledger.goals.create("A").goal_id
    ledger.goals.complete(active(ledger, above))
    assert [one.name for one in recorded(ledger, above)][-3:] == ["goal.readied", "goal.activated", "goal.completed"]


def test_caveats_of_a_task_are_passed_on(ledger: Ledger):
    above, first, second = family(ledger)
    ledger.goals.complete(first, caveats="one disk")
    ledger.goals.archive(first)
    ledger.goals.complete(second)
    row = ledger.goals.get(above)
    assert (row.status, row.caveats) == (S.COMPLETED_WITH_CAVEATS, f"tasks completed with caveats: {first}")


def test_putting_the_last_open_task_away_or_elsewhere_completes_the_goal(ledger: Ledger):
    for leave in (ledger.goals.archive, lambda task: ledger.goals.amend(task, parent_goal_id=None)):
        above, first, second = family(ledger)
        ledger.goals.complete(first)
        leave(second)
        assert status(ledger, above)[0] is S.COMPLETED


def test_without_a_completed_task_or_beside_a_failed_one_it_stays(ledger: Ledger):
    above, first, second = family(ledger)
    ledger.goals.archive(first)
    ledger.goals.fail(second, reason="no space")
    assert status(ledger, above)[0] is S.ACTIVE
    ledger.goals.complete(active(ledger, above))
    assert status(ledger, above)[0] is S.ACTIVE
    ledger.goals.archive(second)  # given up: it counts no more
    assert status(ledger, above)[0] is S.COMPLETED


def test_what_stands_below_and_is_no_task_holds_nothing_up(ledger: Ledger):
    above, task = family(ledger, 1)
    active(ledger, above, goal_type="maintenance", review_cadence="7d")
    ledger.goals.complete(task)
    assert status(ledger, above)[0] is S.COMPLETED


def test_required_criteria_are_asked_about_once_and_the_question_ends_with_the_goal(ledger: Ledger):
    above, task = family(ledger, 1, criteria=["error rate < 1%", {"text": "liked", "required": False}])
    ledger.goals.complete(task)
    assert status(ledger, above)[0] is S.ACTIVE
    [loop] = ledger.loops.list(goal_id=above).rows
    assert (loop.kind, loop.question) == (
        "follow_up", "All its tasks are complete. Are its criteria met: error rate < 1%?",
    )  # fmt: skip
    ledger.goals.archive(task)
    assert ledger.loops.get(loop.loop_id).times_opened == 1

    ledger.goals.complete(above)
    loop = ledger.loops.get(loop.loop_id)
    assert (loop.status, loop.answer) == (LoopStatus.CLOSED, "the goal is completed")


@pytest.mark.parametrize("end", ["finish", "interrupt"])
def test_an_open_run_of_its_own_is_waited_for(ledger: Ledger, end: str):
    above, task = family(ledger, 1)
    run_id = ledger.runs.start(above).run_id
    ledger.goals.complete(task)
    assert status(ledger, above)[0] is S.ACTIVE
    if end == "finish":
        row = ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED)
    else:
        row = ledger.runs.interrupt(run_id, reason="gone")
    assert row.run_id == run_id
    assert status(ledger, above) == (S.COMPLETED, "all_tasks_complete")


def test_who_said_that_it_shall_wait_says_when_it_goes_on(ledger: Ledger):
    for stop, go_on in (("wait", "resume"), ("block", "unblock"), ("checkpoint", "resume")):
        above, task = family(ledger, 1)
        getattr(ledger.goals, stop)(above, reason="no key")
        ledger.goals.complete(task)
        assert status(ledger, above)[1] == "no key"
        assert getattr(ledger.goals, go_on)(above).status is S.COMPLETED


def test_an_open_dependency_or_a_start_condition_holds_it_up(ledger: Ledger):
    other = ledger.goals.create("B").goal_id
    for contract in ({"dependencies": [other]}, {"start_condition": "now > 2030-01-01"}):
        above = ledger.goals.create("A", **contract).goal_id
        ledger.goals.complete(active(ledger, above))
        assert status(ledger, above)[0] is S.PLANNED


# --- Blocked


def test_a_goal_is_blocked_with_its_last_open_task_and_freed_with_the_first(ledger: Ledger):
    top = active(ledger)
    above = active(ledger, top)
    first, second, third = (active(ledger, above) for _ in range(3))
    ledger.goals.complete(first)
    ledger.goals.block(second, reason="no key")
    assert status(ledger, above)[0] is S.ACTIVE
    ledger.goals.block(third, reason="no key")
    assert status(ledger, above) == status(ledger, top) == (S.BLOCKED, "all_tasks_blocked")

    ledger.goals.unblock(second)
    assert status(ledger, above) == status(ledger, top) == (S.ACTIVE, "a task is no longer blocked")


@pytest.mark.parametrize("change", ["create", "archive", "fail"])
def test_whatever_ends_the_blockage_frees_the_goal(ledger: Ledger, change: str):
    above, task = family(ledger, 1)
    ledger.goals.block(task, reason="no key")
    assert status(ledger, above)[0] is S.BLOCKED
    if change == "create":
        ledger.goals.create("B", parent_goal_id=above)
    else:
        getattr(ledger.goals, change)(task, reason="enough")
    assert status(ledger, above)[0] is S.ACTIVE


def test_a_goal_that_somebody_blocked_stays_blocked_and_one_that_is_unblocked_by_hand_goes_on(ledger: Ledger):
    above, task = family(ledger, 1)
    ledger.goals.block(above, reason="no money")
    ledger.goals.block(task, reason="no key")
    ledger.goals.unblock(task)
    assert status(ledger, above) == (S.BLOCKED, "no money")

    ledger.goals.unblock(above)
    ledger.goals.block(task, reason="no key")
    assert ledger.goals.unblock(above, reason="by hand").status is S.ACTIVE


# --- Failed


def test_a_critical_task_that_fails_its_last_attempt_fails_the_goals_above(ledger: Ledger):
    top = active(ledger)
    above = active(ledger, top, priority=1)
    task = active(ledger, above, priority=1, max_attempts=3)
    for _ in range(2):
        failed_run(ledger, task)
    assert status(ledger, above)[0] is S.ACTIVE
    failed_run(ledger, task)
    assert status(ledger, task) == (S.FAILED, "attempts_exhausted")
    assert status(ledger, above) == (S.FAILED, f"critical_task_failed: {task}")
    assert status(ledger, top) == (S.FAILED, f"critical_task_failed: {above}")


def test_any_other_task_that_fails_leaves_the_goal_as_it_is(ledger: Ledger):
    above, task = family(ledger, 1)
    ledger.goals.fail(task, reason="no space")
    assert status(ledger, above)[0] is S.ACTIVE


def test_a_deadline_that_a_tick_finds_missed_counts_too(ledger: Ledger):
    above = active(ledger)
    task = active(ledger, above, priority=1, time_horizon="2026-03-01")
    assert ledger.tick(START.replace(year=2027)).ok
    assert status(ledger, above) == (S.FAILED, f"critical_task_failed: {task}")


# --- What it does not touch


def test_history_that_is_imported_moves_no_goal(ledger: Ledger, tmp_path: Path):
    line = '{"run_id": "r%d", "task_id": "t", "outcome": "succeeded"}\n'
    file = tmp_path / "runs.jsonl"
    file.write_text(line % 1)
    ledger.imports.runs(file)
    [above] = [row.goal_id for row in ledger.goals.list().rows]
    other = active(ledger)
    ledger.goals.amend(above, dependencies=[other])
    ledger.goals.complete(active(ledger, above))
    ledger.goals.complete(other)

    file.write_text(line % 1 + line % 2)
    ledger.imports.runs(file)
    assert (status(ledger, above)[0], ledger.goals.get(above).attempts) == (S.ACTIVE, 2)
    ledger.runs.finish(ledger.runs.start(above).run_id, LocalOutcome.SUCCEEDED)
    assert status(ledger, above)[0] is S.COMPLETED


def test_a_goal_above_that_newer_code_wrote_to_holds_up_no_task(place: Place):
    with Ledger.open(place.url, actor="test:tasks", clock=Clock()) as ledger:
        above, task = family(ledger, 1)
        noted = ledger.goals.amend(above, priority=2).position
    place.tamper("UPDATE stored_events SET topic = 'goal.rethought' WHERE rowid = ?", values=(noted,))
    with Ledger.open(place.url, actor="test:tasks", clock=Clock()) as ledger:
        before = ledger.stream(above)
        assert isinstance(before[-1], Unreadable)
        assert ledger.goals.complete(task).status is S.COMPLETED
        assert ledger.stream(above) == before


def test_a_decision_by_hand_is_followed_too(ledger: Ledger):
    above, task = family(ledger, 1)
    ledger.act(task, GOAL, rules.complete)
    assert status(ledger, above)[0] is S.COMPLETED


# --- Whatever happens

VERBS = ("complete", "complete", "block", "unblock", "fail", "archive", "wait", "resume", "activate", "add", "leave")


@given(st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 8)), min_size=3, max_size=25))
def test_no_goal_stays_behind_its_tasks(wishes: list[tuple[str, int]]):
    with Ledger.open(":memory:", actor="test:tasks", clock=Clock()) as ledger:
        top = active(ledger)
        middle = [active(ledger, top, priority=priority) for priority in (1, 2)]
        goals = [top, *middle, *(active(ledger, above) for above in middle * 2)]
        for verb, pick in wishes:
            with suppress(Rejected):
                do(ledger, verb, goals, goals[pick % len(goals)])
            ledger.transact(nothing_is_left_to_follow)


def do(ledger: Ledger, verb: str, goals: list[str], goal_id: str) -> None:
    match verb:
        case "add":
            goals.append(ledger.goals.create("B", parent_goal_id=goal_id, priority=len(goals) % 3 + 1).goal_id)
            ledger.goals.ready(goals[-1])
        case "leave":
            ledger.goals.amend(goal_id, parent_goal_id=None)
        case _:
            getattr(ledger.goals, verb)(goal_id, reason="so be it")


def nothing_is_left_to_follow(tx: Tx) -> None:
    created = [one.stream for one in tx.since(0) if one.name == "goal.created"]
    goals = {goal_id: tx.load(goal_id, GOAL) for goal_id in created}
    for goal_id, goal in goals.items():
        come_to = standing(task for task in goals.values() if task.contract["parent_goal_id"] == goal_id)
        assert (goal.status, come_to) != (S.ACTIVE, Standing.COMPLETE)
        assert not goal.held_by_tasks or come_to is Standing.BLOCKED


# --- What waits for a goal that is over


@pytest.mark.parametrize("end", ["complete", "archive", "fail"])
def test_the_queued_runs_of_a_goal_that_is_over_leave_the_queue(ledger: Ledger, end: str):
    goal_id = active(ledger, overlap="enqueue")
    under_way, queued = (ledger.runs.start(goal_id).run_id for _ in range(2))
    getattr(ledger.goals, end)(goal_id, reason="it is enough")
    assert ledger.runs.get(under_way).status == "running"
    left = ledger.runs.get(queued)
    assert left.status == "interrupted"
    assert recorded(ledger, queued)[-1].event.reason == f"its goal is {ledger.goals.get(goal_id).status}"


def test_a_goal_that_is_over_is_tried_again_no_more(ledger: Ledger):
    goal_id = active(ledger)
    failed_run(ledger, goal_id)
    [pending] = ledger.loops.list(goal_id=goal_id).rows
    assert pending.kind == "pending_retry"
    ledger.goals.complete(goal_id)
    closed = ledger.loops.get(pending.loop_id)
    assert (closed.status, closed.answer) == ("closed", "its goal is completed")
    head = ledger.head
    ledger.goals.complete(goal_id)
    assert ledger.head == head
