"""This is a package, so that fixtures of scope ``package`` are torn down after its last test."""
