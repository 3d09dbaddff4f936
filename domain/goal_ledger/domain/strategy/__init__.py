"""What the organisation is for, and what it holds true."""
