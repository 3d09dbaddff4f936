"""The rules of open loops."""

from goal_ledger.domain.goals.loop import (
    LOOP,
    LoopClosed,
    LoopKind,
    LoopOpened,
    LoopStatus,
    Matter,
    close,
    is_overdue,
    loop_id,
    open,
)
from tests.spec import Spec

GOAL = "goal_01KJ7E0WM0JN74MNPW0ARN644K"
RUN = "grun_01KJ7E0WM2JN74MNPW0ARN644K"
ASKED = LoopOpened(kind=LoopKind.CLARIFICATION, question="Which region?")
MATTER = Matter(LoopKind.CLARIFICATION, "Which region?")


def test_a_question_is_noted_with_what_it_is_about_and_until_when():
    matter = Matter(LoopKind.FOLLOW_UP, " Did it hold? ", GOAL, RUN)
    Spec(LOOP).when(open, matter=matter, due_at="2026-03-01", reason="support asked").then(
        LoopOpened(
            kind=LoopKind.FOLLOW_UP, question="Did it hold?", goal_id=GOAL, run_id=RUN,
            due_at="2026-03-01T00:00:00.000000Z", reason="support asked",
        )
    )  # fmt: skip


def test_a_blank_question_is_refused():
    Spec(LOOP).when(open, matter=Matter(LoopKind.FOLLOW_UP, " \n")).then_rejected("no_question")


def test_a_pending_retry_needs_its_goal():
    Spec(LOOP).when(open, matter=Matter(LoopKind.PENDING_RETRY, "Again?")).then_rejected("no_goal", "pending_retry")


def test_a_time_without_a_zone_is_refused():
    Spec(LOOP).when(open, matter=MATTER, due_at="2026-03-01T09:00").then_rejected("naive_time")


def test_what_is_open_stays_as_it_is():
    Spec(LOOP).given(ASKED).when(open, matter=MATTER, due_at="2026-03-01").then_quiet()


def test_an_open_question_can_come_to_hold_its_goal_and_holds_it_once():
    about = Matter(LoopKind.CLARIFICATION, "Which region?", GOAL)
    held = LoopOpened(kind=LoopKind.CLARIFICATION, question="Which region?", goal_id=GOAL, holds_goal=True)
    Spec(LOOP).given(ASKED).when(open, matter=about, holds_goal=True).then(held)
    Spec(LOOP).given(ASKED, held).when(open, matter=about, holds_goal=True).then_quiet()


def test_it_is_closed_with_an_answer():
    Spec(LOOP).given(ASKED).when(close, answer=" eu-west-1 ", reason="told so").then(
        LoopClosed(answer="eu-west-1", reason="told so")
    )


def test_a_blank_answer_is_refused():
    Spec(LOOP).given(ASKED).when(close, answer=" ").then_rejected("no_answer")


def test_the_same_answer_again_is_quiet_and_another_is_refused():
    answered = Spec(LOOP).given(ASKED, LoopClosed(answer="eu"))
    answered.when(close, answer="eu").then_quiet()
    answered.when(close, answer="us").then_rejected("already_closed")


def test_what_was_never_opened_cannot_be_closed():
    Spec(LOOP).when(close, answer="eu").then_rejected("unknown_loop")


def test_a_closed_one_is_opened_once_more():
    answered = Spec(LOOP).given(ASKED, LoopClosed(answer="eu"))
    answered.when(open, matter=MATTER).then(ASKED)
    assert answered.given(ASKED).state().answer is None


def test_the_same_matter_has_one_id_whatever_its_case_and_white_space():
    same = {loop_id(Matter(LoopKind.FOLLOW_UP, text, GOAL)) for text in ("Did it hold?", " did  it\nHOLD? ")}
    others = {
        loop_id(Matter(LoopKind.CLARIFICATION, "Did it hold?", GOAL)),
        loop_id(Matter(LoopKind.FOLLOW_UP, "Did it hold?")),
        loop_id(Matter(LoopKind.FOLLOW_UP, "Did it hold?", GOAL, RUN)),
        loop_id(Matter(LoopKind.FOLLOW_UP, "Did it?", GOAL)),
    }
    assert len(same) == 1 and len(others) == 4 and not same & others


def test_a_goal_has_one_pending_retry_whatever_run_and_words():
    retries = {loop_id(Matter(LoopKind.PENDING_RETRY, text, GOAL, run)) for text in ("a", "b") for run in (None, RUN)}
    assert len(retries) == 1


def test_only_what_is_open_and_due_before_now_is_overdue():
    due, now, later = (f"2026-03-0{day}T00:00:00.000000Z" for day in (1, 2, 3))
    assert is_overdue(LoopStatus.OPEN, due, now)
    assert not is_overdue(LoopStatus.OPEN, later, now)
    assert not is_overdue(LoopStatus.OPEN, None, now)
    assert not is_overdue(LoopStatus.CLOSED, due, now)
