"""Learning: what runs teach, what agents are told of it, and what is taken back."""
