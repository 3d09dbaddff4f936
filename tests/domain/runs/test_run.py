"""Runs: from start to outcome."""

from decimal import Decimal
from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.errors import Hint
from goal_ledger.domain.runs import run
from goal_ledger.domain.runs.run import (
    RUN,
    ActionTaken,
    BusinessOutcome,
    BusinessOutcomeRecorded,
    CostRecorded,
    FailureCategory,
    LocalOutcome,
    RunCheckpointed,
    RunFinished,
    RunHeartbeat,
    RunInterrupted,
    RunQueued,
    RunResumed,
    RunStarted,
    RunStatus,
    RunVerified,
    VerifierStatus,
)
from tests.spec import Spec

S = RunStatus
GOAL = "goal_1"

STARTED = RunStarted(goal_id=GOAL, attempt=1)
LAID_DOWN = RunCheckpointed(goal_id=GOAL, checkpoint_ref="step-3")
FINISHED = RunFinished(goal_id=GOAL, local_outcome=LocalOutcome.SUCCEEDED)

HISTORIES: dict[RunStatus, tuple[Event, ...]] = {
    S.QUEUED: (RunQueued(goal_id=GOAL, attempt=1),),
    S.RUNNING: (STARTED,),
    S.CHECKPOINTED: (STARTED, LAID_DOWN),
    S.INTERRUPTED: (STARTED, RunInterrupted(goal_id=GOAL, reason="killed")),
    S.FINISHED: (STARTED, FINISHED),
}

VERBS: dict[str, tuple[Any, dict[str, Any], Event, set[RunStatus], set[RunStatus]]] = {
    "act": (run.act, {"action": "copied"}, ActionTaken(goal_id=GOAL, action="copied"), {S.RUNNING}, set()),
    "heartbeat": (run.heartbeat, {}, RunHeartbeat(goal_id=GOAL), {S.RUNNING}, set()),
    "checkpoint": (
        run.checkpoint,
        {"checkpoint_ref": "step-3"},
        LAID_DOWN,
        {S.RUNNING},
        {S.CHECKPOINTED},
    ),
    "resume": (run.resume, {}, RunResumed(goal_id=GOAL, checkpoint_ref="step-3"), {S.CHECKPOINTED}, {S.RUNNING}),
    "interrupt": (
        run.interrupt,
        {"reason": "killed"},
        RunInterrupted(goal_id=GOAL, reason="killed"),
        {S.QUEUED, S.RUNNING, S.CHECKPOINTED},
        {S.INTERRUPTED},
    ),
    "verify": (
        run.verify,
        {"verifier_status": VerifierStatus.PASSED},
        RunVerified(goal_id=GOAL, verifier_status=VerifierStatus.PASSED),
        {S.RUNNING, S.CHECKPOINTED, S.FINISHED},
        set(),
    ),
    "cost": (run.record_cost, {"tokens_in": 5}, CostRecorded(goal_id=GOAL, tokens_in=5), set(S), set()),
    "finish": (run.finish, {"local_outcome": LocalOutcome.SUCCEEDED}, FINISHED, {S.RUNNING}, set()),
    "outcome": (
        run.record_outcome,
        {"business_outcome": BusinessOutcome.IMPROVED},
        BusinessOutcomeRecorded(goal_id=GOAL, business_outcome=BusinessOutcome.IMPROVED),
        {S.FINISHED},
        set(),
    ),
}
"""The decision of each verb, its wish, its event, where it acts and where it stays quiet."""


# --- The table


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_every_state_acts_refuses_or_stays_quiet(verb: str, status: RunStatus):
    decide, wish, event, acts, quiet = VERBS[verb]
    outcome = Spec(RUN).given(*HISTORIES[status]).when(decide, **wish)

    if status in quiet:
        outcome.then_quiet()
    elif status in acts:
        outcome.then(event)
    else:
        error = outcome.then_rejected("not_allowed", f"run is {status}", *acts)
        assert isinstance(error.hint, Hint) and error.hint.calls[0].noun in ("run", "next")


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_works_on_a_run_that_is_not_there(verb: str):
    decide, wish, *_ = VERBS[verb]
    Spec(RUN).when(decide, **wish).then_rejected("unknown_run")


