"""Read models about what the business wants."""
