"""What was learned, and how sure we are of it."""
