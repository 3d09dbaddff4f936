"""Strategy: what is believed, and the projects that are built."""
