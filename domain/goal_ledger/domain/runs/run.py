"""A run: one attempt at a goal, from start to outcome."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from goal_ledger.domain.base import (
    Count,
    Decider,
    Event,
    Json,
    Money,
    Payload,
    Recorded,
    Seconds,
    Texts,
    Tokens,
    Unreadable,
    operation,
)
from goal_ledger.domain.errors import STREAM, Hint, NotFound, Rejected
from goal_ledger.domain.times import parse_utc, seconds_between, utc_text

# --- Words


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    CHECKPOINTED = "checkpointed"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"


class LocalOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PARTIAL = "partial"


class BusinessOutcome(StrEnum):
    IMPROVED = "improved"
    NEUTRAL = "neutral"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"


class VerifierStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class FailureCategory(StrEnum):
    """Why a run failed: a closed list, so that failures can be counted."""

    INTERPRETATION_ERROR = "interpretation_error"
    PLANNING_ERROR = "planning_error"
    TOOL_ERROR = "tool_error"
    EXECUTION_TIMEOUT = "execution_timeout"
    VERIFICATION_FAILURE = "verification_failure"
    POLICY_BLOCK = "policy_block"
    MISSING_CONTEXT = "missing_context"
    RESOURCE_LIMIT = "resource_limit"
    EXTERNAL_DEPENDENCY = "external_dependency"
    BAD_SCHEDULE_POLICY = "bad_schedule_policy"
    RUN_OVERLAP = "run_overlap"


BEYOND_THE_AGENT = frozenset(
    {
        FailureCategory.EXTERNAL_DEPENDENCY,
        FailureCategory.RESOURCE_LIMIT,
        FailureCategory.POLICY_BLOCK,
        FailureCategory.RUN_OVERLAP,
        FailureCategory.BAD_SCHEDULE_POLICY,
    }
)
"""Failures that say nothing about how the agent worked."""

Category = Annotated[FailureCategory, Field(strict=False)]
Lease = Annotated[float, Field(gt=0, le=31_536_000)]
"""Seconds, a year at the most."""
OPEN = frozenset({RunStatus.RUNNING, RunStatus.CHECKPOINTED})

# --- Events


class RunEvent(Event):
    """Every event of a run says which goal it served."""

    goal_id: str


class RunQueued(RunEvent):
    """An attempt waits for the open run of its goal to end. The fields say what `RunStarted` says of them."""

    stored = "run.queued"

    attempt: Annotated[int, Field(ge=1)]
    agent: str | None = None
    job_id: str | None = None
    task_category: str | None = None
    plan_summary: str | None = None


class RunContext(Payload):
    """What a run was given to work by, as ids.

    lessons, rules: those that its agent was told. controls: rules in canary that were kept from it, for comparison.
    shadows: rules in shadow that would have been told.
    """

    lessons: Texts = ()
    rules: Texts = ()
    controls: Texts = ()
    shadows: Texts = ()


class RunStarted(RunEvent):
    """An attempt began. attempt: the goal's count, from 1. job_id: the job of the scheduler that dispatched it.

    metrics_before: key-result values at the start, by name. lease_s: how long the worker may be silent before the run
    is given to another, None without end. takes_over: the run whose place it takes. checkpoint_ref: where that one had
    checkpointed it. context: the lessons and rules it was given. source, source_id, source_attempt, source_digest:
    the record it was imported from, with that record's own count and content digest.
    """

    stored = "run.started"
    schema_version: ClassVar[int] = 3

    attempt: Annotated[int, Field(ge=1)]
    agent: str | None = None
    job_id: str | None = None
    task_category: str | None = None
    plan_summary: str | None = None
    metrics_before: Json = Field(default_factory=dict)
    source: str | None = None
    source_id: str | None = None
    source_attempt: Count | None = None
    source_digest: str | None = None
    lease_s: Lease | None = None
    takes_over: str | None = None
    checkpoint_ref: str | None = None
    context: RunContext | None = None

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 knew no leases, and no run that takes the place of another.
        return data

    @staticmethod
    def upcast_v2(data: dict[str, Any]) -> dict[str, Any]:
        # Version 2 did not say what the run was given to work by.
        return data


class ActionTaken(RunEvent):
    """The run did something. action: its name. action_type: the tool family. ok: None when nobody said."""

    stored = "run.action_taken"

    action: str
    action_type: str | None = None
    ok: bool | None = None
    detail: str | None = None
    attributes: Json = Field(default_factory=dict)


class RunHeartbeat(RunEvent):
    """The worker is alive. lease_s: how long it may be silent from now on, None as before."""

    stored = "run.heartbeat"
    schema_version: ClassVar[int] = 2

    note: str | None = None
    lease_s: Lease | None = None

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 knew no leases.
        return data


class RunCheckpointed(RunEvent):
    """The run was checkpointed. checkpoint_ref: where it can be taken up again."""

    stored = "run.checkpointed"

    checkpoint_ref: str


class RunResumed(RunEvent):
    """The run went on from its checkpoint."""

    stored = "run.resumed"

    checkpoint_ref: str


class RunInterrupted(RunEvent):
    """The worker is gone; the run will not finish.

    orphaned: nothing was heard of the worker for too long. successor: the run that took its place.
    """

    stored = "run.interrupted"
    schema_version: ClassVar[int] = 2

    orphaned: bool = False
    successor: str | None = None

    @staticmethod
    def upcast_v1(data: dict[str, Any]) -> dict[str, Any]:
        # Version 1 knew no leases, and no run that takes the place of another.
        return data


class RunVerified(RunEvent):
    """A verifier gave its verdict. score: on its own scale."""

    stored = "run.verified"

    verifier_status: Annotated[VerifierStatus, Field(strict=False)]
    verifier: str | None = None
    score: float | None = None
    detail: str | None = None


class CostRecorded(RunEvent):
    """One bill: a run may have several, they add up."""

    stored = "run.cost_recorded"

    cost_usd: Money | None = None
    tokens_in: Tokens | None = None
    tokens_out: Tokens | None = None
    model: str | None = None


class RunFinished(RunEvent):
    """The run ended. duration_seconds: wall time as measured; the time since the start when nobody measured.

    source_outcome: the word that was reported, when another one was recorded: the original one of an import, or
    `succeeded` when a failure condition of the goal held.
    """

    stored = "run.finished"

    local_outcome: Annotated[LocalOutcome, Field(strict=False)]
    failure_category: Category | None = None
    detail: str | None = None
    duration_seconds: Seconds | None = None
    metrics_after: Json = Field(default_factory=dict)
    source_outcome: str | None = None


class BusinessOutcomeRecorded(RunEvent):
    """What the run turned out to be worth, often known late. external_id: the record of the source that said so."""

    stored = "run.business_outcome_recorded"

    business_outcome: Annotated[BusinessOutcome, Field(strict=False)]
    source: str | None = None
    external_id: str | None = None
    detail: str | None = None


SIGNS_OF_LIFE = (RunStarted, ActionTaken, RunHeartbeat, RunResumed)
"""What only a worker that is alive has done."""


# --- State


class Run(NamedTuple):
    """cost_usd: the sum of the known bills. lost: how the run was taken from its worker, None when it was not.

    context: what it was given to work by. verdict: the verifier's latest. has_begun: it is more than queued.
    """

    status: RunStatus | None = None
    goal_id: str = ""
    checkpoint_ref: str = ""
    outcome_ids: frozenset[str] = frozenset()
    source_digest: str | None = None
    attempt: int = 0
    agent: str | None = None
    lease_s: float | None = None
    cost_usd: Decimal | None = None
    lost: str | None = None
    context: RunContext | None = None
    verdict: VerifierStatus | None = None
    has_begun: bool = False

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


RUN = Decider("run", Run())


@RUN.on(RunQueued)
def _queued(_: Run, event: RunQueued) -> Run:
    return Run(RunStatus.QUEUED, event.goal_id, attempt=event.attempt, agent=event.agent)


@RUN.on(RunStarted)
def _started(run: Run, event: RunStarted) -> Run:
    return Run(
        RunStatus.RUNNING,
        event.goal_id,
        source_digest=event.source_digest,
        attempt=event.attempt,
        agent=event.agent,
        lease_s=event.lease_s,
        cost_usd=run.cost_usd,
        context=event.context,
        has_begun=True,
    )


@RUN.on(RunHeartbeat)
def _beat(run: Run, event: RunHeartbeat) -> Run:
    return run if event.lease_s is None else run._replace(lease_s=event.lease_s)


@RUN.on(CostRecorded)
def _billed(run: Run, event: CostRecorded) -> Run:
    return run if event.cost_usd is None else run._replace(cost_usd=(run.cost_usd or Decimal(0)) + event.cost_usd)


@RUN.on(RunCheckpointed)
def _checkpointed(run: Run, event: RunCheckpointed) -> Run:
    return run._replace(status=RunStatus.CHECKPOINTED, checkpoint_ref=event.checkpoint_ref)


@RUN.on(RunResumed)
def _resumed(run: Run, _: RunResumed) -> Run:
    return run._replace(status=RunStatus.RUNNING)


@RUN.on(RunInterrupted)
def _interrupted(run: Run, event: RunInterrupted) -> Run:
    lost = None
    if event.successor is not None:
        lost = f"run {event.successor} took its place"
    elif event.orphaned:
        lost = "nothing was heard of its worker in time"
    return run._replace(status=RunStatus.INTERRUPTED, lost=lost)


@RUN.on(RunVerified)
def _verified(run: Run, event: RunVerified) -> Run:
    return run._replace(verdict=event.verifier_status)


@RUN.on(RunFinished)
def _finished(run: Run, _: RunFinished) -> Run:
    return run._replace(status=RunStatus.FINISHED)


@RUN.on(BusinessOutcomeRecorded)
def _outcome_recorded(run: Run, event: BusinessOutcomeRecorded) -> Run:
    if event.external_id is None:
        return run
    return run._replace(outcome_ids=run.outcome_ids | {_outcome_key(event.source, event.external_id)})


# --- Decisions


@operation("run.start")
def start(run: Run, *, started: RunStarted) -> list[Event]:
    """Begin the attempt that the goal dispatched. Rejected: already_exists."""
    if run.status not in (None, RunStatus.QUEUED):
        raise Rejected("already_exists", "this run has started already", hint=Hint("run", "show", STREAM))
    return [started]


@operation("run.enqueue")
def enqueue(run: Run, *, queued: RunQueued) -> list[Event]:
    """Let the attempt wait for its turn. Rejected: already_exists."""
    if run.status is not None:
        raise Rejected("already_exists", "there is such a run already", hint=Hint("run", "show", STREAM))
    return [queued]


@operation("run.act")
def act(
    run: Run,
    *,
    action: str,
    action_type: str | None = None,
    ok: bool | None = None,
    detail: str | None = None,
    attributes: Json | None = None,
    reason: str | None = None,
    allowed: Collection[str] = (),
) -> list[Event]:
    """Note an action of a running run. allowed: the types that its goal allows, empty for any.

    Rejected: not_allowed, lease_lost, no_action, policy_block.
    """
    _require(run, "act", RunStatus.RUNNING)
    if allowed and action_type is not None and action_type not in allowed:
        raise Rejected(
            "policy_block",
            f"the goal allows {', '.join(sorted(allowed))}; it does not allow {action_type}",
            hint=Hint("goal", "show", run.goal_id),
        )
    taken = ActionTaken(
        goal_id=run.goal_id,
        action=action,
        action_type=action_type,
        ok=ok,
        detail=detail,
        attributes=attributes or {},
        reason=reason,
    )
    if not action.strip():
        raise Rejected("no_action", "an action needs a name")
    return [taken]


@operation("run.heartbeat")
def heartbeat(
    run: Run,
    *,
    note: str | None = None,
    lease_s: float | None = None,
    silent_s: float | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Say that the worker is alive; without news it stays quiet in the first half of the lease.

    lease_s: how long it may be silent from now on, None as before. silent_s: seconds since the last sign of life, None
    when nobody knows. Rejected: not_allowed, lease_lost.
    """
    _require(run, "heartbeat", RunStatus.RUNNING)
    has_news = note is not None or reason is not None or lease_s not in (None, run.lease_s)
    if not has_news and run.lease_s is not None and silent_s is not None and 0 <= silent_s <= run.lease_s / 2:
        return []
    return [RunHeartbeat(goal_id=run.goal_id, note=note, lease_s=lease_s, reason=reason)]


