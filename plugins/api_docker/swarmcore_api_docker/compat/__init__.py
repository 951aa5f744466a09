"""What Go's formats, and the API versions of clients and engines, ask for.  Pure."""
