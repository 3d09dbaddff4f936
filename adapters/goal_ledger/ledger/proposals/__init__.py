"""Proposals: the goals that detectors propose."""
