"""The engine: load, decide, append, fold and ask, whatever the events are about. It knows no capability."""
