"""Measurements from elsewhere: one port, a reader per format."""
