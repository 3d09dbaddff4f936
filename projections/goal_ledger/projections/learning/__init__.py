"""Read models of what was learned."""