@pytest.mark.parametrize("status", S)
def test_a_history_ends_in_the_state_it_is_listed_under(status: RunStatus):
    state = Spec(RUN).given(*HISTORIES[status]).state()
    assert (state.status, state.goal_id) == (status, GOAL)
    assert state.is_open is (status in (S.RUNNING, S.CHECKPOINTED))


# --- Starting


def test_a_run_starts_with_everything_said_about_it():
    started = RunStarted(
        goal_id=GOAL,
        attempt=3,
        agent="agent:a",
        job_id="job-7",
        task_category="quality",
        plan_summary="copy, then restore",
        metrics_before={"accuracy": 0.80},
        source="cron",
        source_id="7",
        source_attempt=0,
        source_digest="abc",
        reason="due",
    )
    Spec(RUN).when(run.start, started=started).then(started)
    expected = run.Run(S.RUNNING, GOAL, source_digest="abc", attempt=3, agent="agent:a", has_begun=True)
    assert Spec(RUN).given(started).state() == expected


def test_a_run_starts_once():
    Spec(RUN).given(STARTED).when(run.start, started=STARTED).then_rejected("already_exists")


@pytest.mark.parametrize("attempt", [0, -1])
def test_attempts_count_from_one(attempt: int):
    Spec(RUN).when(lambda _: [RunStarted(goal_id=GOAL, attempt=attempt)]).then_rejected("invalid_value", "attempt")


def test_a_queued_run_waits_and_then_starts():
    queued = RunQueued(goal_id=GOAL, attempt=2, agent="agent:a", job_id="job-7", plan_summary="copy")
    Spec(RUN).when(run.enqueue, queued=queued).then(queued)
    Spec(RUN).given(queued).when(run.enqueue, queued=queued).then_rejected("already_exists")
    Spec(RUN).given(STARTED).when(run.enqueue, queued=queued).then_rejected("already_exists")
    started = RunStarted(goal_id=GOAL, attempt=2, agent="agent:b")
    Spec(RUN).given(queued).when(run.start, started=started).then(started)


# --- Leases


LEASED = RunStarted(goal_id=GOAL, attempt=1, lease_s=60)


@pytest.mark.parametrize(("silent_s", "quiet"), [(0.0, True), (30.0, True), (30.001, False), (90.0, False)])
def test_a_heartbeat_is_quiet_in_the_first_half_of_the_lease(silent_s: float, quiet: bool):
    outcome = Spec(RUN).given(LEASED).when(run.heartbeat, silent_s=silent_s)
    outcome.then_quiet() if quiet else outcome.then(RunHeartbeat(goal_id=GOAL))


def test_a_heartbeat_with_news_is_never_quiet():
    leased = Spec(RUN).given(LEASED)
    leased.when(run.heartbeat, note="half way", silent_s=1).then(RunHeartbeat(goal_id=GOAL, note="half way"))
    leased.when(run.heartbeat, lease_s=120, silent_s=1).then(RunHeartbeat(goal_id=GOAL, lease_s=120))
    leased.when(run.heartbeat, lease_s=60, silent_s=1).then_quiet()
    leased.when(run.heartbeat, silent_s=None).then(RunHeartbeat(goal_id=GOAL))  # nobody knows
    leased.when(run.heartbeat, silent_s=-5).then(RunHeartbeat(goal_id=GOAL))  # the clock went backwards
    Spec(RUN).given(STARTED).when(run.heartbeat, silent_s=1).then(RunHeartbeat(goal_id=GOAL))


def test_a_heartbeat_may_change_the_lease():
    longer = Spec(RUN).given(LEASED, RunHeartbeat(goal_id=GOAL, lease_s=600))
    longer.when(run.heartbeat, silent_s=299).then_quiet()
    longer.given(RunHeartbeat(goal_id=GOAL)).when(run.heartbeat, silent_s=299).then_quiet()


@pytest.mark.parametrize("lease_s", [0, -1, 10**9])
def test_a_lease_is_a_positive_time_of_at_most_a_year(lease_s: float):
    Spec(RUN).when(lambda _: [RunStarted(goal_id=GOAL, attempt=1, lease_s=lease_s)]).then_rejected("invalid_value")


