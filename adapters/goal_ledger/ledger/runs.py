"""Runs: attempts at goals, from dispatch to outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec

from goal_ledger.domain.base import Event, Recorded, Unreadable
from goal_ledger.domain.errors import NotFound
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.ids import require_id
from goal_ledger.domain.runs import run as rules
from goal_ledger.domain.runs.run import (
    RUN,
    BusinessOutcome,
    FailureCategory,
    LocalOutcome,
    Run,
    RunStarted,
    RunStatus,
    VerifierStatus,
)
from goal_ledger.ledger import guards
from goal_ledger.ledger.pages import Place, select_page
from goal_ledger.projections.runs.runs import RunRow, runs

if TYPE_CHECKING:
    from goal_ledger.ledger.ledger import Ledger
    from goal_ledger.ledger.transaction import Tx

P = ParamSpec("P")


class Page(NamedTuple):
    """Some runs, and where the next page begins: None when there are no more."""

    runs: Sequence[RunRow]
    next: Place | None


class Runs:
    """The runs of a ledger. Every method that writes returns the run as it then stands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    # --- Writing

    def start(
        self,
        goal_id: str,
        *,
        agent: str | None = None,
        job_id: str | None = None,
        plan_summary: str | None = None,
        metrics_before: dict[str, Any] | None = None,
        overlap: bool = False,
        reason: str | None = None,
    ) -> RunRow:
        """Hand out the goal's next attempt and start it; a ready goal becomes active with it.

        overlap: allow it beside a run that is still open.

        Rejected: not_allowed, open_dependencies, run_overlap, policy_block. NotFound: unknown_goal.
        """

        def work(tx: Tx) -> None:
            goal = tx.load(require_id("goal_", goal_id), GOAL)
            goal_rules.existing(goal)
            run_id = tx.new_id("grun_")
            tx.act(
                goal_id,
                GOAL,
                goal_rules.dispatch,
                run_id=run_id,
                agent=agent,
                running=[run for run in goal.running if tx.load(run, RUN).is_open],
                dependencies={other: tx.load(other, GOAL) for other in goal.dependencies},
                overlap=overlap,
                reason=reason,
            )
            started = RunStarted(
                goal_id=goal_id,
                attempt=goal.attempts + 1,
                agent=agent,
                job_id=job_id,
                task_category=goal.contract["task_category"],
                plan_summary=plan_summary,
                metrics_before=metrics_before or {},
                reason=reason,
            )
            tx.act(run_id, RUN, rules.start, started=started)
            guards.check_constraints(tx, goal_id, run_id)

        arguments = {
            "goal_id": goal_id, "agent": agent, "job_id": job_id, "plan_summary": plan_summary,
            "metrics_before": metrics_before, "overlap": overlap, "reason": reason,
        }  # fmt: skip
        recorded = self._ledger.transact(work, operation="run.start", arguments=arguments)
        return self._answer(recorded[-1].stream, recorded)

    def act(
        self,
        run_id: str,
        action: str,
        *,
        action_type: str | None = None,
        ok: bool | None = None,
        detail: str | None = None,
        attributes: dict[str, Any] | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Note an action. ok: whether it worked, None when nobody said. Rejected: policy_block."""
        return self._act_within(
            run_id, rules.act, action=action, action_type=action_type, ok=ok, detail=detail, attributes=attributes,
            reason=reason,
        )  # fmt: skip

    def heartbeat(self, run_id: str, *, note: str | None = None, reason: str | None = None) -> RunRow:
        """Say that the worker is alive."""
        return self._act(run_id, rules.heartbeat, note=note, reason=reason)

    def checkpoint(self, run_id: str, checkpoint_ref: str, *, reason: str | None = None) -> RunRow:
        """Lay the run down where it can be resumed."""
        return self._act(run_id, rules.checkpoint, checkpoint_ref=checkpoint_ref, reason=reason)

    def resume(self, run_id: str, *, reason: str | None = None) -> RunRow:
        """Go on from the last checkpoint."""
        return self._act(run_id, rules.resume, reason=reason)

    def interrupt(self, run_id: str, *, reason: str | None) -> RunRow:
        """Say that the worker is gone for good."""
        return self._act(run_id, rules.interrupt, reason=reason)

    def verify(
        self,
        run_id: str,
        verifier_status: VerifierStatus,
        *,
        verifier: str | None = None,
        score: float | None = None,
        detail: str | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Record a verifier's verdict; the latest one counts."""
        return self._act(
            run_id, rules.verify, verifier_status=verifier_status, verifier=verifier, score=score, detail=detail,
            reason=reason,
        )  # fmt: skip

    def cost(
        self,
        run_id: str,
        *,
        cost_usd: Decimal | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        model: str | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Add a bill; what is not said stays unknown. Rejected: policy_block."""
        return self._act_within(
            run_id, rules.record_cost, cost_usd=cost_usd, tokens_in=tokens_in, tokens_out=tokens_out, model=model,
            reason=reason,
        )  # fmt: skip

    def finish(
        self,
        run_id: str,
        local_outcome: LocalOutcome,
        *,
        failure_category: FailureCategory | None = None,
        detail: str | None = None,
        duration_seconds: float | None = None,
        metrics_after: dict[str, Any] | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Close the run with its outcome, once; a failed one needs a category.

        duration_seconds: wall time as measured; the time since the start unless said. The failure conditions of the
        goal may turn what is reported as succeeded into failed.
        """
        finish = {
            "local_outcome": local_outcome, "failure_category": failure_category, "detail": detail,
            "duration_seconds": duration_seconds, "metrics_after": metrics_after, "reason": reason,
        }  # fmt: skip

        def work(tx: Tx) -> None:
            tx.act(run_id, RUN, rules.finish, **guards.classified(tx, run_id, finish))

        return self._transact(run_id, work, rules.finish, finish)

    def outcome(
        self,
        run_id: str,
        business_outcome: BusinessOutcome,
        *,
        source: str | None = None,
        external_id: str | None = None,
        detail: str | None = None,
        reason: str | None = None,
    ) -> RunRow:
        """Record what a finished run was worth; the latest word counts, every one is kept."""
        return self._act(
            run_id, rules.record_outcome, business_outcome=business_outcome, source=source, external_id=external_id,
            detail=detail, reason=reason,
        )  # fmt: skip

    # --- Reading

    def get(self, run_id: str) -> RunRow:
        """One run. NotFound: unknown_run."""
        return _existing(self._ledger.fold(runs, require_id("grun_", run_id)), run_id)

    def list(
        self,
        *,
        goal_id: str | None = None,
        status: RunStatus | None = None,
        agent: str | None = None,
        local_outcome: LocalOutcome | None = None,
        after: Place | None = None,
        limit: int | None = None,
    ) -> Page:
        """Runs, the newest first; after: where the page before ended."""
        wanted = {"goal_id": goal_id, "status": status, "agent": agent, "local_outcome": local_outcome}
        views, order = self._ledger.views, ("run_id",)
        return Page(*select_page(views, runs, wanted, order=order, descending=True, after=after, limit=limit))

    def timeline(self, run_id: str) -> Sequence[Recorded | Unreadable]:
        """The run's events, in order. NotFound: unknown_run."""
        self.get(run_id)
        return self._ledger.stream(run_id)

    # --- Shared

    def _act(
        self, run_id: str, decide: Callable[Concatenate[Run, P], Sequence[Event]], *args: P.args, **wish: P.kwargs
    ) -> RunRow:
        return self._answer(run_id, self._ledger.act(require_id("grun_", run_id), RUN, decide, *args, **wish))

    def _act_within(self, run_id: str, decide: Callable[..., Sequence[Event]], **wish: Any) -> RunRow:
        """Act, unless that breaks a constraint of the goal."""

        def work(tx: Tx) -> None:
            tx.act(run_id, RUN, decide, **wish)
            guards.check_constraints(tx, tx.load(run_id, RUN).goal_id, run_id)

        return self._transact(run_id, work, decide, wish)

    def _transact(
        self, run_id: str, work: Callable[[Tx], None], decide: Callable[..., Sequence[Event]], wish: dict[str, Any]
    ) -> RunRow:
        """Work that is known, for command ids, by a decision on one run."""
        arguments = {"stream": require_id("grun_", run_id), "args": (), **wish}
        recorded = self._ledger.transact(work, operation=f"run.{decide.__name__}", arguments=arguments)
        return self._answer(run_id, recorded)

    def _answer(self, run_id: str, recorded: tuple[Recorded, ...]) -> RunRow:
        return _existing(self._ledger.answer(runs, run_id, recorded), run_id)


def _existing(row: RunRow | None, run_id: str) -> RunRow:
    if row is None:
        raise NotFound("unknown_run", f"there is no run {run_id}", hint="goal-ledger run list")
    return row
