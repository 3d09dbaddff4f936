"""Lessons: learned once, weighed by evidence, retired with a reason."""

import pytest

from goal_ledger.ledger import (
    GoalType,
    Invalid,
    Ledger,
    LessonCategory,
    NotFound,
    Rejected,
)
from tests.golden.wishes import heard

TEXT = "Raise the timeout before the window closes"


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="agent:learner") as opened:
        yield opened


@pytest.fixture
def runs(ledger):
    goal = ledger.goals.create("Nightly backups that restore")
    ledger.goals.ready(goal.goal_id)
    return [ledger.runs.start(goal.goal_id, overlap=True).run_id for _ in range(4)]


def learn(ledger, **fields):
    return ledger.lessons.add(TEXT, **{"category": LessonCategory.SAFE_DEFAULT, **fields})


def test_a_lesson_carries_its_scope_its_category_and_its_stated_confidence(ledger):
    lesson = learn(ledger, goal_type=GoalType.MAINTENANCE, action_type="backup", confidence=0.7)
    assert lesson.lesson_id.startswith("les_")
    assert (lesson.goal_type, lesson.action_type, lesson.category) == ("maintenance", "backup", "safe_default")
    assert (lesson.lesson_text, lesson.active, lesson.created_by) == (TEXT, True, "agent:learner")
    assert (lesson.confidence, lesson.times_applied, lesson.times_validated) == (0.7, 0, 0)


@pytest.mark.parametrize("confidence", [1.1, -0.1, float("nan")])
def test_a_confidence_outside_zero_to_one_is_refused(ledger, confidence):
    before = ledger.log.stats().events
    with pytest.raises(Invalid):
        learn(ledger, confidence=confidence)
    assert ledger.log.stats().events == before


def test_a_category_outside_the_four_is_refused(ledger):
    with pytest.raises(Invalid):
        learn(ledger, category="hunch")


def test_a_blank_lesson_is_refused(ledger):
    with pytest.raises(Rejected) as refused:
        ledger.lessons.add("  ", category=LessonCategory.SAFE_DEFAULT)
    assert refused.value.code == "no_text"


def test_the_same_text_in_the_same_scope_from_a_second_run_merges_evidence(ledger, runs):
    first = learn(ledger, run_id=runs[0])
    again = ledger.lessons.add(
        f"  {TEXT.upper()}\n", category=LessonCategory.ANTI_PATTERN, confidence=0.9, run_id=runs[1]
    )
    assert again.lesson_id == first.lesson_id
    assert again.evidence_run_ids == (runs[0], runs[1])
    assert (again.category, again.stated_confidence) == ("safe_default", 0.5)
    assert len(ledger.lessons.list().rows) == 1


def test_the_same_run_teaches_a_lesson_once(ledger, runs):
    first = learn(ledger, run_id=runs[0])
    assert learn(ledger, run_id=runs[0]) == first


def test_the_same_text_in_another_scope_is_another_lesson(ledger):
    assert learn(ledger).lesson_id != learn(ledger, goal_type=GoalType.WATCHDOG).lesson_id
    assert learn(ledger, action_type="backup").lesson_id != learn(ledger, action_type="restore").lesson_id


def test_confidence_is_the_prior_of_strength_two_weighed_with_the_evidence(ledger, runs):
    lesson_id = learn(ledger, confidence=0.5).lesson_id
    assert ledger.lessons.confirm(lesson_id, run_id=runs[0]).confidence == (2 * 0.5 + 1) / 3
    assert ledger.lessons.confirm(lesson_id, run_id=runs[1]).confidence == (2 * 0.5 + 2) / 4
    lesson = ledger.lessons.contradict(lesson_id, run_id=runs[2])
    assert lesson.confidence == (2 * 0.5 + 2) / 5
    assert (lesson.evidence_for, lesson.evidence_against) == (2, 1)
    assert lesson.contradicting_run_ids == (runs[2],)


def test_a_person_may_give_evidence_without_a_run(ledger):
    lesson_id = learn(ledger).lesson_id
    lesson = ledger.lessons.confirm(lesson_id, reason="saw it again")
    assert (lesson.evidence_for, lesson.evidence_run_ids) == (1, ())


def test_a_run_counts_on_one_side_only_and_once(ledger, runs):
    lesson_id = learn(ledger).lesson_id
    first = ledger.lessons.confirm(lesson_id, run_id=runs[0])
    assert ledger.lessons.confirm(lesson_id, run_id=runs[0]) == first
    with pytest.raises(Rejected) as refused:
        ledger.lessons.contradict(lesson_id, run_id=runs[0])
    assert refused.value.code == "already_evidence"


def test_only_runs_that_worked_by_a_lesson_validate_it(ledger, runs):
    lesson_id = learn(ledger).lesson_id
    for run_id in runs[:2]:
        ledger.lessons.apply(lesson_id, run_id=run_id)
    ledger.lessons.confirm(lesson_id, run_id=runs[0])
    lesson = ledger.lessons.confirm(lesson_id, run_id=runs[3])
    assert (lesson.times_applied, lesson.times_validated) == (2, 1)


