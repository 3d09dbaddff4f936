"""Work that is claimed, leased, taken over, queued, tried again and budgeted."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from goal_ledger.adapters.store.codec import digest as event_digest
from goal_ledger.domain.goals.contract import GoalSource, Origin
from goal_ledger.domain.goals.goal import RetryScheduled, RunDispatched
from goal_ledger.domain.policies import digest
from goal_ledger.domain.times import parse_utc, seconds_between
from goal_ledger.domain.work.planning import METHODS
from goal_ledger.ledger import (
    UNKNOWN,
    FailureCategory,
    GoalStatus,
    GoalType,
    Ledger,
    LedgerError,
    LocalOutcome,
    RunStatus,
    Settings,
)
from goal_ledger.ledger.work.leases import expire_leases
from tests.places import FilePlace, Place
from tests.tools import Clock, finished, python, recorded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(place: Place, clock: Clock) -> Iterator[Ledger]:
    with Ledger.open(place.url, actor="test:work", clock=clock, settings=Settings(retry_jitter=0)) as opened:
        yield opened


def ready(ledger: Ledger, title: str = "A", **fields: Any) -> str:
    goal = ledger.goals.create(title, **fields)
    ledger.goals.ready(goal.goal_id)
    return goal.goal_id


def refused(ledger: Ledger, ask: Any, *arguments: Any, **wish: Any) -> str:
    """The code of a refusal that wrote nothing."""
    head = ledger.head
    with pytest.raises(LedgerError) as caught:
        ask(*arguments, **wish)
    assert ledger.head == head
    return caught.value.code


def fail(ledger: Ledger, run_id: str) -> None:
    ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)


def claimed(ledger: Ledger, **wish: Any) -> str | None:
    run = ledger.work.claim(**wish)
    return None if run is None else run.goal_id


# --- Claims


def test_a_claim_starts_a_run_on_what_next_shows(ledger: Ledger):
    low, high = ready(ledger, priority=4), ready(ledger, priority=1)
    head = ledger.head
    best = ledger.work.next()
    assert best is not None and (best.goal_id, ledger.head) == (high, head)

    run = ledger.work.claim(lease_s=60, reason="idle")

    assert run is not None
    assert (run.goal_id, run.status, run.agent, run.lease_s) == (high, RunStatus.RUNNING, "test:work", 60)
    assert seconds_between(str(run.started_at), str(run.lease_until)) == 60
    assert [event.name for event in recorded(ledger)[head:]] == [
        "goal.activated", "goal.run_dispatched", "run.started",
    ]  # fmt: skip
    assert (claimed(ledger, agent="agent:b"), claimed(ledger), ledger.work.next()) == (low, None, None)


def test_a_claim_that_finds_nothing_writes_nothing(ledger: Ledger):
    ledger.goals.create("planned")
    head = ledger.head
    assert ledger.work.claim() is None
    assert ledger.head == head


def test_the_receipt_says_what_the_policy_saw(ledger: Ledger):
    goals = [ready(ledger, f"goal {number}") for number in range(12)]
    head, ranked = ledger.head, ledger.work.explain()
    ledger.work.claim()

    [dispatched] = [event.event for event in recorded(ledger, goals[0]) if isinstance(event.event, RunDispatched)]
    receipt = dispatched.receipt
    assert receipt is not None
    assert (receipt.policy, receipt.position, receipt.chosen, receipt.count) == ("router@3", head, goals[0], 12)
    assert [one.id for one in receipt.candidates] == goals[:10]
    assert receipt.digest == digest([[choice.goal_id, choice.score] for choice in ranked])
    assert [choice.goal_id for choice in ledger.as_of(head).work.explain()] == goals  # it can be made again


def test_a_claim_that_comes_again_is_answered_as_at_first(ledger: Ledger):
    ready(ledger), ready(ledger)
    once = ledger.using(command_id="c1")
    first = once.work.claim(lease_s=60)
    assert once.work.claim(lease_s=60) == first
    assert refused(ledger, once.work.claim, lease_s=61) == "command_id_reused"
    assert len(ledger.runs.list().rows) == 1


def test_a_goal_that_newer_code_wrote_to_is_passed_over(place: Place):
    with Ledger.open(place.url, actor="test:work") as ledger:
        ready(ledger, priority=1)
        second = ready(ledger)
        ledger.goals.amend(ledger.goals.list().rows[0].goal_id, title="B")
    [(position, stream, version, _, body, _)] = place.rows("SELECT * FROM stored_events WHERE rowid = 6")
    name = "goal.teleported"
    place.tamper("UPDATE stored_events SET topic = ?, digest = ? WHERE rowid = 6",
                 values=(name, event_digest(position, stream, version, name, body)))  # fmt: skip

    with Ledger.open(place.url, actor="test:work") as ledger:
        best = ledger.work.next()
        assert best is not None and best.goal_id == stream  # the read models know it up to there
        assert [claimed(ledger), claimed(ledger)] == [second, None]


def test_work_for_the_key_result_that_is_furthest_behind_is_served_first(ledger: Ledger):
    objective = ledger.goals.create("O", goal_type=GoalType.OBJECTIVE)
    key = ledger.goals.create("K", goal_type=GoalType.KEY_RESULT, target=95.0, parent_goal_id=objective.goal_id)
    ready(ledger, "urgent", priority=1)
    step = ready(ledger, "step", priority=5, parent_goal_id=key.goal_id)
    assert claimed(ledger) != step
    another = ready(ledger, "step 2", priority=5, parent_goal_id=key.goal_id)
    ready(ledger, "urgent 2", priority=1)
    ledger.goals.ready(key.goal_id), ledger.goals.activate(key.goal_id)
    assert [claimed(ledger) for _ in range(2)] == [step, another]


def test_dependencies_pauses_and_open_runs_keep_a_goal_from_being_claimed(ledger: Ledger):
    needed = ready(ledger, priority=1)
    waits = ledger.goals.create("waits", priority=1)
    ledger.goals.ready(waits.goal_id)
    ledger.goals.amend(waits.goal_id, dependencies=[needed])
    paused = ready(ledger)
    ledger.goals.activate(paused), ledger.goals.wait(paused)

    assert claimed(ledger) == needed
    why = {choice.goal_id: choice.why for choice in ledger.work.explain()}
    assert why[waits.goal_id] == f"depends on {needed}"
    assert why[paused] == "is waiting"
    assert why[needed].endswith("is open")
    assert claimed(ledger) is None
    ledger.goals.complete(needed)
    assert claimed(ledger) == waits.goal_id


CLAIM = """
import sys
from goal_ledger.ledger import Ledger, Settings
url, name = sys.argv[1:]
with Ledger.open(url, actor=f"agent:{name}", settings=Settings(lock_wait_s=300)) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    while (run := ledger.work.claim(lease_s=600)) is not None:
        print(run.goal_id, run.run_id, flush=True)
