"""The command goal-ledger: parse, call the ledger, show; a file per noun."""
