"""Runs: attempts at goals, from start to outcome, and the histories that are imported."""
