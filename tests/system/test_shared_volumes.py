"""Volumes of a plugin with global scope on two of three engines: one volume on both."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

#: What the plugin is called, and what engines of the lab are.
PLUGIN = "shared"
RELEASES = {"plug-a": "20.10", "plug-b": "28.5", "plain": "26.1"}


class VolumePlugin(ThreadingHTTPServer):
    """A volume driver for all engines of the lab; its volumes are folders of this machine."""

    daemon_threads = True

    def __init__(self, host, folder):
        super().__init__((host, 0), _PluginHandler)
        self.folder = folder
        self.names = []

    def answer(self, path, body):
        name = body.get("Name", "")
        place = str(self.folder / name.replace("/", "+"))
        match path.removeprefix("/VolumeDriver."):
            case "/Plugin.Activate":
                return {"Implements": ["VolumeDriver"]}
            case "Capabilities":
                return {"Capabilities": {"Scope": "global"}}
            case "Create":
                (self.folder / name.replace("/", "+")).mkdir(exist_ok=True)
                self.names.append(name)
            case "Remove":
                self.names.remove(name)
            case "Mount" | "Path":
                return {"Mountpoint": place}
            case "Get" if name in self.names:
                return {"Volume": {"Name": name, "Mountpoint": place}}
            case "Get":
                return {"Err": "no such volume"}
            case "List":
                return {"Volumes": [{"Name": each, "Mountpoint": ""} for each in self.names]}
        return {}


class _PluginHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        answer = self.server.answer(self.path, json.loads(self.rfile.read(length) or b"{}"))
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.2+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def plugin(lab, tmp_path_factory):
    server = VolumePlugin(lab.gateway, tmp_path_factory.mktemp("shared"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def engines_with_plugin(lab, plugin):
    engines = lab.start_engines(
        [{"name": name, "release": release} for name, release in RELEASES.items()]
    )
    lab.image(engines)
    host, port = plugin.server_address
    for engine in engines:
        if engine.name.startswith("plug"):
            place = "/etc/docker/plugins"
            script = f"mkdir -p {place} && echo tcp://{host}:{port} > {place}/{PLUGIN}.spec"
            engine.run("sh", "-c", script)
    yield {engine.name: engine for engine in engines}
    for engine in engines:
        engine.power_off()


@pytest.fixture(scope="module")
def manager(engines_with_plugin, start_manager):
    manager = start_manager(",".join(each.address for each in engines_with_plugin.values()))
    manager.wait_healthy(len(RELEASES))
    yield manager
    manager.stop()


@pytest.fixture
def docker(manager, make_docker):
    docker = make_docker("28", manager.host)
    yield docker
    docker.remove_all()
    if names := docker("volume", "ls", "-q").split():
        docker("volume", "rm", *names)


@pytest.fixture
def direct(engines_with_plugin, make_docker):
    return lambda name: make_docker("20.10", f"tcp://{engines_with_plugin[name].address}")


def on(node):
    return ("-e", f"constraint:node=={node}")


def create(docker, name):
    return docker("volume", "create", "-d", PLUGIN, name)


def listed(docker):
    return docker("volume", "ls", "--format", "{{.Driver}} {{.Name}}").splitlines()


@pytest.mark.parametrize("name", ["files", "team/files", "team/app/files"])
def test_a_volume_is_one_on_all_engines_that_have_its_driver(docker, plugin, name):
    for _ in range(2):  # wherever each is made
        assert create(docker, name) == name
        assert listed(docker) == [f"{PLUGIN} {name}"]
        for node in ("plug-a", "plug-b"):
            docker("run", "--rm", *on(node), "-v", f"{name}:/d", "busybox",
                   "sh", "-c", f"echo {node} >> /d/file")  # fmt: skip
        read = docker("run", "--rm", "-v", f"{name}:/d", "busybox", "cat", "/d/file")
        assert read.splitlines()[-2:] == ["plug-a", "plug-b"]
        assert docker("volume", "inspect", "-f", "{{.Name}} {{.Scope}}", name) == f"{name} global"
        assert docker("volume", "rm", name) == name
        assert listed(docker) == []
        assert plugin.names == []


def test_containers_with_a_shared_volume_go_to_engines_with_its_driver(docker):
    create(docker, "files")
    run = ("run", "-d", "--init", "-v", "files:/d", "busybox", "sleep", "600")
    ids = [docker(*run) for _ in range(4)]
    nodes = {docker("inspect", "-f", "{{.Node.Name}}", id) for id in ids}
    assert nodes == {"plug-a", "plug-b"}
    done = docker.run("run", "--rm", *on("plain"), "-v", "files:/d", "busybox", "true")
    assert done.returncode == 125
    assert "volume files is only on plug-a, plug-b" in done.stderr


@pytest.mark.parametrize("name", ["made", "team/made"])
def test_a_volume_that_a_container_makes_is_known_everywhere_at_once(docker, name):
    docker("run", "--rm", *on("plug-a"), "--volume-driver", PLUGIN, "-v", f"{name}:/d", "busybox",
           "sh", "-c", "echo hello > /d/file")  # fmt: skip
    read = docker("run", "--rm", *on("plug-b"), "-v", f"{name}:/d", "busybox", "cat", "/d/file")
    assert read == "hello"
    assert listed(docker) == [f"{PLUGIN} {name}"]


def test_a_mount_with_the_plugin_goes_to_an_engine_that_has_it(docker):
    mount = f"type=volume,source=team/mount,target=/d,volume-driver={PLUGIN}"
    for _ in range(4):
        id = docker("run", "-d", "--init", "--mount", mount, "busybox", "sleep", "600")
        assert docker("inspect", "-f", "{{.Node.Name}}", id).startswith("plug")


def test_a_volume_in_use_on_any_engine_stays(docker):
    create(docker, "files")
    id = docker("create", *on("plug-a"), "-v", "files:/d", "busybox")
    assert docker("volume", "ls", "-q", "-f", "dangling=true") == ""
    done = docker.run("volume", "rm", "files")
    assert done.returncode == 1
    assert id in done.stderr
    assert listed(docker) == [f"{PLUGIN} files"]


def test_changes_made_directly_on_an_engine_are_soon_known(docker, direct, wait_until):
    create(direct("plug-b"), "files")
    wait_until(lambda: listed(docker) == [f"{PLUGIN} files"], "the volume to be listed")
    docker("run", "--rm", *on("plug-a"), "-v", "files:/d", "busybox", "true")
    direct("plug-b")("volume", "rm", "files")
    wait_until(lambda: listed(docker) == [], "the volume to be gone")


def test_a_prune_keeps_a_shared_volume_as_engines_do(docker, direct):
    create(docker, "files")
    docker("volume", "create", "plug-b/own")
    for prune in (direct("plug-a"), docker):
        assert "files" not in prune("volume", "prune", "-f")
    assert listed(docker) == [f"{PLUGIN} files"]


def test_without_a_plugin_the_text_before_a_slash_is_a_node(docker):
    done = docker.run("volume", "create", "ghost/files")
    assert done.returncode == 1
    assert "no node is called ghost" in done.stderr
    assert docker("volume", "create", "plain/files") == "files"
    assert listed(docker) == ["local files"]
