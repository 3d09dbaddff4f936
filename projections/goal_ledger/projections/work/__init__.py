"""Read models of what moves goals by itself."""
