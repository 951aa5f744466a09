"""Bringing images to engines: copies from other engines, and pulls.

``progress`` reads what engines report meanwhile.
"""
