"""Ticks: what is due is done once, whoever asks and however often."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goal_ledger.domain.goals import goal as rules
from goal_ledger.domain.goals.goal import GOAL, GoalFailed
from goal_ledger.ledger import GoalStatus, Ledger, LedgerError, LocalOutcome, Rejected
from goal_ledger.ledger.duties import DUTIES, Duty
from goal_ledger.ledger.tick import Attention, tick
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.work.agenda import agenda
from tests.ledger.histories import Step, opened, play, steps
from tests.places import Place
from tests.tools import START, Clock, examples, finished, python, recorded

LATER = START + timedelta(days=30)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with opened() as ledger:
        yield ledger


def refusal(ask: Any, *arguments: Any, **wish: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value


def lines(ledger: Ledger, **how: Any) -> list[str]:
    """What a tick says; detectors have tests of their own."""
    ticked = ledger.tick(**({"duties": [name for name in DUTIES if name != "detection"]} | how))
    assert ticked.ok, ticked
    return [line for duty in ticked.duties for line in duty.done]


def active(ledger: Ledger, **contract: Any) -> str:
    goal_id = ledger.goals.create("A", **contract).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


# --- Deadlines


def test_a_started_goal_fails_past_its_deadline_and_an_unstarted_one_is_overdue(ledger: Ledger):
    started = active(ledger, time_horizon="2026-03-01")
    waiting = ledger.goals.create("B", time_horizon="2026-03-02").goal_id
    ledger.goals.ready(waiting)
    at_ease = active(ledger, time_horizon="2026-05-01")

    assert lines(ledger, now=datetime.fromisoformat("2026-03-01T00:00:00Z")) == []  # not past it yet
    assert lines(ledger, now=LATER) == [f"{started} failed: deadline_exceeded"]
    last = recorded(ledger, started)[-1].event
    assert last == GoalFailed(from_status=GoalStatus.ACTIVE, reason="deadline_exceeded")
    assert (ledger.goals.get(waiting).status, ledger.goals.get(at_ease).status) == ("ready", "active")
    assert ledger.attention(datetime.fromisoformat("2026-03-02T00:00:00Z")) == []  # nor is it overdue yet
    assert ledger.attention(LATER) == [Attention("overdue", waiting, "2026-03-02T00:00:00.000000Z")]
    assert lines(ledger, now=LATER) == []


def test_an_open_run_of_a_goal_that_fails_goes_on_and_is_told_of(ledger: Ledger):
    goal_id = active(ledger, time_horizon="2026-03-01")
    run_id = ledger.runs.start(goal_id).run_id
    assert lines(ledger, now=LATER) == [f"{goal_id} failed: deadline_exceeded; run {run_id} is still open"]
    assert ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED).local_outcome == "succeeded"


@pytest.mark.parametrize("end", ["complete", "fail", "archive"])
def test_a_goal_that_ended_has_no_deadline(ledger: Ledger, end: str):
    goal_id = active(ledger, time_horizon="2026-03-01")
    getattr(ledger.goals, end)(goal_id, reason="enough")
    assert lines(ledger, now=LATER) == []
    assert ledger.views.select(agenda, order=("goal_id",)) == []


def test_a_deadline_that_is_moved_counts_as_moved(ledger: Ledger):
    goal_id = active(ledger)
    ledger.goals.amend(goal_id, time_horizon="2026-03-01")
    unstarted = ledger.goals.create("B").goal_id
    ledger.goals.amend(unstarted, time_horizon="2026-03-01")
    assert [item.id for item in ledger.attention(LATER)] == [unstarted]
    ledger.goals.amend(goal_id, time_horizon="ongoing")
    assert lines(ledger, now=LATER) == []


# --- Attention


def test_a_running_run_without_a_sign_of_life_is_stuck(ledger: Ledger):
    goal_id = active(ledger)
    run_id = ledger.using(occurred_at=START).runs.start(goal_id).run_id
    limit = timedelta(seconds=ledger.settings.stuck_after_s)
    assert ledger.attention(START + limit) == []
    assert [item[:2] for item in ledger.attention(START + limit + timedelta(seconds=1))] == [("stuck", run_id)]

    ledger.using(occurred_at=START + limit).runs.heartbeat(run_id)
    assert ledger.attention(START + 2 * limit) == []
    ledger.runs.checkpoint(run_id, "step-1")
    assert ledger.attention(LATER) == []


# --- Ticks


def test_a_duty_that_fails_is_told_of_and_stops_no_other(ledger: Ledger):
    def refuse(ledger: Ledger, now: datetime) -> Iterator[str]:
        yield "one thing"
        raise Rejected("no_way", "it cannot be done")

    def break_(ledger: Ledger, now: datetime) -> list[str]:
        raise ZeroDivisionError("by nought")

    duties = {"a": Duty(refuse), "b": Duty(break_), "c": Duty(lambda ledger, now: ["another"])}
    ticked = tick(ledger, LATER, registered=duties)
    assert [tuple(duty) for duty in ticked.duties] == [
        ("a", ["one thing"], "it cannot be done (no_way)"),
        ("b", [], "ZeroDivisionError: by nought"),
        ("c", ["another"], None),
    ]
    assert not ticked.ok


def test_a_goal_that_cannot_be_moved_stops_no_other(ledger: Ledger):
    first, second = (ledger.goals.create(title, stop_condition="now > 2026-03-01").goal_id for title in "AB")
    period = f"tick:conditions:2026-03-26T09:00:00.000000Z:{first}:1"
    ledger.using(command_id=period).goals.create("C")  # somebody took the command id for another wish
    ticked = ledger.tick(LATER, duties=["conditions"])
    assert ticked.duties[0].done == [f"{second} archived: stop_condition: now > 2026-03-01"]
    assert "command_id_reused" in (ticked.duties[0].problem or "")


def test_a_duty_with_a_period_is_done_once_in_it(ledger: Ledger):
    goal_id = active(ledger)

    def note(ledger: Ledger, now: datetime) -> list[str]:
        done: list[str] = []

        def work(tx: Any) -> None:
            tx.act(goal_id, GOAL, rules.record_activity, activity="seen")
            done.append("seen")

        ledger.transact(work, operation="note")
        return done

    duties = {"note": Duty(note, period_s=86_400)}
    times = [START, START + timedelta(hours=3), START + timedelta(hours=20), START + timedelta(hours=21)]
    told = [tick(ledger, now, registered=duties).duties[0].done for now in times]
    assert told == [["seen"], [], ["seen"], []]
    commands = [item.command for item in recorded(ledger) if item.command is not None]
    assert commands == ["tick:note:2026-02-24T00:00:00.000000Z", "tick:note:2026-02-25T00:00:00.000000Z"]


def test_only_the_named_duties_are_done(ledger: Ledger):
    active(ledger, time_horizon="2026-03-01")
    assert [duty.name for duty in ledger.tick(LATER, duties=["conditions"]).duties] == ["conditions"]
    assert refusal(ledger.tick, LATER, duties=["conditions", "chores"]).code == "unknown_duty"
    assert [duty.name for duty in ledger.tick(LATER).duties] == list(DUTIES)


def test_read_only_and_in_the_past_nothing_ticks(ledger: Ledger):
    assert refusal(ledger.as_of().tick, LATER).code == "read_only"
    assert refusal(ledger.tick, datetime(2026, 3, 1)).code == "naive_time"  # noqa: DTZ001 — that is the point


def test_a_duty_of_one_transaction_is_asked_again_at_the_same_time_and_repeats_nothing(ledger: Ledger):
    goals = [active(ledger)]

    def complete(ledger: Ledger, now: datetime) -> list[str]:
        recorded = ledger.transact(
            lambda tx: [tx.act(goal_id, GOAL, rules.complete) for goal_id in goals], operation="duty.complete"
        )
        return [one.stream for one in recorded]

    duties = {"complete": Duty(complete)}
    assert tick(ledger, LATER, registered=duties).duties[0].done == goals
    assert tick(ledger, LATER, registered=duties).duties[0].done == []
    goals.append(active(ledger))
    assert tick(ledger, LATER, registered=duties).duties[0].done == goals[1:]
    assert ledger.has_answered("tick:complete:2026-03-26T09:00:00.000000Z:2")


def test_what_happens_after_a_tick_is_seen_by_the_next_at_the_same_time(ledger: Ledger):
    for title in "AB":
        goal_id = ledger.goals.create(title, start_condition="now > 2026-03-01").goal_id
        assert lines(ledger, now=LATER) == [f"{goal_id} ready: start_condition: now > 2026-03-01"]


TICK = """
import sys
from datetime import datetime
from goal_ledger.ledger import Ledger, Settings
with Ledger.open(sys.argv[1], actor="test:tick", settings=Settings(lock_wait_s=300)) as ledger:
    sys.stdin.readline()
    ticked = ledger.tick(datetime.fromisoformat("2026-03-26T09:00:00Z"))
    assert ticked.ok, ticked
    print(sum(len(duty.done) for duty in ticked.duties))
