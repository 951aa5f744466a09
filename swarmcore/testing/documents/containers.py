"""A container's documents: the parts of its inspect document, and its object in the list."""

from collections.abc import Iterable, Mapping
from typing import Any

from swarmcore.testing.documents.moments import NEVER, duration

_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_CONFIG: Mapping[str, Any] = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": None,
    "Cmd": None,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": {},
}

_HOST_CONFIG: Mapping[str, Any] = {
    "Binds": None,
    "ContainerIDFile": "",
    "LogConfig": {"Type": "json-file", "Config": {}},
    "NetworkMode": "bridge",
    "PortBindings": {},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "AutoRemove": False,
    "VolumeDriver": "",
    "VolumesFrom": None,
    "ConsoleSize": [0, 0],
    "CapAdd": None,
    "CapDrop": None,
    "CgroupnsMode": "host",
    "Dns": None,
    "DnsOptions": None,
    "DnsSearch": None,
    "ExtraHosts": None,
    "GroupAdd": None,
    "IpcMode": "private",
    "Cgroup": "",
    "Links": None,
    "OomScoreAdj": 0,
    "PidMode": "",
    "Privileged": False,
    "PublishAllPorts": False,
    "ReadonlyRootfs": False,
    "SecurityOpt": None,
    "UTSMode": "",
    "UsernsMode": "",
    "ShmSize": 67108864,
    "Runtime": "runc",
    "Isolation": "",
    "CpuShares": 0,
    "Memory": 0,
    "NanoCpus": 0,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "BlkioWeightDevice": None,
    "BlkioDeviceReadBps": None,
    "BlkioDeviceWriteBps": None,
    "BlkioDeviceReadIOps": None,
    "BlkioDeviceWriteIOps": None,
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpuRealtimePeriod": 0,
    "CpuRealtimeRuntime": 0,
    "CpusetCpus": "",
    "CpusetMems": "",
    "Devices": None,
    "DeviceCgroupRules": None,
    "DeviceRequests": None,
    "MemoryReservation": 0,
    "MemorySwap": 0,
    "MemorySwappiness": None,
    "OomKillDisable": False,
    "PidsLimit": None,
    "Ulimits": None,
    "CpuCount": 0,
    "CpuPercent": 0,
    "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0,
    "MaskedPaths": ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/sys/firmware"],
    "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
}

#: Top-level keys of a create body that are not in ``Config``.
_BESIDE_CONFIG = frozenset({"HostConfig", "NetworkingConfig"})


