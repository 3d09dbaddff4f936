"""The ledger's own stream: its identity."""

from goal_ledger.domain.base import Event


class LedgerCreated(Event):
    """The first event of every ledger; its stream is the ledger's id. software: what wrote it, with its version."""

    stored = "ledger.created"

    software: str
