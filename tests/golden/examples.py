"""One or two examples of every event: with everything said, and with the least that must be said.

An event that is not here has no golden file, and a test fails. Add its examples, then `python -m tests.golden.write`.
"""

from decimal import Decimal

from goal_ledger.domain.base import Event
from goal_ledger.domain.continuity.meta import LedgerCreated
from goal_ledger.domain.continuity.session import (
    GoalReconciliationReport,
    KeyResultValue,
    LastStop,
    LeftRun,
    MissedCadence,
    OpenLoops,
    SessionDraining,
    SessionStarted,
    SessionStopped,
    listed,
)
from goal_ledger.domain.goals.contract import CatchUp, GoalSource, Overlap
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.experiment import ArmResultRecorded
from goal_ledger.domain.goals.goal import (
    ActivityRecorded,
    ChildAdded,
    GoalActivated,
    GoalAmended,
    GoalApproved,
    GoalArchived,
    GoalBlocked,
    GoalCheckpointed,
    GoalCompleted,
    GoalCompletedWithCaveats,
    GoalCreated,
    GoalFailed,
    GoalReadied,
    GoalRejected,
    GoalResumed,
    GoalRetried,
    GoalUnblocked,
    GoalWaited,
    RetryScheduled,
    RunDispatched,
    RunEnqueued,
)
from goal_ledger.domain.goals.key_result import KeyResultMeasured
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus, GoalType
from goal_ledger.domain.goals.loop import LoopClosed, LoopKind, LoopOpened
from goal_ledger.domain.goals.maintenance import OccurrenceCompleted, OccurrenceDue, OccurrencesSkipped
from goal_ledger.domain.goals.watchdog import WatchdogCleared, WatchdogFired
from goal_ledger.domain.learning.cycle import CycleCompleted, Group, LearningCycleReport
from goal_ledger.domain.learning.lesson import (
    Evidence,
    LessonApplied,
    LessonCategory,
    LessonConfirmed,
    LessonContradicted,
    LessonLearned,
    LessonRecalled,
    LessonRetired,
)
from goal_ledger.domain.learning.review import (
    Candidate,
    LessonsPromoted,
    Notable,
    ReviewReopened,
    ReviewWritten,
    RootCause,
)
from goal_ledger.domain.learning.rule import (
    Arm,
    Mode,
    RuleCanaried,
    RuleDrafted,
    RulePromoted,
    RuleRecalled,
    RuleRetired,
    RuleRolledBack,
    RuleShadowed,
    RuleTried,
    RuleValued,
)
from goal_ledger.domain.policies import Considered, Receipt
from goal_ledger.domain.proposals.proposal import (
    ProposalAccepted,
    ProposalExpired,
    ProposalMade,
    ProposalRejected,
    RejectionCode,
    ScanCompleted,
    Telemetry,
)
from goal_ledger.domain.runs.feed import FeedAdvanced, Level
from goal_ledger.domain.runs.monitor import CheckRecorded
from goal_ledger.domain.runs.run import (
    ActionTaken,
    BusinessOutcome,
    BusinessOutcomeRecorded,
    CostRecorded,
    FailureCategory,
    LocalOutcome,
    RunCheckpointed,
    RunContext,
    RunFinished,
    RunHeartbeat,
    RunInterrupted,
    RunQueued,
    RunResumed,
    RunStarted,
    RunVerified,
    VerifierStatus,
)
from goal_ledger.domain.strategy.belief import BeliefContradicted, BeliefHeld, BeliefRetracted
from goal_ledger.domain.strategy.project import (
    BugReported,
    BugResolved,
    BugSeverity,
    FeatureRecorded,
    ProjectAmended,
    ProjectRegistered,
)

