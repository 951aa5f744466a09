"""Acme's plugins for swarmcore: engines stand in racks, and racks matter."""
