"""Send one client's request to several engines at once."""