TAKEN: dict[str, Event] = {
    "grun_2 took its place": RunInterrupted(goal_id=GOAL, successor="grun_2", reason="silent"),
    "nothing was heard": RunInterrupted(goal_id=GOAL, orphaned=True, reason="orphaned"),
}


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.parametrize("verb", ["act", "heartbeat", "checkpoint", "resume", "finish", "verify"])
def test_a_worker_that_lost_its_run_is_refused(verb: str, how: str):
    decide, wish, *_ = VERBS[verb]
    Spec(RUN).given(LEASED, TAKEN[how]).when(decide, **wish).then_rejected("lease_lost", how, verb)


def test_a_bill_of_a_run_that_was_taken_away_still_counts():
    for taken in TAKEN.values():
        Spec(RUN).given(LEASED, taken).when(run.record_cost, tokens_in=5).then(CostRecorded(goal_id=GOAL, tokens_in=5))


def test_a_lease_ends_so_long_after_the_last_sign_of_life():
    assert run.lease_end("2026-02-24T09:00:00.000000Z", 90) == "2026-02-24T09:01:30.000000Z"
    assert run.lease_end("2026-02-24T09:00:00.000000Z", None) is None
    assert run.lease_end(None, 90) is None
    assert run.lease_end("9999-12-31T23:59:59.000000Z", 90) is None


# --- What a goal allows


def test_an_action_outside_what_the_goal_allows_is_refused():
    error = (
        Spec(RUN)
        .given(STARTED)
        .when(run.act, action="rm", action_type="shell", allowed=("s3", "http"))
        .then_rejected("policy_block", "http, s3", "shell")
    )
    assert error.hint == Hint("goal", "show", GOAL)


def test_an_action_that_is_allowed_or_says_no_type_is_noted():
    allowing = Spec(RUN).given(STARTED)
    for action_type, allowed in (("s3", ("s3",)), ("shell", ()), (None, ("s3",))):
        allowing.when(run.act, action="copy", action_type=action_type, allowed=allowed).then(
            ActionTaken(goal_id=GOAL, action="copy", action_type=action_type)
        )


# --- On the way


def test_an_action_holds_everything_said_about_it():
    Spec(RUN).given(STARTED).when(
        run.act,
        action="copied",
        action_type="shell",
        ok=False,
        detail="exit 1",
        attributes={"host": "db-3", "sizes": [1, 2.5]},
        reason="planned",
    ).then(
        ActionTaken(
            goal_id=GOAL,
            action="copied",
            action_type="shell",
            ok=False,
            detail="exit 1",
            attributes={"host": "db-3", "sizes": [1, 2.5]},
            reason="planned",
        )
    )


@pytest.mark.parametrize("action", ["", " \t"])
def test_an_action_has_a_name(action: str):
    Spec(RUN).given(STARTED).when(run.act, action=action).then_rejected("no_action")


def test_the_same_action_twice_is_two_actions():
    Spec(RUN).given(STARTED, ActionTaken(goal_id=GOAL, action="copied")).when(run.act, action="copied").then(
        ActionTaken(goal_id=GOAL, action="copied")
    )


def test_a_checkpoint_needs_a_reference():
    Spec(RUN).given(STARTED).when(run.checkpoint, checkpoint_ref=" ").then_rejected("no_checkpoint")


def test_a_checkpoint_can_be_moved():
    Spec(RUN).given(STARTED, LAID_DOWN).when(run.checkpoint, checkpoint_ref="step-4").then(
        RunCheckpointed(goal_id=GOAL, checkpoint_ref="step-4")
    )


def test_a_run_resumes_from_its_last_checkpoint():
    moved = RunCheckpointed(goal_id=GOAL, checkpoint_ref="step-4")
    resumed = RunResumed(goal_id=GOAL, checkpoint_ref="step-4")
    Spec(RUN).given(STARTED, LAID_DOWN, moved).when(run.resume, reason="free again").then(
        RunResumed(goal_id=GOAL, checkpoint_ref="step-4", reason="free again")
    )
    Spec(RUN).given(STARTED, LAID_DOWN, moved, resumed).when(run.heartbeat, note="on").then(
        RunHeartbeat(goal_id=GOAL, note="on")
    )


