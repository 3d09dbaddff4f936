"""When a condition first held."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from goal_ledger.domain.conditions import Count, holds, leaves, nouns_of, parse
from goal_ledger.ledger import FailureCategory, Ledger, LedgerError, LessonCategory, LocalOutcome
from goal_ledger.projections.fields import kinds
from goal_ledger.projections.registry import NOUNS
from tests.ledger.histories import Step, opened, play, steps
from tests.tools import START, examples


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with opened() as ledger:
        yield ledger


def refusal(ask: Any, *arguments: Any, **wish: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value


def at(ledger: Ledger, condition: str, **wish: Any) -> int | None:
    held = ledger.when(condition, **wish)
    return None if held is None else held.recorded.position


def two_failures(ledger: Ledger) -> tuple[str, str]:
    """A goal at 2 to 3; attempts that fail at 7 and 12, and leave a retry open at 8 and 13; another goal at 14."""
    goal_id = ledger.goals.create("A").goal_id
    ledger.goals.ready(goal_id)
    run_id = ""
    for _ in range(2):
        run_id = ledger.runs.start(goal_id).run_id
        ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
    ledger.goals.create("B", priority=1)
    return goal_id, run_id


def test_the_event_is_told_with_the_row_as_it_then_stood(ledger: Ledger):
    _, run_id = two_failures(ledger)
    held = ledger.when("run.local_outcome = failed and run.attempt > 1")

    assert held is not None
    assert (held.recorded.stream, held.recorded.name, held.noun) == (run_id, "run.finished", "run")
    assert held.row == ledger.as_of(held.recorded.position).runs.get(run_id)


def test_a_count_looks_at_all_rows(ledger: Ledger):
    two_failures(ledger)
    first = at(ledger, "count(run.local_outcome = failed) >= 1")

    assert first == at(ledger, "run.local_outcome = failed") == 7
    assert at(ledger, "count(run.local_outcome = failed) >= 2") == 13
    assert at(ledger, "count(run.local_outcome = failed) > 2") is None
    assert at(ledger, "count(run.status = running) = 1") == 6
    assert at(ledger, "count(run.status = running) = 1", after=6) == 12


def test_a_count_that_is_reached_lets_the_condition_hold_for_a_row_that_nothing_touched(ledger: Ledger):
    goal_id, _ = two_failures(ledger)
    held = ledger.when("goal.status = active and count(run.local_outcome = failed) = 2")

    assert held is not None
    assert (held.recorded.position, held.noun, held.row.goal_id) == (13, "goal", goal_id)


def test_what_holds_from_the_beginning_holds_after_the_first_event(ledger: Ledger):
    held = ledger.when("count(goal.done = true) = 0")
    assert held is not None
    assert (held.recorded.position, held.noun, held.row) == (1, None, None)


def test_a_run_is_seen_with_its_goal(ledger: Ledger):
    goal_id, _ = two_failures(ledger)
    condition = "goal.priority = 1 and run.local_outcome = failed"

    assert at(ledger, condition) is None  # the goal of priority 1 has no run
    ledger.goals.amend(goal_id, priority=1)
    held = ledger.when(condition)
    assert held is not None
    assert (held.recorded.name, held.noun, held.row.attempt) == ("goal.amended", "run", 1)


def test_after_a_position_a_row_counts_when_it_begins_to_hold(ledger: Ledger):
    goal_id, _ = two_failures(ledger)
    assert at(ledger, "run.local_outcome = failed", after=7) == 13
    assert at(ledger, "run.local_outcome = failed", after=13) is None
    for verb in ("wait", "activate", "wait"):
        getattr(ledger.goals, verb)(goal_id)
    waits = [event.position for event in ledger.goals.timeline(goal_id) if event.name == "goal.waited"]
    assert at(ledger, "goal.status = waiting") == waits[0]
    assert at(ledger, "goal.status = waiting", after=waits[0]) == waits[1]


def test_one_goal_is_looked_at_with_its_runs(ledger: Ledger):
    two_failures(ledger)
    other = ledger.goals.create("C").goal_id

    assert at(ledger, "goal.status = planned", goal_id=other) == ledger.head
    assert at(ledger, "run.attempt = 1", goal_id=other) is None
    assert at(ledger, "count(goal.status = planned) = 1", goal_id=other) == ledger.head
    assert refusal(ledger.when, "goal.priority = 1", goal_id="goal_x").code == "unknown_goal"
    assert "belongs to no goal" in refusal(ledger.when, "count(lesson.active = true) = 1", goal_id=other).message


def test_rows_that_have_nothing_in_common_are_not_compared(ledger: Ledger):
    error = refusal(ledger.when, "lesson.active = true and run.attempt = 1")
    assert (error.code, error.message) == ("bad_condition", "a lesson and a run have no row in common")
    assert ledger.when("count(lesson.active = true) = 0 and run.attempt = 1") is None


def test_a_condition_that_cannot_be_read_is_refused_before_the_log_is(ledger: Ledger):
    assert refusal(ledger.when, "run.status = done").message.startswith("column 14: ")
    assert refusal(ledger.when, "run.attempt = 1", after=99).code == "beyond_head"
    assert refusal(ledger.when, "run.attempt = 1", after="yesterday").code == "bad_time"


def test_as_of_then_only_what_was_known_or_true_is_looked_at(ledger: Ledger):
    two_failures(ledger)
    assert at(ledger.as_of(12), "count(run.local_outcome = failed) = 2") is None
    ledger.using(occurred_at=START - timedelta(days=1)).lessons.add("Early", category=LessonCategory.SAFE_DEFAULT)
    ledger.lessons.add("Late", category=LessonCategory.SAFE_DEFAULT)
    held = ledger.as_of(valid_at="9999-01-01").when("count(lesson.active = true) = 1 and count(goal.done = false) = 0")
    assert held is not None
    assert held.recorded.position == 21


CONDITIONS = [
    "run.local_outcome = failed and run.attempt > 1",
    "goal.status in (active, waiting) and goal.priority <= 2",
    "goal.status = active and run.status = running",
    "run.status = finished and not goal.status = active",
    "count(run.status = running) = 2",
    "count(run.local_outcome = failed) > 1 or count(lesson.active = false) >= 1",
    "goal.status = ready and count(run.status = finished) >= 1",
    "lesson.confidence > 0.6 or lesson.evidence_against > 1",
    "not count(goal.status = planned) > 1",
    "goal.parent_goal_id != none and count(goal.done = true) != 1",
    "run.tokens_in >= 2 and goal.attempts = 2 and count(lesson.active = true) < 2",
    "goal.updated_at > 2026-02-24T09:30:00Z",
]


BUSY = [
    Step(verb, pick, None)
    for verb, pick in (("create", 0), ("create below", 0), ("ready", 0), ("ready", 1), ("start", 0), ("learn", 0))
]


@pytest.mark.parametrize("condition", CONDITIONS)
@given(wishes=steps(most=40))
@settings(max_examples=examples(10))
def test_it_is_what_a_check_of_every_row_after_every_event_finds(condition: str, wishes: list[Step]):
    with opened() as ledger:
        for _ in play(ledger, [*BUSY, *wishes]):
            pass
        assert list(found(ledger, condition)) == list(naive(ledger, condition))
        if "lesson" not in condition:
            for row in ledger.goals.list().rows[:2]:
                assert list(found(ledger, condition, row.goal_id)) == list(naive(ledger, condition, row.goal_id))


def found(ledger: Ledger, condition: str, goal_id: str | None = None) -> Iterator[int]:
    """Every position that is found, one after the other."""
    after = 0
    while (position := at(ledger, condition, goal_id=goal_id, after=after)) is not None:
        yield position
        after = position


def naive(ledger: Ledger, text: str, goal_id: str | None = None) -> Iterator[int]:
    """The positions at which the condition holds for something for which it did not hold before."""
    condition = parse(text, {noun: kinds(projection.row) for noun, projection in NOUNS.items()})
    nouns = nouns_of(condition)
    rows: dict[str, dict[str, Any]] = {noun: {} for noun in NOUNS}
    before: set[str] = set()
    for event in ledger.events() if goal_id is None else ledger.goals.timeline(goal_id):
        for noun, projection in NOUNS.items():
            if (row := projection.fold(rows[noun].get(event.stream), event)) is not None:
                rows[noun][event.stream] = row
        counts = {
            leaf: sum(holds(leaf.condition, {noun: row}, {}) for row in rows[noun].values())
            for leaf in leaves(condition)
            if isinstance(leaf, Count)
            for noun in nouns_of(leaf.condition)
        }
        around: dict[str, dict[str, Any]]
        if not nouns:
            around = {"": {}}
        elif nouns == {"goal", "run"}:
            around = {key: {"run": row, "goal": rows["goal"].get(row.goal_id)} for key, row in rows["run"].items()}
        else:
            [noun] = nouns
            around = {key: {noun: row} for key, row in rows[noun].items()}
        now = {key for key, each in around.items() if holds(condition, each, counts)}
        if now - before:
            yield event.position
        before = now
