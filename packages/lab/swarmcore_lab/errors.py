"""The one error of the lab."""


class LabError(Exception):
    """A lab could not do what was asked: the message says who, what and why, in one line."""