@operation("run.checkpoint")
def checkpoint(run: Run, *, checkpoint_ref: str, reason: str | None = None) -> list[Event]:
    """Lay the run down at a point where it can be resumed.

    checkpoint_ref: a pointer that the worker understands; checkpointing again at another one moves it.

    Rejected: not_allowed, no_checkpoint.
    """
    if run.status is RunStatus.CHECKPOINTED and run.checkpoint_ref == checkpoint_ref:
        return []
    _require(run, "checkpoint", RunStatus.RUNNING, RunStatus.CHECKPOINTED)
    laid_down = RunCheckpointed(goal_id=run.goal_id, checkpoint_ref=checkpoint_ref, reason=reason)
    if not checkpoint_ref.strip():
        raise Rejected("no_checkpoint", "a checkpoint needs a reference that the worker can resume from")
    return [laid_down]


@operation("run.resume")
def resume(run: Run, *, reason: str | None = None) -> list[Event]:
    """Go on from the last checkpoint. Rejected: not_allowed."""
    if run.status is RunStatus.RUNNING:
        return []
    _require(run, "resume", RunStatus.CHECKPOINTED)
    return [RunResumed(goal_id=run.goal_id, checkpoint_ref=run.checkpoint_ref, reason=reason)]


@operation("run.interrupt")
def interrupt(run: Run, *, reason: str | None, orphaned: bool = False, successor: str | None = None) -> list[Event]:
    """Say that the worker is gone for good, or take the run out of the queue.

    orphaned: because nothing was heard of it. successor: the run that takes its place.

    Rejected: not_allowed, no_reason.
    """
    if run.status is RunStatus.INTERRUPTED:
        return []
    _require(run, "interrupt", RunStatus.QUEUED, *OPEN)
    interrupted = RunInterrupted(goal_id=run.goal_id, orphaned=orphaned, successor=successor, reason=reason)
    if not (reason and reason.strip()):
        raise Rejected("no_reason", "to interrupt a run, say why")
    return [interrupted]


