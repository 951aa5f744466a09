"""Device requests of a container (``--gpus``, ``--device vendor.com/class=name``): read, and named.

Pure.  Which GPUs a node has and who holds them is ``node.gpus``' matter.  The source is the Engine
API 1.40 (``HostConfig.DeviceRequests``), and 1.44 for the driver ``cdi``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from swarmcore.json_values import as_list, as_objects, as_texts
from swarmcore.model import ALL_GPUS

_CDI = "cdi"
_GPU = "gpu"
#: Drivers of GPUs; a request that names one needs no capability.
_GPU_DRIVERS = ("nvidia", "amd")
#: What those drivers can do.  An engine gives a request without a driver to the first driver that
#: can do all of one alternative: also the alternative that wants nothing at all.
_GPU_CAPABILITIES = frozenset(
    {"amd", "compat32", "compute", "display", "gpu", "graphics", "ngx", "nvidia", "utility"}
    | {"video"}
)
#: What NVIDIA's runtime takes for every GPU, and for none, where an id is expected.
_ALL, _NO_GPU = "all", ("", "none", "void")


@dataclass(frozen=True, slots=True)
class Devices:
    """What a container asks for.

    Attributes:
        gpus: how many GPUs, whichever they are; ``ALL_GPUS`` for all that there are.
        gpu_ids: GPUs by name: an index or an id.
        cdi: devices by their full CDI names, GPUs among them.
    """

    gpus: int = 0
    gpu_ids: tuple[str, ...] = ()
    cdi: tuple[str, ...] = ()


def read_devices(host_config: Mapping[str, Any]) -> Devices:
    """Read the device requests; what engines will refuse asks for nothing.

    Args:
        host_config: ``HostConfig`` in Docker's spelling.
    """
    gpus, ids, cdi = 0, list[str](), list[str]()
    for request in _requests(host_config):
        if request.get("Driver") == _CDI:
            for name in as_texts(request.get("DeviceIDs")):
                cdi.append(name)
                kind, _, device = name.partition("=")
                if kind.rpartition("/")[2] != _GPU:
                    continue
                if device == _ALL:
                    gpus = ALL_GPUS
                else:
                    ids.append(device)
        elif _is_for_gpus(request):
            ids += [id for id in _gpu_ids(request) if id != _ALL]
            many = _count(request)
            gpus = ALL_GPUS if ALL_GPUS in (gpus, many) else gpus + many
    return Devices(gpus, tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(cdi)))


def with_named_gpus(host_config: Mapping[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """A copy of *host_config* that names the GPUs where it counted them.

    An engine that is asked for one GPU takes its first one, whoever has that already.

    Args:
        host_config: in Docker's spelling.
        ids: as many as it counts, in all its requests together.
    """
    rest = iter(ids)

    def named(request: Any) -> Any:
        many = _count(request) if isinstance(request, Mapping) and _is_for_gpus(request) else 0
        if not many:
            return request
        chosen = list(ids) if many == ALL_GPUS else list(islice(rest, many))
        return {**request, "Count": 0, "DeviceIDs": chosen}

    return {
        **host_config,
        "DeviceRequests": [named(each) for each in host_config["DeviceRequests"]],
    }


def _requests(host_config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return as_objects(host_config.get("DeviceRequests"))


def _is_for_gpus(request: Mapping[str, Any]) -> bool:
    """Whether a driver of GPUs may take it: by its name, or by what it is to be able to do."""
    if driver := request.get("Driver"):
        return driver in _GPU_DRIVERS or (driver != _CDI and _wants_gpu(request))
    alternatives = request.get("Capabilities")
    return _wants_gpu(request) or any(
        isinstance(each, list) and _GPU_CAPABILITIES.issuperset(as_texts(each))
        for each in as_list(alternatives)
    )


def _wants_gpu(request: Mapping[str, Any]) -> bool:
    """Whether any of the alternatives in its capabilities has ``gpu``."""
    alternatives = request.get("Capabilities")
    return isinstance(alternatives, list) and any(
        isinstance(each, list) and _GPU in each for each in alternatives
    )


def _gpu_ids(request: Mapping[str, Any]) -> list[str]:
    """Its GPUs by name; an engine joins the names by commas, so one of them may be several."""
    names = ",".join(as_texts(request.get("DeviceIDs"))).split(",")
    return [name for name in names if name not in _NO_GPU]


def _count(request: Mapping[str, Any]) -> int:
    """Any number below zero means all, as to the engine, which refuses a count beside names."""
    if request.get("DeviceIDs"):
        return ALL_GPUS if _ALL in _gpu_ids(request) else 0
    count = request.get("Count")
    return max(count, ALL_GPUS) if type(count) is int else 0
