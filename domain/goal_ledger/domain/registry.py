"""The stored name of every event: stable strings, never module paths, never renamed."""

from goal_ledger.domain.base import Event
from goal_ledger.domain.continuity import loop, meta, session
from goal_ledger.domain.goals import experiment, goal, key_result, maintenance, watchdog
from goal_ledger.domain.learning import lesson
from goal_ledger.domain.runs import run
from goal_ledger.domain.strategy import project

EVENTS: dict[str, type[Event]] = {
    "ledger.created": meta.LedgerCreated,
    "goal.created": goal.GoalCreated,
    "goal.amended": goal.GoalAmended,
    "goal.child_added": goal.ChildAdded,
    "goal.approved": goal.GoalApproved,
    "goal.rejected": goal.GoalRejected,
    "goal.readied": goal.GoalReadied,
    "goal.activated": goal.GoalActivated,
    "goal.waited": goal.GoalWaited,
    "goal.retried": goal.GoalRetried,
    "goal.blocked": goal.GoalBlocked,
    "goal.unblocked": goal.GoalUnblocked,
    "goal.checkpointed": goal.GoalCheckpointed,
    "goal.resumed": goal.GoalResumed,
    "goal.completed": goal.GoalCompleted,
    "goal.completed_with_caveats": goal.GoalCompletedWithCaveats,
    "goal.failed": goal.GoalFailed,
    "goal.archived": goal.GoalArchived,
    "goal.run_dispatched": goal.RunDispatched,
    "goal.run_enqueued": goal.RunEnqueued,
    "goal.retry_scheduled": goal.RetryScheduled,
    "goal.activity_recorded": goal.ActivityRecorded,
    "goal.key_result_measured": key_result.KeyResultMeasured,
    "goal.occurrence_due": maintenance.OccurrenceDue,
    "goal.occurrences_skipped": maintenance.OccurrencesSkipped,
    "goal.occurrence_completed": maintenance.OccurrenceCompleted,
    "goal.watchdog_fired": watchdog.WatchdogFired,
    "goal.watchdog_cleared": watchdog.WatchdogCleared,
    "goal.arm_result_recorded": experiment.ArmResultRecorded,
    "run.queued": run.RunQueued,
    "run.started": run.RunStarted,
    "run.action_taken": run.ActionTaken,
    "run.heartbeat": run.RunHeartbeat,
    "run.checkpointed": run.RunCheckpointed,
    "run.resumed": run.RunResumed,
    "run.interrupted": run.RunInterrupted,
    "run.verified": run.RunVerified,
    "run.cost_recorded": run.CostRecorded,
    "run.finished": run.RunFinished,
    "run.business_outcome_recorded": run.BusinessOutcomeRecorded,
    "lesson.learned": lesson.LessonLearned,
    "lesson.confirmed": lesson.LessonConfirmed,
    "lesson.contradicted": lesson.LessonContradicted,
    "lesson.applied": lesson.LessonApplied,
    "lesson.retired": lesson.LessonRetired,
    "loop.opened": loop.LoopOpened,
    "loop.closed": loop.LoopClosed,
    "project.registered": project.ProjectRegistered,
    "project.amended": project.ProjectAmended,
    "project.feature_recorded": project.FeatureRecorded,
    "project.bug_reported": project.BugReported,
    "project.bug_resolved": project.BugResolved,
    "session.started": session.SessionStarted,
    "session.draining": session.SessionDraining,
    "session.stopped": session.SessionStopped,
}

NAMES: dict[type[Event], str] = {event_type: name for name, event_type in EVENTS.items()}
