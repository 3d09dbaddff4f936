"""Read models of proposals and of the scans that made them."""