GOAL = "goal_01KJ7E0WM0JN74MNPW0ARN644K"
OTHER = "goal_01KJ7E0WM1JN74MNPW0ARN644K"
RUN = "grun_01KJ7E0WM2JN74MNPW0ARN644K"
LOOP = "loop_01KJ7E0WM3JN74MNPW0ARN644K"
SAID = "Quotes \" ' `, a line\nbreak, a \\ and \u2028, العربية, 🌙 — said."
LESSON = "les_01KJ7E0WM4JN74MNPW0ARN644K"
RULE = "rule_01KJ7E0WM5JN74MNPW0ARN644K"
AAR = "aar_01KJ7E0WM6JN74MNPW0ARN644K"
PROPOSAL = "prop_01KJ7E0WM7JN74MNPW0ARN644K"
SCAN = "scan_01KJ7E0WM8JN74MNPW0ARN644K"
BELIEF = "belief_01KJ7E0WM9JN74MNPW0ARN644K"
RECEIPT = Receipt(
    policy="router@1",
    settings_digest="0123456789abcdef",
    position=2**53,
    candidates=(Considered(id=GOAL, score=1.75, why=SAID), Considered(id=OTHER, score=0.4, why="")),
    count=2,
    digest="fedcba9876543210",
    chosen=GOAL,
    propensity=0.5,
    seed=-7,
)
S = GoalStatus
NONE = listed(())
NO_LOOPS = OpenLoops(pending_retry=NONE, clarification=NONE, follow_up=NONE)

