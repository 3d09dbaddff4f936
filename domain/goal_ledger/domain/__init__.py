"""What the ledger knows and decides: pure aggregates and policies, by capability."""
