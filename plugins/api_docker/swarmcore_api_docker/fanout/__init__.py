"""One client's request on several engines at once."""
