"""Makes texts of engines and stores safe to show: on a terminal, in a log, in ``docker info``.

One rule: a character that is not printable is shown as its escape in JSON, ``\\u001b`` for ESC.  So
no name, label or error can move the cursor, clear the screen, hide text, or begin a new line of a
log.  Answers of the API that are made for programs keep the text as it is.  Pure.
"""

import json
import re
from typing import Any

#: Candidates; ``str.isprintable`` decides.
_ODD = re.compile(r"[^ -~]")


def printable(text: str, *, keep: str = "") -> str:
    """*text* with an escape for each character that is not printable.

    Printable is what ``str.isprintable`` says: not control characters, line breaks, invisible
    characters that change the direction of text, and surrogates.

    Args:
        text: any text.
        keep: characters that stay, such as the line breaks of a whole page.
    """
    if text.isprintable():
        return text

    def show(found: re.Match[str]) -> str:
        character = found[0]
        if character.isprintable() or character in keep:
            return character
        return json.dumps(character)[1:-1]

    return _ODD.sub(show, text)


def printable_values(value: Any) -> Any:
    """The JSON value *value* with ``printable`` keys and texts, at any depth."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable_values(key): printable_values(each) for key, each in value.items()}
    if isinstance(value, list):
        return [printable_values(each) for each in value]
    return value
