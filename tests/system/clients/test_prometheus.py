"""Prometheus' docker_sd: it finds its targets among the containers."""

import json
import re
import subprocess
import urllib.request

import pytest
from swarmcore_lab.releases import cache_dir

from swarmcore.testing.ports import free_port

PROMETHEUS = "Prometheus' docker_sd"
PROGRAM = cache_dir() / "prometheus" / "prometheus"
SERVE = "mkdir /www; echo made 1 >/www/metrics; trap exit TERM; httpd -f -p 80 -h /www & wait"

#: Scraped where its port is published: an engine says 0.0.0.0, a cluster the address of the node.
CONFIG = """
scrape_configs:
  - job_name: containers
    scrape_interval: 1s
    docker_sd_configs:
      - host: {host}
        refresh_interval: 1s
        filters: [{{name: label, values: [tier=front]}}]
    relabel_configs:
      - source_labels: [__meta_docker_port_public]
        regex: ""
        action: drop
      - source_labels: [__meta_docker_port_public_ip]
        regex: "::"
        action: drop
      - source_labels: [__meta_docker_port_public_ip, __meta_docker_port_public]
        separator: ":"
        target_label: __address__
      - source_labels: [__address__]
        regex: "0.0.0.0:(.*)"
        replacement: "{address}:$1"
        target_label: __address__
      - source_labels: [__meta_docker_container_name]
        target_label: container
"""


@pytest.fixture
def prometheus(target, tmp_path, versions, wait_until):
    """Send a request to a running Prometheus that looks for containers at the target."""
    told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    versions[PROMETHEUS] = re.search(r"version (\S+?)\+", told.stdout + told.stderr).group(1)
    address = target.host.removeprefix("tcp://").partition(":")[0]
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(host=target.host, address=address))
    port = free_port()
    command = [
        str(PROGRAM),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def ask(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def is_up():
        try:
            return ask("targets")
        except OSError:
            return None

    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(is_up, f"Prometheus to answer; see {tmp_path / 'log'}")
        yield ask
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.client(PROMETHEUS, "finds containers by label, scrapes published ports, forgets")
def test_containers(prometheus, sdk, wait_until):
    def up():
        found = prometheus("targets")["activeTargets"]
        return sorted(one["labels"]["container"] for one in found if one["health"] == "up")

    labels = {"tier": "front"}
    for name in ("web", "shop", "till"):
        options = {"name": name, "labels": labels, "ports": {"80/tcp": None}, "detach": True}
        sdk.containers.run("busybox", ["sh", "-c", SERVE], **options)
    sdk.containers.run("busybox", ["sleep", "1000"], detach=True)
    wait_until(lambda: up() == ["/shop", "/till", "/web"], "three containers to be scraped")
    one = next(
        found["discoveredLabels"]
        for found in prometheus("targets")["activeTargets"]
        if found["labels"]["container"] == "/web"
    )
    assert one["__meta_docker_container_label_tier"] == "front"
    assert one["__meta_docker_network_name"].endswith("bridge")
    assert one["__meta_docker_port_private"] == "80"
    made = prometheus("query?query=made")["result"]
    assert {sample["metric"]["container"] for sample in made} <= {"/shop", "/till", "/web"}
    sdk.containers.get("shop").remove(force=True)
    wait_until(lambda: up() == ["/till", "/web"], "one of them to be forgotten")
