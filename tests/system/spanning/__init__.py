"""A package, so that fixtures of scope ``package`` end with this folder, not with the run."""
