"""The lifecycle: every verb in every state."""

from typing import Any

import pytest

from goal_ledger.domain.errors import STREAM, Blank, Hint
from goal_ledger.domain.goals import goal
from goal_ledger.domain.goals.goal import (
    GOAL,
    TRANSITIONS,
    GoalActivated,
    GoalApproved,
    GoalArchived,
    GoalBlocked,
    GoalCheckpointed,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalFailed,
    GoalReadied,
    GoalRejected,
    GoalResumed,
    GoalRetried,
    GoalUnblocked,
    GoalWaited,
    Transition,
)
from goal_ledger.domain.goals.lifecycle import MOVES, ArchiveCause, GoalStatus, path, verbs_from
from tests.domain.goals.histories import APPROVED, HISTORIES
from tests.spec import Spec

S = GoalStatus

ARROWS: dict[GoalStatus, set[GoalStatus]] = {
    S.PROPOSED: {S.ACTIVE, S.REJECTED, S.ARCHIVED},
    S.PLANNED: {S.READY, S.ARCHIVED},
    S.READY: {S.ACTIVE, S.ARCHIVED},
    S.ACTIVE: {S.WAITING, S.BLOCKED, S.CHECKPOINTED, S.COMPLETED, S.COMPLETED_WITH_CAVEATS, S.FAILED, S.ARCHIVED},
    S.WAITING: {S.ACTIVE, S.RETRYING, S.BLOCKED, S.FAILED, S.ARCHIVED},
    S.RETRYING: {S.ACTIVE, S.BLOCKED, S.FAILED, S.ARCHIVED},
    S.BLOCKED: {S.ACTIVE, S.FAILED, S.ARCHIVED},
    S.CHECKPOINTED: {S.ACTIVE, S.FAILED, S.ARCHIVED},
    S.COMPLETED: {S.ARCHIVED},
    S.COMPLETED_WITH_CAVEATS: {S.ARCHIVED},
    S.FAILED: {S.ARCHIVED},
    S.REJECTED: {S.ARCHIVED},
    S.ARCHIVED: set(),
}
"""What may follow what, as the design draws it: written down here a second time, on purpose."""

VERBS: dict[str, tuple[Any, type[Transition], dict[str, Any], set[GoalStatus]]] = {
    "approve": (goal.approve, GoalApproved, {}, {S.PROPOSED}),
    "reject": (goal.reject, GoalRejected, {}, {S.PROPOSED}),
    "ready": (goal.ready, GoalReadied, {"dependencies": {}}, {S.PLANNED}),
    "activate": (goal.activate, GoalActivated, {}, {S.READY, S.WAITING, S.RETRYING}),
    "wait": (goal.wait, GoalWaited, {}, {S.ACTIVE}),
    "retry": (goal.retry, GoalRetried, {}, {S.WAITING}),
    "block": (goal.block, GoalBlocked, {}, {S.ACTIVE, S.WAITING, S.RETRYING}),
    "unblock": (goal.unblock, GoalUnblocked, {}, {S.BLOCKED}),
    "checkpoint": (goal.checkpoint, GoalCheckpointed, {"checkpoint_ref": "step-9"}, {S.ACTIVE}),
    "resume": (goal.resume, GoalResumed, {}, {S.CHECKPOINTED, S.WAITING, S.RETRYING}),
    "complete": (goal.complete, GoalCompleted, {"evidence": "restored"}, {S.ACTIVE}),
    "complete --caveats": (goal.complete, GoalCompletedWithCaveats, {"caveats": "one disk"}, {S.ACTIVE}),
    "fail": (goal.fail, GoalFailed, {}, {S.ACTIVE, S.WAITING, S.RETRYING, S.BLOCKED, S.CHECKPOINTED}),
    "archive": (goal.archive, GoalArchived, {"cause": ArchiveCause.STOPPED}, set(S) - {S.ARCHIVED}),
}
"""The decision of each verb, its event, what it needs beside a reason, and where it is allowed."""

TABLE = [(verb, status) for verb in VERBS for status in S]


def test_the_table_names_every_verb_and_every_state():
    assert set(VERBS) == set(MOVES)
    assert set(HISTORIES) == set(S)
    assert {event for _, event, _, _ in VERBS.values()} == set(TRANSITIONS)


def test_the_verbs_draw_exactly_the_arrows_of_the_design():
    drawn: dict[GoalStatus, set[GoalStatus]] = {status: set() for status in S}
    for _, event, _, sources in VERBS.values():
        for source in sources:
            drawn[source].add(event.to_status)

    assert drawn == ARROWS


@pytest.mark.parametrize("status", S)
def test_a_history_ends_in_the_state_it_is_listed_under(status: GoalStatus):
    assert Spec(GOAL).given(*HISTORIES[status]).state().status is status


@pytest.mark.parametrize(("verb", "status"), TABLE, ids=lambda value: str(value).replace(" --", "_with_"))
def test_every_verb_in_every_state_acts_refuses_or_stays_quiet(verb: str, status: GoalStatus):
    decide, event, fields, sources = VERBS[verb]
    outcome = Spec(GOAL).given(*HISTORIES[status]).when(decide, reason="because", **fields)

    if status is event.to_status:
        outcome.then_quiet()
    elif status in sources:
        stored = {name: value for name, value in fields.items() if name != "dependencies"}
        if event is GoalResumed and status is S.CHECKPOINTED:
            stored["checkpoint_ref"] = "step-3"  # where it was laid down
        outcome.then(event(from_status=status, reason="because", **stored))
    else:
        error = outcome.then_rejected("not_allowed", f"goal is {status};", f"({event.to_status})", f"{status} allows ")
        assert set(_allowed_in(error.message, status)) == set(verbs_from(status))


