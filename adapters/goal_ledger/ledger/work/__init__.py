"""Work: what comes next, who gets it, and what moves goals by itself."""