EXAMPLES: dict[str, tuple[Event, ...]] = {
    "ledger.created": (LedgerCreated(software="goal-ledger 0.1.0", reason=SAID), LedgerCreated(software="x")),
    "goal.created": (
        GoalCreated(
            title="Back up nightly",
            description=SAID,
            goal_type=GoalType.KEY_RESULT,
            category="operations",
            task_category="quality",
            parent_goal_id=OTHER,
            owner_agent="agent:planner",
            priority=1,
            criteria=(
                Criterion(id="c1", text="errors < 1%", metric="errors", op="<", target=1.0, unit="%", weight=2.5),
                Criterion(id="c2", text="restored once", required=False),
            ),
            failure_conditions=("two nights without one", "disk full"),
            constraints=("at most 5 USD a month",),
            review_cadence="0 9 * * 1 Europe/Berlin",
            start_condition="disk mounted",
            stop_condition="moved elsewhere",
            time_horizon="2026-03-01T00:00:00.000000Z",
            dependencies=(OTHER,),
            allowed_capabilities=("shell", "s3"),
            learning_required=False,
            value=0.8,
            effort=0.5,
            risk=0.3,
            horizon_min_minutes=60,
            horizon_max_minutes=1440,
            aligns_with=("belief_1",),
            contradicts=("belief_2",),
            metadata={"confidence": 0.85, "evidence": [1, -(2**63), {"deep": None}], "pattern": SAID},
            baseline=10.0,
            target=2.0,
            unit="%",
            watch="goal.status = failed",
            arms=("a", "b"),
            overlap=Overlap.REPLACE,
            max_attempts=3,
            budget_usd=Decimal("0.20"),
            resume_if_checkpointed=False,
            catch_up=CatchUp.SKIP,
            source=GoalSource.SYSTEM,
            created_by="detector:failures",
            proposal_id="prop_1",
            auto_approved=True,
            source_id="row-1",
            status=S.ACTIVE,
            reason=SAID,
        ),
        GoalCreated(title="A", status=S.PLANNED),
    ),
    "goal.amended": (
        GoalAmended(
            changes={"priority": 1, "owner_agent": None, "constraints": ["cheap"], "time_horizon": "ongoing"},
            was={"priority": 3, "owner_agent": "a", "constraints": [], "time_horizon": "2026-03-01T00:00:00.000000Z"},
            reason=SAID,
        ),
        GoalAmended(changes={}, was={}),
    ),
    "goal.child_added": (
        ChildAdded(goal_id=OTHER, goal_type=GoalType.KEY_RESULT, reason=SAID),
        ChildAdded(goal_id=OTHER, goal_type=GoalType.INITIATIVE),
    ),
    "goal.approved": (GoalApproved(from_status=S.PROPOSED, reason=SAID), GoalApproved(from_status=S.PROPOSED)),
    "goal.rejected": (GoalRejected(from_status=S.PROPOSED, reason=SAID),),
    "goal.readied": (GoalReadied(from_status=S.PLANNED, reason=SAID), GoalReadied(from_status=S.PLANNED)),
    "goal.activated": (GoalActivated(from_status=S.READY, reason=SAID), GoalActivated(from_status=S.WAITING)),
    "goal.waited": (GoalWaited(from_status=S.ACTIVE, reason=SAID), GoalWaited(from_status=S.ACTIVE)),
    "goal.retried": (GoalRetried(from_status=S.WAITING, reason=SAID), GoalRetried(from_status=S.WAITING)),
    "goal.blocked": (GoalBlocked(from_status=S.RETRYING, reason=SAID),),
    "goal.unblocked": (GoalUnblocked(from_status=S.BLOCKED, reason=SAID), GoalUnblocked(from_status=S.BLOCKED)),
    "goal.checkpointed": (
        GoalCheckpointed(from_status=S.ACTIVE, checkpoint_ref="step-3", reason=SAID),
        GoalCheckpointed(from_status=S.ACTIVE),
    ),
    "goal.resumed": (
        GoalResumed(from_status=S.CHECKPOINTED, checkpoint_ref="step-3", reason=SAID),
        GoalResumed(from_status=S.WAITING),
    ),
    "goal.completed": (
        GoalCompleted(from_status=S.ACTIVE, evidence="restored", reason=SAID),
        GoalCompleted(from_status=S.ACTIVE),
    ),
    "goal.completed_with_caveats": (
        GoalCompletedWithCaveats(from_status=S.ACTIVE, caveats="one disk", evidence="restored", reason=SAID),
        GoalCompletedWithCaveats(from_status=S.ACTIVE, caveats="one disk"),
    ),
    "goal.failed": (GoalFailed(from_status=S.CHECKPOINTED, reason=SAID),),
    "goal.archived": (
        GoalArchived(from_status=S.COMPLETED, cause=ArchiveCause.DONE, reason=SAID),
        GoalArchived(from_status=S.FAILED, cause=ArchiveCause.CANCELLED),
    ),
    "goal.run_dispatched": (
        RunDispatched(
            run_id=RUN,
            attempt=2,
            agent="agent:a",
            running=("grun_1", RUN),
            receipt=RECEIPT,
            reason=SAID,
        ),
        RunDispatched(run_id=RUN, attempt=1, running=()),
    ),
    "goal.run_enqueued": (
        RunEnqueued(run_id=RUN, attempt=2, agent="agent:a", reason=SAID),
        RunEnqueued(run_id=RUN, attempt=1),
    ),
    "goal.retry_scheduled": (
        RetryScheduled(run_id=RUN, attempt=2, not_before="2026-02-24T09:01:00.000000Z", backoff_s=58.125, reason=SAID),
        RetryScheduled(run_id=RUN, attempt=3, not_before="2026-02-24T09:00:00.000000Z", backoff_s=0.0),
    ),
    "goal.activity_recorded": (
        ActivityRecorded(activity="invoice sent", attributes={"amount": 12.5}, source_id="row-7", reason=SAID),
        ActivityRecorded(activity="seen"),
    ),
    "goal.key_result_measured": (
        KeyResultMeasured(
            value=6.0,
            note=SAID,
            measured_at="2026-03-01T00:00:00.000000Z",
            objective_id=OTHER,
            baseline=10.0,
            target=2.0,
            unit="%",
            reason=SAID,
        ),
        KeyResultMeasured(value=0.0),
    ),
    "goal.occurrence_due": (
        OccurrenceDue(due_at="2026-03-29T01:00:00.000000Z", missed=2, policy=CatchUp.CATCH_UP_ALL, reason=SAID),
        OccurrenceDue(due_at="2026-03-29T01:00:00.000000Z", policy=CatchUp.COALESCE),
    ),
    "goal.occurrences_skipped": (
        OccurrencesSkipped(due_at="2026-03-30T01:00:00.000000Z", missed=3, reason=SAID),
        OccurrencesSkipped(due_at="2026-03-30T01:00:00.000000Z", missed=2),
    ),
    "goal.occurrence_completed": (
        OccurrenceCompleted(
            due_at="2026-03-29T01:00:00.000000Z", run_id=RUN, evidence="restored", caveats="one disk", reason=SAID
        ),
        OccurrenceCompleted(due_at="2026-03-29T01:00:00.000000Z"),
    ),
    "goal.watchdog_fired": (
        WatchdogFired(incident="inc_1", condition="goal.status = failed", reason=SAID),
        WatchdogFired(incident="inc_1", condition="goal.status = failed"),
    ),
    "goal.watchdog_cleared": (WatchdogCleared(incident="inc_1", reason=SAID), WatchdogCleared(incident="inc_1")),
    "goal.arm_result_recorded": (
        ArmResultRecorded(arm="a", success=True, run_id=RUN, reason=SAID),
        ArmResultRecorded(arm="b", success=False),
    ),
    "run.queued": (
        RunQueued(
            goal_id=GOAL,
            attempt=3,
            agent="agent:a",
            job_id="job-7",
            task_category="quality",
            plan_summary="copy, then restore",
            reason=SAID,
        ),
        RunQueued(goal_id=GOAL, attempt=1),
    ),
    "run.started": (
        RunStarted(
            goal_id=GOAL,
            attempt=3,
            agent="agent:a",
            job_id="job-7",
            task_category="quality",
            plan_summary="copy, then restore",
            metrics_before={"accuracy": 0.8, "runs": 2**63 - 1},
            source="cron",
            source_id="7",
            source_attempt=0,
            source_digest="0123456789abcdef",
            lease_s=300.5,
            takes_over="grun_1",
            checkpoint_ref="step-3",
            context=RunContext(lessons=(LESSON,), rules=(RULE,), controls=(RULE,), shadows=(RULE, RULE)),
            reason=SAID,
        ),
        RunStarted(goal_id=GOAL, attempt=1),
    ),
    "run.action_taken": (
        ActionTaken(
            goal_id=GOAL,
            action="copied",
            action_type="shell",
            ok=False,
            detail="exit 1",
            attributes={"host": "db-3"},
            reason=SAID,
        ),
        ActionTaken(goal_id=GOAL, action="copied"),
    ),
    "run.heartbeat": (
        RunHeartbeat(goal_id=GOAL, note="half way", lease_s=0.25, reason=SAID),
        RunHeartbeat(goal_id=GOAL),
    ),
    "run.checkpointed": (RunCheckpointed(goal_id=GOAL, checkpoint_ref="step-3", reason=SAID),),
    "run.resumed": (RunResumed(goal_id=GOAL, checkpoint_ref="step-3", reason=SAID),),
    "run.interrupted": (
        RunInterrupted(goal_id=GOAL, orphaned=True, successor="grun_3", reason=SAID),
        RunInterrupted(goal_id=GOAL),
    ),
    "run.verified": (
        RunVerified(
            goal_id=GOAL,
            verifier_status=VerifierStatus.FAILED,
            verifier="restore_check",
            score=0.25,
            detail="half",
            reason=SAID,
        ),
        RunVerified(goal_id=GOAL, verifier_status=VerifierStatus.SKIPPED),
    ),
    "run.cost_recorded": (
        CostRecorded(goal_id=GOAL, cost_usd=Decimal("0.10"), tokens_in=0, tokens_out=10**15, model="m-1", reason=SAID),
        CostRecorded(goal_id=GOAL, cost_usd=Decimal(2)),
        CostRecorded(goal_id=GOAL, tokens_in=5),
    ),
    "run.finished": (
        RunFinished(
            goal_id=GOAL,
            local_outcome=LocalOutcome.FAILED,
            failure_category=FailureCategory.EXECUTION_TIMEOUT,
            detail="after an hour",
            duration_seconds=3600.25,
            metrics_after={"accuracy": 0.85},
            source_outcome="agent_timeout",
            reason=SAID,
        ),
        RunFinished(goal_id=GOAL, local_outcome=LocalOutcome.SUCCEEDED),
    ),
    "run.business_outcome_recorded": (
        BusinessOutcomeRecorded(
            goal_id=GOAL,
            business_outcome=BusinessOutcome.DEGRADED,
            source="crm",
            external_id="5",
            detail="two complaints",
            reason=SAID,
        ),
        BusinessOutcomeRecorded(goal_id=GOAL, business_outcome=BusinessOutcome.UNKNOWN),
    ),
    "lesson.learned": (
        LessonLearned(
            goal_type=GoalType.MAINTENANCE,
            action_type="shell",
            lesson_text=SAID,
            category=LessonCategory.ANTI_PATTERN,
            confidence=0.8,
            evidence=(Evidence(run_id=RUN, aar_id=AAR), Evidence(run_id=RUN)),
            reason=SAID,
        ),
        LessonLearned(lesson_text="Look before you leap", category=LessonCategory.SAFE_DEFAULT),
    ),
    "lesson.confirmed": (LessonConfirmed(run_id=RUN, aar_id=AAR, reason=SAID), LessonConfirmed()),
    "lesson.contradicted": (LessonContradicted(run_id=RUN, reason=SAID), LessonContradicted()),
    "lesson.applied": (LessonApplied(run_id=RUN, given=True, reason=SAID), LessonApplied(run_id=RUN)),
    "lesson.retired": (LessonRetired(reason=SAID), LessonRetired()),
    "lesson.recalled": (LessonRecalled(root=LESSON, reason=SAID), LessonRecalled(root=LESSON)),
    "review.written": (
        ReviewWritten(
            run_id=RUN,
            goal_id=GOAL,
            notable=Notable.FAILED,
            goal_type=GoalType.MAINTENANCE,
            action_type="shell",
            what_happened=SAID,
            root_cause=RootCause(category=FailureCategory.TOOL_ERROR, detail="disk full"),
            what_worked=("dump",),
            what_failed=("copy", "copy again"),
            lesson_candidates=(Candidate(text=SAID, category=LessonCategory.ANTI_PATTERN),),
            recommended_changes=("look at the disk first",),
            signature="backup · tool_error · disk full",
            watch_until="2026-03-10T09:00:00.000000Z",
            reason=SAID,
        ),
        ReviewWritten(
            run_id=RUN,
            goal_id=GOAL,
            notable=Notable.REQUESTED,
            what_happened="it went well",
            root_cause=RootCause(detail="nothing failed"),
        ),
    ),
    "review.reopened": (ReviewReopened(run_id=RUN, reason=SAID), ReviewReopened(run_id=RUN)),
    "review.lessons_promoted": (LessonsPromoted(lesson_ids=(LESSON,), reason=SAID), LessonsPromoted(lesson_ids=())),
    "cycle.completed": (
        CycleCompleted(
            report=LearningCycleReport(
                since="2026-02-17T09:00:00.000000Z",
                until="2026-02-24T09:00:00.000000Z",
                runs=9,
                failed=3,
                partial=2,
                untimed=1,
                reviews=5,
                groups=(
                    Group(
                        goal_type=GoalType.MAINTENANCE,
                        action_type="shell",
                        failure_category=FailureCategory.TOOL_ERROR,
                        runs=3,
                    ),
                    Group(runs=2),
                ),
                group_count=2,
                candidate_count=1,
                lessons=(LESSON,),
                rules=(RULE,),
                advanced=(f"{RULE} canary",),
            ),
            receipt=RECEIPT,
            reason=SAID,
        ),
        CycleCompleted(
            report=LearningCycleReport(
                since="2026-02-17T09:00:00.000000Z",
                until="2026-02-24T09:00:00.000000Z",
                runs=0,
                failed=0,
                partial=0,
                untimed=0,
                reviews=0,
                group_count=0,
                candidate_count=0,
            ),
            receipt=RECEIPT,
        ),
    ),
    "rule.drafted": (
        RuleDrafted(
            title="Look first",
            rule_text=SAID,
            applies_to_goal_type=GoalType.MAINTENANCE,
            applies_to_action_type="shell",
            source_lesson_ids=(LESSON,),
            receipt=RECEIPT,
            reason=SAID,
        ),
        RuleDrafted(title="Look first", rule_text="Look before you leap", source_lesson_ids=()),
    ),
    "rule.shadowed": (RuleShadowed(run_id=RUN, reason=SAID), RuleShadowed(run_id=RUN)),
    "rule.canaried": (
        RuleCanaried(share=0.5, round=2, receipt=RECEIPT, reason=SAID),
        RuleCanaried(share=1.0, round=1),
    ),
    "rule.tried": (
        RuleTried(
            run_id=RUN,
            arm=Arm.TREATMENT,
            success=True,
            cost_usd=Decimal("0.30"),
            duration_seconds=612.5,
            costlier=True,
            slower=False,
            reason=SAID,
        ),
        RuleTried(run_id=RUN, arm=Arm.CONTROL, success=False, overdue=True),
    ),
    "rule.valued": (
        RuleValued(run_id=RUN, arm=Arm.TREATMENT, degraded=True, reason=SAID),
        RuleValued(run_id=RUN, arm=Arm.CONTROL, degraded=False),
    ),
    "rule.promoted": (RulePromoted(receipt=RECEIPT, reason=SAID), RulePromoted()),
    "rule.rolled_back": (
        RuleRolledBack(mode=Mode.CANARY, cause="success", receipt=RECEIPT, reason=SAID),
        RuleRolledBack(mode=Mode.SHADOW, cause="by hand"),
    ),
    "rule.retired": (RuleRetired(reason=SAID), RuleRetired()),
    "rule.recalled": (RuleRecalled(root=LESSON, reason=SAID), RuleRecalled(root=LESSON)),
    "monitor.check_recorded": (
        CheckRecorded(
            task="daily_backup",
            ok=False,
            error=SAID,
            duration_seconds=1.5,
            source="cron",
            source_id="0123456789abcdef",
            reason=SAID,
        ),
        CheckRecorded(task="daily_backup", ok=True),
    ),
    "proposal.made": (
        ProposalMade(
            text="Fix recurring failures in 'daily_backup' task",
            category="capability",
            pattern="task_failure_recurring",
            subject="daily_backup",
            detector="task_failure_detector",
            evidence={"failure_count": 4, "error_type": SAID},
            confidence=0.85,
            value=0.8,
            effort=0.5,
            risk=0.3,
            success_metrics={"task_success_rate": 0.95, "consecutive_successes": 3},
            aligns_with=(BELIEF,),
            contradicts=(BELIEF,),
            capabilities=("shell",),
            detected_at="2025-11-09T14:00:00.000000Z",
            expires_at="2025-11-16T14:00:00.000000Z",
            scan_id=SCAN,
            reason=SAID,
        ),
        ProposalMade(
            text="Look",
            category="capability",
            pattern="p",
            subject="s",
            detector="d",
            confidence=0.0,
            value=1.0,
            effort=0.0,
            risk=0.0,
            detected_at="2025-11-09T14:00:00.000000Z",
            expires_at="2025-11-16T14:00:00.000000Z",
        ),
    ),
    "proposal.accepted": (
        ProposalAccepted(goal_id=GOAL, auto=True, receipt=RECEIPT, reason=SAID),
        ProposalAccepted(goal_id=GOAL, auto=False, receipt=RECEIPT),
    ),
    "proposal.rejected": (
        ProposalRejected(code=RejectionCode.CONFIDENCE_TOO_LOW, value="0.69", receipt=RECEIPT, reason=SAID),
        ProposalRejected(code=RejectionCode.EXPIRED, receipt=RECEIPT),
    ),
    "proposal.expired": (ProposalExpired(reason=SAID), ProposalExpired()),
    "scan.completed": (
        ScanCompleted(
            scanned_at="2025-11-09T14:00:00.000000Z",
            detectors=("task_failure_detector",),
            failed={"other_detector": "ValueError: no"},
            proposals=(PROPOSAL,),
            telemetry=Telemetry(
                total_proposals_evaluated=2,
                total_goals_created=1,
                total_goals_rejected=1,
                auto_approved_count=1,
                rejection_reasons={"expired": 1},
            ),
            reason=SAID,
        ),
        ScanCompleted(scanned_at="2025-11-09T14:00:00.000000Z", detectors=(), telemetry=Telemetry()),
    ),
    "belief.held": (BeliefHeld(text=SAID, reason=SAID), BeliefHeld(text="Backups must restore")),
    "belief.contradicted": (BeliefContradicted(reason=SAID), BeliefContradicted()),
    "belief.retracted": (BeliefRetracted(reason=SAID), BeliefRetracted()),
    "loop.opened": (
        LoopOpened(
            kind=LoopKind.CLARIFICATION,
            question=SAID,
            goal_id=GOAL,
            run_id=RUN,
            due_at="2026-03-01T00:00:00.000000Z",
            holds_goal=True,
            reason=SAID,
        ),
        LoopOpened(kind=LoopKind.FOLLOW_UP, question="Did the restore hold?"),
    ),
    "loop.closed": (LoopClosed(answer=SAID, reason=SAID), LoopClosed(answer="yes")),
    "project.registered": (
        ProjectRegistered(name=SAID, description=SAID, reason=SAID),
        ProjectRegistered(name="Web shop"),
    ),
    "project.amended": (ProjectAmended(description=SAID, reason=SAID), ProjectAmended(description="")),
    "project.feature_recorded": (
        FeatureRecorded(feature_id=SAID, title=SAID, done=True, reason=SAID),
        FeatureRecorded(feature_id="f1", title="Pay by invoice", done=False),
    ),
    "project.bug_reported": (
        BugReported(bug_id=SAID, title=SAID, severity=BugSeverity.BLOCKER, reason=SAID),
        BugReported(bug_id="b1", title="Payments are taken twice", severity=BugSeverity.CRITICAL),
    ),
    "project.bug_resolved": (BugResolved(bug_id=SAID, reason=SAID), BugResolved(bug_id="b1")),
    "feed.advanced": (
        FeedAdvanced(
            source="us.posthog.com/api/projects/7/events",
            cursor="2026-03-02T00:00:00.000000Z",
            records=120,
            outcomes=2,
            problems=1,
            levels=(Level(metric="activated", value=0.25, at="2026-03-02T00:00:00.000000Z"),),
            reason=SAID,
        ),
        FeedAdvanced(source="crm", records=1, outcomes=1, problems=0),
    ),
    "session.started": (
        SessionStarted(
            number=3,
            owner="host-1/4711/88",
            report=GoalReconciliationReport(
                position=41,
                last_stop=LastStop.UNCLEAN,
                last_clean_shutdown_at="2026-02-23T18:00:00.000000Z",
                active_goals=listed([OTHER, GOAL]),
                blocked_goals=NONE,
                running_runs=listed([RUN]),
                checkpointed_runs=listed([RUN]),
                orphaned_runs=listed([RUN]),
                resumed_runs=NONE,
                left_runs=(LeftRun(run_id=RUN, goal_id=GOAL, why="its goal is blocked"),),
                open_loops=OpenLoops(pending_retry=listed([LOOP]), clarification=NONE, follow_up=NONE),
                closed_loops=NONE,
                lessons=NONE,
                rules=("rule_1",),
                missed_cadences=(
                    MissedCadence(goal_id=GOAL, policy=CatchUp.COALESCE, missed=2, became="one occurrence for all"),
                ),
                errors=(SAID,),
                actions=(f"interrupted {RUN} and opened {LOOP}",),
            ),
            reason=SAID,
        ),
        SessionStarted(
            number=1,
            report=GoalReconciliationReport(
                position=1,
                last_stop=LastStop.NONE,
                active_goals=NONE,
                blocked_goals=NONE,
                running_runs=NONE,
                checkpointed_runs=NONE,
                orphaned_runs=NONE,
                resumed_runs=NONE,
                open_loops=NO_LOOPS,
                closed_loops=NONE,
                lessons=NONE,
            ),
        ),
    ),
    "session.draining": (SessionDraining(number=3, reason=SAID), SessionDraining(number=1)),
    "session.stopped": (
        SessionStopped(
            number=3,
            stopped_at="2026-02-24T18:00:00.000000Z",
            summary=SAID,
            checkpointed_runs=listed([RUN]),
            active_goals=listed([GOAL]),
            blocked_goals=NONE,
            key_results=(KeyResultValue(goal_id=OTHER, value=0.7), KeyResultValue(goal_id=GOAL)),
            open_loops=NO_LOOPS,
            reason=SAID,
        ),
        SessionStopped(
            number=1,
            summary="0 runs under way.",
            checkpointed_runs=NONE,
            active_goals=NONE,
            blocked_goals=NONE,
            open_loops=NO_LOOPS,
        ),
    ),
}