def test_a_run_that_goes_on_can_be_laid_down_at_the_same_point_again():
    resumed = RunResumed(goal_id=GOAL, checkpoint_ref="step-3")
    Spec(RUN).given(STARTED, LAID_DOWN, resumed).when(run.checkpoint, checkpoint_ref="step-3").then(LAID_DOWN)


@pytest.mark.parametrize("reason", [None, "", " "])
def test_to_interrupt_a_run_needs_a_reason(reason: str | None):
    Spec(RUN).given(STARTED).when(run.interrupt, reason=reason).then_rejected("no_reason")


@pytest.mark.parametrize("verdict", VerifierStatus)
def test_a_verdict_may_come_again(verdict: VerifierStatus):
    passed = RunVerified(goal_id=GOAL, verifier_status=VerifierStatus.PASSED)
    Spec(RUN).given(STARTED, passed, FINISHED).when(
        run.verify, verifier_status=verdict, verifier="restore_check", score=0.25, detail="half of it"
    ).then(
        RunVerified(goal_id=GOAL, verifier_status=verdict, verifier="restore_check", score=0.25, detail="half of it")
    )


def test_a_verdict_is_one_of_three():
    Spec(RUN).given(STARTED).when(run.verify, verifier_status="maybe").then_rejected(  # type: ignore[arg-type]
        "invalid_value", "verifier_status", "passed"
    )


# --- Cost


def test_a_bill_says_what_is_known():
    Spec(RUN).given(STARTED).when(
        run.record_cost, cost_usd=Decimal("0.10"), tokens_in=0, tokens_out=10**15, model="m-1"
    ).then(CostRecorded(goal_id=GOAL, cost_usd=Decimal("0.10"), tokens_in=0, tokens_out=10**15, model="m-1"))
    Spec(RUN).given(STARTED).when(run.record_cost, cost_usd=Decimal(0)).then(
        CostRecorded(goal_id=GOAL, cost_usd=Decimal(0))
    )


def test_a_bill_about_nothing_is_refused():
    Spec(RUN).given(STARTED).when(run.record_cost, model="m-1").then_rejected("no_cost")


@pytest.mark.parametrize(
    "bill",
    [
        {"cost_usd": Decimal("-0.01")},
        {"cost_usd": Decimal("NaN")},
        {"cost_usd": Decimal("Infinity")},
        {"cost_usd": True},
        {"cost_usd": "a lot"},
        {"cost_usd": Decimal("1234567890.123456789012345")},
        {"tokens_in": -1},
        {"tokens_in": 1.0},
        {"tokens_out": "5"},
        {"tokens_out": 10**15 + 1},
    ],
    ids=str,
)
def test_a_bill_is_an_amount_or_a_number_of_tokens(bill: dict[str, Any]):
    Spec(RUN).given(STARTED).when(run.record_cost, **bill).then_rejected("invalid_value", next(iter(bill)))


# --- Finishing


@pytest.mark.parametrize("category", FailureCategory)
def test_a_failed_run_has_one_of_eleven_categories(category: FailureCategory):
    assert len(FailureCategory) == 11
    Spec(RUN).given(STARTED).when(run.finish, local_outcome=LocalOutcome.FAILED, failure_category=category).then(
        RunFinished(goal_id=GOAL, local_outcome=LocalOutcome.FAILED, failure_category=category)
    )


def test_a_failed_run_without_a_category_is_refused():
    Spec(RUN).given(STARTED).when(run.finish, local_outcome=LocalOutcome.FAILED).then_rejected(
        "no_failure_category", *FailureCategory
    )


def test_a_succeeded_run_with_a_category_is_refused():
    Spec(RUN).given(STARTED).when(
        run.finish, local_outcome=LocalOutcome.SUCCEEDED, failure_category=FailureCategory.TOOL_ERROR
    ).then_rejected("unexpected_failure_category", "tool_error")


