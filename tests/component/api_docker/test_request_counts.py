"""The requests to an engine for one client request: the request, and a bounded number of reads."""

import trio

CREATE = {"Image": "busybox", "Cmd": ["sleep", "600"], "Labels": {"on": "n2"}}


async def test_a_change_of_a_container_is_read_once_for_each_of_its_events(manager, n2):
    """One read consists of the container's object in the list, and its inspection."""
    id = ""
    for method, path, body, reads in [
        ("POST", "/containers/create?name=web", CREATE, 1),
        ("POST", "/containers/web/start", None, 2),  # its network is connected, it starts
        ("POST", "/containers/web/rename?name=crate", None, 1),
        ("POST", "/containers/crate/stop?t=0", None, 3),  # it dies, is disconnected, has stopped
        ("DELETE", "/containers/crate", None, 0),
    ]:
        n2.requests.clear()
        answer = await manager(method, path, body)
        assert answer.ok, answer
        await trio.sleep(0.5)  # events that come late cost nothing more
        # The engine is pinged, and asked for its past events once, whatever clients do.
        asked = [each.request for each in n2.requests if each.request.path.startswith("/cont")]
        id = id or answer.json()["Id"]
        lists = [each for each in asked if each.path == "/containers/json"]
        inspections = [each for each in asked if each.path == f"/containers/{id}/json"]
        assert len(asked) == 1 + len(lists) + len(inspections), path
        assert len(inspections) <= len(lists) <= reads, path
