"""Read models of what holds across restarts."""
