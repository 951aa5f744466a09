"""Docker's stream formats, and differences between API versions of clients and engines.  Pure."""
