"""The ledger, embeddable: `Ledger.open("goal-ledger.db")`."""

from typing import TYPE_CHECKING

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.continuity.session import GoalReconciliationReport, LastStop, SessionStatus
from goal_ledger.domain.errors import (
    Blank,
    Conflict,
    Damaged,
    Hint,
    Invalid,
    LedgerError,
    NotFound,
    Rejected,
    Unavailable,
)
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
    "Blank",
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
    "Hint",
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
    "as_call",
]

if TYPE_CHECKING:
    from goal_ledger.ledger.calls import as_call
else:

    def __getattr__(name: str) -> object:
        """What few programs use is imported when it is asked for."""
        if name == "as_call":
            from goal_ledger.ledger.calls import as_call

            return as_call
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
