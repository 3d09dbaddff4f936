"""What the business wants, and what it holds true."""