@pytest.mark.parametrize("category", [None, FailureCategory.VERIFICATION_FAILURE])
def test_a_partial_run_may_have_a_category(category: FailureCategory | None):
    Spec(RUN).given(STARTED).when(run.finish, local_outcome=LocalOutcome.PARTIAL, failure_category=category).then(
        RunFinished(goal_id=GOAL, local_outcome=LocalOutcome.PARTIAL, failure_category=category)
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"local_outcome": "fine"},
        {"local_outcome": LocalOutcome.FAILED, "failure_category": "bad luck"},
        {"local_outcome": LocalOutcome.SUCCEEDED, "duration_seconds": -1.0},
        {"local_outcome": LocalOutcome.SUCCEEDED, "duration_seconds": float("inf")},
        {"local_outcome": LocalOutcome.SUCCEEDED, "metrics_after": {"accuracy": float("nan")}},
    ],
    ids=str,
)
def test_an_outcome_is_of_the_closed_list(wish: dict[str, Any]):
    Spec(RUN).given(STARTED).when(run.finish, **wish).then_rejected("invalid_value", list(wish)[-1])


def test_an_outcome_holds_everything_said_about_it():
    Spec(RUN).given(STARTED).when(
        run.finish,
        local_outcome=LocalOutcome.PARTIAL,
        detail="nine of ten",
        duration_seconds=12.5,
        metrics_after={"accuracy": 0.85},
        source_outcome="mostly",
        reason="time is up",
    ).then(
        RunFinished(
            goal_id=GOAL,
            local_outcome=LocalOutcome.PARTIAL,
            detail="nine of ten",
            duration_seconds=12.5,
            metrics_after={"accuracy": 0.85},
            source_outcome="mostly",
            reason="time is up",
        )
    )


def test_metrics_are_snapshots_that_later_changes_do_not_alter():
    metrics: dict[str, Any] = {"accuracy": 0.85, "by_host": {"db-3": [1]}}
    [finished] = run.finish(
        Spec(RUN).given(STARTED).state(), local_outcome=LocalOutcome.SUCCEEDED, metrics_after=metrics
    )
    metrics["accuracy"] = 0.1
    metrics["by_host"]["db-3"].append(2)

    assert isinstance(finished, RunFinished)
    assert finished.metrics_after == {"accuracy": 0.85, "by_host": {"db-3": [1]}}


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-02-24T09:00:00.000000Z", "2026-02-24T09:00:01.500000Z", 1.5),
        ("2026-02-24T09:00:00.000000Z", "2026-02-24T09:00:00.000000Z", 0.0),
        ("2026-02-24T09:00:01.000000Z", "2026-02-24T09:00:00.000000Z", None),
        (None, "2026-02-24T09:00:00.000000Z", None),
        ("2026-02-24T09:00:00.000000Z", None, None),
    ],
)
def test_wall_time_is_known_when_both_ends_are_and_in_order(start: str | None, end: str | None, seconds: float | None):
    assert run.duration(start, end) == seconds


# --- Business outcomes


@pytest.mark.parametrize("worth", BusinessOutcome)
def test_what_a_run_was_worth_may_be_said_again_and_every_word_is_kept(worth: BusinessOutcome):
    said = BusinessOutcomeRecorded(goal_id=GOAL, business_outcome=BusinessOutcome.IMPROVED)
    Spec(RUN).given(STARTED, FINISHED, said).when(
        run.record_outcome, business_outcome=worth, source="crm", external_id="5", detail="sold"
    ).then(BusinessOutcomeRecorded(goal_id=GOAL, business_outcome=worth, source="crm", external_id="5", detail="sold"))


def test_the_same_record_of_a_source_counts_once():
    said = BusinessOutcomeRecorded(
        goal_id=GOAL, business_outcome=BusinessOutcome.IMPROVED, source="crm", external_id="5"
    )
    spec = Spec(RUN).given(STARTED, FINISHED, said)
    spec.when(run.record_outcome, business_outcome=BusinessOutcome.DEGRADED, source="crm", external_id="5").then_quiet()
    spec.when(run.record_outcome, business_outcome=BusinessOutcome.DEGRADED, source="erp", external_id="5").then(
        BusinessOutcomeRecorded(goal_id=GOAL, business_outcome=BusinessOutcome.DEGRADED, source="erp", external_id="5")
    )


def test_a_business_outcome_is_one_of_four():
    assert {*BusinessOutcome} == {"improved", "neutral", "degraded", "unknown"}
    Spec(RUN).given(STARTED, FINISHED).when(
        run.record_outcome,
        business_outcome="great",  # type: ignore[arg-type]
    ).then_rejected("invalid_value", "business_outcome")
