"""Continuity: sessions, and what is reconciled between them."""
