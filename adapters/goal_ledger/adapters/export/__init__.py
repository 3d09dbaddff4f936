"""The ledger in other forms."""
