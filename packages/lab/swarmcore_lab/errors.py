"""The error class of the lab."""


class LabError(Exception):
    """A lab could not do something; the text says what failed and why, in one line."""
