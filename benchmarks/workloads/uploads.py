"""Uploads: images, build contexts, archives."""

from collections.abc import Callable

from benchmarks.figures import Figures
from benchmarks.sides import Side
from benchmarks.stage import Stage
from benchmarks.workloads.workload import On, Shape, Workload

_API = "/v1.41"


def _uploading(method: str, target: str) -> Callable[[Stage, Side], Figures]:
    def run(stage: Stage, side: Side) -> Figures:
        return stage.measure(
            side,
            "upload",
            port=side.port,
            method=method,
            target=_API + target.format(container=side.container),
            size=stage.settings.stream_bytes,
        )

    return run


def _upload(name: str, about: str, method: str, target: str) -> Workload:
    return Workload(name, about, _uploading(method, target), Shape.STREAM, On.ALL)


WORKLOADS = (
    _upload(
        "cp-up", "an archive into a container", "PUT", "/containers/{container}/archive?path=/"
    ),
    _upload("build", "a build's context, to one engine", "POST", "/build?t=benchmark"),
    _upload("load", "an image's archive, to every engine", "POST", "/images/load"),
)
