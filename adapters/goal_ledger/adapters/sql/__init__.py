"""What the store and the views share: SQLite connections, and quiet while rows are made."""
