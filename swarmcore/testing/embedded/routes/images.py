"""Routes of images: list, inspect, pull, push, import, load, save, commit, tag, remove, prune."""

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

from swarmcore.errors import BadRequest, NotSupported
from swarmcore.list_filters import Filters, parse_filters
from swarmcore.testing.documents.images import with_tag
from swarmcore.testing.documents.moments import NANO
from swarmcore.testing.embedded.call import Call
from swarmcore.testing.embedded.host import Host, routes
from swarmcore.testing.embedded.images import ImageRecord

_FILTERS = frozenset({"dangling", "label", "before", "since", "reference", "until"})
_SIZE = 1_985_575


async def _list(engine: Host, call: Call) -> None:
    filters = parse_filters(call.query.get("filters"))
    filters.refuse_unknown(_FILTERS)
    state = engine.state
    found = [each for each in state.images if _listed(each, filters)]
    found.sort(key=lambda each: -each.created)
    await call.send_json([each.summary(len(state.users_of_image(each.id))) for each in found])


def _listed(image: ImageRecord, filters: Filters) -> bool:
    names = {name for tag in image.tags for name in (tag, tag.rpartition(":")[0])}
    if "reference" in filters and names.isdisjoint(filters.values("reference")):
        return False
    if "dangling" in filters and filters.flag("dangling") == bool(image.tags):
        return False
    return filters.labelled("label")(image.config.get("Labels") or {})


async def _inspect(engine: Host, call: Call) -> None:
    await call.send_json(engine.state.images.find(call.params["name"]).detail())


async def _history(engine: Host, call: Call) -> None:
    image = engine.state.images.find(call.params["name"])
    layer = {
        "Comment": "",
        "Created": image.created // NANO,
        "CreatedBy": "embedded",
        "Id": image.id,
        "Size": _SIZE,
        "Tags": image.tags or None,
    }
    await call.send_json([layer])


async def _pull(engine: Host, call: Call) -> None:
    name, tag = call.query.get("fromImage"), call.query.get("tag")
    if call.query.get("fromSrc"):
        await _import(engine, call)
        return
    if not name:
        raise BadRequest("neither fromImage nor fromSrc is given")
    full = with_tag(f"{name}@{tag}" if ":" in tag else f"{name}:{tag}" if tag else name)
    state = engine.state
    known = {each.id for each in state.images}
    image = state.images.pull(full, state.clock(), _password(call))
    state.events.emit("image", "pull", full, {"name": full.rpartition(":")[0]})
    async with call.stream_json() as send:
        for message in _progress(full, image, new=image.id not in known):
            await send(message)


def _password(call: Call) -> str:
    """Return the password in ``X-Registry-Auth``, which is base64url of JSON."""
    text = call.request.header("x-registry-auth")
    try:
        read = json.loads(base64.urlsafe_b64decode(f"{text or ''}=="))
        return str(read.get("password") or read.get("identitytoken") or "")
    except (ValueError, AttributeError):
        return ""


