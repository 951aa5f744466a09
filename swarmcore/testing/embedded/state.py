"""The state of an embedded engine: containers, images, networks, volumes, execs and events.

The state is kept while the engine does not serve, like files on a disk.  ``runtime`` runs the
processes.
"""

import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from swarmcore.errors import BadRequest, Conflict, NotFound
from swarmcore.testing.documents import containers as documents
from swarmcore.testing.documents.moments import timestamp
from swarmcore.testing.embedded.container import ContainerRecord, ExecRecord
from swarmcore.testing.embedded.event_log import EventLog
from swarmcore.testing.embedded.images import ImageStore
from swarmcore.testing.embedded.networks import NetworkStore, VolumeStore
from swarmcore.testing.embedded.output import ContainerLog

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_MOODS = ("brave", "calm", "eager", "gentle", "happy", "keen", "lucid", "proud", "quick", "wise")
_PEOPLE = ("curie", "euler", "gauss", "hopper", "lamarr", "liskov", "noether", "turing", "wiles")


class EngineState:
    """The objects of an engine, and the operations that change them and emit events.

    Args:
        seed: the seed of ids and made-up names; ``None`` for other ones each time.
        clock: returns Unix nanoseconds.
    """

    def __init__(self, seed: int | None = None, clock: Callable[[], int] = time.time_ns) -> None:
        self._random = random.Random(seed)
        self.clock = clock
        self.id = self._engine_id()
        self.events = EventLog(clock)
        self.images = ImageStore()
        self.networks = NetworkStore(self.new_id, self.moment)
        self.volumes = VolumeStore(self.new_id, lambda: timestamp(clock() // 10**9 * 10**9))
        self.containers: dict[str, ContainerRecord] = {}
        self.execs: dict[str, ExecRecord] = {}
        self._names: dict[str, str] = {}
        self._last_created = 0

    # ---- identity and time

    def new_id(self) -> str:
        """Return 64 hex digits that no other engine has."""
        return f"{self._random.getrandbits(256):064x}"

    def moment(self) -> str:
        """Return the current time in RFC 3339."""
        return timestamp(self.clock())

    def forget_events(self) -> None:
        """Forget all events, as a daemon does when it restarts."""
        self.events = EventLog(self.clock)

    def _engine_id(self) -> str:
        id = self.new_id()
        return "-".join((id[:8], id[8:12], id[12:16], id[16:20], id[20:32]))

    # ---- finding

    def find_container(self, text: str) -> ContainerRecord:
        """Return a container by id, name or the unique beginning of an id.

        Raises:
            NotFound, BadRequest: there is no such container, or several; the texts are Docker's.
        """
        name = text.removeprefix("/")
        id = name if name in self.containers else self._names.get(name)
        if id is not None:
            return self.containers[id]
        matches = [id for id in self.containers if name and id.startswith(name)]
        if len(matches) > 1:
            raise BadRequest(f"multiple IDs found with provided prefix: {name}")
        if not matches:
            raise NotFound(f"No such container: {text}")
        return self.containers[matches[0]]

    def find_exec(self, id: str) -> ExecRecord:
        """Return an exec by its whole id.

        Raises:
            NotFound: there is no such exec; the text is Docker's.
        """
        if id not in self.execs:
            raise NotFound(f"No such exec instance: {id}")
        return self.execs[id]

    def newest_first(self) -> list[ContainerRecord]:
        """Return every container, newest first."""
        return sorted(self.containers.values(), key=lambda each: -each.created)

    def users_of_image(self, image_id: str) -> list[str]:
        """Return the ids of the containers that were made from an image."""
        return [each.id for each in self.containers.values() if each.image_id == image_id]

    def users_of_volume(self, name: str) -> list[str]:
        """Return the ids of the containers that mount a volume."""
        return [
            each.id
            for each in self.containers.values()
            if any(mount.get("Name") == name for mount in each.mounts)
        ]

    # ---- containers

    def create_container(self, body: Mapping[str, Any], name: str = "") -> ContainerRecord:
        """Make a container as ``POST /containers/create`` does.

        Args:
            body: the body of the request.
            name: the name without slash; empty for a made-up name.

        Raises:
            BadRequest, NotFound, Conflict: the texts are Docker's.
        """
        name = name.removeprefix("/")
        if not body or not body.get("Image"):
            raise BadRequest("config cannot be empty in order to create a container")
        self._check_name(name)
        image = self.images.find(str(body["Image"]))
        id = self.new_id()
        host_config = documents.full_host_config(body)
        config = documents.full_config(body, id, image.config)
        if not documents.argv_of(config):
            raise BadRequest("no command specified")
        networks = self._networks_of(body, host_config["NetworkMode"])
        record = ContainerRecord(
            id=id,
            name=name or self._invent_name(),
            image_id=image.id,
            created=self._next_created(),
            config=config,
            host_config=host_config,
            networks=networks,
            mounts=self._mounts_of(body, host_config),
            log=ContainerLog(self.clock),
        )
        self.containers[id] = record
        self._names[record.name] = id
        self.tell(record, "create")
        return record

    def rename_container(self, record: ContainerRecord, name: str) -> None:
        """Give a container another name.

        Raises:
            BadRequest, Conflict: the texts are Docker's.
        """
        name = name.removeprefix("/")
        if not name:
            raise BadRequest("Neither old nor new names may be empty")
        if name == record.name:
            raise BadRequest("Renaming a container with the same name as its current name")
        self._check_name(name, "Error when allocating new name: ")
        old = record.name
        del self._names[old]
        record.name = name
        self._names[name] = record.id
        self.tell(record, "rename", oldName=f"/{old}")

    def remove_container(self, record: ContainerRecord, *, volumes: bool = False) -> None:
        """Remove a container that does not run."""
        del self.containers[record.id]
        del self._names[record.name]
        self.execs = {id: each for id, each in self.execs.items() if each.container is not record}
        self.tell(record, "destroy")
        record.removed.set()
        record.ended.set()  # there will be no later run
        record.log.wake()
        for mount in record.mounts if volumes else ():
            # ``rm -v`` removes only anonymous volumes, which have a made-up name.
            if re.fullmatch("[0-9a-f]{64}", mount.get("Name") or ""):
                self.volumes.remove(mount["Name"], self.users_of_volume(mount["Name"]))

    def tell(self, record: ContainerRecord, action: str, **more: str) -> None:
        """Emit an event of a container."""
        self.events.emit("container", action, record.id, {**record.event_attributes, **more})

    # ---- the parts of a create

    def _check_name(self, name: str, prefix: str = "") -> None:
        if name and not _NAME.fullmatch(name):
            raise BadRequest(
                f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
            )
        if name in self._names:
            raise Conflict(
                f'{prefix}Conflict. The container name "/{name}" is already in use by container '
                f'"{self._names[name]}". You have to remove (or rename) that container to be able '
                "to reuse that name."
            )

    def _invent_name(self) -> str:
        while True:
            name = f"{self._random.choice(_MOODS)}_{self._random.choice(_PEOPLE)}"
            if name in self._names:
                name = f"{name}{self._random.randrange(10**6)}"
            if name not in self._names:
                return name

    def _next_created(self) -> int:
        # Two creates in one tick of the clock still get different times.
        self._last_created = max(self.clock(), self._last_created + 1)
        return self._last_created

    def _networks_of(self, body: Mapping[str, Any], mode: str) -> dict[str, dict[str, Any]]:
        if mode.startswith("container:"):
            return {}
        asked = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
        names = [mode, *(name for name in asked if name not in (mode, "default"))]
        return {self._network_name(name): documents.endpoint() for name in names}

    def _network_name(self, text: str) -> str:
        """Return a network's name; an unknown network is an error only at the start."""
        try:
            return str(self.networks.find(text)["Name"])
        except NotFound:
            return text

    def _mounts_of(
        self, body: Mapping[str, Any], host_config: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        mounts = []
        for bind in host_config.get("Binds") or ():
            source, _, rest = bind.partition(":")
            target, _, options = rest.partition(":")
            mounts.append(self._mount(source, target, "ro" not in options.split(",")))
        for mount in host_config.get("Mounts") or ():
            if mount.get("Type") in ("volume", "bind"):
                writable = not mount.get("ReadOnly")
                mounts.append(self._mount(mount.get("Source") or "", mount["Target"], writable))
        for target in body.get("Volumes") or ():
            mounts.append(self._mount("", target, True))
        return mounts

    def _mount(self, source: str, target: str, writable: bool) -> dict[str, Any]:
        shared = {"Destination": target, "Mode": "", "RW": writable}
        if source.startswith("/"):
            return {"Type": "bind", "Source": source, **shared, "Propagation": "rprivate"}
        volume, new = self.volumes.create({"Name": source})
        if new:
            self.events.emit("volume", "create", volume["Name"], {"driver": "local"})
        return {
            "Type": "volume",
            "Name": volume["Name"],
            "Source": volume["Mountpoint"],
            "Driver": "local",
            **shared,
            "Propagation": "",
        }
