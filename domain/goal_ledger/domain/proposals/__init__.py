"""Proposals: findings of detectors, and whether they become goals."""