def full_config(body: Mapping[str, Any], id: str, image: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``Config`` with all defaults of the engine.

    Args:
        body: the body of ``POST /containers/create``.
        id: the container's id; its first digits become the host name.
        image: the image's ``Config``: command, environment, labels.
    """
    asked = {key: value for key, value in body.items() if key not in _BESIDE_CONFIG}
    config = {**_CONFIG, **{key: value for key, value in asked.items() if value is not None}}
    config["Hostname"] = config["Hostname"] or id[:12]
    config["Labels"] = {**(image.get("Labels") or {}), **config["Labels"]}
    config["Env"] = [*(image.get("Env") or [_PATH]), *(asked.get("Env") or ())]
    for key in ("Cmd", "Entrypoint"):
        if isinstance(config[key], str):
            config[key] = [config[key]]
    if not config["Entrypoint"]:
        config["Entrypoint"] = image.get("Entrypoint")
        config["Cmd"] = config["Cmd"] or image.get("Cmd")
    return config


def full_host_config(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``HostConfig`` with all defaults of the engine."""
    asked = {k: v for k, v in (body.get("HostConfig") or {}).items() if v is not None}
    config = {**_HOST_CONFIG, **asked}
    if config["NetworkMode"] in ("", "default"):
        config["NetworkMode"] = "bridge"
    config["PortBindings"] = {
        key: [{"HostIp": "", "HostPort": "", **binding} for binding in bindings or ()]
        for key, bindings in config["PortBindings"].items()
    }
    if config["Memory"] and not config["MemorySwap"]:
        config["MemorySwap"] = 2 * config["Memory"]
    return config


def argv_of(config: Mapping[str, Any]) -> list[str]:
    """Return the command line of a container: its entry point and its command."""
    return [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]


def container_state(
    status: str = "created",
    *,
    pid: int = 0,
    exit_code: int = 0,
    error: str = "",
    started: str = NEVER,
    finished: str = NEVER,
) -> dict[str, Any]:
    """Return ``State``.

    Args:
        status: created, running, paused, restarting, removing, exited or dead.
        pid: the process id; 0 if it does not run.
        exit_code: the exit code of the last run.
        error: the error of the last start.
        started, finished: RFC 3339.
    """
    return {
        "Status": status,
        "Running": status in ("running", "paused", "restarting"),
        "Paused": status == "paused",
        "Restarting": status == "restarting",
        "OOMKilled": False,
        "Dead": status == "dead",
        "Pid": pid,
        "ExitCode": exit_code,
        "Error": error,
        "StartedAt": started,
        "FinishedAt": finished,
    }


def endpoint(
    network_id: str = "", endpoint_id: str = "", ip: str = "", gateway: str = ""
) -> dict[str, Any]:
    """Return one entry of ``NetworkSettings.Networks``; all empty if the container is stopped."""
    octets = [int(octet) for octet in ip.split(".")] if ip else []
    mac = "02:42:" + ":".join(f"{octet:02x}" for octet in octets) if octets else ""
    return {
        "IPAMConfig": None,
        "Links": None,
        "Aliases": None,
        "MacAddress": mac,
        "DriverOpts": None,
        "GwPriority": 0,
        "NetworkID": network_id,
        "EndpointID": endpoint_id,
        "Gateway": gateway,
        "IPAddress": ip,
        "IPPrefixLen": 16 if ip else 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": None,
    }


def network_settings(
    networks: Mapping[str, Mapping[str, Any]], ports: Mapping[str, Any], sandbox_id: str = ""
) -> dict[str, Any]:
    """Return ``NetworkSettings``; the fields of the default bridge are also at the top level."""
    bridge = networks.get("bridge") or endpoint()
    repeated = (
        "EndpointID",
        "Gateway",
        "GlobalIPv6Address",
        "GlobalIPv6PrefixLen",
        "IPAddress",
        "IPPrefixLen",
        "IPv6Gateway",
        "MacAddress",
    )
    return {
        "Bridge": "",
        "SandboxID": sandbox_id,
        "SandboxKey": f"/run/docker/netns/{sandbox_id[:12]}" if sandbox_id else "",
        "Ports": dict(ports),
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **{key: bridge[key] for key in repeated},
        "Networks": {name: dict(entry) for name, entry in networks.items()},
    }


def container_detail(
    *,
    id: str,
    name: str,
    created: str,
    image_id: str,
    config: Mapping[str, Any],
    host_config: Mapping[str, Any],
    state: Mapping[str, Any],
    settings: Mapping[str, Any],
    mounts: Iterable[Mapping[str, Any]] = (),
    exec_ids: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the document of ``GET /containers/{id}/json``.

    Args:
        id: 64 hex digits.
        name: the name without slash.
        created: RFC 3339.
        image_id: ``sha256:...``.
        config, host_config, state, settings: the parts, from the functions above.
        mounts: as in ``Mounts``.
        exec_ids: the ids of running execs.
    """
    argv = argv_of(config)
    folder = f"/var/lib/docker/containers/{id}"
    layer = f"/var/lib/docker/overlay2/{id}"
    return {
        "Id": id,
        "Created": created,
        "Path": argv[0] if argv else "",
        "Args": argv[1:],
        "State": dict(state),
        "Image": image_id,
        "ResolvConfPath": f"{folder}/resolv.conf",
        "HostnamePath": f"{folder}/hostname",
        "HostsPath": f"{folder}/hosts",
        "LogPath": f"{folder}/{id}-json.log",
        "Name": f"/{name}",
        "RestartCount": 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(exec_ids) or None,
        "HostConfig": dict(host_config),
        "GraphDriver": {
            "Data": {
                "ID": id,
                "LowerDir": f"{layer}-init/diff",
                "MergedDir": f"{layer}/merged",
                "UpperDir": f"{layer}/diff",
                "WorkDir": f"{layer}/work",
            },
            "Name": "overlay2",
        },
        "Mounts": [dict(mount) for mount in mounts],
        "Config": dict(config),
        "NetworkSettings": dict(settings),
    }


def container_summary(
    detail: Mapping[str, Any], *, created: int, status: str, names: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the container's object in ``GET /containers/json``.

    Args:
        detail: the result of ``container_detail``.
        created: Unix seconds.
        status: the result of ``status_text``.
        names: link aliases besides the container's own name, with slash.
    """
    config, settings = detail["Config"], detail["NetworkSettings"]
    return {
        "Id": detail["Id"],
        "Names": [detail["Name"], *names],
        "Image": config["Image"],
        "ImageID": detail["Image"],
        "Command": " ".join([detail["Path"], *map(_quoted, detail["Args"])]).strip(),
        "Created": created,
        "Ports": list(_listed_ports(config, settings["Ports"])),
        "Labels": config["Labels"],
        "State": detail["State"]["Status"],
        "Status": status,
        "HostConfig": {"NetworkMode": detail["HostConfig"]["NetworkMode"]},
        "NetworkSettings": {"Networks": settings["Networks"]},
        "Mounts": detail["Mounts"],
    }


def _quoted(argument: str) -> str:
    """Quote an argument as engines do in lists; the result is not for a shell."""
    return f"'{argument}'" if " " in argument else argument


def _listed_ports(config: Mapping[str, Any], ports: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for key, bindings in ports.items():
        number, _, protocol = key.partition("/")
        if not bindings:
            yield {"PrivatePort": int(number), "Type": protocol}
        for binding in bindings or ():
            yield {
                "IP": binding["HostIp"],
                "PrivatePort": int(number),
                "PublicPort": int(binding["HostPort"]),
                "Type": protocol,
            }


def status_text(state: Mapping[str, Any], since_started: float, since_finished: float) -> str:
    """Return ``Status`` of the list: ``Up 3 minutes``, ``Exited (0) 2 hours ago``.

    Args:
        state: the result of ``container_state``.
        since_started, since_finished: seconds.
    """
    match state["Status"]:
        case "running":
            return f"Up {duration(since_started)}"
        case "paused":
            return f"Up {duration(since_started)} (Paused)"
        case "restarting":
            return f"Restarting ({state['ExitCode']}) {duration(since_finished)} ago"
        case "exited":
            return f"Exited ({state['ExitCode']}) {duration(since_finished)} ago"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
    return "Created"


def bindings_of(host_config: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    """Yield every entry of ``PortBindings``: key (``80/tcp``), host address, host port or range."""
    for key, bindings in (host_config.get("PortBindings") or {}).items():
        named = key if "/" in key else f"{key}/tcp"
        for binding in bindings or ():
            yield named, binding.get("HostIp") or "", str(binding.get("HostPort") or "")
