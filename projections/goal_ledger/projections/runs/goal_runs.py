"""Every run with what it did and how it ended."""

from decimal import Decimal
from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded
from goal_ledger.domain.runs.run import (
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
    duration,
    lease_end,
)
from goal_ledger.projections.base import Projection, changed


class RunRow(NamedTuple):
    """One run. Times are UTC text of when it was true; None means unknown.

    cost_usd, tokens: sums of the bills that said them. duration_seconds: wall time. heartbeat_at: last sign of life.
    lease_s: how long the worker may be silent. lease_until: when the run may be given to another. takes_over: the run
    whose place it took. orphaned: nothing was heard of the worker in time. successor: the run that took its place.
    context: the ids of the `lessons`, `rules`, `controls` and `shadows` that it was given; None when that was nothing.
    """

    run_id: str
    goal_id: str
    attempt: int
    agent: str | None
    job_id: str | None
    status: RunStatus
    task_category: str | None
    plan_summary: str | None
    actions_taken: tuple[str, ...]
    verifier_status: VerifierStatus | None
    verifier: str | None
    score: float | None
    local_outcome: LocalOutcome | None
    business_outcome: BusinessOutcome
    failure_category: FailureCategory | None
    detail: str | None
    metrics_before: dict[str, Any]
    metrics_after: dict[str, Any]
    duration_seconds: float | None
    cost_usd: Decimal | None
    tokens_in: int | None
    tokens_out: int | None
    checkpoint_ref: str | None
    started_at: str | None
    finished_at: str | None
    heartbeat_at: str | None
    lease_s: float | None
    lease_until: str | None
    takes_over: str | None
    orphaned: bool
    successor: str | None
    context: dict[str, Any] | None
    source: str | None
    source_id: str | None
    source_attempt: int | None
    source_outcome: str | None
    recorded_at: str
    version: int
    position: int

    def is_silent(self, now: str) -> bool:
        """Whether its lease was over before now, UTC text, so that a tick or a claim gives its goal to another."""
        return self.status is RunStatus.RUNNING and self.lease_until is not None and self.lease_until < now


_NOTHING_YET = RunRow(
    run_id="",
    goal_id="",
    attempt=0,
    agent=None,
    job_id=None,
    status=RunStatus.QUEUED,
    task_category=None,
    plan_summary=None,
    actions_taken=(),
    verifier_status=None,
    verifier=None,
    score=None,
    local_outcome=None,
    business_outcome=BusinessOutcome.UNKNOWN,
    failure_category=None,
    detail=None,
    metrics_before={},
    metrics_after={},
    duration_seconds=None,
    cost_usd=None,
    tokens_in=None,
    tokens_out=None,
    checkpoint_ref=None,
    started_at=None,
    finished_at=None,
    heartbeat_at=None,
    lease_s=None,
    lease_until=None,
    takes_over=None,
    orphaned=False,
    successor=None,
    context=None,
    source=None,
    source_id=None,
    source_attempt=None,
    source_outcome=None,
    recorded_at="",
    version=0,
    position=0,
)

goal_runs = Projection(
    "goal_runs",
    RunRow,
    key="run_id",
    noun="run",
    indexes=(("goal_id", "attempt"), ("status", "run_id"), ("agent", "run_id"), ("local_outcome", "run_id")),
)


@goal_runs.on(RunQueued)
def _queued(_: RunRow | None, recorded: Recorded, event: RunQueued) -> RunRow:
    return _new(recorded, event, status=RunStatus.QUEUED)


@goal_runs.on(RunStarted)
def _started(_: RunRow | None, recorded: Recorded, event: RunStarted) -> RunRow:
    return _new(
        recorded,
        event,
        status=RunStatus.RUNNING,
        metrics_before=event.metrics_before,
        checkpoint_ref=event.checkpoint_ref,
        started_at=recorded.occurred_at,
        heartbeat_at=recorded.occurred_at,
        lease_s=event.lease_s,
        lease_until=lease_end(recorded.occurred_at or recorded.at, event.lease_s),
        takes_over=event.takes_over,
        context=None if event.context is None else event.context.model_dump(mode="json"),
        source=event.source,
        source_id=event.source_id,
        source_attempt=event.source_attempt,
    )


