"""The notes of the route table: the engine that is asked, and the fields that are rewritten.

The notes are few, so that readers can learn them.  ``docs/api.md`` explains the notes for
``routed``, and a test checks that it does.
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
LISTED: Final = "filter node; Name is node/name where it is ambiguous"
PRUNED: Final = "filter node; the reports are added up"
