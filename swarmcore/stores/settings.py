"""An election whose store also keeps the settings of operators."""

from swarmcore.protocols import Election, SharedText


class ElectionWithSettings:
    """Implements ``Election`` and ``KeepsSettings``.

    Args:
        election: elects the primary.
        settings: the settings in the same store.
    """

    def __init__(self, election: Election, settings: SharedText) -> None:
        self.campaign = election.campaign
        self.settings = settings
