"""Open loops: opened by commands and by work that fails or waits, closed with the answer."""

from datetime import timedelta

import pytest

from goal_ledger.ledger import (
    UNKNOWN,
    FailureCategory,
    GoalStatus,
    Invalid,
    Ledger,
    LedgerError,
    LocalOutcome,
    LoopKind,
    LoopStatus,
    NotFound,
    Rejected,
)
from tests.tools import START, Clock

NOBODY = "01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", actor="agent:planner", clock=Clock()) as opened:
        yield opened


@pytest.fixture
def goal_id(ledger):
    goal_id = ledger.goals.create("Nightly backups that restore").goal_id
    ledger.goals.ready(goal_id)
    ledger.goals.activate(goal_id)
    return goal_id


def failing(ledger, goal_id):
    run_id = ledger.runs.start(goal_id).run_id
    ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
    return run_id


def refusal(ledger, ask, *args, **wish):
    """The error of what is refused, which leaves nothing behind."""
    before = ledger.head
    with pytest.raises(LedgerError) as refused:
        ask(*args, **wish)
    assert ledger.head == before
    return refused.value


def test_a_loop_says_what_is_owed_to_whom_and_until_when(ledger, goal_id):
    run_id = ledger.runs.start(goal_id).run_id
    row = ledger.loops.open(LoopKind.FOLLOW_UP, "Did it hold?", run_id=run_id, due_at="2026-03-01")
    assert row == ledger.loops.get(row.loop_id) == ledger.loops.list().rows[0]
    assert (row.kind, row.status, row.question, row.answer) == ("follow_up", "open", "Did it hold?", None)
    assert (row.goal_id, row.run_id, row.due_at) == (goal_id, run_id, "2026-03-01T00:00:00.000000Z")
    assert (row.opened_by, row.times_opened, row.closed_at) == ("agent:planner", 1, None)


def test_the_same_question_is_open_once(ledger, goal_id):
    first = ledger.loops.open(LoopKind.CLARIFICATION, "Which region?", goal_id=goal_id)
    head = ledger.head
    assert ledger.loops.open(LoopKind.CLARIFICATION, " which REGION?", goal_id=goal_id) == first
    assert ledger.head == head


def test_it_is_closed_with_an_answer_and_may_be_opened_again(ledger):
    loop_id = ledger.loops.open(LoopKind.FOLLOW_UP, "Did it hold?").loop_id
    closed = ledger.using(actor="cli:ana").loops.close(loop_id, answer="for 3 nights")
    assert (closed.status, closed.answer, closed.closed_by) == ("closed", "for 3 nights", "cli:ana")
    assert ledger.loops.close(loop_id, answer="for 3 nights") == closed
    assert refusal(ledger, ledger.loops.close, loop_id, answer="no").code == "already_closed"
    again = ledger.loops.open(LoopKind.FOLLOW_UP, "Did it hold?")
    assert (again.loop_id, again.status, again.answer, again.times_opened) == (loop_id, "open", None, 2)


@pytest.mark.parametrize(
    ("wish", "kind", "code"),
    [
        ({"question": " "}, Rejected, "no_question"),
        ({"goal_id": f"goal_{NOBODY}"}, NotFound, "unknown_goal"),
        ({"run_id": f"grun_{NOBODY}"}, NotFound, "unknown_run"),
        ({"goal_id": "les_7"}, NotFound, "unknown_goal"),
        ({"due_at": "soon"}, Invalid, "bad_time"),
        ({"kind": LoopKind.PENDING_RETRY}, Rejected, "no_goal"),
    ],
)
def test_what_cannot_be_owed_is_refused(ledger, wish, kind, code):
    error = refusal(ledger, ledger.loops.open, **{"kind": LoopKind.FOLLOW_UP, "question": "Did it hold?", **wish})
    assert (type(error), error.code) == (kind, code)


def test_a_run_of_another_goal_is_refused(ledger, goal_id):
    run_id, other = ledger.runs.start(goal_id).run_id, ledger.goals.create("Another").goal_id
    error = refusal(ledger, ledger.loops.open, LoopKind.FOLLOW_UP, "?", goal_id=other, run_id=run_id)
    assert error.code == "other_goal" and goal_id in error.message


def test_what_does_not_exist_cannot_be_closed(ledger):
    assert refusal(ledger, ledger.loops.close, f"loop_{NOBODY}", answer="yes").code == "unknown_loop"
    assert refusal(ledger, ledger.loops.close, "goal_7", answer="yes").code == "unknown_loop"


# --- Retries


