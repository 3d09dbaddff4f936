"""What changed between two instants."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goal_ledger.ledger import BusinessOutcome, GoalStatus, Ledger, LedgerError, LessonCategory, LocalOutcome
from goal_ledger.projections.registry import NOUNS
from tests.golden.ledger import fill_golden
from tests.ledger.histories import NOBODY, Step, opened, play, steps
from tests.places import Place
from tests.tools import START, examples


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with opened() as ledger:
        yield ledger


def code(ask: Any, *arguments: Any, **wish: Any) -> str:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value.code


def worked(ledger: Ledger) -> tuple[str, str, str]:
    """A goal at 2 and 3, its run at 4 to 6, another goal at 7, a lesson at 8, the run's end at 9."""
    goal_id = ledger.goals.create("A").goal_id
    ledger.goals.ready(goal_id)
    run_id = ledger.runs.start(goal_id).run_id
    ledger.goals.create("B")
    lesson_id = ledger.lessons.add("Prune first", category=LessonCategory.SAFE_DEFAULT).lesson_id
    ledger.runs.finish(run_id, LocalOutcome.SUCCEEDED)
    return goal_id, run_id, lesson_id


def test_a_change_says_each_field_before_and_after_and_the_events_between(ledger: Ledger):
    goal_id, run_id, lesson_id = worked(ledger)
    changes = {change.id: change for change in ledger.diff(2)}

    assert [change.noun for change in changes.values()] == ["goal", "run", "goal", "lesson"]
    goal, run, lesson = (changes[each] for each in (goal_id, run_id, lesson_id))
    assert (goal.kind, goal.positions) == ("changed", (3, 4, 5))
    assert goal.fields["status"] == (GoalStatus.PLANNED, GoalStatus.ACTIVE)
    assert goal.fields["attempts"] == (0, 1)
    assert {"title", "version", "position"}.isdisjoint(goal.fields)
    assert (run.kind, run.before, run.positions) == ("added", None, (6, 9))
    assert run.fields["local_outcome"] == (None, LocalOutcome.SUCCEEDED)
    assert (lesson.kind, lesson.after) == ("added", ledger.lessons.get(lesson_id))


def test_it_looks_at_what_lies_between_and_nothing_else(ledger: Ledger):
    goal_id, run_id, _ = worked(ledger)

    assert ledger.diff(ledger.head) == ledger.diff(4, 4) == []
    [change] = ledger.diff(8, 9)
    assert (change.id, change.kind, change.positions) == (run_id, "changed", (9,))
    assert [change.id for change in ledger.diff(2, 3)] == [goal_id]
    assert len(ledger.diff(0)) == 4


def test_a_goal_is_asked_for_with_its_runs(ledger: Ledger):
    goal_id, run_id, lesson_id = worked(ledger)

    assert [change.id for change in ledger.diff(0, stream=goal_id)] == [goal_id, run_id]
    assert [change.id for change in ledger.diff(0, stream=run_id)] == [run_id]
    assert [change.id for change in ledger.diff(0, stream=lesson_id)] == [lesson_id]
    assert ledger.diff(6, 8, stream=goal_id) == []
    assert code(ledger.diff, 0, stream=NOBODY) == "unknown_goal"
    assert code(ledger.diff, 0, 1, stream=goal_id) == "unknown_goal"


def test_times_are_instants_too_and_backwards_is_refused(ledger: Ledger):
    worked(ledger)
    second = timedelta(seconds=1)

    assert ledger.diff(START - second, START) == []
    assert len(ledger.diff("2026-02-24", "2027-01-01")) == 4
    for start, end in ((3, 2), (START + second, START - second), ("2099-01-02", "2099-01-01"), ("2099-01-01", 2)):
        assert code(ledger.diff, start, end) == "bad_interval"
    assert code(ledger.diff, 0, 99) == "beyond_head"
    assert code(ledger.diff, "yesterday") == "bad_time"


def test_what_was_held_true_then_changes_with_what_is_known(ledger: Ledger):
    _, run_id, _ = worked(ledger)
    before = ledger.head
    then = START + timedelta(hours=1)
    ledger.using(occurred_at=then).runs.outcome(run_id, BusinessOutcome.DEGRADED)

    [change] = ledger.as_of(valid_at=then).diff(before)
    assert change.fields == {"business_outcome": (BusinessOutcome.UNKNOWN, BusinessOutcome.DEGRADED)}
    assert ledger.as_of(valid_at=then - timedelta(seconds=1)).diff(before) == []


@given(steps(), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=examples(12))
def test_the_changes_are_the_rows_that_differ(wishes: list[Step], one: int, other: int):
    with opened() as ledger:
        for _ in play(ledger, wishes):
            pass
        start, end = sorted((min(one, ledger.head), min(other, ledger.head)))
        changes = {(change.noun, change.id): (change.before, change.after) for change in ledger.diff(start, end)}

        expected = {}
        for noun, projection in NOUNS.items():
            rows = [
                {row[0]: row for row in ledger.as_of(at).views.select(projection, order=(projection.key,))}
                for at in (start, end)
            ]
            for key in rows[1]:
                if rows[0].get(key) != rows[1][key]:
                    expected[noun, key] = rows[0].get(key), rows[1][key]
        assert changes == expected
        positions = [position for change in ledger.diff(start, end) for position in change.positions]
        assert all(start < position <= end for position in positions)
        assert len(positions) == len(set(positions))


def test_every_noun_is_told_of_over_every_event_that_there_is(place: Place):
    with Ledger.open(place.url) as ledger:
        fill_golden(ledger)
        told = ledger.diff(1)
        assert {change.noun for change in told} == NOUNS.keys()
        assert [change for change in told if change.kind != "added" or not change.fields or not change.positions] == []
        back = [change for position in range(1, ledger.head) for change in ledger.diff(position, position + 1)]
        assert {change.kind for change in back} == {"added", "changed"}
        assert {change.noun for change in back if change.kind == "changed"} == NOUNS.keys()
