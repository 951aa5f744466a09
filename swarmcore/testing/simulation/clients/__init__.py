"""The clients of a simulation, and what they know."""
