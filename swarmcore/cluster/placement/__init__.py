"""Placement of containers: decisions, reservations, the queue, and creating on engines."""
