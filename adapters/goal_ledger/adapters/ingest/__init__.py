"""Records from elsewhere, read and checked."""
