"""SQLite connections, shared by the store and the views."""
