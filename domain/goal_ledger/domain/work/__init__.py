"""Work: dispatch, routing, ranking and roll-up."""
