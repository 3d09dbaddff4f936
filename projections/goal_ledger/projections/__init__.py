"""What the ledger answers: read models folded from recorded events, by capability."""
