"""Which contexts are used, how their engines are reached, and which contexts are skipped."""

import pytest
from swarmcore_discovery_contexts import swarmcore_discovery
from swarmcore_discovery_contexts.store import read_contexts

from swarmcore.errors import ConfigError
from swarmcore.protocols import DiscoveryOptions, DiscoveryURI, TLSFiles


def names(folder, *patterns):
    return [entry.labels["context"] for entry in read_contexts(folder, patterns or ["*"]).entries]


def test_contexts_are_chosen_by_name_and_by_pattern(tmp_path, make_context):
    for number, name in enumerate(["lab-2", "prod", "lab-1", "attic"]):
        make_context(name, f"tcp://n{number}:2375")
    assert names(tmp_path) == ["attic", "lab-1", "lab-2", "prod"]
    assert names(tmp_path, "prod", "lab-*") == ["lab-1", "lab-2", "prod"]


def test_files_of_a_context_secure_its_connection(tmp_path, make_context):
    _, files = make_context("n1", "tcp://n1:2376", "ca.pem", "cert.pem", "key.pem")
    (entry,) = read_contexts(tmp_path, ["*"]).entries
    assert entry.tls == TLSFiles(
        f"{files}/ca.pem", f"{files}/cert.pem", f"{files}/key.pem", verify=True
    )


def test_a_context_that_skips_verification_does_so_here(tmp_path, make_context):
    _, files = make_context("n1", "tcp://n1:2376", "ca.pem", SkipTLSVerify=True)
    (entry,) = read_contexts(tmp_path, ["*"]).entries
    assert entry.tls == TLSFiles(f"{files}/ca.pem", verify=False)


def test_without_files_the_managers_own_tls_holds(tmp_path, make_context):
    make_context("n1", "tcp://n1:2376")
    (entry,) = read_contexts(tmp_path, ["*"]).entries
    assert entry.tls is None


def test_a_context_that_cannot_be_used_is_named_and_the_others_are_used(tmp_path, make_context):
    make_context("good", "tcp://good:1")
    make_context("odd", "npipe:////./pipe/docker")
    make_context("none", "tcp://none:1")[0].write_text('{"Name": "none", "Endpoints": {}}')
    make_context("torn", "tcp://torn:1")[0].write_text('{"Name": ')
    found = read_contexts(tmp_path, ["*"])
    assert [str(entry.address) for entry in found.entries] == ["good:1"]
    torn, none, odd = found.problems
    assert "meta.json" in torn
    assert none == "context none: it has no Docker endpoint"
    assert odd.startswith("context odd: address 'npipe:////./pipe/docker': unknown scheme")


@pytest.mark.parametrize("rest", ["", "prod"])
def test_a_start_without_a_store_says_how_to_make_one(tmp_path, rest):
    options = DiscoveryOptions(options={"contexts.folder": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"contexts/meta: No such file.*docker context create"):
        swarmcore_discovery(DiscoveryURI("contexts", rest), options)


def test_a_start_with_a_name_that_no_context_has_says_so(tmp_path, make_context):
    make_context("lab", "tcp://lab:1")
    options = DiscoveryOptions(options={"contexts.folder": str(tmp_path)})
    with pytest.raises(ConfigError, match="no context is called prod or stage"):
        swarmcore_discovery(DiscoveryURI("contexts", "prod,stage"), options)
