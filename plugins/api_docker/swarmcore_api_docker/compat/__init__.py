"""What Go's formats and the versions of clients and engines ask for.  Pure."""
