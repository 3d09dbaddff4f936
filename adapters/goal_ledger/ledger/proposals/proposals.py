"""Proposals: let the detectors look, evaluate what they found, and keep an account of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from goal_ledger.domain.base import Recorded, operation
from goal_ledger.domain.goals import goal as goal_rules
from goal_ledger.domain.goals.contract import Contract, GoalSource, Origin
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.goal import GOAL
from goal_ledger.domain.goals.lifecycle import FINISHED, ArchiveCause, GoalStatus
from goal_ledger.domain.policies import ranked, receipt
from goal_ledger.domain.proposals import proposal as rules
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.proposals.evaluation import EVALUATION, Circumstances, Similar, Verdict, evaluate
from goal_ledger.domain.proposals.proposal import (
    PROPOSAL,
    SCAN,
    ProposalMade,
    ProposalStatus,
    RejectionCode,
    ScanCompleted,
    Telemetry,
)
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.strategy.belief import BELIEF
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.domain.words import likeness, words
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.pages import Cursor, Page
from goal_ledger.ledger.engine.rows import Kind, Rows
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.goals.goals import create_in
from goal_ledger.ledger.proposals.detectors import Found, look
from goal_ledger.ledger.proposals.history import History
from goal_ledger.projections.goals.goal_definitions import goal_definitions
from goal_ledger.projections.proposals.proposals import ProposalRow, proposals
from goal_ledger.projections.proposals.scans import ScanRow, scans

_COUNTS_ON = timedelta(hours=24)  # an archived or rejected goal still stands in the way of one like it
_GONE = frozenset({GoalStatus.ARCHIVED, GoalStatus.REJECTED})
_SETTINGS = (
    "least_confidence",
    "auto_approve",
    "system_goals_a_day",
    "detector_goals_a_day",
    "duplicate_similarity",
    "least_alignment",
    "proposal_days",
)


class Evaluated(NamedTuple):
    """A proposal and what became of it. goal_id: None when it became no goal, or would become one in a dry run."""

    proposal_id: str
    text: str
    detector: str
    confidence: float
    goal_id: str | None
    auto: bool
    code: RejectionCode | None
    value: str | None


class Scanned(NamedTuple):
    """What a scan did. scan_id: None of a dry run. failed: the detectors that raised, with the error."""

    scan_id: str | None
    scanned_at: str
    detectors: Sequence[str]
    failed: dict[str, str]
    proposals: Sequence[Evaluated]
    telemetry: Telemetry


class _DryRun(Exception):
    """Ends a dry run before anything is appended."""


class Proposals(Rows[ProposalRow]):
    """The goals that detectors propose."""

    kind = Kind(proposals, "prop_", "proposal", order=("proposal_id",))

    # --- Writing

    @operation("proposals.scan")
    def scan(self, *, now: datetime | None = None, dry_run: bool = False) -> Scanned:
        """Let every detector look, and evaluate what they found; accepted proposals become goals.

        now: the instant that they look at, the ledger's clock by default. dry_run: nothing is written.
        """
        engine = self._engine if now is None else self._engine.using(occurred_at=now)
        moment = engine.now()
        return self._take(engine, look(History(engine), engine.settings.detectors, now=moment), moment, dry_run)

    @operation("proposal.propose")
    def propose(self, finding: Finding, *, by: str | None = None) -> ProposalRow:
        """Propose one goal, as a detector would; by: its name, the actor's by default. The evaluated proposal.

        Rejected: no_text. What the policy turns down is answered as a rejected proposal.
        """

        recorded = self._engine.transact(
            lambda tx: propose_in(self._engine, tx, by or tx.by, finding),
            operation="proposal.propose",
            arguments={"finding": finding, "by": by},
        )
        stream = next(one.stream for one in recorded if isinstance(one.event, ProposalMade))
        return self._answer(stream, recorded)

    def expire(self, now: datetime) -> Iterable[str]:
        """Put away the goals that nobody reviewed in time, with their proposals; a line for each."""
        waiting = self._engine.views.select_columns(
            goal_definitions, ("goal_id", "proposal_id"), {"status": GoalStatus.PROPOSED}, order=("goal_id",)
        )
        for goal_id, proposal_id in waiting:
            if proposal_id is None or self.get(proposal_id).expires_at >= utc_text(now):
                continue
            if self._engine.part(goal_id).transact(partial(_expire_in, goal_id=goal_id, proposal_id=proposal_id),
                                                   operation="proposals.expire"):  # fmt: skip
                yield f"{goal_id} expired: nobody reviewed {proposal_id} in time"

    # --- Reading

    def list(
        self,
        *,
        status: ProposalStatus | None = None,
        detector: str | None = None,
        code: RejectionCode | None = None,
        after: Cursor | None = None,
        limit: int | None = None,
    ) -> Page[ProposalRow]:
        """Proposals, the newest first."""
        return self._page({"status": status, "detector": detector, "code": code}, after=after, limit=limit)

    def scans(self, *, since: datetime | None = None, until: datetime | None = None) -> Sequence[ScanRow]:
        """The scans between two instants, both included, by time."""
        first, last = None if since is None else utc_text(since), None if until is None else utc_text(until)
        return [
            row
            for row in self._engine.views.select(scans, order=("scanned_at", "scan_id"))
            if (first is None or row.scanned_at >= first) and (last is None or row.scanned_at <= last)
        ]

    def telemetry(self, *, since: datetime | None = None, until: datetime | None = None) -> Telemetry:
        """What came of all the scans between two instants, both included."""
        rows = self.scans(since=since, until=until)
        reasons: Counter[str] = Counter()
        for row in rows:
            reasons.update(row.rejection_reasons)
        return Telemetry(
            total_proposals_evaluated=sum(row.total_proposals_evaluated for row in rows),
            total_goals_created=sum(row.total_goals_created for row in rows),
            total_goals_rejected=sum(row.total_goals_rejected for row in rows),
            auto_approved_count=sum(row.auto_approved_count for row in rows),
            rejection_reasons=dict(sorted(reasons.items())),
        )

    # --- Shared

    def _take(self, engine: Engine, found: Found, moment: datetime, dry_run: bool) -> Scanned:
        results: list[Scanned] = []

        def work(tx: Tx) -> None:
            scan_id, evaluation = tx.new_id("scan_"), Evaluation(engine, tx)
            taken = [evaluation.take(name, finding, scan_id) for name, finding in found.findings]
            scanned = Scanned(
                scan_id, utc_text(moment), tuple(found.detectors), dict(found.failed), taken, _telemetry(taken)
            )
            results.append(scanned)
            if dry_run:
                raise _DryRun
            completed = ScanCompleted(
                scanned_at=scanned.scanned_at,
                detectors=tuple(found.detectors),
                failed=scanned.failed,
                proposals=tuple(one.proposal_id for one in taken),
                telemetry=scanned.telemetry,
            )
            tx.act(scan_id, SCAN, rules.complete, completed=completed)
            evaluation.create_goals()

        arguments = {"now": engine.occurred_at, "dry_run": dry_run}
        try:
            recorded = engine.transact(work, operation="proposals.scan", arguments=arguments)
        except _DryRun:
            [scanned] = results
            return scanned._replace(scan_id=None, proposals=[one._replace(goal_id=None) for one in scanned.proposals])
        return results[0] if results else self._answered(recorded)

    def _answered(self, recorded: Sequence[Recorded]) -> Scanned:
        """The scan that the same command made before."""
        [(scan_id, scan)] = [(one.stream, one.event) for one in recorded if isinstance(one.event, ScanCompleted)]
        taken = [_as_evaluated(self.get(proposal_id)) for proposal_id in scan.proposals]
        return Scanned(scan_id, scan.scanned_at, scan.detectors, scan.failed, taken, scan.telemetry)


def propose_in(engine: Engine, tx: Tx, detector: str, finding: Finding) -> None:
    """Propose one goal inside another transaction, and create it when it passes."""
    evaluation = Evaluation(engine, tx)
    evaluation.take(detector, finding, None)
    evaluation.create_goals()


class Evaluation:
    """Takes the proposals of one transaction, each knowing what became of those before it."""

    def __init__(self, engine: Engine, tx: Tx) -> None:
        self._engine, self._tx, self._settings = engine, tx, engine.settings
        self._now = tx.now or tx.at
        self._goals = [_Known(*row) for row in engine.views.select_columns(
            goal_definitions, _Known._fields, order=("goal_id",)
        )]  # fmt: skip
        self._words: dict[str, frozenset[str]] = {}
        self._accepted: list[tuple[str, Contract, Origin]] = []

    def create_goals(self) -> None:
        """Create the goals of the accepted proposals, after everything that led to them."""
        for goal_id, contract, origin in self._accepted:
            create_in(self._tx, goal_id, contract, origin)

    def take(self, detector: str, finding: Finding, scan_id: str | None) -> Evaluated:
        """Make the proposal, evaluate it, and let it become a goal or not."""
        tx, proposal_id = self._tx, self._tx.new_id("prop_")
        days = self._settings.proposal_days
        made = rules.of(finding, detector=detector, now=self._now, days=days, scan_id=scan_id)
        tx.act(proposal_id, PROPOSAL, rules.make, made=made)
        verdict = evaluate(made, self._circumstances(made), self._settings)
        why = _receipt(verdict, tx.head, self._settings)
        evaluated = Evaluated(
            proposal_id, finding.text, detector, finding.confidence, None, verdict.auto, verdict.code, verdict.value
        )
        if verdict.code is not None:
            tx.act(proposal_id, PROPOSAL, rules.reject, code=verdict.code, value=verdict.value, receipt=why)
            return evaluated
        goal_id = tx.new_id("goal_")
        origin = Origin(
            source=GoalSource.SYSTEM, created_by=detector, proposal_id=proposal_id, auto_approved=verdict.auto
        )
        tx.act(proposal_id, PROPOSAL, rules.accept, goal_id=goal_id, auto=verdict.auto, receipt=why)
        self._accepted.append((goal_id, contract_of(made), origin))
        self._goals.append(
            _Known(goal_id, finding.text, GoalStatus.PROPOSED, GoalSource.SYSTEM, detector,
                   utc_text(self._now), None, {"pattern": finding.pattern, "subject": finding.subject})
        )  # fmt: skip
        return evaluated._replace(goal_id=goal_id)

    def _circumstances(self, proposal: ProposalMade) -> Circumstances:
        today = utc_text(self._now)[:10]
        set_today = [
            goal
            for goal in self._goals
            if goal.source is GoalSource.SYSTEM and goal.created_at is not None and goal.created_at[:10] == today
        ]
        named = dict.fromkeys((*proposal.aligns_with, *proposal.contradicts))
        return Circumstances(
            now=utc_text(self._now),
            today=len(set_today),
            today_by_detector=sum(goal.created_by == proposal.detector for goal in set_today),
            nearest=self._nearest(proposal),
            beliefs={belief: self._tx.load(belief, BELIEF).is_active for belief in named},
        )

    def _nearest(self, proposal: ProposalMade) -> Similar | None:
        """The goal most like it, of those that still count; one of the same pattern and subject comes first."""
        since = utc_text(self._now - _COUNTS_ON)
        own = words(proposal.text)
        best: Similar | None = None
        for goal in self._goals:
            if goal.status in _GONE and (goal.updated_at or "") < since:
                continue
            is_same = (
                goal.status not in FINISHED
                and goal.created_by == proposal.detector
                and goal.metadata.get("pattern") == proposal.pattern
                and goal.metadata.get("subject") == proposal.subject
            )
            found = Similar(goal.goal_id, likeness(own, self._words_of(goal)), is_same)
            if best is None or (found.is_same, found.score) > (best.is_same, best.score):
                best = found
        return best

    def _words_of(self, goal: _Known) -> frozenset[str]:
        if goal.goal_id not in self._words:
            self._words[goal.goal_id] = words(goal.title)
        return self._words[goal.goal_id]


class _Known(NamedTuple):
    """A goal as an evaluation sees it; the names are those of the read model's columns."""

    goal_id: str
    title: str
    status: GoalStatus
    source: GoalSource
    created_by: str
    created_at: str | None
    updated_at: str | None
    metadata: dict[str, Any]


