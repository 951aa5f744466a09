"""Where containers go: decisions, reservations, the queue, and the engines asked to create."""
