"""Docker's JSON documents as an engine of API 1.51 writes them, with all their fields.  Pure.

The builders and the embedded engine use them.
"""
