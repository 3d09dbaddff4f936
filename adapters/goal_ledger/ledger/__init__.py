"""The ledger, embeddable: `Ledger.open("goal-ledger.db")`."""

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.continuity.session import GoalReconciliationReport, LastStop, SessionStatus
from goal_ledger.domain.errors import Conflict, Damaged, Invalid, LedgerError, NotFound, Rejected, Unavailable
from goal_ledger.domain.goals.contract import Contract, Origin
from goal_ledger.domain.goals.criteria import Criterion
from goal_ledger.domain.goals.lifecycle import ArchiveCause, GoalStatus, GoalType
from goal_ledger.domain.goals.loop import LoopKind, LoopStatus
from goal_ledger.domain.learning.lesson import LessonCategory
from goal_ledger.domain.runs.run import BusinessOutcome, FailureCategory, LocalOutcome, RunStatus, VerifierStatus
from goal_ledger.domain.settings import Settings
from goal_ledger.domain.strategy.project import BugSeverity
from goal_ledger.ledger.engine.circumstances import UNKNOWN
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.ledger import Ledger

__all__ = [
    "UNKNOWN",
    "ArchiveCause",
    "BugSeverity",
    "BusinessOutcome",
    "Conflict",
    "Contract",
    "Criterion",
    "Damaged",
    "Event",
    "FailureCategory",
    "GoalReconciliationReport",
    "GoalStatus",
    "GoalType",
    "Invalid",
    "LastStop",
    "Ledger",
    "LedgerError",
    "LessonCategory",
    "LocalOutcome",
    "LoopKind",
    "LoopStatus",
    "NotFound",
    "Origin",
    "Recorded",
    "Rejected",
    "RunStatus",
    "SessionStatus",
    "Settings",
    "Tx",
    "Unavailable",
    "VerifierStatus",
]
