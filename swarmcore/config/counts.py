"""How much one create may bring: placing it is one step that everybody waits for."""

from collections.abc import Collection, Mapping
from typing import Any

from swarmcore.expr import is_pattern
from swarmcore.limits import EXPRESSION_PATTERNS, EXPRESSIONS, MOUNTS, REFERENCES, check_count


def check_expressions(expressions: Collection[str]) -> None:
    """Refuse more constraints, affinities and whitelists than anybody needs.

    Raises:
        BadRequest: there are too many, or too many patterns among them.
    """
    check_count(expressions, EXPRESSIONS, "constraints, affinities and whitelists")
    check_count(sum(map(is_pattern, expressions)), EXPRESSION_PATTERNS, "patterns in expressions")


def check_mounts(host_config: Mapping[str, Any]) -> None:
    """Refuse more ``Binds`` and ``Mounts`` than anybody needs.

    Raises:
        BadRequest: there are too many.
    """
    lists = (host_config.get(key) for key in ("Binds", "Mounts"))
    check_count(
        sum(len(each) for each in lists if isinstance(each, list)), MOUNTS, "binds and mounts"
    )


def check_references(*names: Collection[str]) -> None:
    """Refuse more names of other objects than anybody needs.

    Raises:
        BadRequest: there are too many.
    """
    check_count(sum(map(len, names)), REFERENCES, "volumes, networks, containers and images")
