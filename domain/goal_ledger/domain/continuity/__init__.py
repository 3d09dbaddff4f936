"""What holds across restarts."""