def _progress(full: str, image: ImageRecord, *, new: bool) -> Iterator[dict[str, Any]]:
    repository, _, tag = full.rpartition(":")
    layer = image.id.removeprefix("sha256:")[:12]
    pulled = repository if "/" in repository else f"library/{repository}"
    yield {"status": f"Pulling from {pulled}", "id": tag}
    if new:
        yield {"status": "Pulling fs layer", "progressDetail": {}, "id": layer}
        for current in (_SIZE // 2, _SIZE):
            detail = {"current": current, "total": _SIZE}
            yield {"status": "Downloading", "progressDetail": detail, "id": layer}
        yield {"status": "Pull complete", "progressDetail": {}, "id": layer}
    yield {"status": f"Digest: {image.id}"}
    outcome = "Downloaded newer image" if new else "Image is up to date"
    yield {"status": f"Status: {outcome} for {full}"}


async def _import(engine: Host, call: Call) -> None:
    """Read the body, but no URL; the new image is empty, like every image here."""
    state, size, source = engine.state, 0, call.query.get("fromSrc")
    while piece := await call.exchange.receive_chunk():
        size += len(piece)
    repository, tag = call.query.get("repo"), call.query.get("tag")
    image = state.images.add(f"{repository}:{tag}" if tag else repository, state.clock())
    state.events.emit("image", "import", image.id, {"name": image.id})
    async with call.stream_json() as send:
        if source != "-":
            await send({"status": f"Downloading from {source}"})
            await send({"status": "Importing", "progressDetail": {"current": size}})
        await send({"status": image.id})


async def _build(engine: Host, call: Call) -> None:
    raise NotSupported("builds are not supported by embedded engines, which run nothing real")


async def _push(engine: Host, call: Call) -> None:
    if call.request.header("x-registry-auth") is None:
        raise BadRequest("Bad parameters and missing X-Registry-Auth: EOF")
    name, tag = call.params["name"], call.query.get("tag")
    image = engine.state.images.find(f"{name}:{tag}" if tag else name)
    async with call.stream_json() as send:
        await send({"status": f"The push refers to repository [{name}]"})
        await send({"status": f"{tag or 'latest'}: digest: {image.id} size: 528"})


async def _save(engine: Host, call: Call) -> None:
    names = [call.params["name"]] if call.params else call.query.get_all("names")
    manifest = []
    for name in names:
        image = engine.state.images.find(name)
        manifest.append({"Config": f"{image.id[7:]}.json", "RepoTags": image.tags, "Layers": []})
    content, archive = json.dumps(manifest).encode(), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    async with call.stream(((b"Content-Type", b"application/x-tar"),)) as send:
        await send(archive.getvalue())


async def _commit(engine: Host, call: Call) -> None:
    state, query = engine.state, call.query
    record = state.find_container(query.get("container"))
    repository, tag = query.get("repo") or f"committed-{record.id[:12]}", query.get("tag")
    image = state.images.add(f"{repository}:{tag}" if tag else repository, state.clock())
    state.events.emit("container", "commit", record.id, {"imageID": image.id})
    await call.send_json({"Id": image.id}, 201)


async def _prune(engine: Host, call: Call) -> None:
    """Remove unused images without a tag; with ``dangling=false``, all unused images."""
    state = engine.state
    filters = parse_filters(call.query.get("filters"))
    everything, labelled = not filters.flag("dangling", default=True), filters.labelled("label")
    told: list[dict[str, str]] = []
    for image in list(state.images):
        is_meant = (everything or not image.tags) and labelled(image.config.get("Labels") or {})
        if is_meant and not state.users_of_image(image.id):
            told += state.images.remove(image.id, (), force=True)
    space = _SIZE * sum("Deleted" in message for message in told)
    await call.send_json({"ImagesDeleted": told or None, "SpaceReclaimed": space})


async def _prune_build(engine: Host, call: Call) -> None:
    await call.send_json({"CachesDeleted": None, "SpaceReclaimed": 0})


async def _load(engine: Host, call: Call) -> None:
    body, state = await call.read_body(), engine.state
    try:
        names = _names_in(body)
    except (tarfile.TarError, ValueError, KeyError, TypeError):
        async with call.stream_json() as send:
            text = "archive/tar: invalid tar header"
            await send({"errorDetail": {"message": text}, "error": text})
        return
    async with call.stream_json() as send:
        for name in names:
            image = state.images.add(name, state.clock())
            state.events.emit("image", "load", image.id, {"name": image.id})
            await send({"stream": f"Loaded image: {name}\n"})


def _names_in(archive: bytes) -> list[str]:
    """Return the tags in an archive of ``docker save``."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        manifest = tar.extractfile("manifest.json")
        if manifest is None:
            raise ValueError("manifest.json is no file")
        return [tag for image in json.load(manifest) for tag in image["RepoTags"] or ()]


async def _tag(engine: Host, call: Call) -> None:
    state = engine.state
    image = state.images.find(call.params["name"])
    tag = call.query.get("tag")
    repository = call.query.get("repo")
    name = state.images.tag(image, f"{repository}:{tag}" if tag else repository)
    state.events.emit("image", "tag", image.id, {"name": name})
    await call.send_empty(201)


async def _remove(engine: Host, call: Call) -> None:
    state, name = engine.state, call.params["name"]
    image = state.images.find(name)
    users = state.users_of_image(image.id)
    told = state.images.remove(name, users, force=call.query.flag("force"))
    for message in told:
        action, what = next(iter(message.items()))
        verb = "untag" if action == "Untagged" else "delete"
        state.events.emit("image", verb, image.id, {"name": what})
    await call.send_json(told)


ROUTES = routes(
    {
        "GET /images/json": _list,
        "GET /images/{name}/json": _inspect,
        "GET /images/{name}/history": _history,
        "POST /images/create": _pull,
        "POST /build": _build,
        "POST /session": _build,
        "POST /grpc": _build,
        "POST /images/load": _load,
        "GET /images/{name}/get": _save,
        "GET /images/get": _save,
        "POST /images/prune": _prune,
        "POST /images/{name}/push": _push,
        "POST /build/prune": _prune_build,
        "POST /commit": _commit,
        "POST /images/{name}/tag": _tag,
        "DELETE /images/{name}": _remove,
    }
)
