"""Images of the whole cluster: tagged, removed, saved, loaded, imported, pushed, pruned."""

import io
import json
import tarfile
from functools import partial

import pytest
import swarmcore_api_docker.fanout.upload
import trio


def archive(*tags):
    """Return an archive like that of ``docker save``, with what an embedded engine reads of it."""
    content, file = json.dumps([{"RepoTags": list(tags)}]).encode(), io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def lines(answer):
    return [json.loads(line) for line in answer.body.splitlines()]


def tags(*engines):
    return [sorted({tag for image in engine.state.images for tag in image.tags})
            for engine in engines]  # fmt: skip


async def give(manager, name, *engines):
    """Add an image to some engines, and wait until the manager knows it."""
    for engine in engines:
        image = engine.state.images.add(name, engine.state.clock())
        engine.state.events.emit("image", "tag", image.id, {"name": name})
    await manager.wait_until(lambda: set(known(manager, name)) >= {e.name for e in engines})


def known(manager, name):
    return [node.name for node in manager.cluster.nodes() if name in node.image_words]


async def upload(manager, path, body, *, method="POST"):
    return await manager._client.request(method, f"/v1.41{path}", body=body)


async def test_a_tag_is_given_on_every_holder_and_known_at_once(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    answer = await manager("POST", "/images/app:1/tag?repo=app&tag=2")
    assert answer.status == 201
    assert known(manager, "app:2") == ["n1", "n2"]


async def test_a_tag_of_an_unknown_image_is_not_found(manager):
    answer = await manager("POST", "/images/none/tag?repo=a")
    assert (answer.status, answer.message) == (404, "No such image: none:latest")


async def test_a_tag_that_one_holder_refuses_fails_and_reports_both_results(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    n1.fail("POST /images/*/tag", 500, "no space left on device")
    answer = await manager("POST", "/images/app:1/tag?repo=app&tag=2")
    assert (answer.status, answer.message) == (
        500, "tagging app:1 failed on 1 of 2 nodes: n1: no space left on device; n2: done"
    )  # fmt: skip
    assert known(manager, "app:2") == ["n2"]


async def test_a_tag_that_every_holder_refuses_alike_is_refused_once(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    for engine in (n1, n2):
        engine.fail("POST /images/*/tag", 400, "invalid tag format")
    answer = await manager("POST", "/images/app:1/tag?repo=a&tag=-x")
    assert (answer.status, answer.message) == (400, "invalid tag format")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/images/BAD/tag?repo=a"),
        ("DELETE", "/images/BAD"),
        ("GET", "/images/BAD/json"),
        ("GET", "/images/get?names=BAD"),
    ],
)
async def test_a_name_that_no_image_can_have_is_refused_in_an_engines_words(
    manager, n1, method, path
):
    n1.fail("/images/*", 418, "invalid reference format")
    answer = await manager(method, path)
    assert (answer.status, answer.message) == (418, "invalid reference format")


async def test_a_removal_joins_the_reports_of_all_holders(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    report = await manager.json("DELETE", "/images/app:1")
    assert [each for each in report if "Untagged" in each] == [{"Untagged": "app:1"}] * 2
    assert known(manager, "app:1") == []


async def test_a_removal_that_one_holder_refuses_fails_and_reports_both_results(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    n2.fail("DELETE /images/*", 409, "conflict: in use")
    answer = await manager("DELETE", "/images/app:1")
    assert answer.status == 500
    assert answer.message == (
        "removing app:1 failed on 1 of 2 nodes: n2: conflict: in use; n1: done"
    )
    assert known(manager, "app:1") == ["n2"]


async def test_a_removal_of_platforms_is_refused_where_an_engine_would_remove_all(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    answer = await manager("DELETE", "/images/app:1?platforms=x", version="v1.51")
    assert answer.status == 400
    assert "requires API version 1.50, which n1 lacks" in answer.message
    assert tags(n1)[0].count("app:1") == 1


async def test_history_comes_from_a_holder(manager, n2):
    await give(manager, "app:1", n2)
    assert (await manager.json("GET", "/images/app:1/history"))[0]["Tags"] == ["app:1"]


@pytest.mark.parametrize("path", ["/images/app:1/get", "/images/get?names=app:1&names=db:1"])
async def test_an_archive_comes_from_the_engine_that_has_everything(manager, n1, n2, path):
    await give(manager, "app:1", n1, n2)
    await give(manager, "db:1", n2)
    answer = await manager("GET", path)
    assert answer.status == 200
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
        assert tar.getnames() == ["manifest.json"]


async def test_images_that_no_engine_has_together_cannot_be_saved_together(manager, n1, n2):
    await give(manager, "app:1", n1)
    await give(manager, "db:1", n2)
    answer = await manager("GET", "/images/get?names=app:1&names=db:1")
    assert answer.status == 404
    assert "no node has all of these images" in answer.message
    assert "app:1 is on n1; db:1 is on n2" in answer.message


async def test_a_load_reaches_every_engine_and_is_reported_once(manager, n1, n2):
    answer = await upload(manager, "/images/load", archive("app:1"))
    assert lines(answer) == [{"stream": "Loaded image: app:1\n"}]
    assert known(manager, "app:1") == ["n1", "n2"]
    assert n1.requests_like("POST /images/load")[0].body == archive("app:1")


async def test_a_load_that_one_engine_refuses_is_no_success(manager, n1, n2):
    n1.fail("POST /images/load", 500, "no space left on device")
    answer = await upload(manager, "/images/load", archive("app:1"))
    assert answer.status == 500
    assert answer.message == "load failed on 1 of 2 nodes: n1: no space left on device"
    assert known(manager, "app:1") == ["n2"]


async def test_a_load_is_answered_when_every_engine_has_done_its_part(manager, n1, n2):
    """skopeo reads the answer's head and no more."""
    loading = n1.hang("POST /images/load")
    begun = trio.Event()

    async def read_head():
        sent = ((b"Host", b"docker"), (b"Transfer-Encoding", b"chunked"))
        async with manager._client.call("POST", "/v1.41/images/load?quiet=1", sent) as call:
            await call.send(archive("app:1"))
            await call.finish()
            await call.read_head()
            begun.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_head)
        await manager.wait_until(lambda: known(manager, "app:1") == ["n2"])
        with trio.move_on_after(0.3):
            await begun.wait()
        assert not begun.is_set()
        loading.release()
    assert known(manager, "app:1") == ["n1", "n2"]


async def test_a_load_that_every_engine_refuses_is_their_refusal(manager, n1, n2):
    for engine in (n1, n2):
        engine.fail("POST /images/load", 507, "no space left on device")
    answer = await upload(manager, "/images/load", archive("app:1"))
    assert (answer.status, answer.message) == (507, "no space left on device")


async def test_a_stalled_engine_loses_its_part_and_no_other(manager, n1, n2, monkeypatch):
    monkeypatch.setattr(swarmcore_api_docker.fanout.upload, "STALL_SECONDS", 4)
    n1.hang("POST /images/load")
    body = archive("app:1") + bytes(64 << 20)
    with trio.fail_after(100):
        answer = await upload(manager, "/images/load", body)
    assert answer.message.startswith("load failed on 1 of 2 nodes: n1: engine n1 took")
    assert known(manager, "app:1") == ["n2"]
    assert len(n2.requests_like("POST /images/load")[0].body) == len(body)


@pytest.mark.parametrize(
    ("source", "progress"),
    [
        ("-", []),
        ("http://h/x.tar", ["n1: Downloading from http://h/x.tar", "n1: Importing",
                            "n2: Downloading from http://h/x.tar", "n2: Importing"]),
    ],
)  # fmt: skip
async def test_an_import_reaches_every_engine_and_tells_one_id(manager, n1, n2, source, progress):
    answer = await upload(manager, f"/images/create?fromSrc={source}&repo=made&tag=1", b"tar")
    *before, last = [line["status"] for line in lines(answer)]
    assert sorted(before) == progress
    assert last == n1.state.images.find("made:1").id
    assert known(manager, "made:1") == ["n1", "n2"]


async def test_an_import_that_one_engine_refuses_is_no_success(manager, n1, n2):
    n1.fail("POST /images/create", 500, "no space left on device")
    answer = await upload(manager, "/images/create?fromSrc=-&repo=made&tag=1", b"tar")
    assert answer.status == 500
    assert answer.message == "import failed on 1 of 2 nodes: n1: no space left on device"
    assert known(manager, "made:1") == ["n2"]


async def test_an_interrupted_upload_leaves_no_image(manager, n1, n2):
    sent = ((b"Host", b"docker"), (b"Transfer-Encoding", b"chunked"))
    with trio.fail_after(100):
        async with manager._client.call("POST", "/v1.41/images/load", sent) as call:
            await call.send(archive("app:1"))
            for engine in (n1, n2):
                await engine.wait_request("POST /images/load")
    await upload(manager, "/images/load", archive("db:1"))
    assert [("app:1" in found, "db:1" in found) for found in tags(n1, n2)] == [(False, True)] * 2


async def test_a_push_goes_to_one_holder_with_the_clients_credentials(manager, n1, n2):
    await give(manager, "team/app:1", n2)
    headers = ((b"X-Registry-Auth", b"e30="),)
    answer = await manager("POST", "/images/team/app/push?tag=1", headers=headers)
    assert "digest" in lines(answer)[-1]["status"]
    assert n1.requests_like("POST /images/*/push") == []


@pytest.mark.parametrize("query", ["?tag=1", "", "?tag=-x"])
async def test_a_push_of_an_unknown_image_fails_as_on_one_engine(manager, n1, query):
    n1.fail("POST /images/*/push", 418, "in the engine's words")
    answer = await manager("POST", f"/images/none/push{query}")
    assert (answer.status, answer.message) == (418, "in the engine's words")


async def test_a_commit_names_the_container_by_its_id_and_the_image_is_known(manager, n1, n2):
    id = await manager.run("web", "n2")
    await manager.json("POST", "/commit?container=web&repo=saved&tag=1", {})
    assert n2.requests_like("POST /commit")[0].request.query.get("container") == id
    assert known(manager, "saved:1") == ["n2"]


async def test_a_commit_clears_the_managers_labels_before_the_clients_changes(manager, n1):
    asked = {"Env": ["constraint:node==n1"], "Labels": {"mine": "1"}}
    await manager.create("web", "n1", **asked)
    await manager.json("POST", "/commit?container=web&repo=saved&changes=LABEL+a%3Db", {})
    (commit,) = n1.requests_like("POST /commit")
    assert commit.request.query.get_all("changes") == [
        "LABEL com.docker.swarm.id=",
        "LABEL com.docker.swarm.constraints=",
        "LABEL a=b",
    ]


async def test_an_image_is_copied_to_the_node_of_the_container_once(manager, n1, n2):
    await give(manager, "app:1", n1)
    loading = n2.hang("POST /images/load")
    async with trio.open_nursery() as nursery:
        for name in ("one", "two"):
            nursery.start_soon(partial(manager.create, name, "n2", image="app:1"))
        await n2.wait_request("/images/load")
        loading.release()
    assert len(n2.requests_like("POST /images/load")) == 1
    assert known(manager, "app:1") == ["n1", "n2"]
    assert sorted(container.name for container in n2.containers) == ["one", "two"]


async def test_an_image_of_a_registry_is_left_to_the_clients_pull(manager, n1, n2):
    def from_registry(rows):
        return [{**row, "RepoDigests": ["app@sha256:" + "1" * 64]} for row in rows]

    n1.lie("GET /images/json", from_registry)
    await give(manager, "app:1", n1)
    answer = await manager("POST", "/containers/create", {"Image": "app:1", "Labels": {"on": "n2"}})
    assert answer.status == 404
    assert n2.requests_like("POST /images/load") == []


@pytest.mark.parametrize("failing", ["GET /images/*/get", "POST /images/load"])
async def test_an_image_that_cannot_be_copied_is_missing(manager, n1, n2, failing):
    await give(manager, "app:1", n1)
    for engine in (n1, n2):
        engine.fail(failing, 500, "no space left on device")
    answer = await manager("POST", "/containers/create", {"Image": "app:1", "Labels": {"on": "n2"}})
    assert (answer.status, answer.message) == (404, "No such image: app:1")


async def test_prunes_sum_the_engines_reports(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    ids = {await manager.create("one", "n1"), await manager.create("two", "n2")}
    report = await manager.json("POST", "/containers/prune")
    assert set(report["ContainersDeleted"]) == ids
    assert await manager.names("?all=1") == []
    images = await manager.json("POST", "/images/prune", dangling=["false"])
    assert images["SpaceReclaimed"] > 0
    assert known(manager, "app:1") == []
    assert await manager.json("POST", "/build/prune") == {
        "CachesDeleted": None, "SpaceReclaimed": 0,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["containers", "images", "networks", "volumes", "build"])
async def test_a_prune_that_one_engine_refuses_fails_and_reports_both_results(manager, n1, kind):
    n1.fail(f"POST /{kind}/prune", 409, "a prune operation is already running")
    answer = await manager("POST", f"/{kind}/prune")
    assert (answer.status, answer.message) == (
        500,
        f"pruning {kind} failed on 1 of 2 nodes: "
        "n1: a prune operation is already running; n2: done",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/images/prune"),
        ("POST", "/images/app:1/tag?repo=app&tag=2"),
        ("DELETE", "/images/app:1"),
        ("POST", "/images/load"),
        ("POST", "/images/create?fromImage=team/tool&tag=1"),
    ],
)
async def test_work_on_a_lost_engine_fails_and_names_it(manager, n1, n2, method, path):
    await give(manager, "app:1", n1, n2)
    n2.allow_pull("team/tool:1")
    n1.drop(f"{method} {path.partition('?')[0]}")
    answer = await upload(manager, path, archive("new:1"), method=method)
    told = lines(answer)[-1]
    assert " failed on 1 of 2 nodes: n1: engine " in told.get("error", told.get("message"))
    assert answer.status == (200 if "error" in told else 500)


async def test_disk_usage_is_of_all_engines_and_asked_one_at_a_time(manager, n1, n2):
    await give(manager, "app:1", n1, n2)
    n1.delay("GET /system/df", 0.1)
    reports = []

    async def ask():
        reports.append(await manager.json("GET", "/system/df"))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    for report in reports:
        named = [image for image in report["Images"] if "app:1" in (image["RepoTags"] or ())]
        assert len(named) == 2


async def test_the_next_engine_is_asked_when_one_cannot_reach_the_registry(manager, n1, n2):
    n1.fail("GET /distribution/*", 503, "registry unreachable")
    n2.fail("GET /distribution/*", 404, "manifest unknown")
    answer = await manager("GET", "/distribution/app/json")
    assert (answer.status, answer.message) == (404, "manifest unknown")
