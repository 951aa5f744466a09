"""Moving containers to other nodes: the copy, the move itself, and stale containers."""
