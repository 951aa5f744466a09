"""A container's output has the media type of the client's API version on every engine."""

import pytest

pytestmark = pytest.mark.docker

UPGRADE = {"Content-Type": "application/json", "Upgrade": "tcp"}


@pytest.fixture
def output_type(raw_ask):
    """Return the media type of an exec or attach of a new container in one place."""

    def output_type(address, verb, terminal, **config):
        def must(method, path, body=None, headers=None):
            reply = raw_ask(address, method, f"/v1.45{path}", body, headers)
            assert reply.status < 300, reply
            return reply

        config |= {"Image": "busybox", "Cmd": ["sleep", "600"], "HostConfig": {"Init": True}}
        box = must("POST", "/containers/create", {**config, "Tty": terminal}).json["Id"]
        try:
            must("POST", f"/containers/{box}/start")
            if verb == "attach":
                path = f"/containers/{box}/attach?stream=1&stdout=1"
                return must("POST", path, b"", UPGRADE).headers["content-type"]
            asked = {"Cmd": ["true"], "AttachStdout": True, "Tty": terminal}
            id = must("POST", f"/containers/{box}/exec", asked).json["Id"]
            body = b'{"Tty": true}' if terminal else b"{}"
            return must("POST", f"/exec/{id}/start", body, UPGRADE).headers["content-type"]
        finally:
            must("DELETE", f"/containers/{box}?force=1")

    return output_type


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("verb", ["attach", "exec"])
def test_an_old_engines_output_has_the_media_type_of_a_new_one(
    shared_fleet, output_type, verb, terminal
):
    manager = f"127.0.0.1:{shared_fleet.manager.port}"
    through = output_type(manager, verb, terminal, Env=["constraint:node==old"])
    assert through == output_type(shared_fleet.engines["new"].address, verb, terminal)