def contract_of(proposal: ProposalMade) -> Contract:
    """The goal that a proposal asks for: an hour to a day of work, done when its success metrics hold."""
    criteria = tuple(
        Criterion(id=name, text=f"{name} >= {target:g}", metric=name, op=">=", target=float(target))
        for name, target in proposal.success_metrics.items()
    )
    return Contract(
        title=proposal.text,
        category=proposal.category,
        criteria=criteria,
        value=proposal.value,
        effort=proposal.effort,
        risk=proposal.risk,
        horizon_min_minutes=60,
        horizon_max_minutes=1440,
        aligns_with=proposal.aligns_with,
        contradicts=proposal.contradicts,
        allowed_capabilities=proposal.capabilities,
        metadata={
            "confidence": proposal.confidence,
            "pattern": proposal.pattern,
            "subject": proposal.subject,
            "evidence": proposal.evidence,
        },
    )


def _expire_in(tx: Tx, goal_id: str, proposal_id: str) -> None:
    proposal = tx.load(proposal_id, PROPOSAL)
    now = tx.now or tx.at
    if tx.load(goal_id, GOAL).status is not GoalStatus.PROPOSED or now <= parse_utc(proposal.expires_at):
        return
    reason = "nobody reviewed it in time"
    tx.act(proposal_id, PROPOSAL, rules.expire, reason=reason)
    tx.act(goal_id, GOAL, goal_rules.archive, cause=ArchiveCause.EXPIRED, reason=reason)


def _receipt(verdict: Verdict, position: int, settings: Settings) -> Any:
    used = {name: getattr(settings, name) for name in _SETTINGS}
    chosen = "accepted" if verdict.code is None else verdict.code.value
    return receipt(EVALUATION, ranked(verdict.checks), chosen, position=position, settings=used)


def _telemetry(taken: Sequence[Evaluated]) -> Telemetry:
    rejected = Counter(one.code.value for one in taken if one.code is not None)
    return Telemetry(
        total_proposals_evaluated=len(taken),
        total_goals_created=len(taken) - rejected.total(),
        total_goals_rejected=rejected.total(),
        auto_approved_count=sum(one.auto for one in taken if one.code is None),
        rejection_reasons=dict(sorted(rejected.items())),
    )


def _as_evaluated(row: ProposalRow) -> Evaluated:
    return Evaluated(
        row.proposal_id, row.text, row.detector, row.confidence, row.goal_id, row.auto, row.code, row.value
    )
