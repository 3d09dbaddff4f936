"""Where a ledger can be kept: a module for each kind of store, and one table of them."""