def _allowed_in(message: str, status: GoalStatus) -> list[str]:
    allowed = message.rpartition(f"{status} allows ")[2]
    return [] if allowed == "nothing: it is final" else allowed.split(", ")


@pytest.mark.parametrize(("verb", "status"), TABLE, ids=lambda value: str(value).replace(" --", "_with_"))
def test_the_way_out_of_a_refusal_leads_to_where_the_verb_is_allowed(verb: str, status: GoalStatus):
    decide, event, fields, sources = VERBS[verb]
    error = Spec(GOAL).given(*HISTORIES[status]).when(decide, reason="because", **fields).error
    if error is None:
        assert status in sources or status is event.to_status
        return
    reached = status
    if isinstance(error.hint, Hint):
        for noun, step, arguments, _ in error.hint.calls:
            assert (noun, arguments) == ("goal", (STREAM,)) and reached in VERBS[step][3]
            reached = VERBS[step][1].to_status
    if error.hint is None:
        assert path(status, frozenset(sources)) == []
        assert _reachable(status).isdisjoint(sources)
    else:
        assert reached in sources


def _reachable(status: GoalStatus) -> set[GoalStatus]:
    seen = {status}
    for one in (queue := [status]):
        for further in ARROWS[one] - seen - {S.ARCHIVED}:  # nobody is told to archive a goal in order to go on
            seen.add(further)
            queue.append(further)
    return seen


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.replace(" --", "_with_"))
def test_no_verb_works_on_a_goal_that_is_not_there(verb: str):
    decide, _, fields, _ = VERBS[verb]
    Spec(GOAL).when(decide, reason="because", **fields).then_rejected("unknown_goal")


@pytest.mark.parametrize("reason", [None, "", "  \n"])
@pytest.mark.parametrize(
    ("decide", "status"), [(goal.reject, S.PROPOSED), (goal.block, S.ACTIVE), (goal.fail, S.BLOCKED)]
)
def test_to_reject_to_block_or_to_fail_needs_a_reason(decide: Any, status: GoalStatus, reason: str | None):
    error = Spec(GOAL).given(*HISTORIES[status]).when(decide, reason=reason).then_rejected("no_reason", "say why")
    assert isinstance(error.hint, Hint) and error.hint.calls[0].options == {"reason": Blank()}


@pytest.mark.parametrize(
    ("decide", "status"), [(goal.reject, S.REJECTED), (goal.block, S.BLOCKED), (goal.fail, S.FAILED)]
)
def test_what_is_already_so_needs_no_reason(decide: Any, status: GoalStatus):
    Spec(GOAL).given(*HISTORIES[status]).when(decide, reason=None).then_quiet()


@pytest.mark.parametrize("reason", [5, ["because"], True])
def test_a_reason_is_text(reason: Any):
    Spec(GOAL).given(*HISTORIES[S.ACTIVE]).when(goal.block, reason=reason).then_rejected("invalid_value", "reason")


def test_caveats_are_not_blank():
    Spec(GOAL).given(*HISTORIES[S.ACTIVE]).when(goal.complete, caveats=" ").then_rejected(
        "no_caveats", "what is missing"
    )


@pytest.mark.parametrize(
    ("verb", "status"), [("complete", S.COMPLETED_WITH_CAVEATS), ("complete --caveats", S.COMPLETED)]
)
def test_a_completed_goal_neither_gains_nor_loses_caveats(verb: str, status: GoalStatus):
    decide, _, fields, _ = VERBS[verb]
    Spec(GOAL).given(*HISTORIES[status]).when(decide, **fields).then_rejected("not_allowed")


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (S.COMPLETED, ArchiveCause.DONE),
        (S.COMPLETED_WITH_CAVEATS, ArchiveCause.DONE),
        (S.FAILED, ArchiveCause.CANCELLED),
        (S.PLANNED, ArchiveCause.CANCELLED),
        (S.REJECTED, ArchiveCause.CANCELLED),
    ],
)
def test_an_archived_goal_was_done_or_cancelled_unless_said(status: GoalStatus, cause: ArchiveCause):
    Spec(GOAL).given(*HISTORIES[status]).when(goal.archive).then(GoalArchived(from_status=status, cause=cause))


def test_a_resumed_goal_names_its_last_checkpoint_and_only_then():
    twice = (
        *HISTORIES[S.CHECKPOINTED],
        GoalResumed(from_status=S.CHECKPOINTED, checkpoint_ref="step-3"),
        GoalCheckpointed(from_status=S.ACTIVE, checkpoint_ref="step-7"),
    )
    Spec(GOAL).given(*twice).when(goal.resume).then(GoalResumed(from_status=S.CHECKPOINTED, checkpoint_ref="step-7"))

    waiting = (*twice, GoalResumed(from_status=S.CHECKPOINTED), GoalWaited(from_status=S.ACTIVE))
    Spec(GOAL).given(*waiting).when(goal.resume).then(GoalResumed(from_status=S.WAITING))


def test_a_checkpoint_needs_no_reference():
    Spec(GOAL).given(*APPROVED).when(goal.checkpoint).then(GoalCheckpointed(from_status=S.ACTIVE))