"""


def test_two_processes_that_tick_at_once_do_everything_once(place: Place):
    import subprocess

    many = 40
    with Ledger.open(place.url, actor="test:tick", clock=Clock()) as ledger:
        for number in range(many):
            if number % 2:
                ledger.goals.create("A", start_condition="now > 2026-03-01")
            else:
                active(ledger, time_horizon="2026-03-01", goal_type="watchdog", watch="goal.priority = 3")
        before = ledger.head
        ticking = [python(TICK, place.url, stdin=subprocess.PIPE) for _ in range(2)]
        for process in ticking:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert sum(int(finished(process)) for process in ticking) == many
        assert ledger.head == before + many + 1  # and one scan
        assert lines(ledger, now=LATER) == []


CONDITIONS = st.sampled_from(
    [
        "now > 2026-03-01",
        "count(run.local_outcome = failed) >= 1",
        "count(goal.status = archived) >= 1",
        "run.status = finished and goal.priority < 3",
        "goal.status in (active, blocked)",
        "sum(run.tokens_in) > 2",
        "goal.version > 4",
    ]
)
FIELDS = st.fixed_dictionaries(
    {}, optional={"start_condition": CONDITIONS, "stop_condition": CONDITIONS, "watch": CONDITIONS}
)


@settings(max_examples=examples(20))
@given(steps(most=25), st.lists(FIELDS, min_size=1, max_size=4), st.integers(0, 60))
def test_to_tick_twice_is_to_tick_once(wishes: list[Step], contracts: list[dict[str, Any]], days: int):
    now = START + timedelta(days=days)
    with opened() as ledger:
        for position, _ in enumerate(play(ledger, wishes)):
            goals = ledger.goals.list(sort="newest").rows
            if goals and position < len(contracts) and goals[0].status is not GoalStatus.ARCHIVED:
                ledger.goals.amend(goals[0].goal_id, **contracts[position])
        first = lines(ledger, now=now)
        head = ledger.head
        assert lines(ledger, now=now) == []
        assert ledger.head == head
        assert (first == []) is all(item.command is None for item in recorded(ledger))


@settings(max_examples=examples(20))
@given(steps(most=25), st.lists(FIELDS, min_size=1, max_size=4))
def test_the_agenda_misses_no_goal_that_something_could_move(wishes: list[Step], contracts: list[dict[str, Any]]):
    with opened() as ledger:
        for position, _ in enumerate(play(ledger, wishes)):
            goals = ledger.goals.list(sort="newest").rows
            if goals and goals[0].status is not GoalStatus.ARCHIVED:
                ledger.goals.amend(goals[0].goal_id, **contracts[position % len(contracts)])
        rows = {row.goal_id: row for row in ledger.views.select(agenda, order=("goal_id",))}
        for goal in ledger.views.select(goal_definitions, order=("goal_id",)):
            row = rows.get(goal.goal_id)
            if goal.status is GoalStatus.ARCHIVED:
                assert row is None
                continue
            ended = goal.status in ("completed", "completed_with_caveats", "failed", "rejected")
            needs = [goal.stop_condition]
            needs += [] if ended else [goal.watch]
            needs += [goal.start_condition] if goal.status is GoalStatus.PLANNED else []
            assert (row is not None and row.conditional) or not any(needs)
            assert (
                (row is not None and row.time_horizon == goal.time_horizon) or ended or goal.time_horizon == "ongoing"
            )
            if row is not None and not row.started:
                assert goal.status in ("proposed", "planned", "ready")


@pytest.mark.parametrize(
    "bad",
    [
        Duty(lambda ledger, now: [], period_s=0),
        Duty(lambda ledger, now: [], setting="nope"),
        Duty(lambda ledger, now: sys.exit(3)),
        Duty(lambda ledger, now: 5),  # type: ignore[arg-type,return-value]
    ],
    ids=["no period", "no setting", "exit", "no lines"],
)
def test_a_duty_that_cannot_be_done_stops_no_other(bad: Duty):
    duties = {"a": bad, "b": Duty(lambda ledger, now: ["done"])}
    with Ledger.open(":memory:", actor="test:tick", duties=duties) as ledger:
        done = {duty.name: duty for duty in ledger.tick().duties}
    assert done["a"].problem is not None
    assert done["b"].done == ["done"]


def test_a_duty_that_would_reach_behind_the_calendar_says_so_and_the_others_are_done(ledger: Ledger):
    ticked = ledger.tick(datetime(1, 1, 1, tzinfo=UTC))
    problems = [duty.problem for duty in ticked.duties]
    assert None in problems
    assert all(problem is None or problem.endswith("(bad_time)") for problem in problems)
