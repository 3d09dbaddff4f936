"""What should be achieved: goals and how they move."""
