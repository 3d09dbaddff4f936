"""What the ledger costs beside raw sqlite3: same tables, same durability, same run. See docs/performance.md."""
