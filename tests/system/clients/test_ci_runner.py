"""The requests of CI runners for a job: volumes, a network, services and containers of steps.

There are two patterns: GitLab's runner makes volumes first and attaches to steps; Drone makes all
objects for one job.  Other jobs run at the same time.
"""

from concurrent.futures import ThreadPoolExecutor

import docker
import pytest

# The SDK leaves the sockets of streams to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
RUNNER = "CI runner's pattern"
STILL = ["sh", "-c", "trap exit TERM; while true; do sleep 0.1; done"]
SERVE = ["httpd", "-f", "-p", "80", "-h", "/etc"]
WAIT = "until wget -qO /dev/null http://$SERVICE/hosts; do sleep 0.1; done"


@pytest.fixture
def api(sdk, versions):
    versions[RUNNER] = versions["docker SDK for Python"]
    return sdk.api


class Job:
    """A job as GitLab's runner executes it; all requests have the job's labels and names."""

    def __init__(self, api, number):
        self._api = api
        self._name = f"runner-{number}"
        self._labels = {"com.gitlab.gitlab-runner.job.id": str(number)}
        self._containers = []

    def make_volumes(self):
        """Make the volumes of sources and of the cache; a container prepares each of them."""
        self._binds = [f"{self._name}-builds:/builds", f"{self._name}-cache:/cache"]
        for bind in self._binds:
            name, _, folder = bind.partition(":")
            self._api.create_volume(name, labels=self._labels)
            self.step(f"chmod 777 {folder}", binds=[bind])

    def make_network(self):
        name = f"{self._name}-net"
        self._network = self._api.create_network(name, labels=self._labels, check_duplicate=True)
        assert self._api.inspect_network(self._network["Id"])["Name"] == name

    def start_service(self):
        """Start a service with an alias on the network, and wait until it answers there."""
        id = self._create(SERVE, aliases=["store"], binds=self._binds)
        self._api.start(id)
        self.step(WAIT, env={"SERVICE": "store"})

    def step(self, script, binds=(), env=None):
        """Run a container that reads its script from its attached input; return its output."""
        id = self._create(["sh", "-e"], binds=binds, env=env, stdin=True)
        attached = self._api.attach_socket(
            id, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        self._api.start(id)
        attached._sock.sendall(script.encode())
        attached._sock.shutdown(1)
        status = self._api.wait(id)["StatusCode"]
        attached.close()
        told = self._api.logs(id).decode()
        assert status == 0, told
        return told

    def run(self):
        """Run the whole job."""
        self.make_volumes()
        self.make_network()
        self.start_service()
        self.step("echo source >/builds/source", binds=self._binds)
        script = "cat /builds/source; wget -qO- http://store/hosts; echo kept >/cache/kept"
        told = self.step(script, binds=self._binds)
        assert told.startswith("source\n")
        assert "localhost" in told
        assert self.step("cat /cache/kept", binds=self._binds) == "kept\n"

    def clean_up(self):
        for id in self._containers:
            self._api.remove_container(id, force=True, v=True)
        self._api.remove_network(self._network["Id"])
        for bind in self._binds:
            self._api.remove_volume(bind.partition(":")[0])

    def left(self):
        filters = {"label": [f"{name}={value}" for name, value in self._labels.items()]}
        return [
            *self._api.containers(all=True, filters=filters),
            *self._api.networks(filters=filters),
            *self._api.volumes(filters=filters)["Volumes"],
        ]

    def _create(self, command, *, binds=(), env=None, aliases=(), stdin=False):
        networking = None
        host = {"binds": list(binds)}
        if hasattr(self, "_network"):
            name = f"{self._name}-net"
            host["network_mode"] = name
            endpoint = self._api.create_endpoint_config(aliases=list(aliases))
            networking = self._api.create_networking_config({name: endpoint})
        made = self._api.create_container(
            "busybox",
            command,
            environment=env,
            stdin_open=stdin,
            labels=self._labels,
            host_config=self._api.create_host_config(**host),
            networking_config=networking,
        )
        self._containers.append(made["Id"])
        return made["Id"]


@pytest.mark.client(RUNNER, "volumes, a network, a service that is waited for, attached steps")
@pytest.mark.client(RUNNER, "removes all of a job")
def test_job(api, sdk):
    sdk.containers.run("busybox", STILL, detach=True)
    job = Job(api, 1)
    job.run()
    job.clean_up()
    assert job.left() == []


@pytest.mark.client(RUNNER, "four jobs at once")
def test_jobs_at_once(api):
    jobs = [Job(api, number) for number in range(4)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(Job.run, jobs))
        list(pool.map(Job.clean_up, jobs))
    assert [job.left() for job in jobs] == [[]] * len(jobs)


@pytest.mark.client(RUNNER, "a volume, a network, and parallel steps on both, as Drone's")
def test_pipeline(sdk, target):
    network = sdk.networks.create("drone", labels={"io.drone": "true"})
    sdk.containers.run("busybox", STILL, detach=True)
    sdk.volumes.create("drone", labels={"io.drone": "true"})
    options = {
        "network": "drone",
        "volumes": {"drone": {"bind": "/drone", "mode": "rw"}},
        "working_dir": "/drone",
        "labels": {"io.drone": "true"},
        "detach": True,
    }
    sdk.containers.run("busybox", SERVE, name="store", **options)

    def step(number):
        client = docker.DockerClient(base_url=target.host)
        script = f"{WAIT}; echo {number} >made-{number}"
        settings = {**options, "environment": {"SERVICE": "store"}}
        box = client.containers.run("busybox", ["sh", "-c", script], **settings)
        told = (box.wait()["StatusCode"], box.logs())
        client.close()
        return told

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(step, range(4))) == [(0, b"")] * 4
    box = sdk.containers.run("busybox", ["ls"], **options)
    assert box.wait()["StatusCode"] == 0
    assert box.logs() == b"made-0\nmade-1\nmade-2\nmade-3\n"
    for container in sdk.containers.list(all=True, filters={"label": "io.drone"}):
        container.remove(force=True, v=True)
    network.remove()
    sdk.volumes.get("drone").remove()
