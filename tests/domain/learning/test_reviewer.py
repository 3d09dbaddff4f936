"""The words of a review: they follow from the events of the run and from nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.lesson import LessonCategory
from goal_ledger.domain.learning.review import Candidate, Notable, ReviewWritten, RootCause
from goal_ledger.domain.learning.reviewer import ADVICE, MOST_STEPS, Goal, course, notable, review, strategy, worked
from goal_ledger.domain.runs.run import (
    ActionTaken,
    BusinessOutcome,
    BusinessOutcomeRecorded,
    FailureCategory,
    LocalOutcome,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunVerified,
    VerifierStatus,
)

NOW = datetime(2026, 2, 24, 9, tzinfo=UTC)
GOAL = Goal("goal_1", "Nightly backups", GoalType.MAINTENANCE)


def started(**fields: Any) -> RunStarted:
    return RunStarted(**{"goal_id": "goal_1", "attempt": 2, **fields})


def acted(action: str, ok: bool | None = None, detail: str | None = None, kind: str | None = "shell") -> ActionTaken:
    return ActionTaken(goal_id="goal_1", action=action, action_type=kind, ok=ok, detail=detail)


def finished(outcome: str, category: FailureCategory | None = None, **fields: Any) -> RunFinished:
    return RunFinished(goal_id="goal_1", local_outcome=LocalOutcome(outcome), failure_category=category, **fields)


def verified(status: VerifierStatus, **fields: Any) -> RunVerified:
    return RunVerified(goal_id="goal_1", verifier_status=status, **fields)


def worth(outcome: BusinessOutcome, **fields: Any) -> BusinessOutcomeRecorded:
    return BusinessOutcomeRecorded(goal_id="goal_1", business_outcome=outcome, **fields)


def written(*events: Event, goal: Goal = GOAL, now: datetime | None = NOW) -> ReviewWritten:
    return review(course(events), goal, run_id="grun_1", now=now, watch_days=14)


def test_the_review_of_a_failed_run_says_what_happened_why_and_what_to_learn():
    made = written(
        started(agent="bot"),
        acted("dump", True, "3 GB"),
        acted("restore dump", False, "disk full on /var/x"),
        verified(VerifierStatus.FAILED, verifier="restore-test"),
        finished("failed", FailureCategory.TOOL_ERROR, detail="gave up", duration_seconds=312.5),
        worth(BusinessOutcome.DEGRADED),
    )

    lesson = "When `restore dump` is tried, expect tool_error: disk full on <path>. "
    assert made == ReviewWritten(
        run_id="grun_1",
        goal_id="goal_1",
        notable=Notable.FAILED,
        goal_type=GoalType.MAINTENANCE,
        action_type="shell",
        what_happened="Attempt 2 at “Nightly backups” by bot failed after 312.5 s: tool_error: disk full on /var/x. "
        "2 actions, 1 failed. The verifier restore-test said failed. What it was worth: degraded.",
        root_cause=RootCause(category=FailureCategory.TOOL_ERROR, detail="disk full on /var/x"),
        what_worked=("dump: 3 GB",),
        what_failed=("restore dump: disk full on /var/x",),
        lesson_candidates=(
            Candidate(text=lesson + ADVICE[FailureCategory.TOOL_ERROR].lesson, category=LessonCategory.ANTI_PATTERN),
        ),
        recommended_changes=(ADVICE[FailureCategory.TOOL_ERROR].change,),
        signature="restore dump · tool_error · disk full on <path>",
        watch_until="2026-03-10T09:00:00.000000Z",
    )


@pytest.mark.parametrize("category", FailureCategory)
def test_every_category_of_failure_has_advice_of_its_own(category: FailureCategory):
    made = written(started(), finished("failed", category))

    assert made.root_cause == RootCause(category=category, detail="nobody said")
    assert made.lesson_candidates[0].text.startswith(f"When `nightly backups` is tried, expect {category}. ")
    assert len({(one.lesson, one.change) for one in ADVICE.values()}) == len(ADVICE) == len(FailureCategory) + 1


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((finished("succeeded"),), None),
        ((finished("succeeded"), verified(VerifierStatus.FAILED), verified(VerifierStatus.PASSED)), None),
        ((finished("succeeded"), worth(BusinessOutcome.NEUTRAL)), None),
        ((RunInterrupted(goal_id="goal_1", reason="gone"),), None),
        ((verified(VerifierStatus.FAILED),), None),
        ((finished("failed", FailureCategory.TOOL_ERROR), worth(BusinessOutcome.DEGRADED)), Notable.FAILED),
        ((finished("partial"), verified(VerifierStatus.FAILED)), Notable.PARTIAL),
        ((verified(VerifierStatus.FAILED), finished("succeeded")), Notable.VERIFIER_FAILED),
        ((finished("succeeded"), worth(BusinessOutcome.DEGRADED)), Notable.DEGRADED),
    ],
)
def test_a_run_is_notable_when_it_failed_was_partial_was_refused_or_made_things_worse(events, why):
    assert notable(course((started(), *events))) is why


@pytest.mark.parametrize(
    ("events", "signature", "category", "expected"),
    [
        ((finished("partial"),), "nightly backups · partial", None, "only a part of it"),
        (
            (finished("succeeded"), verified(VerifierStatus.FAILED, detail="2 rows lack")),
            "nightly backups · verification_failure · <n> rows lack", "verification_failure",
            "verification_failure: <n> rows lack",
        ),
        (
            (finished("succeeded"), worth(BusinessOutcome.DEGRADED, detail="5 complaints")),
            "nightly backups · degraded · <n> complaints", None, "that it makes things worse: <n> complaints",
        ),
    ],
)  # fmt: skip
def test_what_failed_without_a_category_is_told_by_how_it_failed(events, signature, category, expected):
    made = written(started(), *events)

    assert (made.signature, made.root_cause.category) == (signature, category)
    assert made.lesson_candidates[0].text.startswith(f"When `nightly backups` is tried, expect {expected}. ")


def test_the_task_category_tells_what_was_tried_when_no_action_failed():
    made = written(
        started(task_category="blackbox"),
        acted("look", kind=None),
        finished("failed", FailureCategory.RESOURCE_LIMIT, source_outcome="usage_limits"),
    )
    assert (made.signature, made.action_type) == ("blackbox · resource_limit", "blackbox")
    assert made.root_cause.detail == "reported as usage_limits"


def test_the_action_type_is_that_of_most_actions():
    assert course([acted("a", kind="http"), acted("b"), acted("c")]).action_type == "shell"
    assert course([acted("a", kind="http"), acted("b")]).action_type == "http"
    assert course([]).action_type is None


def test_goals_that_nobody_should_learn_from_propose_no_lesson():
    made = written(
        started(), finished("failed", FailureCategory.TOOL_ERROR), goal=GOAL._replace(learning_required=False)
    )

    assert made.lesson_candidates == ()
    assert made.signature is not None and made.recommended_changes != ()


def test_the_review_of_a_won_run_proposes_its_plan_or_its_steps_as_a_strategy():
    made = written(started(plan_summary="Dump to S3 first"), acted("dump", True), finished("succeeded"))
    assert made.notable is Notable.REQUESTED
    assert made.lesson_candidates == (
        Candidate(text="This worked: Dump to S3 first", category=LessonCategory.WINNING_STRATEGY),
    )
    assert made.root_cause == RootCause(detail="nothing failed")
    assert (made.signature, made.watch_until, made.recommended_changes) == (None, None, ())

    by_steps = written(started(), acted("dump", True), acted("look"), acted("restore", True), finished("succeeded"))
    assert by_steps.lesson_candidates[0].text == "These steps worked, in this order: dump, restore"
    assert written(started(), acted("dump"), finished("succeeded")).lesson_candidates == ()


def test_the_review_of_an_interrupted_run_repeats_the_reason_and_proposes_nothing():
    made = written(started(plan_summary="Dump"), RunInterrupted(goal_id="goal_1", reason="worker lost"))

    assert made.what_happened == "Attempt 2 at “Nightly backups” was interrupted: worker lost."
    assert (made.root_cause, made.lesson_candidates) == (RootCause(detail="worker lost"), ())


def test_without_a_time_nobody_watches():
    assert written(started(), finished("failed", FailureCategory.TOOL_ERROR), now=None).watch_until is None
    late = datetime.max.replace(tzinfo=UTC)
    assert written(started(), finished("failed", FailureCategory.TOOL_ERROR), now=late).watch_until is None


def test_long_runs_are_told_in_short():
    acts = [acted(f"step {number}", True, "x" * 1000) for number in range(MOST_STEPS + 3)]
    made = written(started(), *acts, finished("succeeded"))

    assert len(made.what_worked) == MOST_STEPS + 1 and made.what_worked[-1] == "and 3 more"
    assert all(len(step) < 400 for step in made.what_worked)
    assert made.lesson_candidates[0].text.endswith(", and 3 more")


def test_a_strategy_is_the_same_however_it_is_spaced_and_none_without_words():
    assert strategy(" a \n b ", ["c"]) == "This worked: a b"
    assert strategy(" ", ["c", "d"]) == "These steps worked, in this order: c, d"
    assert strategy(None, []) is None


def test_what_was_repeated_at_once_counts_as_one_step():
    assert worked(course([acted("a", True), acted("a", True), acted("b", False), acted("c", True)])) == ["a", "c"]
