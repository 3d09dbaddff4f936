"""A lesson: what runs say of it, and the end of one that turned out false."""

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.learning.lesson import (
    LESSON,
    Evidence,
    LessonApplied,
    LessonCategory,
    LessonConfirmed,
    LessonContradicted,
    LessonLearned,
    LessonRecalled,
    LessonRetired,
    Scope,
    apply,
    confirm,
    contradict,
    judge,
    learn,
    recall,
)
from tests.spec import Spec

ROOT = "les_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
RUN = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
OTHER = "grun_01HZX3KQ5N8RWT2M4V6Y7B9DEG"
LEARNED = LessonLearned(
    lesson_text="Look first", category=LessonCategory.SAFE_DEFAULT, evidence=(Evidence(run_id=OTHER),)
)
RECALLED = LessonRecalled(root=ROOT, reason="luck")


def test_a_run_that_did_what_it_should_confirms_a_lesson_and_one_that_did_not_contradicts_it():
    known = Spec(LESSON).given(LEARNED, LessonApplied(run_id=RUN))
    known.when(judge, run_id=RUN, held=True).then(LessonConfirmed(run_id=RUN))
    known.when(judge, run_id=RUN, held=False).then(LessonContradicted(run_id=RUN))


@pytest.mark.parametrize(
    "before",
    [
        (LEARNED, LessonConfirmed(run_id=RUN)),
        (LEARNED, LessonContradicted(run_id=RUN)),
        (LEARNED, LessonRetired(reason="moot")),
        (LEARNED, RECALLED),
        (),
    ],
    ids=["it spoke for it", "it spoke against it", "retired", "recalled", "unknown"],
)
def test_a_run_says_nothing_of_a_lesson_that_it_spoke_of_already_or_that_is_gone(before: tuple[Event, ...]):
    for held in (True, False):
        Spec(LESSON).given(*before).when(judge, run_id=RUN, held=held).then_quiet()


def test_a_recalled_lesson_names_the_one_with_which_it_fell():
    Spec(LESSON).given(LEARNED).when(recall, root=ROOT, reason="luck").then(RECALLED)


def test_a_retired_lesson_can_still_be_recalled():
    Spec(LESSON).given(LEARNED, LessonRetired(reason="moot")).when(recall, root=ROOT, reason="luck").then(RECALLED)


def test_a_lesson_is_recalled_once():
    Spec(LESSON).given(LEARNED, RECALLED).when(recall, root="les_other", reason="again").then_quiet()


def test_a_recall_says_why_and_of_what():
    Spec(LESSON).given(LEARNED).when(recall, root=ROOT, reason=" ").then_rejected("no_reason")
    Spec(LESSON).when(recall, root=ROOT, reason="luck").then_rejected("unknown_lesson")


def test_a_recalled_lesson_takes_no_evidence_is_not_applied_and_not_learned_again():
    fallen = Spec(LESSON).given(LEARNED, RECALLED)
    fallen.when(confirm, run_id=RUN).then_rejected("recalled")
    fallen.when(contradict, run_id=RUN).then_rejected("recalled")
    fallen.when(apply, run_id=RUN).then_rejected("recalled")
    fallen.when(
        learn,
        scope=Scope(None, None),
        text="Look first",
        category=LessonCategory.SAFE_DEFAULT,
        evidence=(Evidence(run_id=RUN),),
    ).then_rejected("recalled")