@operation("run.verify")
def verify(
    run: Run,
    *,
    verifier_status: VerifierStatus,
    verifier: str | None = None,
    score: float | None = None,
    detail: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Record a verifier's verdict, also after the run finished; the latest one counts. Rejected: not_allowed."""
    _require(run, "verify", *OPEN, RunStatus.FINISHED)
    return [
        RunVerified(
            goal_id=run.goal_id,
            verifier_status=verifier_status,
            verifier=verifier,
            score=score,
            detail=detail,
            reason=reason,
        )
    ]


@operation("run.record_cost")
def record_cost(
    run: Run,
    *,
    cost_usd: Decimal | None = None,
    tokens_in: int | None = None,
    tokens_out: int | None = None,
    model: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Add a bill; what is not said stays unknown. Rejected: no_cost. NotFound: unknown_run."""
    existing(run)
    if cost_usd is None and tokens_in is None and tokens_out is None:
        raise Rejected("no_cost", "a bill needs a cost in USD or a number of tokens")
    return [
        CostRecorded(
            goal_id=run.goal_id,
            cost_usd=cost_usd,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            model=model,
            reason=reason,
        )
    ]


@operation("run.finish")
def finish(
    run: Run,
    *,
    local_outcome: LocalOutcome,
    failure_category: FailureCategory | None = None,
    detail: str | None = None,
    duration_seconds: float | None = None,
    metrics_after: Json | None = None,
    source_outcome: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Close the run with its outcome, once.

    failure_category: needed when it failed, possible when it was partial, refused when it succeeded.

    Rejected: not_allowed, no_failure_category, unexpected_failure_category.
    """
    _require(run, "finish", RunStatus.RUNNING)
    finished = RunFinished(
        goal_id=run.goal_id,
        local_outcome=local_outcome,
        failure_category=failure_category,
        detail=detail,
        duration_seconds=duration_seconds,
        metrics_after=metrics_after or {},
        source_outcome=source_outcome,
        reason=reason,
    )
    if finished.local_outcome is LocalOutcome.FAILED and failure_category is None:
        choices = ", ".join(FailureCategory)
        raise Rejected("no_failure_category", f"a failed run needs a failure category: one of {choices}")
    if finished.local_outcome is LocalOutcome.SUCCEEDED and failure_category is not None:
        raise Rejected(
            "unexpected_failure_category", f"a succeeded run has no failure category, {failure_category} was given"
        )
    return [finished]


@operation("run.record_outcome")
def record_outcome(
    run: Run,
    *,
    business_outcome: BusinessOutcome,
    source: str | None = None,
    external_id: str | None = None,
    detail: str | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Record what a finished run was worth; the latest word counts, every one is kept.

    external_id: a record of the source; the same one counts once.

    Rejected: not_allowed.
    """
    if external_id is not None and _outcome_key(source, external_id) in run.outcome_ids:
        return []
    _require(run, "outcome", RunStatus.FINISHED)
    return [
        BusinessOutcomeRecorded(
            goal_id=run.goal_id,
            business_outcome=business_outcome,
            source=source,
            external_id=external_id,
            detail=detail,
            reason=reason,
        )
    ]


# --- Rules shared by the decisions


def existing(run: Run) -> RunStatus:
    """The run's status. NotFound: unknown_run."""
    if run.status is None:
        raise NotFound("unknown_run", "there is no such run", hint=Hint("run", "list"))
    return run.status


def duration(started_at: str | None, finished_at: str | None) -> float | None:
    """Wall time in seconds between two known instants; None when one is unknown or the order is wrong."""
    if started_at is None or finished_at is None or finished_at < started_at:
        return None
    return seconds_between(started_at, finished_at)


def goal_of(run: Run) -> str:
    """The goal that the run serves. NotFound: unknown_run."""
    existing(run)
    return run.goal_id


def require_open(run: Run, verb: str) -> None:
    """Refuse a verb for a run that has ended or not begun. Rejected: not_allowed, lease_lost. NotFound: unknown_run."""
    _require(run, verb, *OPEN)


def require_success(local_outcome: LocalOutcome) -> None:
    """Refuse to complete a goal by a run that did not succeed. Rejected: not_succeeded."""
    if local_outcome is not LocalOutcome.SUCCEEDED:
        raise Rejected(
            "not_succeeded",
            f"a run with the outcome {local_outcome} does not complete its goal",
            hint="finish the run without completing the goal",
        )


def last_sign_of_life(history: Iterable[Recorded | Unreadable]) -> str | None:
    """When the worker of a run was heard of last, UTC text; when that was recorded, where nobody knows when it was."""
    last = None
    for one in history:
        if isinstance(one, Recorded) and isinstance(one.event, SIGNS_OF_LIFE):
            last = one.occurred_at or one.at
    return last


def is_alive(run: Run, history: Iterable[Recorded | Unreadable], now: str) -> bool:
    """Whether somebody is at work on a run: its lease holds. Without a lease nobody can be known to be."""
    until = lease_end(last_sign_of_life(history), run.lease_s)
    return until is not None and now <= until


def lease_end(sign_of_life: str | None, lease_s: float | None) -> str | None:
    """When a run may be given to another, from the last sign of life; None: never, or nobody knows."""
    if sign_of_life is None or lease_s is None:
        return None
    try:
        return utc_text(parse_utc(sign_of_life) + timedelta(seconds=lease_s))
    except OverflowError:
        return None


def _require(run: Run, verb: str, *allowed: RunStatus) -> None:
    status = existing(run)
    if status in allowed:
        return
    if run.lost is not None:
        raise Rejected(
            "lease_lost",
            f"this run was taken from its worker: {run.lost}; `{verb}` is not recorded any more",
            hint=Hint("run", "show", STREAM),
        )
    needed = " or ".join(sorted(allowed))
    ways = {
        RunStatus.QUEUED: Hint("next", claim=True),
        RunStatus.CHECKPOINTED: Hint("run", "resume", STREAM),
        RunStatus.RUNNING: Hint("run", "finish", STREAM, local_outcome="succeeded"),
        RunStatus.INTERRUPTED: Hint("run", "start", run.goal_id),
        RunStatus.FINISHED: Hint("run", "start", run.goal_id),
    }
    raise Rejected("not_allowed", f"run is {status}; `{verb}` needs it {needed}", hint=ways[status])


def _outcome_key(source: str | None, external_id: str) -> str:
    return f"{source or ''}\0{external_id}"
