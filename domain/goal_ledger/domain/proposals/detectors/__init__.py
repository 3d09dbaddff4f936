"""Detectors: pure functions that find, in what happened, what should become a goal."""
