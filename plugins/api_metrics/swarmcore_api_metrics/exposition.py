"""Prometheus' text format, version 0.0.4.  Pure.

Rules: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

#: The type of a metric family.
Kind = Literal["counter", "gauge"]

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric.

    Attributes:
        value: the value; booleans are 1 or 0.
        labels: label name -> value; values may be any text.
    """

    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one metric.

    Attributes:
        name: the metric's name; for a counter it ends with ``_total``.
        kind: the type.
        help: one line.
        samples: the samples; may be empty.
    """

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]


def write_families(families: Iterable[Family]) -> bytes:
    """Format all metrics."""
    return "".join(line + "\n" for family in families for line in _lines(family)).encode()


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in sample.labels)
        yield f"{family.name}{'{' + labels + '}' if labels else ''} {+sample.value!r}"