def test_a_failed_run_leaves_a_pending_retry_which_the_next_run_closes(ledger, goal_id):
    run_id = failing(ledger, goal_id)
    [retry] = ledger.loops.list().rows
    assert (retry.kind, retry.goal_id, retry.run_id) == ("pending_retry", goal_id, run_id)
    following = ledger.runs.start(goal_id).run_id
    assert ledger.loops.list().rows == []
    assert ledger.loops.get(retry.loop_id).answer == f"{following} began"
    failing_again = ledger.runs.finish(following, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
    assert ledger.loops.get(retry.loop_id).run_id == failing_again.run_id


def test_a_lost_run_leaves_one_too(ledger, goal_id):
    run_id = ledger.runs.start(goal_id).run_id
    ledger.runs.interrupt(run_id, reason="worker lost")
    assert [(row.kind, row.run_id) for row in ledger.loops.list().rows] == [("pending_retry", run_id)]


@pytest.mark.parametrize("outcome", [LocalOutcome.SUCCEEDED, LocalOutcome.PARTIAL])
def test_a_run_that_did_not_fail_leaves_none(ledger, goal_id, outcome):
    ledger.runs.finish(ledger.runs.start(goal_id).run_id, outcome)
    assert ledger.loops.list(status=None).rows == []


def test_no_retry_is_pending_when_no_attempt_is_left_or_the_goal_is_finished(ledger):
    last = ledger.goals.create("Once", max_attempts=1).goal_id
    ledger.goals.ready(last)
    failing(ledger, last)
    given_up = ledger.goals.create("Given up").goal_id
    ledger.goals.ready(given_up)
    run_id = ledger.runs.start(given_up).run_id
    ledger.goals.fail(given_up, reason="moot")
    ledger.runs.finish(run_id, LocalOutcome.FAILED, failure_category=FailureCategory.TOOL_ERROR)
    assert ledger.loops.list(status=None).rows == []


# --- Questions that hold a goal


def test_a_goal_waits_for_an_answer_which_takes_it_up_again(ledger, goal_id):
    assert ledger.goals.wait(goal_id, question="Which region?", due_at="2026-03-01").status is GoalStatus.WAITING
    [asked] = ledger.loops.list(goal_id=goal_id).rows
    assert (asked.kind, asked.question, asked.holds_goal) == ("clarification", "Which region?", True)
    ledger.loops.close(asked.loop_id, answer="eu-west-1")
    assert ledger.goals.get(goal_id).status is GoalStatus.ACTIVE


def test_asking_the_same_again_is_quiet(ledger, goal_id):
    ledger.goals.wait(goal_id, question="Which region?")
    head = ledger.head
    assert ledger.goals.wait(goal_id, question="Which region?").status is GoalStatus.WAITING
    assert ledger.head == head


def test_a_goal_with_two_questions_waits_for_both(ledger, goal_id):
    for question in ("Which region?", "Which disk?"):
        ledger.goals.wait(goal_id, question=question)
    first, second = ledger.loops.list(goal_id=goal_id).rows
    ledger.loops.close(first.loop_id, answer="eu")
    assert ledger.goals.get(goal_id).status is GoalStatus.WAITING
    ledger.loops.close(second.loop_id, answer="fast")
    assert ledger.goals.get(goal_id).status is GoalStatus.ACTIVE


def test_an_answer_leaves_a_goal_alone_that_went_on_or_was_not_held(ledger, goal_id):
    ledger.goals.wait(goal_id, question="Which region?")
    ledger.goals.block(goal_id, reason="no access")
    ledger.loops.close(ledger.loops.list().rows[0].loop_id, answer="eu")
    assert ledger.goals.get(goal_id).status is GoalStatus.BLOCKED
    ledger.goals.unblock(goal_id)
    ledger.goals.wait(goal_id, reason="for the tapes")
    beside = ledger.loops.open(LoopKind.CLARIFICATION, "Which tape?", goal_id=goal_id)
    ledger.loops.close(beside.loop_id, answer="7")
    assert ledger.goals.get(goal_id).status is GoalStatus.WAITING


def test_a_goal_that_cannot_wait_asks_nothing(ledger):
    planned = ledger.goals.create("Later").goal_id
    assert refusal(ledger, ledger.goals.wait, planned, question="When?").code == "not_allowed"
    assert refusal(ledger, ledger.goals.wait, planned, question=" ").code == "not_allowed"


# --- Asking


def test_what_is_due_first_stands_first_then_what_is_open_for_longest(ledger):
    for text, due in (("a", None), ("b", "2026-03-02"), ("c", "2026-03-01"), ("d", None)):
        ledger.loops.open(LoopKind.FOLLOW_UP, text, due_at=due)
    assert [row.question for row in ledger.loops.list().rows] == ["c", "b", "a", "d"]
    page = ledger.loops.list(limit=3)
    assert [row.question for row in ledger.loops.list(after=page.next).rows] == ["d"]


def test_loops_are_counted_by_kind_and_chosen_by_it(ledger, goal_id):
    ledger.loops.open(LoopKind.FOLLOW_UP, "a")
    ledger.loops.close(ledger.loops.open(LoopKind.FOLLOW_UP, "b").loop_id, answer="done")
    ledger.loops.open(LoopKind.CLARIFICATION, "c", goal_id=goal_id)
    assert ledger.loops.counts() == {"pending_retry": 0, "clarification": 1, "follow_up": 1}
    assert [row.question for row in ledger.loops.list(kind=LoopKind.FOLLOW_UP).rows] == ["a"]
    assert [row.question for row in ledger.loops.list(status=LoopStatus.CLOSED).rows] == ["b"]
    assert len(ledger.loops.list(status=None).rows) == 3


def test_the_past_knows_what_was_owed_then(ledger):
    loop_id = ledger.loops.open(LoopKind.FOLLOW_UP, "a", due_at=START + timedelta(days=1)).loop_id
    open_at = ledger.head
    ledger.loops.close(loop_id, answer="done")
    then = ledger.as_of(open_at)
    assert [row.loop_id for row in then.loops.list().rows] == [loop_id]
    assert (
        ledger.loops.list().rows == [] and [event.name for event in ledger.loops.timeline(loop_id)][-1] == "loop.closed"
    )
    late = ledger.using(occurred_at=START + timedelta(days=2))
    assert (late.loops.is_overdue(then.loops.get(loop_id)), late.loops.is_overdue(late.loops.get(loop_id))) == (
        True,
        False,
    )


def test_a_repeat_under_the_same_command_id_gives_the_first_answer(ledger, goal_id):
    asking = ledger.using(command_id="ask-1", occurred_at=UNKNOWN)
    first = asking.loops.open(LoopKind.FOLLOW_UP, "a", goal_id=goal_id)
    ledger.loops.close(first.loop_id, answer="done")
    assert asking.loops.open(LoopKind.FOLLOW_UP, "a", goal_id=goal_id) == first
    assert ledger.loops.get(first.loop_id).status is LoopStatus.CLOSED
