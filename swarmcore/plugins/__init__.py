"""Finds, loads, checks and calls plugins."""
