"""Audit: explain, compare, prove and copy the ledger."""