"""


def test_many_processes_never_get_the_same_work(place: Place):
    workers = 20 if isinstance(place, FilePlace) else 6
    with Ledger.open(place.url, actor="test:work") as ledger:
        goals = [ready(ledger, f"goal {number}") for number in range(60)]
        head = ledger.head
    started = [python(CLAIM, place.url, number, stdin=subprocess.PIPE) for number in range(workers)]
    for worker in started:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    for worker in started:
        assert worker.stdin is not None
        print(file=worker.stdin, flush=True)
    answers = [finished(worker) for worker in started]

    got = [line.split() for answer in answers for line in answer.splitlines()]
    assert sorted(goal_id for goal_id, _ in got) == sorted(goals)
    assert len({run_id for _, run_id in got}) == len(goals)
    with Ledger.open(place.url) as ledger:
        assert len(recorded(ledger)) == head + 3 * len(goals)
        assert {row.goal_id for row in ledger.runs.list(status=RunStatus.RUNNING).rows} == set(goals)


# --- Leases


def test_a_lease_must_be_a_positive_time(ledger: Ledger):
    goal = ready(ledger)
    for lease_s in (0, -1, float("nan"), float("inf"), "60", True):
        assert refused(ledger, ledger.runs.start, goal, lease_s=lease_s) == "invalid_value"
        assert refused(ledger, ledger.work.claim, lease_s=lease_s) == "invalid_value"


def test_heartbeats_are_written_past_half_the_lease_only(ledger: Ledger, clock: Clock):
    run = ledger.runs.start(ready(ledger), lease_s=60)
    begun = parse_utc(str(run.started_at))
    head = ledger.head
    clock.now = begun + timedelta(seconds=30)
    assert ledger.runs.heartbeat(run.run_id).version == 1
    assert ledger.head == head
    clock.now = begun + timedelta(seconds=31)
    assert ledger.runs.heartbeat(run.run_id).lease_until == "2026-02-24T09:01:34.000000Z"
    assert ledger.runs.heartbeat(run.run_id).version == 2
    clock.now = begun + timedelta(seconds=50)
    ledger.runs.act(run.run_id, "copied")  # a sign of life too
    clock.now = begun + timedelta(seconds=75)
    assert ledger.runs.heartbeat(run.run_id).version == 3
    assert ledger.runs.heartbeat(run.run_id, note="half").version == 4
    assert ledger.runs.heartbeat(run.run_id, lease_s=600).lease_s == 600


def test_a_worker_without_a_lease_is_never_quiet(ledger: Ledger):
    run = ledger.runs.start(ready(ledger))
    assert [ledger.runs.heartbeat(run.run_id).version for _ in range(3)] == [2, 3, 4]


def test_a_run_past_its_lease_is_orphaned_and_its_worker_refused(ledger: Ledger):
    goal = ready(ledger)
    run = ledger.runs.start(goal, lease_s=60)
    begun = parse_utc(str(run.started_at))
    head = ledger.head
    assert expire_leases(ledger, begun + timedelta(seconds=60)) == []
    assert ledger.head == head

    [told] = expire_leases(ledger, begun + timedelta(seconds=61))

    assert told == f"{run.run_id} interrupted: orphaned: no sign of life since {run.started_at}, its lease was 60 s"
    lost = ledger.runs.get(run.run_id)
    assert (lost.status, lost.orphaned) == (RunStatus.INTERRUPTED, True)
    assert expire_leases(ledger, begun + timedelta(days=1)) == []
    runs = ledger.runs
    assert refused(ledger, runs.heartbeat, run.run_id) == "lease_lost"
    assert refused(ledger, runs.act, run.run_id, "copied") == "lease_lost"
    assert refused(ledger, runs.checkpoint, run.run_id, "step-3") == "lease_lost"
    assert refused(ledger, runs.finish, run.run_id, LocalOutcome.SUCCEEDED) == "lease_lost"
    assert claimed(ledger) == goal


def test_a_sign_of_life_that_the_read_models_missed_counts(ledger: Ledger, clock: Clock):
    run = ledger.runs.start(ready(ledger), lease_s=60)
    begun = parse_utc(str(run.started_at))
    clock.now = begun + timedelta(seconds=50)
    ledger.runs.heartbeat(run.run_id)
    assert expire_leases(ledger, begun + timedelta(seconds=100)) == []
    assert len(expire_leases(ledger, begun + timedelta(seconds=111))) == 1


def test_only_running_runs_with_a_lease_expire(ledger: Ledger):
    without = ledger.runs.start(ready(ledger))
    laid_down = ledger.runs.start(ready(ledger), lease_s=1)
    ledger.runs.checkpoint(laid_down.run_id, "step-3")
    leased = ledger.runs.start(ready(ledger), lease_s=10**6)
    later = ledger.now() + timedelta(hours=1)

    assert expire_leases(ledger, later) == []
    running = {row.run_id for row in ledger.runs.list(status=RunStatus.RUNNING).rows}
    assert running == {without.run_id, leased.run_id}


def test_a_lease_counts_from_recording_when_nobody_knows_when_the_run_began(ledger: Ledger):
    run = ledger.using(occurred_at=UNKNOWN).runs.start(ready(ledger), lease_s=60)
    assert (run.started_at, run.lease_until) == (None, "2026-02-24T09:01:03.000000Z")
    assert len(expire_leases(ledger, parse_utc("2026-02-24T09:02:00Z"))) == 1


# --- Taking over


def test_a_run_is_taken_over_and_the_worker_before_refused(ledger: Ledger):
    goal = ready(ledger)
    old = ledger.runs.start(goal, agent="agent:a", lease_s=60)
    ledger.runs.checkpoint(old.run_id, "step-3")

    new = ledger.runs.take_over(old.run_id, agent="agent:b", lease_s=30, reason="silent")

    assert (new.attempt, new.takes_over, new.checkpoint_ref, new.agent) == (2, old.run_id, "step-3", "agent:b")
    gone = ledger.runs.get(old.run_id)
    assert (gone.status, gone.successor, gone.detail) == (RunStatus.INTERRUPTED, new.run_id, "silent")
    assert refused(ledger, ledger.runs.finish, old.run_id, LocalOutcome.SUCCEEDED) == "lease_lost"
    assert refused(ledger, ledger.runs.take_over, old.run_id, reason="again") == "lease_lost"
    assert ledger.runs.finish(new.run_id, LocalOutcome.SUCCEEDED).status is RunStatus.FINISHED


def test_a_goal_names_the_run_to_be_taken_over_unless_there_are_several(ledger: Ledger):
    goal = ready(ledger, resume_if_checkpointed=False)
    assert refused(ledger, ledger.runs.take_over, goal, reason="silent") == "nothing_to_take_over"
    first = ledger.runs.start(goal)
    ledger.runs.checkpoint(first.run_id, "step-3")
    new = ledger.runs.take_over(goal, reason="silent")
    assert (new.takes_over, new.checkpoint_ref) == (first.run_id, None)
    ledger.runs.start(goal, overlap=True)
    assert refused(ledger, ledger.runs.take_over, goal, reason="silent") == "several_runs"
    assert ledger.runs.take_over(new.run_id, reason="silent").attempt == 4


def test_a_takeover_needs_a_reason_an_open_run_and_an_attempt(ledger: Ledger):
    run = ledger.runs.start(ready(ledger, max_attempts=1))
    for reason in (None, " "):
        assert refused(ledger, ledger.runs.take_over, run.run_id, reason=reason) == "no_attempts_left"
    ledger.goals.amend(run.goal_id, max_attempts=2)
    for reason in (None, " "):
        assert refused(ledger, ledger.runs.take_over, run.run_id, reason=reason) == "no_reason"
    ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED)
    assert refused(ledger, ledger.runs.take_over, run.run_id, reason="silent") == "not_allowed"
    assert refused(ledger, ledger.runs.take_over, "grun_nothing", reason="silent") == "unknown_run"
    assert refused(ledger, ledger.runs.take_over, "goal_nothing", reason="silent") == "unknown_goal"


# --- Overlap


def test_replacing_interrupts_the_open_run(ledger: Ledger):
    goal = ready(ledger, overlap="replace")
    first, second = ledger.runs.start(goal), ledger.runs.start(goal)
    gone = ledger.runs.get(first.run_id)
    assert (gone.status, gone.successor) == (RunStatus.INTERRUPTED, second.run_id)
    assert second.status is RunStatus.RUNNING
    assert refused(ledger, ledger.runs.act, first.run_id, "copied") == "lease_lost"
    assert claimed(ledger) is None  # a claim replaces nothing


def test_allowing_starts_beside_and_claims_it_last(ledger: Ledger):
    goal, other = ready(ledger, overlap="allow", priority=1), ready(ledger, priority=5)
    assert [claimed(ledger) for _ in range(3)] == [goal, other, goal]


def test_a_queued_run_is_started_by_a_claim_oldest_first(ledger: Ledger):
    goal = ready(ledger, overlap="enqueue")
    first = ledger.runs.start(goal)
    second = ledger.runs.start(goal, job_id="j-2", plan_summary="again")
    third = ledger.runs.start(goal)
    assert [row.status for row in (first, second, third)] == ["running", "queued", "queued"]
    assert [row.run_id for row in ledger.runs.list(status=RunStatus.QUEUED).rows] == [third.run_id, second.run_id]
    assert (second.attempt, second.started_at) == (2, None)
    assert claimed(ledger) is None
    assert refused(ledger, ledger.runs.act, second.run_id, "copied") == "not_allowed"
    assert [event.name for event in ledger.goals.timeline(goal)].count("run.queued") == 2

    ledger.runs.finish(first.run_id, LocalOutcome.SUCCEEDED)
    run = ledger.work.claim(agent="agent:b", lease_s=60)

    assert run is not None
    assert (run.run_id, run.attempt, run.status, run.job_id, run.plan_summary, run.agent, run.lease_s) == (
        second.run_id, 2, RunStatus.RUNNING, "j-2", "again", "agent:b", 60,
    )  # fmt: skip
    ledger.runs.interrupt(third.run_id, reason="moot")
    fail(ledger, run.run_id)
    after = ledger.work.claim()
    assert after is not None and after.attempt == 4


# --- Attempts


def test_the_attempt_beyond_the_last_is_refused_and_the_last_failure_fails_the_goal(ledger: Ledger, clock: Clock):
    goal = ready(ledger, max_attempts=3)
    for attempt in count(1):
        run = ledger.work.claim()
        if run is None:
            break
        assert run.attempt == attempt
        fail(ledger, run.run_id)
        clock.now += timedelta(hours=2)
    row = ledger.goals.get(goal)
    assert (row.attempts, row.status, row.status_reason) == (3, GoalStatus.FAILED, "attempts_exhausted")


def test_a_success_on_the_last_attempt_fails_nothing_and_one_more_is_refused(ledger: Ledger):
    goal = ready(ledger, max_attempts=1)
    ledger.runs.finish(ledger.runs.start(goal).run_id, LocalOutcome.SUCCEEDED)
    assert ledger.goals.get(goal).status is GoalStatus.ACTIVE
    assert refused(ledger, ledger.runs.start, goal) == "no_attempts_left"
    assert ledger.work.claim() is None


def test_a_retry_is_recorded_and_claimed_when_it_is_due(ledger: Ledger, clock: Clock):
    goal = ready(ledger, max_attempts=3)
    run = ledger.runs.start(goal)
    fail(ledger, run.run_id)

    [retry] = [event.event for event in recorded(ledger, goal) if isinstance(event.event, RetryScheduled)]
    assert (retry.run_id, retry.attempt, retry.backoff_s) == (run.run_id, 2, 60)
    assert ledger.goals.get(goal).not_before == retry.not_before
    assert claimed(ledger) is None
    clock.now = parse_utc(retry.not_before)
    assert claimed(ledger) == goal
    assert ledger.goals.get(goal).not_before is None


def test_a_retry_may_be_started_early_by_name(ledger: Ledger):
    goal = ready(ledger, max_attempts=3)
    ledger.runs.interrupt(ledger.runs.start(goal).run_id, reason="the machine went away")
    assert ledger.goals.get(goal).not_before is not None
    assert ledger.runs.start(goal).attempt == 2


def test_an_orphan_of_a_goal_with_attempts_left_is_tried_again(ledger: Ledger):
    goal = ready(ledger, max_attempts=2)
    ledger.runs.start(goal, lease_s=1)
    expire_leases(ledger, ledger.now() + timedelta(hours=1))
    assert ledger.goals.get(goal).not_before is not None
    ledger.runs.start(goal, lease_s=1)
    expire_leases(ledger, ledger.now() + timedelta(hours=1))
    assert ledger.goals.get(goal).status is GoalStatus.FAILED


def test_without_a_limit_nothing_is_scheduled(ledger: Ledger):
    goal = ready(ledger)
    fail(ledger, ledger.runs.start(goal).run_id)
    row = ledger.goals.get(goal)
    assert (row.status, row.not_before) == (GoalStatus.ACTIVE, None)


def test_interrupting_twice_schedules_once(ledger: Ledger):
    goal = ready(ledger, max_attempts=5)
    run = ledger.runs.start(goal)
    ledger.runs.interrupt(run.run_id, reason="gone")
    head = ledger.head
    ledger.runs.interrupt(run.run_id, reason="gone")
    assert ledger.head == head


# --- Budgets


def test_a_bill_beyond_the_budget_pauses_the_goal_and_the_run_goes_on(ledger: Ledger):
    goal = ready(ledger, budget_usd="1.00")
    run = ledger.runs.start(goal)
    ledger.runs.cost(run.run_id, tokens_in=5)
    ledger.runs.cost(run.run_id, cost_usd=Decimal("0.60"))
    assert ledger.goals.get(goal).status is GoalStatus.ACTIVE
    ledger.runs.cost(run.run_id, cost_usd=Decimal("0.41"))

    row = ledger.goals.get(goal)
    assert (row.status, row.status_reason) == (GoalStatus.WAITING, "budget_exceeded")
    ledger.runs.act(run.run_id, "copied")
    ledger.runs.cost(run.run_id, cost_usd=Decimal("0.10"))
    fail(ledger, run.run_id)
    assert ledger.runs.get(run.run_id).cost_usd == Decimal("1.11")

    ledger.goals.activate(goal)
    assert refused(ledger, ledger.runs.start, goal) == "over_budget"
    assert ledger.work.claim() is None
    assert ledger.work.explain()[0].why == "its budget of $1.00 is used up: its runs cost $1.11"
    ledger.goals.amend(goal, budget_usd="2.00")
    assert claimed(ledger) == goal


def test_costs_of_every_run_count_and_those_of_other_goals_do_not(ledger: Ledger):
    goal = ready(ledger, budget_usd="1.00", overlap="allow")
    child = ready(ledger, parent_goal_id=goal)
    first, second, other = ledger.runs.start(goal), ledger.runs.start(goal), ledger.runs.start(child)
    ledger.runs.cost(other.run_id, cost_usd=Decimal(5))
    ledger.runs.finish(first.run_id, LocalOutcome.SUCCEEDED)
    ledger.runs.cost(first.run_id, cost_usd=Decimal("0.50"))  # a late bill
    assert ledger.goals.get(goal).status is GoalStatus.ACTIVE
    ledger.runs.cost(second.run_id, cost_usd=Decimal("0.50"))
    assert refused(ledger, ledger.runs.start, goal) == "over_budget"
    ledger.runs.finish(second.run_id, LocalOutcome.SUCCEEDED)
    assert ledger.goals.get(goal).status is GoalStatus.ACTIVE  # used up, and not exceeded


# --- Capabilities


def test_an_action_that_the_goal_does_not_allow_is_refused(ledger: Ledger):
    run = ledger.runs.start(ready(ledger, allowed_capabilities=["http"]))
    assert refused(ledger, ledger.runs.act, run.run_id, "rm", action_type="shell") == "policy_block"
    assert ledger.runs.act(run.run_id, "get", action_type="http").actions_taken == ("get",)
    assert ledger.runs.act(run.run_id, "think").actions_taken == ("get", "think")
    ledger.goals.amend(run.goal_id, allowed_capabilities=[])
    assert ledger.runs.act(run.run_id, "rm", action_type="shell").version == 4


# --- Where goals come from


def test_a_goal_from_a_detector_is_claimed_like_any_other(ledger: Ledger):
    proposed = ledger.goals.create("Fix", origin=Origin(source=GoalSource.SYSTEM, created_by="detector:x"))
    assert claimed(ledger) is None
    ledger.goals.approve(proposed.goal_id)
    assert claimed(ledger) == proposed.goal_id


# --- What a success means


def test_what_succeeded_is_not_handed_out_again_and_waits_to_be_completed(ledger: Ledger):
    goals = [ready(ledger, f"goal {number}") for number in range(3)]
    for _ in goals:
        run = ledger.work.claim()
        assert run is not None
        ledger.runs.finish(run.run_id, LocalOutcome.SUCCEEDED)
    assert (claimed(ledger), ledger.work.next()) == (None, None)
    assert {choice.why for choice in ledger.work.explain()} == {"succeeded in attempt 1; waits to be completed"}
    again = ledger.runs.start(goals[0])  # by name it can be tried once more
    fail(ledger, again.run_id)
    assert claimed(ledger) == goals[0]


def test_a_success_completes_its_goal_in_the_same_transaction(ledger: Ledger):
    above = ready(ledger, "Above")
    goal = ready(ledger, parent_goal_id=above)
    ledger.goals.activate(above)
    run = ledger.runs.start(goal)
    head = ledger.head
    worker = ledger.using(command_id="c-1")
    row = worker.runs.finish(run.run_id, LocalOutcome.SUCCEEDED, complete=True)
    assert [event.name for event in recorded(ledger)[head:]] == ["run.finished", "goal.completed", "goal.completed"]
    assert ledger.goals.get(goal).evidence == run.run_id
    assert worker.runs.finish(run.run_id, LocalOutcome.SUCCEEDED, complete=True) == row
    assert refused(worker, worker.runs.finish, run.run_id, LocalOutcome.SUCCEEDED) == "command_id_reused"


def test_a_completion_that_is_refused_leaves_the_run_open(ledger: Ledger):
    goal = ready(ledger)
    run = ledger.runs.start(goal).run_id
    finish = ledger.runs.finish
    assert refused(ledger, finish, run, LocalOutcome.SUCCEEDED, complete=True, caveats=" ") == "no_caveats"
    assert refused(ledger, finish, run, LocalOutcome.SUCCEEDED, evidence="seen") == "not_complete"
    assert refused(ledger, finish, run, LocalOutcome.PARTIAL, complete=True) == "not_succeeded"
    ledger.goals.wait(goal)
    assert refused(ledger, finish, run, LocalOutcome.SUCCEEDED, complete=True) == "not_allowed"
    assert ledger.runs.get(run).status is RunStatus.RUNNING
    ledger.goals.resume(goal)
    finish(run, LocalOutcome.SUCCEEDED, complete=True, caveats="by hand", evidence="seen")
    row = ledger.goals.get(goal)
    assert (row.status, row.caveats, row.evidence) == (GoalStatus.COMPLETED_WITH_CAVEATS, "by hand", "seen")


def test_what_a_failure_condition_turns_into_a_failure_completes_nothing(ledger: Ledger):
    goal = ready(ledger, failure_conditions=["run.duration_seconds > 60"])
    run = ledger.runs.start(goal).run_id
    row = ledger.runs.finish(run, LocalOutcome.SUCCEEDED, duration_seconds=61, complete=True)
    assert (row.local_outcome, ledger.goals.get(goal).status) == (LocalOutcome.FAILED, GoalStatus.ACTIVE)


def test_a_success_completes_one_occurrence_of_a_maintenance_goal(ledger: Ledger, clock: Clock):
    goal = ready(ledger, goal_type="maintenance", review_cadence="1d", catch_up="catch_up_all")
    ledger.goals.activate(goal)
    ledger.tick(ledger.now() + timedelta(days=2, hours=1))
    assert len(ledger.goals.get(goal).open_occurrences) == 2
    run = ledger.runs.start(goal).run_id
    ledger.runs.finish(run, LocalOutcome.SUCCEEDED, complete=True, evidence="seen")
    row = ledger.goals.get(goal)
    assert (len(row.open_occurrences), row.status) == (1, GoalStatus.ACTIVE)
    assert ledger.goals.timeline(goal)[-1].event.evidence == "seen"  # type: ignore[union-attr]


def test_a_claim_frees_what_silent_workers_hold(ledger: Ledger, clock: Clock):
    goal = ready(ledger)
    run = ledger.work.claim(lease_s=60)
    assert run is not None and ledger.work.silent() == []
    clock.now += timedelta(seconds=61)
    assert [row.run_id for row in ledger.work.silent()] == [run.run_id]
    assert ledger.work.next() is None
    assert ledger.work.explain()[0].why == (
        f"run {run.run_id} is open; the lease of {run.run_id} was over at {run.lease_until}"
    )
    other = ledger.work.claim()
    assert other is not None and (other.goal_id, other.attempt) == (goal, 2)
    assert ledger.runs.get(run.run_id).orphaned


def test_a_claim_that_is_refused_frees_nothing(ledger: Ledger, clock: Clock):
    ready(ledger)
    run = ledger.work.claim(lease_s=60)
    assert run is not None
    ledger.sessions.start()
    ledger.sessions.drain()
    clock.now += timedelta(seconds=61)
    assert refused(ledger, ledger.work.claim) == "draining"
    assert ledger.runs.get(run.run_id).status is RunStatus.RUNNING


def test_a_claim_keeps_the_steps_that_its_goal_is_broken_down_into(ledger: Ledger):
    method = METHODS[0]
    evidence = {one.field: one.contains or "x" for one in method.preconditions}
    goal = ready(ledger, metadata={"pattern": method.pattern, "evidence": evidence})
    chosen, run = ledger.work.plan(goal), ledger.work.claim()
    assert chosen is not None and run is not None
    assert run.plan_summary == str(chosen)
    assert run.plan_summary.startswith(f"{chosen.method}: 1. {chosen.steps[0]}; 2. ")
