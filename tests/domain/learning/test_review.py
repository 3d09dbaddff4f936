"""Reviews: written once, reopened once per run, promoted without doubles."""

from goal_ledger.domain.learning.review import (
    REVIEW,
    LessonsPromoted,
    Notable,
    ReviewReopened,
    ReviewWritten,
    RootCause,
    is_watched,
    promote,
    reopen,
    review_id,
    write,
)
from tests.spec import Spec

WRITTEN = ReviewWritten(
    run_id="grun_1",
    goal_id="goal_1",
    notable=Notable.FAILED,
    what_happened="it failed",
    root_cause=RootCause(detail="disk full"),
)


def test_a_run_has_one_review():
    Spec(REVIEW).when(write, written=WRITTEN).then(WRITTEN)
    Spec(REVIEW).given(WRITTEN).when(write, written=WRITTEN).then_quiet()
    assert review_id("grun_1") == review_id("grun_1") != review_id("grun_2")


def test_a_run_reopens_a_review_once():
    known = Spec(REVIEW).given(WRITTEN)
    known.when(reopen, run_id="grun_2", reason="again").then(ReviewReopened(run_id="grun_2", reason="again"))
    known.given(ReviewReopened(run_id="grun_2")).when(reopen, run_id="grun_2").then_quiet()
    Spec(REVIEW).when(reopen, run_id="grun_2").then_rejected("unknown_review")


def test_each_lesson_is_promoted_once():
    known = Spec(REVIEW).given(WRITTEN, LessonsPromoted(lesson_ids=("les_1",)))
    known.when(promote, lesson_ids=["les_1"]).then_quiet()
    known.when(promote, lesson_ids=["les_1", "les_2", "les_2"]).then(LessonsPromoted(lesson_ids=("les_2",)))
    Spec(REVIEW).when(promote, lesson_ids=["les_1"]).then_rejected("unknown_review")


def test_a_review_is_watched_from_its_time_to_the_end_of_its_watch_both_included():
    assert is_watched("2026-01-01", "2026-01-15", "2026-01-01") and is_watched("2026-01-01", "2026-01-15", "2026-01-15")
    assert not is_watched("2026-01-01", "2026-01-15", "2026-01-16")
    assert not is_watched("2026-01-02", "2026-01-15", "2026-01-01")


def test_nothing_is_watched_at_unknown_times():
    assert not is_watched(None, "2026-01-15", "2026-01-01")
    assert not is_watched("2026-01-01", None, "2026-01-01")
    assert not is_watched("2026-01-01", "2026-01-15", None)
