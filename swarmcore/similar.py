"""The hint in an error about a word that nobody knows."""

from collections.abc import Iterable

#: The least similarity, from 0 to 1.  Names that share only a prefix (``strategy_``) have less.
_LEAST = 0.8


def did_you_mean(text: str, words: Iterable[str], otherwise: str = "") -> str:
    """Return ``did you mean WORD?`` with the most similar word.

    Args:
        text: what was given.
        words: what could have been meant.
        otherwise: returned if no word is similar.
    """
    import difflib  # only after a mistake: it takes time at the start of every command

    near = difflib.get_close_matches(text, sorted(words), n=1, cutoff=_LEAST)
    return f"did you mean {near[0]}?" if near else otherwise
