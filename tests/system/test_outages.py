"""An engine is killed, hangs, or is cut off: others are not affected, and it comes back."""

import pytest


class Killed:
    is_silent = False

    def begin(self, engine):
        engine.kill()

    def end(self, engine):
        engine.restart()


class Hung:
    is_silent = True

    def begin(self, engine):
        engine.pause()

    def end(self, engine):
        engine.resume()


class CutOff:
    is_silent = True

    def begin(self, engine):
        engine.cut()

    def end(self, engine):
        engine.mend()


def status_of(manager, name):
    rows = manager.get("/info")["SystemStatus"]
    at = [key.strip() for key, _ in rows].index(name)
    return next(value for key, value in rows[at:] if "Status" in key)


@pytest.mark.parametrize("outage", [Killed(), Hung(), CutOff()], ids=["killed", "hung", "cut off"])
def test_an_outage_affects_only_its_engine(fleet, wait_until, outage):
    docker = fleet.docker()
    manager = fleet.manager
    kept = docker("run", "-d", "--name", "kept", "-e", "constraint:node==middle",
                  "--restart", "always", "busybox", "sleep", "600")  # fmt: skip
    tunnels = [docker.start("attach", "kept"), docker.start("exec", "kept", "sleep", "600")]
    engine = fleet.engines["middle"]
    document = f"/containers/{kept}/json"
    wait_until(lambda: engine.api.call("GET", document)["ExecIDs"], "the exec to run")
    outage.begin(engine)
    try:
        undisturbed = 0
        while status_of(manager, "middle") == "Healthy":
            docker("run", "-d", "-e", "constraint:node!=middle", "busybox", "sleep", "600")
            assert docker("ps", "-q")
            undisturbed += status_of(manager, "middle") == "Healthy"
        # What waited for a silent engine would only come after the manager has given it up.
        assert undisturbed or not outage.is_silent
        assert status_of(manager, "middle") == "Unhealthy"
        docker("run", "-d", "-e", "constraint:node!=middle", "busybox", "sleep", "600")
        refused = docker.run("run", "-d", "-e", "constraint:node==middle", "busybox", "true")
        assert refused.returncode == 125
        assert docker.run("exec", "kept", "true").returncode != 0
        for tunnel in tunnels:
            assert tunnel.wait(30) != 0
    finally:
        for tunnel in tunnels:
            tunnel.kill()
            tunnel.communicate()
        outage.end(engine)
    wait_until(lambda: status_of(manager, "middle") == "Healthy", "the engine to return")
    assert docker("inspect", "-f", "{{.Id}}", "kept") == kept
    assert kept in docker("ps", "-aq", "--no-trunc").split()
    docker("run", "--rm", "-e", "constraint:node==middle", "busybox", "true")
