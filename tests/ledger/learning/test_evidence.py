"""What runs say about the lessons they were given."""

from collections.abc import Iterator
from typing import Any

import pytest

from goal_ledger.domain.runs.run import BEYOND_THE_AGENT
from goal_ledger.ledger import FailureCategory, Ledger, LessonCategory, LocalOutcome, Rejected, VerifierStatus
from goal_ledger.projections.learning.lessons import LessonRow
from tests.tools import Clock, recorded

WON: dict[str, Any] = {"local_outcome": LocalOutcome.SUCCEEDED}
LOST: dict[str, Any] = {"local_outcome": LocalOutcome.FAILED, "failure_category": FailureCategory.TOOL_ERROR}


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="test:evidence", clock=Clock()) as opened:
        yield opened


@pytest.fixture
def lesson(ledger: Ledger) -> str:
    return ledger.lessons.add("Prune old dumps", category=LessonCategory.SAFE_DEFAULT).lesson_id


def started(ledger: Ledger, **fields: Any) -> str:
    goal_id = ledger.goals.create("Nightly backups that restore", **fields).goal_id
    ledger.goals.ready(goal_id)
    return ledger.runs.start(goal_id).run_id


def sides(row: LessonRow) -> tuple[int, int, int, int]:
    return row.times_applied, row.times_validated, row.evidence_for, row.evidence_against


def test_a_run_that_was_won_confirms_the_lessons_it_was_given(ledger: Ledger, lesson: str):
    run_id = started(ledger)
    assert sides(ledger.lessons.get(lesson)) == (1, 0, 0, 0)
    ledger.using(actor="agent:worker").runs.finish(run_id, **WON)
    row = ledger.lessons.get(lesson)
    assert (sides(row), row.evidence_run_ids) == ((1, 1, 1, 0), (run_id,))
    assert row.evidence == ({"run_id": run_id, "aar_id": None, "founding": False},)
    [finished] = [one for one in recorded(ledger, run_id) if one.name == "run.finished"]
    [confirmed] = [one for one in recorded(ledger, lesson) if one.name == "lesson.confirmed"]
    assert (confirmed.cause, confirmed.by) == (finished.position, "agent:worker")


@pytest.mark.parametrize("category", FailureCategory)
def test_a_run_that_failed_contradicts_them_unless_the_reason_lay_beyond_its_agent(
    ledger: Ledger, lesson: str, category: FailureCategory
):
    run_id = started(ledger)
    ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=category)
    assert ledger.lessons.get(lesson).contradicting_run_ids == (() if category in BEYOND_THE_AGENT else (run_id,))


def test_a_partial_an_interrupted_and_a_wrongly_won_run_say_nothing(ledger: Ledger, lesson: str):
    ledger.runs.finish(started(ledger), LocalOutcome.PARTIAL)
    ledger.runs.interrupt(started(ledger), reason="gone")
    wrong = started(ledger)
    ledger.runs.verify(wrong, VerifierStatus.FAILED)
    ledger.runs.finish(wrong, **WON)
    assert sides(ledger.lessons.get(lesson)) == (3, 0, 0, 0)


def test_the_verdict_that_was_given_last_counts(ledger: Ledger, lesson: str):
    run_id = started(ledger)
    ledger.runs.verify(run_id, VerifierStatus.FAILED)
    ledger.runs.verify(run_id, VerifierStatus.PASSED)
    ledger.runs.finish(run_id, **WON)
    assert ledger.lessons.get(lesson).times_validated == 1


def test_a_goal_that_asks_for_no_learning_gives_no_evidence(ledger: Ledger, lesson: str):
    ledger.runs.finish(started(ledger, learning_required=False), **WON)
    ledger.runs.finish(started(ledger, learning_required=False), **LOST)
    assert sides(ledger.lessons.get(lesson)) == (2, 0, 0, 0)


def test_a_run_that_spoke_already_and_a_lesson_that_is_gone_are_left_alone(ledger: Ledger, lesson: str):
    spoken, late = started(ledger), started(ledger)
    ledger.lessons.contradict(lesson, run_id=spoken)
    ledger.runs.finish(spoken, **WON)
    ledger.lessons.retire(lesson, reason="moot")
    ledger.runs.finish(late, **WON)
    assert sides(ledger.lessons.get(lesson)) == (2, 0, 0, 1)


def test_a_lesson_that_was_learned_after_the_start_is_not_judged(ledger: Ledger, lesson: str):
    run_id = started(ledger)
    later = ledger.lessons.add("Quote every path", category=LessonCategory.SAFE_DEFAULT).lesson_id
    ledger.runs.finish(run_id, **WON)
    assert sides(ledger.lessons.get(later)) == (0, 0, 0, 0)


def test_validated_never_exceeds_applied_and_nothing_decays(ledger: Ledger, lesson: str):
    for outcome in (WON, LOST, WON, WON):
        ledger.runs.finish(started(ledger), **outcome)
    ledger.lessons.confirm(lesson, reason="I saw it too")
    row = ledger.lessons.get(lesson)
    assert sides(row) == (4, 3, 4, 1)
    assert row.confidence == pytest.approx((2 * 0.5 + 4) / (2 + 5))
    years_later = ledger.using(occurred_at=ledger.now().replace(year=2040))
    assert years_later.lessons.get(lesson).confidence == row.confidence


def test_a_refused_start_or_finish_leaves_the_lessons_alone(ledger: Ledger, lesson: str):
    run_id = started(ledger)
    head = ledger.head
    with pytest.raises(Rejected):
        ledger.runs.start(ledger.runs.get(run_id).goal_id)
    with pytest.raises(Rejected):
        ledger.runs.finish(run_id, LocalOutcome.FAILED)
    assert ledger.head == head


def test_a_finish_under_the_same_command_id_counts_once(ledger: Ledger, lesson: str):
    run_id = started(ledger)
    for _ in range(2):
        ledger.using(command_id="done").runs.finish(run_id, **WON)
    assert sides(ledger.lessons.get(lesson)) == (1, 1, 1, 0)


def test_a_run_that_was_also_told_something_false_says_nothing(ledger: Ledger, lesson: str):
    false = ledger.lessons.add("Quote every path", category=LessonCategory.SAFE_DEFAULT).lesson_id
    run_id = started(ledger)
    ledger.lessons.recall(false, reason="luck")
    ledger.runs.finish(run_id, **WON)
    assert sides(ledger.lessons.get(lesson)) == (1, 0, 0, 0)
