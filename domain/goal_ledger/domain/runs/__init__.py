"""What was tried: one run per attempt at a goal."""
