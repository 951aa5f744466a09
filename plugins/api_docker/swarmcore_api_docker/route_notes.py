"""The words by which routes say who is asked and what is rewritten: few, so that they are
learnt once.

``docs/api.md`` explains who is asked, and a test holds it to that.
"""

from typing import Final

MANAGER: Final = "the manager"
CACHES: Final = "the caches"
CONTAINER: Final = "the container's engine"
EXEC: Final = "the exec's engine"
BUILD: Final = "the build's engine"
BUILDER: Final = "the client's build engine"
CHOSEN: Final = "the scheduler's choice"
HOLDER: Final = "an engine that has it"
HOLDERS: Final = "every engine that has it"
ANY: Final = "any engine"
ALL: Final = "every engine"
REFUSED: Final = "refused"
LISTED: Final = "filter node; Name where it is not enough"
PRUNED: Final = "filter node; the reports are added up"
