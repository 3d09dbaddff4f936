"""The ledger, embeddable: `Ledger.open("goal-ledger.db")`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from goal_ledger.adapters.backends.backend import Backend
from goal_ledger.domain.base import Event, Recorded, Unreadable
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
from goal_ledger.ledger.engine.reactions import Reaction
from goal_ledger.ledger.engine.transaction import Tx
from goal_ledger.ledger.ledger import Ledger
from goal_ledger.projections.base import Projection

if TYPE_CHECKING:
    from goal_ledger.domain.proposals.detectors.base import Detector, Finding
    from goal_ledger.ledger.calls import as_call
    from goal_ledger.ledger.duties import Duty
    from goal_ledger.projections.goals.goal_definitions import GoalRow
    from goal_ledger.projections.runs.goal_runs import RunRow

__all__ = [
    "UNKNOWN",
    "ArchiveCause",
    "Backend",
    "Blank",
    "BugSeverity",
    "BusinessOutcome",
    "Conflict",
    "Contract",
    "Criterion",
    "Damaged",
    "Detector",
    "Duty",
    "Event",
    "FailureCategory",
    "Finding",
    "GoalReconciliationReport",
    "GoalRow",
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
    "Projection",
    "Reaction",
    "Recorded",
    "Rejected",
    "RunRow",
    "RunStatus",
    "SessionStatus",
    "Settings",
    "Tx",
    "Unavailable",
    "Unreadable",
    "VerifierStatus",
    "as_call",
]

_LATE = {
    "Detector": "goal_ledger.domain.proposals.detectors.base",
    "Duty": "goal_ledger.ledger.duties",
    "Finding": "goal_ledger.domain.proposals.detectors.base",
    "GoalRow": "goal_ledger.projections.goals.goal_definitions",
    "RunRow": "goal_ledger.projections.runs.goal_runs",
    "as_call": "goal_ledger.ledger.calls",
}
"""Imported when they are first asked for: few programs need them, and starting one should be quick."""

if not TYPE_CHECKING:  # a checker must know every name

    def __getattr__(name: str) -> Any:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_LATE[name]), name)
