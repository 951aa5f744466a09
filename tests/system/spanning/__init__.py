"""A package, so that fixtures of scope ``package`` end after the last test of this folder."""
