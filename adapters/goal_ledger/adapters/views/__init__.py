"""Read models: tables folded from the log."""
