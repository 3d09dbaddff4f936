"""After-action reviews: what goes wrong gets one by itself, and is watched for when it comes back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from goal_ledger.domain.learning.lesson import LessonContradicted
from goal_ledger.domain.learning.review import ReviewReopened, review_id
from goal_ledger.domain.settings import Stale
from goal_ledger.ledger import (
    UNKNOWN,
    BusinessOutcome,
    FailureCategory,
    Ledger,
    LedgerError,
    LocalOutcome,
    NotFound,
    Settings,
    VerifierStatus,
)
from tests.places import Place
from tests.tools import START, Clock, recorded

FAILED, PARTIAL, SUCCEEDED = LocalOutcome.FAILED, LocalOutcome.PARTIAL, LocalOutcome.SUCCEEDED
TOOL = FailureCategory.TOOL_ERROR
NOBODY = "aar_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger.open(":memory:", actor="agent:bot", clock=Clock()) as opened:
        yield opened


def active(ledger: Ledger, **contract: Any) -> str:
    goal_id = ledger.goals.create(**{"title": "Nightly backups", **contract}).goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def ran(ledger: Ledger, goal_id: str, outcome: LocalOutcome = SUCCEEDED, **how: Any) -> str:
    run_id = ledger.runs.start(goal_id, plan_summary=how.pop("plan_summary", None)).run_id
    ledger.runs.act(run_id, "dump", action_type="shell", ok=True)
    ledger.runs.finish(run_id, outcome, **how)
    return run_id


def failed(ledger: Ledger, goal_id: str, detail: str = "disk full on /var/1") -> str:
    return ran(ledger, goal_id, FAILED, failure_category=TOOL, detail=detail)


def later(ledger: Ledger, days: float) -> Ledger:
    return ledger.using(occurred_at=START + timedelta(days=days))


def proposals(ledger: Ledger) -> list[Any]:
    return [row for row in ledger.goals.list().rows if row.created_by == "recurrence_detector"]


def refusal(ask: Any, *arguments: Any, **wish: Any) -> LedgerError:
    with pytest.raises(LedgerError) as refused:
        ask(*arguments, **wish)
    return refused.value


# --- By itself


def test_a_failed_run_has_its_review_in_the_same_transaction_caused_by_its_end(ledger: Ledger):
    goal_id = active(ledger)
    run_id = ledger.runs.start(goal_id).run_id
    before = ledger.head

    ledger.using(command_id="end").runs.finish(run_id, FAILED, failure_category=TOOL, detail="disk full")

    end, *_, review = [one for one in recorded(ledger) if one.position > before]
    assert (end.name, review.name, review.stream) == ("run.finished", "review.written", review_id(run_id))
    assert (review.cause, review.command, review.at) == (end.position, "end", end.at)
    row = ledger.reviews.of(run_id)
    assert row is not None
    assert (row.run_id, row.goal_id, row.notable, row.promoted) == (run_id, goal_id, "failed", False)
    assert (row.root_cause, row.failure_category) == ({"category": TOOL, "detail": "disk full"}, TOOL)
    assert (row.created_at, row.created_by) == (review.occurred_at, "agent:bot")
    assert ledger.reviews.list().rows == [row] == [ledger.reviews.get(row.aar_id)]


def test_a_partial_run_one_that_its_verifier_failed_and_one_that_made_things_worse_have_reviews_too(ledger: Ledger):
    goal_id = active(ledger)
    partial = ran(ledger, goal_id, PARTIAL)
    refused, fine, worse = (ran(ledger, goal_id) for _ in range(3))
    early = ledger.runs.start(goal_id).run_id
    ledger.runs.verify(early, VerifierStatus.FAILED)
    assert ledger.reviews.of(early) is None  # it has not ended

    ledger.runs.finish(early, SUCCEEDED)
    ledger.runs.verify(refused, VerifierStatus.FAILED, detail="2 rows lack")
    ledger.runs.outcome(worse, BusinessOutcome.DEGRADED)

    rows = {row.run_id: row.notable for row in ledger.reviews.list().rows}
    assert rows == {partial: "partial", refused: "verifier_failed", early: "verifier_failed", worse: "degraded"}
    assert ledger.reviews.of(fine) is None


def test_a_run_that_went_well_has_none_and_costs_nothing_more(ledger: Ledger):
    run_id = ran(ledger, active(ledger))
    ledger.runs.verify(run_id, VerifierStatus.PASSED)
    ledger.runs.outcome(run_id, BusinessOutcome.IMPROVED)
    other = ledger.runs.start(active(ledger)).run_id
    ledger.runs.interrupt(other, reason="worker lost")
    assert ledger.reviews.list().rows == []


def test_a_run_has_one_review_whatever_else_becomes_known_of_it(ledger: Ledger):
    run_id = failed(ledger, active(ledger))
    before = ledger.reviews.of(run_id)
    ledger.runs.verify(run_id, VerifierStatus.FAILED)
    ledger.runs.outcome(run_id, BusinessOutcome.DEGRADED)
    assert ledger.reviews.write(run_id) == before


def test_a_review_is_the_same_on_every_store_and_after_a_rebuild(place: Place):
    with Ledger.open(place.url, clock=Clock()) as ledger:
        failed(ledger, active(ledger))
        rows = ledger.reviews.list().rows
        ledger.views.rebuilds.rebuild()
        assert ledger.reviews.list().rows == rows
        assert [row.what_worked for row in rows] == [("dump",)]


# --- On request


def test_a_won_run_is_reviewed_on_request(ledger: Ledger):
    run_id = ran(ledger, active(ledger), plan_summary="Dump first")

    row = ledger.reviews.write(run_id, reason="it went so well")

    assert (row.notable, row.signature, row.watch_until) == ("requested", None, None)
    assert row.lesson_candidates == ({"text": "This worked: Dump first", "category": "winning_strategy"},)
    assert recorded(ledger, row.aar_id)[0].event.reason == "it went so well"
    head = ledger.head
    assert ledger.reviews.write(run_id) == row and ledger.head == head


def test_an_open_run_and_no_run_have_no_review(ledger: Ledger):
    run_id = ledger.runs.start(active(ledger)).run_id
    before = ledger.head
    assert refusal(ledger.reviews.write, run_id).code == "still_open"
    assert refusal(ledger.reviews.write, "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF").code == "unknown_run"
    assert refusal(ledger.reviews.write, "nonsense").code == "unknown_run"
    for ask in (ledger.reviews.get, ledger.reviews.promote, ledger.reviews.timeline):
        assert isinstance(refusal(ask, NOBODY), NotFound)
        assert refusal(ask, NOBODY).code == refusal(ask, "nonsense").code == "unknown_review"
    assert ledger.head == before


# --- Promotion by a person


def test_promoting_takes_the_lesson_into_the_store_once_with_the_run_and_the_review_as_evidence(ledger: Ledger):
    run_id = failed(ledger, active(ledger, goal_type="maintenance"))
    aar_id = review_id(run_id)

    row = ledger.reviews.promote(aar_id, reason="seen before")

    [lesson] = ledger.lessons.list().rows
    assert (row.promoted, row.lesson_ids) == (True, (lesson.lesson_id,))
    assert (lesson.goal_type, lesson.action_type, lesson.evidence_run_ids) == ("maintenance", "shell", (run_id,))
    assert lesson.lesson_text == row.lesson_candidates[0]["text"]
    assert recorded(ledger, lesson.lesson_id)[0].event.evidence[0].aar_id == aar_id  # type: ignore[attr-defined]
    head = ledger.head
    ledger.lessons.retire(lesson.lesson_id, reason="moot")
    assert ledger.reviews.promote(aar_id) == row and ledger.head == head + 1


def test_what_proposes_nothing_cannot_be_promoted(ledger: Ledger):
    run_id = failed(ledger, active(ledger, learning_required=False))
    assert refusal(ledger.reviews.promote, review_id(run_id)).code == "no_candidates"
    assert ledger.lessons.list().rows == []


# --- The same failure again


def test_the_same_failure_within_the_watch_reopens_the_review_contradicts_its_lessons_and_is_proposed(ledger: Ledger):
    goal_id = active(ledger)
    first = review_id(failed(ledger, goal_id))
    [lesson_id] = ledger.reviews.promote(first).lesson_ids

    again = failed(later(ledger, 13.9), goal_id, "disk full on /var/22")

    end = next(one for one in recorded(ledger, again) if one.name == "run.finished")
    last = recorded(ledger, first)[-1]
    assert last.event == ReviewReopened(run_id=again, reason="the same failure came back")
    assert last.cause == end.position
    doubt = recorded(ledger, lesson_id)[-1].event
    assert doubt == LessonContradicted(run_id=again, reason=f"the failure came back that {first} watches for")
    [goal] = proposals(ledger)
    assert (goal.status, goal.source) == ("proposed", "system")
    assert goal.title == "Keeps failing: nightly backups · tool_error · disk full on <path>"
    assert goal.metadata["evidence"] == {"aar_id": first, "run_id": again, "goal_id": goal_id}
    assert ledger.reviews.of(again) is not None
    assert ledger.reviews.get(first).reopened_by == (again,)


def test_a_failure_that_keeps_coming_back_is_proposed_once_per_watch_and_reopens_the_oldest_review(ledger: Ledger):
    goal_id = active(ledger)
    first, *again = (failed(later(ledger, day), goal_id) for day in range(4))

    assert ledger.reviews.get(review_id(first)).reopened_by == tuple(again)
    assert len(proposals(ledger)) == 1
    next_watch = failed(later(ledger, 16), goal_id)  # the first two watches are over
    assert ledger.reviews.get(review_id(again[1])).reopened_by == (next_watch,)
    assert len(proposals(ledger)) == 1
    codes = [row.code for row in ledger.proposals.list().rows]
    assert codes == ["duplicate_goal_exists", None]  # nobody has looked at the first one yet


def test_another_failure_a_late_one_and_one_of_unknown_time_reopen_nothing(ledger: Ledger):
    goal_id = active(ledger)
    first = failed(ledger, goal_id)
    failed(ledger, goal_id, "no such table")
    ran(ledger, goal_id, FAILED, failure_category=FailureCategory.RESOURCE_LIMIT, detail="disk full on /var/1")
    failed(ledger.using(occurred_at=UNKNOWN), goal_id)
    failed(later(ledger, -1), goal_id)  # told late: it was over before the review
    failed(later(ledger, 15), goal_id)
    ran(ledger, goal_id)

    assert [row for row in ledger.reviews.list().rows if row.reopened_by] == []
    assert proposals(ledger) == []
    assert ledger.reviews.of(first) is not None


def test_the_length_of_the_watch_is_a_setting():
    with Ledger.open(":memory:", clock=Clock(), settings=Settings(review_watch_days=0.5)) as ledger:
        goal_id = active(ledger)
        first = failed(ledger, goal_id)
        failed(later(ledger, 0.6), goal_id)
        assert ledger.reviews.get(review_id(first)).reopened_by == ()
        failed(later(ledger, 0.4), goal_id)
        assert ledger.reviews.get(review_id(first)).reopened_by != ()


def test_what_comes_back_at_a_goal_that_nobody_learns_from_speaks_against_no_lesson(ledger: Ledger):
    first = review_id(failed(ledger, active(ledger)))
    ledger.reviews.promote(first)
    private = active(ledger, learning_required=False)

    failed(ledger, private)

    assert len(ledger.reviews.get(first).reopened_by) == 1
    assert ledger.lessons.list().rows[0].evidence_against == 0


def test_a_retired_lesson_is_left_alone_when_the_failure_comes_back(ledger: Ledger):
    goal_id = active(ledger)
    first = review_id(failed(ledger, goal_id))
    [lesson_id] = ledger.reviews.promote(first).lesson_ids
    ledger.lessons.retire(lesson_id, reason="moot")
    failed(ledger, goal_id)
    assert recorded(ledger, lesson_id)[-1].name == "lesson.retired"
    assert len(ledger.reviews.get(first).reopened_by) == 1


def test_the_words_of_a_review_keep_to_the_longest_text_that_is_allowed():
    with Ledger.open(":memory:", clock=Clock(), settings=Settings(text_limit=200, lesson_score=1.0)) as ledger:
        goal_id = active(ledger, title="t " * 100)
        for _ in range(2):
            failed(ledger, goal_id, "e " * 100)
            better = ran(ledger, goal_id, plan_summary="p " * 100)
            ledger.runs.outcome(better, BusinessOutcome.IMPROVED)
        done = ledger.learning.cycle(START + timedelta(days=1))
        row = ledger.reviews.list().rows[0]
        assert len(row.what_happened) == len(row.lesson_candidates[0]["text"]) == 200
        assert len(done.lessons) == 2 and len(proposals(ledger)) == 1


def test_a_failure_is_recorded_and_reviewed_also_when_the_read_models_cannot_be_asked(tmp_path: Path):
    refusing = Settings(page=1, stale=Stale.REFUSE)
    with Ledger.open(tmp_path / "ledger.db", clock=Clock(), settings=refusing) as ledger:
        goal_id = active(ledger)
        runs = [failed(ledger, goal_id) for _ in range(2)]
        rows = [ledger.reviews.of(run_id) for run_id in runs]
    assert [row is not None and row.reopened_by for row in rows] == [(), ()]


def test_a_repeated_command_reviews_and_reopens_once(ledger: Ledger):
    goal_id = active(ledger)
    failed(ledger, goal_id)
    run_id = ledger.runs.start(goal_id).run_id
    twice = ledger.using(command_id="end")
    twice.runs.finish(run_id, FAILED, failure_category=TOOL, detail="disk full on /var/1")
    head = ledger.head
    twice.runs.finish(run_id, FAILED, failure_category=TOOL, detail="disk full on /var/1")
    assert ledger.head == head and len(proposals(ledger)) == 1


# --- Lists


def test_reviews_are_listed_by_goal_by_why_and_by_whether_they_taught_something_the_latest_first(ledger: Ledger):
    one, two = active(ledger), active(ledger)
    ids = [review_id(failed(ledger, one)), review_id(ran(ledger, one, PARTIAL)), review_id(failed(ledger, two, "x"))]
    ledger.reviews.promote(ids[1])

    def listed(**where: Any) -> list[str]:
        return [row.aar_id for row in ledger.reviews.list(**where).rows]

    assert listed() == [ids[1], ids[2], ids[0]]
    assert listed(goal_id=two) == [ids[2]]
    assert listed(notable="partial") == listed(promoted=True) == [ids[1]]
    assert listed(promoted=False) == [ids[2], ids[0]]
    assert listed(signature="nightly backups · tool_error · x") == [ids[2]]
    page = ledger.reviews.list(limit=2)
    assert [row.aar_id for row in ledger.reviews.list(after=page.next).rows] == [ids[0]]
    assert [one.name for one in ledger.reviews.timeline(ids[1])] == ["review.written", "review.lessons_promoted"]
