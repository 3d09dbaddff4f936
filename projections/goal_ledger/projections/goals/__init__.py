"""Read models of goals."""
