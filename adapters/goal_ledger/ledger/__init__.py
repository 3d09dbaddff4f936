"""The ledger, embeddable: `Ledger.open("goal-ledger.db")`."""

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.errors import Conflict, Damaged, Invalid, LedgerError, NotFound, Rejected, Unavailable
from goal_ledger.domain.settings import Settings
from goal_ledger.ledger.circumstances import UNKNOWN
from goal_ledger.ledger.ledger import Ledger
from goal_ledger.ledger.transaction import Tx

__all__ = [
    "UNKNOWN",
    "Conflict",
    "Damaged",
    "Event",
    "Invalid",
    "Ledger",
    "LedgerError",
    "NotFound",
    "Recorded",
    "Rejected",
    "Settings",
    "Tx",
    "Unavailable",
]
