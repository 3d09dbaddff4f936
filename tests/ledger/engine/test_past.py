"""The ledger as of then: as it was known at a position, and as it was true at an instant."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goal_ledger.domain.base import Recorded
from goal_ledger.ledger import (
    UNKNOWN,
    BusinessOutcome,
    GoalStatus,
    Ledger,
    LedgerError,
    LocalOutcome,
    Settings,
)
from goal_ledger.projections.registry import PROJECTIONS
from tests.ledger.histories import Step, answers, opened, play, steps
from tests.tools import START, Clock, examples, recorded, tamper

LATER = START + timedelta(days=7)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with opened() as ledger:
        yield ledger


def code(ask: Any, *arguments: Any, **wish: Any) -> str:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value.code


def finished_run(ledger: Ledger) -> str:
    goal_id = ledger.goals.create("A").goal_id
    ledger.goals.ready(goal_id)
    run_id = ledger.runs.start(goal_id).run_id
    return ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED).run_id


# --- Whatever happened


@given(steps(), st.sampled_from([1, 2, 5_000]))
@settings(max_examples=examples(15))
def test_as_of_a_position_everything_is_answered_as_it_was_there(wishes: list[Step], page: int):
    with opened(page=page) as ledger:
        told = {position: answers(ledger) for position in play(ledger, wishes)}
        for position, then in told.items():
            assert answers(ledger.as_of(position)) == then
            assert answers(ledger.as_of().as_of(position)) == then
        assert answers(ledger.as_of()) == answers(ledger)


@given(steps(timed=True))
@settings(max_examples=examples(15))
def test_what_was_told_as_it_happened_is_true_as_it_was_known(wishes: list[Step]):
    with opened() as ledger:
        for _ in play(ledger, wishes):
            pass
        true = ledger.as_of(valid_at="9999-01-01")
        assert answers(true) == answers(ledger)
        assert true.untimed == 0
        for event in recorded(ledger):
            then, known = answers(ledger.as_of(valid_at=event.at)), answers(ledger.as_of(event.at))
            assert {name for name in then if then[name] != known[name]} <= {"head", "stats"}


@given(steps(), st.integers(-100, 100), st.integers(0, 30), st.sampled_from([1, 3, 5_000]))
def test_what_was_true_is_the_fold_of_what_had_occurred_in_its_order(
    wishes: list[Step], minutes: int, known: int, page: int
):
    with opened(page=page) as ledger:
        for _ in play(ledger, wishes):
            pass
        at = START + timedelta(minutes=minutes)
        past = ledger.as_of(min(known, ledger.head), valid_at=at)
        told = answers(past)

        text = at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        held = [event for event in recorded(ledger) if event.position <= known]
        happened = [event for event in held if event.occurred_at is not None and event.occurred_at <= text]
        happened.sort(key=lambda event: (event.occurred_at or "", event.position))
        assert told["events"] == repr(happened)
        assert past.untimed == sum(event.occurred_at is None for event in held)
        for name, projection in PROJECTIONS.items():
            rows: dict[Any, Any] = {}
            for event in happened:
                if fold := projection.folds.get(type(event.event)):
                    key = event.stream if fold.at is None else fold.at(event, event.event)
                    rows[key] = fold.handler(rows.get(key), event, event.event)
            kept = [rows[key] for key in sorted(rows) if rows[key] is not None]
            assert repr(past.views.select(projection, order=(projection.key,))) == repr(kept), name
            if all(fold.at is None for fold in projection.folds.values()):
                assert repr([past.fold(projection, row[0]) for row in kept]) == repr(kept)


# --- Two times


def test_a_late_outcome_is_known_later_than_it_was_true(ledger: Ledger):
    run_id = finished_run(ledger)
    before = ledger.head
    true_at = START + timedelta(hours=1)
    ledger.using(occurred_at=true_at).runs.outcome(run_id, BusinessOutcome.DEGRADED)

    def known(past: Ledger) -> list[BusinessOutcome]:
        return [past.runs.get(run_id).business_outcome, *(row.business_outcome for row in past.runs.list().rows)]

    unknown, degraded = [BusinessOutcome.UNKNOWN] * 2, [BusinessOutcome.DEGRADED] * 2
    assert known(ledger.as_of(before)) == unknown
    assert known(ledger.as_of(valid_at=true_at)) == degraded
    assert known(ledger.as_of(valid_at=true_at - timedelta(microseconds=1))) == unknown
    assert known(ledger.as_of(before, valid_at=true_at)) == unknown
    # It was recorded before it was true by the ledger's clock: known at once, and not true yet.
    assert known(ledger.as_of(START + timedelta(minutes=1))) == degraded
    assert known(ledger.as_of(valid_at=START + timedelta(minutes=1))) == unknown


def test_events_that_nobody_knows_the_time_of_are_left_out_and_counted(ledger: Ledger):
    run_id = finished_run(ledger)
    ledger.using(occurred_at=UNKNOWN).runs.outcome(run_id, BusinessOutcome.IMPROVED)
    ledger.using(occurred_at=UNKNOWN).goals.create("Some time")
    past = ledger.as_of(valid_at=LATER)

    assert past.untimed == 0
    assert past.runs.get(run_id).business_outcome is BusinessOutcome.UNKNOWN
    assert past.runs.get(run_id) == past.runs.get(run_id)
    assert past.untimed == 1  # of what was asked
    assert [row.title for row in past.goals.list().rows] == ["A"]
    assert past.untimed == 2
    assert ledger.untimed == ledger.as_of().untimed == 0


def test_an_event_told_late_takes_its_place_in_the_order_of_time(ledger: Ledger):
    goal_id = ledger.goals.create("A").goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    ledger.using(occurred_at=START + timedelta(microseconds=1)).goals.amend(goal_id, priority=1)
    past = ledger.as_of(valid_at=LATER)

    assert [event.position for event in ledger.goals.timeline(goal_id)] == [2, 3, 4, 5]
    assert [event.position for event in past.goals.timeline(goal_id)] == [5, 2, 3, 4]
    assert [event.position for event in past.events()] == [1, 5, 2, 3, 4]
    assert [event.position for event in past.events(after=3)] == [5, 4]
    assert past.goals.get(goal_id).priority == 3  # amended before it began: nothing to amend


def test_a_child_whose_parent_was_not_there_yet_stands_on_its_own(ledger: Ledger):
    parent = ledger.using(occurred_at=LATER).goals.create("Parent")
    child = ledger.goals.create("Child", parent_goal_id=parent.goal_id, dependencies=[parent.goal_id])
    past = ledger.as_of(valid_at=START + timedelta(days=1))

    [node] = past.goals.tree()
    assert (node.goal.goal_id, node.children) == (child.goal_id, [])
    assert past.goals.blocked_by(node.goal) == [parent.goal_id]
    assert code(past.goals.get, parent.goal_id) == "unknown_goal"


def test_what_is_overdue_is_judged_at_the_time_that_is_asked_for(ledger: Ledger):
    goal = ledger.goals.create("A", time_horizon="2026-02-25")

    def overdue(past: Ledger) -> bool:
        return past.goals.is_overdue(past.goals.get(goal.goal_id))

    assert not overdue(ledger.as_of(goal.position))
    assert not overdue(ledger.as_of("2026-02-24T23:00:00Z"))
    assert overdue(ledger.as_of("2026-02-25T01:00:00Z"))
    assert overdue(ledger.as_of(goal.position, valid_at="2026-02-25T01:00:00Z"))
    assert not overdue(ledger.using(occurred_at=START).as_of("2026-02-25T01:00:00Z"))
    assert not overdue(ledger.as_of("2026-02-25T01:00:00Z").using(occurred_at=START))


def test_the_past_of_a_past_is_what_both_knew(ledger: Ledger):
    goal = ledger.goals.create("A")
    ledger.goals.ready(goal.goal_id)
    ledger.goals.activate(goal.goal_id)

    assert ledger.as_of(3).as_of(2).goals.get(goal.goal_id).status is GoalStatus.PLANNED
    assert code(ledger.as_of(2).as_of, 3) == "beyond_head"
    assert ledger.as_of(2).as_of(LATER).head == 2
    early, late = START + timedelta(seconds=2), LATER
    for first, second in ((early, late), (late, early)):
        assert ledger.as_of(valid_at=first).as_of(valid_at=second).goals.get(goal.goal_id).status is GoalStatus.READY
    assert ledger.as_of(valid_at=late).as_of(3).goals.get(goal.goal_id).status is GoalStatus.READY


# --- Only to be read


def test_the_past_takes_no_writes(ledger: Ledger):
    goal = ledger.goals.create("A")
    head = ledger.head
    for past in (ledger.as_of(), ledger.as_of(1), ledger.as_of(valid_at=START), ledger.as_of().using(actor="a:b")):
        with pytest.raises(LedgerError, match="which nothing can change") as refused:
            past.goals.ready(goal.goal_id)
        assert (refused.value.code, refused.value.exit_code) == ("read_only", 3)
        assert code(past.goals.create, "B") == code(past.transact, lambda _: None) == "read_only"
    assert ledger.head == head
    assert ledger.goals.ready(goal.goal_id).status is GoalStatus.READY


def test_what_is_about_the_log_itself_is_not_asked_of_the_past(ledger: Ledger, tmp_path: Path):
    past = ledger.as_of()
    file = ledger.log.export(tmp_path / "known.ndjson").path
    for ask in (
        past.log.verify,
        lambda: list(past.rows()),
        lambda: past.follow(print),
        lambda: past.log.export(tmp_path / "x"),
        lambda: past.log.backup(tmp_path / "x"),
        lambda: past.log.verify_file(file),
    ):
        assert code(ask) == "not_of_the_past"
    assert [path.name for path in tmp_path.iterdir()] == ["known.ndjson"]


def test_the_past_stays_as_it_was_while_the_ledger_goes_on(tmp_path: Path):
    with Ledger.open(tmp_path / "a.db", clock=Clock(), settings=Settings(durable=False)) as ledger:
        goal = ledger.goals.create("A")
        past = ledger.as_of()
        assert past.goals.list().rows == [goal]
        ledger.goals.ready(goal.goal_id)
        ledger.goals.create("B")
        assert past.goals.list().rows == [past.goals.get(goal.goal_id)] == [goal]
        assert len(ledger.goals.list().rows) == 2


def test_closing_the_past_leaves_the_ledger_open_and_the_ledger_closes_its_pasts(ledger: Ledger):
    with ledger.as_of() as past:
        assert past.goals.list().rows == []
    assert code(past.goals.list) == "closed"
    other = ledger.as_of()
    other.goals.list()
    dropped = ledger.as_of()
    dropped.goals.list()
    views = dropped.views
    del dropped
    assert views.rebuilds.status()  # as long as somebody holds them
    del views
    gc.collect()  # a warning about a connection left open would be an error
    assert ledger.goals.list().rows == []
    ledger.close()
    assert code(other.goals.list) == "closed"
    assert code(ledger.as_of) == "closed"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (99, "beyond_head"),
        (-1, "bad_time"),
        ("yesterday", "bad_time"),
        ("-1", "bad_time"),
        ("2026-01-01T00:00", "naive_time"),
        (datetime(2026, 1, 1), "naive_time"),  # noqa: DTZ001
    ],
)
def test_an_instant_that_is_none_is_refused(ledger: Ledger, when: Any, expected: str):
    assert code(ledger.as_of, when) == expected


@pytest.mark.parametrize("when", [5, "5", "now", datetime(2026, 1, 1)])  # noqa: DTZ001
def test_what_was_true_is_asked_by_time_not_by_position(ledger: Ledger, when: Any):
    assert code(ledger.as_of, valid_at=when) in ("bad_time", "naive_time")


def test_an_event_that_cannot_be_read_has_its_time_all_the_same(tmp_path: Path):
    path = tmp_path / "a.db"
    with Ledger.open(path, clock=Clock(), settings=Settings(durable=False)) as ledger:
        goal = ledger.goals.create("A")
        ledger.goals.ready(goal.goal_id)
        ledger.using(occurred_at=UNKNOWN).goals.activate(goal.goal_id)
    tamper(path, "UPDATE stored_events SET topic = 'goal.dreamt' WHERE rowid IN (3, 4)")
    with Ledger.open(path) as ledger:
        past = ledger.as_of(valid_at=LATER)
        assert [item.position for item in past.goals.timeline(goal.goal_id)] == [2, 3]
        assert [isinstance(item, Recorded) for item in past.events()] == [True, True, False]
        assert past.untimed == 1
        past.goals.list()
        assert {item.position for item in past.views.repairs.quarantined()} == {3}
        assert ledger.as_of(2).goals.timeline(goal.goal_id) == ledger.goals.timeline(goal.goal_id)[:1]


def test_nothing_was_before_the_first_event(ledger: Ledger):
    ledger.goals.create("A")
    for past in (ledger.as_of(0), ledger.as_of("2000-01-01"), ledger.as_of(valid_at="2000-01-01")):
        assert (past.goals.list().rows, list(past.events()), past.goals.tree()) == ([], [], [])
        assert past.log.stats()[2:4] == (0, 0)
        assert past.id == ledger.id
    assert ledger.as_of(0).head == 0
    assert ledger.as_of(0, valid_at=datetime.max.replace(tzinfo=UTC)).log.stats().first_at is None
