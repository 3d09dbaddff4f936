"""Technology at the edge of the ledger: every module stands in one of the packages below, never directly here."""