@goal_runs.on(ActionTaken)
def _acted(row: RunRow | None, recorded: Recorded, event: ActionTaken) -> RunRow | None:
    if row is None:
        return None
    return _alive(row, recorded, actions_taken=(*row.actions_taken, event.action))


@goal_runs.on(RunHeartbeat)
def _beat(row: RunRow | None, recorded: Recorded, event: RunHeartbeat) -> RunRow | None:
    if row is None:
        return None
    return _alive(row, recorded, lease_s=row.lease_s if event.lease_s is None else event.lease_s)


@goal_runs.on(RunCheckpointed)
def _checkpointed(row: RunRow | None, recorded: Recorded, event: RunCheckpointed) -> RunRow | None:
    return changed(row, recorded, status=RunStatus.CHECKPOINTED, checkpoint_ref=event.checkpoint_ref)


@goal_runs.on(RunResumed)
def _resumed(row: RunRow | None, recorded: Recorded, _: RunResumed) -> RunRow | None:
    return _alive(row, recorded, status=RunStatus.RUNNING)


@goal_runs.on(RunInterrupted)
def _interrupted(row: RunRow | None, recorded: Recorded, event: RunInterrupted) -> RunRow | None:
    return changed(
        row,
        recorded,
        status=RunStatus.INTERRUPTED,
        detail=event.reason,
        finished_at=recorded.occurred_at,
        orphaned=event.orphaned,
        successor=event.successor,
    )


@goal_runs.on(RunVerified)
def _verified(row: RunRow | None, recorded: Recorded, event: RunVerified) -> RunRow | None:
    return changed(row, recorded, verifier_status=event.verifier_status, verifier=event.verifier, score=event.score)


@goal_runs.on(CostRecorded)
def _billed(row: RunRow | None, recorded: Recorded, event: CostRecorded) -> RunRow | None:
    if row is None:
        return None
    return changed(
        row,
        recorded,
        cost_usd=row.cost_usd if event.cost_usd is None else (row.cost_usd or Decimal(0)) + event.cost_usd,
        tokens_in=_sum(row.tokens_in, event.tokens_in),
        tokens_out=_sum(row.tokens_out, event.tokens_out),
    )


@goal_runs.on(RunFinished)
def _finished(row: RunRow | None, recorded: Recorded, event: RunFinished) -> RunRow | None:
    if row is None:
        return None
    measured = event.duration_seconds
    return changed(
        row,
        recorded,
        status=RunStatus.FINISHED,
        local_outcome=event.local_outcome,
        failure_category=event.failure_category,
        detail=event.detail,
        duration_seconds=duration(row.started_at, recorded.occurred_at) if measured is None else measured,
        metrics_after=event.metrics_after,
        finished_at=recorded.occurred_at,
        source_outcome=event.source_outcome,
    )


@goal_runs.on(BusinessOutcomeRecorded)
def _outcome_recorded(row: RunRow | None, recorded: Recorded, event: BusinessOutcomeRecorded) -> RunRow | None:
    return changed(row, recorded, business_outcome=event.business_outcome)


def _new(recorded: Recorded, event: RunQueued | RunStarted, **fields: Any) -> RunRow:
    return _NOTHING_YET._replace(
        run_id=recorded.stream,
        goal_id=event.goal_id,
        attempt=event.attempt,
        agent=event.agent,
        job_id=event.job_id,
        task_category=event.task_category,
        plan_summary=event.plan_summary,
        recorded_at=recorded.at,
        version=recorded.version,
        position=recorded.position,
        **fields,
    )


def _alive(row: RunRow | None, recorded: Recorded, **changes: Any) -> RunRow | None:
    """The worker was heard of."""
    if row is None:
        return None
    lease_s = changes.get("lease_s", row.lease_s)
    until = lease_end(recorded.occurred_at or recorded.at, lease_s)
    return changed(row, recorded, heartbeat_at=recorded.occurred_at, lease_until=until, **changes)


def _sum(known: int | None, more: int | None) -> int | None:
    return known if more is None else (known or 0) + more
