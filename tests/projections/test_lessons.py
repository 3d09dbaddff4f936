"""The read model of lessons: counts are exact, lists stay short."""

from hypothesis import given
from hypothesis import strategies as st

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.learning.lesson import (
    Evidence,
    LessonApplied,
    LessonCategory,
    LessonConfirmed,
    LessonContradicted,
    LessonLearned,
)
from goal_ledger.domain.registry import NAMES
from goal_ledger.projections.learning.lessons import LISTED, LessonRow, lessons


def fold(*events: Event) -> LessonRow:
    row: LessonRow | None = None
    for version, event in enumerate(events, start=1):
        told = Recorded(version, "les_1", version, NAMES[type(event)], "t", "t", "x", None, None, event)
        row = lessons.fold(row, told)
    assert row is not None
    return row


def learned(*runs: str) -> LessonLearned:
    evidence = tuple(Evidence(run_id=run_id) for run_id in runs)
    return LessonLearned(lesson_text="x", category=LessonCategory.SAFE_DEFAULT, evidence=evidence)


def test_of_long_lists_the_latest_are_kept_and_those_that_taught_it_while_counts_stay_exact():
    runs = [f"grun_{number}" for number in range(LISTED + 20)]
    applied = [LessonApplied(run_id=run_id, given=True) for run_id in runs]
    row = fold(learned("grun_a", "grun_b"), *applied, *(LessonConfirmed(run_id=run_id) for run_id in runs))
    assert (row.times_applied, row.times_validated, row.evidence_for) == (len(runs), len(runs), len(runs) + 2)
    assert row.evidence_run_ids == ("grun_a", "grun_b", *runs[-LISTED + 2 :])
    assert [one["run_id"] for one in row.evidence if one["founding"]] == ["grun_a", "grun_b"]
    assert (row.applied_run_ids, row.awaited) == (tuple(runs[-LISTED:]), ())
    against = fold(learned(), *(LessonContradicted(run_id=run_id) for run_id in runs))
    assert (against.evidence_against, against.contradicting_run_ids) == (len(runs), tuple(runs[-LISTED:]))


def test_those_that_taught_it_are_all_kept_however_many():
    runs = [f"grun_{number}" for number in range(LISTED + 20)]
    row = fold(learned(*runs), LessonConfirmed(run_id="grun_a"), LessonConfirmed(run_id="grun_b"))
    assert row.evidence_run_ids == (*runs, "grun_b")


def test_who_worked_by_it_without_being_told_is_known_apart():
    row = fold(learned(), LessonApplied(run_id="grun_a", given=True), LessonApplied(run_id="grun_b"))
    assert (row.applied_run_ids, row.applied_by_hand) == (("grun_a", "grun_b"), ("grun_b",))


STEPS = st.lists(st.tuples(st.sampled_from(["apply", "for", "against"]), st.integers(0, 8)), max_size=40)


@given(STEPS)
def test_validated_are_the_runs_that_both_worked_by_it_and_confirmed_it_in_any_order(steps: list[tuple[str, int]]):
    applied: set[str] = set()
    spoken: dict[str, str] = {}
    events: list[Event] = [learned()]
    for step, number in steps:
        run_id = f"grun_{number}"
        if step == "apply" and run_id not in applied:
            applied.add(run_id)
            events.append(LessonApplied(run_id=run_id))
        elif step != "apply" and run_id not in spoken:
            spoken[run_id] = step
            events.append(LessonConfirmed(run_id=run_id) if step == "for" else LessonContradicted(run_id=run_id))
    row = fold(*events)
    confirmed = {run_id for run_id, side in spoken.items() if side == "for"}
    assert (row.times_applied, row.times_validated) == (len(applied), len(applied & confirmed))
    assert set(row.awaited) == applied - spoken.keys()