def test_evidence_from_an_unknown_run_is_refused(ledger, runs):
    lesson_id = learn(ledger).lesson_id
    with pytest.raises(NotFound):
        ledger.lessons.confirm(lesson_id, run_id="grun_01HZX3AAAAAAAAAAAAAAAAAAAA")


def test_a_retired_lesson_is_listed_as_active_no_more_and_takes_no_evidence(ledger):
    lesson_id = learn(ledger).lesson_id
    with pytest.raises(Rejected) as refused:
        ledger.lessons.retire(lesson_id, reason=" ")
    assert refused.value.code == "no_reason"
    lesson = ledger.lessons.retire(lesson_id, reason="the window moved")
    assert (lesson.active, lesson.retired_reason) == (False, "the window moved")
    assert ledger.lessons.retire(lesson_id, reason="again") == lesson
    assert ledger.lessons.list().rows == []
    assert ledger.lessons.list(active=None).rows == ledger.lessons.list(active=False).rows == [lesson]
    for evidence in (ledger.lessons.confirm, ledger.lessons.contradict):
        with pytest.raises(Rejected) as refused:
            evidence(lesson_id)
        assert refused.value.code == "retired"


def test_an_unknown_lesson_is_not_found(ledger):
    for read in (ledger.lessons.get, ledger.lessons.confirm, ledger.lessons.timeline):
        with pytest.raises(NotFound) as refused:
            read("les_01HZX3AAAAAAAAAAAAAAAAAAAA")
        assert refused.value.code == "unknown_lesson"


def test_a_rebuild_gives_the_same_confidences(ledger, runs):
    lesson_id = learn(ledger, confidence=0.37, run_id=runs[0]).lesson_id
    for run_id in runs[1:]:
        ledger.lessons.contradict(lesson_id, run_id=run_id)
    before = ledger.lessons.list().rows
    ledger.views.rebuilds.rebuild(["lessons"])
    assert ledger.lessons.list().rows == before == [ledger.lessons.get(lesson_id)]


def test_nearly_the_same_words_add_evidence_for_the_lesson_that_is_there(ledger, runs):
    first = learn(ledger, run_id=runs[0])
    again = ledger.lessons.add(f"{TEXT} please", category=LessonCategory.WINNING_STRATEGY, run_id=runs[1])
    assert (again.lesson_id, again.lesson_text, again.evidence_run_ids) == (first.lesson_id, TEXT, (runs[0], runs[1]))
    events = ledger.log.stats().events
    assert ledger.lessons.add(f"please {TEXT}", category=LessonCategory.SAFE_DEFAULT) == again
    assert ledger.log.stats().events == events


def test_what_says_the_opposite_applies_elsewhere_or_repeats_a_retired_lesson_is_another_one(ledger):
    first = learn(ledger)
    others = [
        ledger.lessons.add(f"Never {TEXT}", category=LessonCategory.SAFE_DEFAULT),
        ledger.lessons.add(f"{TEXT} please", category=LessonCategory.ANTI_PATTERN, action_type="x"),
        ledger.lessons.add(f"{TEXT} please", category=LessonCategory.SAFE_DEFAULT, goal_type=GoalType.WATCHDOG),
    ]
    ledger.lessons.retire(first.lesson_id, reason="moot")
    others.append(ledger.lessons.add(f"{TEXT} please", category=LessonCategory.SAFE_DEFAULT))
    assert len({first.lesson_id, *(other.lesson_id for other in others)}) == 5


def test_contradictions_are_listed_until_one_side_is_gone(ledger):
    first = learn(ledger)
    never = ledger.lessons.add(f"Never {TEXT}", category=LessonCategory.SAFE_DEFAULT, action_type="backup")
    ledger.lessons.add("Test the restore", category=LessonCategory.SAFE_DEFAULT)
    [found] = ledger.lessons.contradictions()
    assert {found.first, found.second} == {first.lesson_id, never.lesson_id}
    ledger.lessons.retire(never.lesson_id, reason="wrong")
    assert ledger.lessons.contradictions() == []


def test_a_wish_to_learn_is_known_by_the_digest_of_older_versions():
    full = heard(
        lambda ledger: ledger.lessons.add(
            "Raise the timeout", category=LessonCategory.SAFE_DEFAULT, goal_type=GoalType.WATCHDOG, confidence=0.7,
            reason="seen",
        )
    )  # fmt: skip
    least = heard(lambda ledger: ledger.lessons.add("Raise the timeout", category=LessonCategory.SAFE_DEFAULT))
    assert full.is_stored_as("ed6e7c1ddd1a7993a8b1cf34ad78e2d1")
    assert least.is_stored_as("e8ef400db46b87819edf80947b7945fd")
    assert not full.is_stored_as("e8ef400db46b87819edf80947b7945fd")


def test_a_repeated_wish_to_learn_is_the_same_in_any_words_for_its_scope(ledger):
    first = learn(ledger.using(command_id="learn-1"), goal_type=GoalType.WATCHDOG)
    assert learn(ledger.using(command_id="learn-1"), goal_type="watchdog") == first
