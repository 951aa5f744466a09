"""Defaults and checks of the options of a manager, and the page that documents them."""

import re
from pathlib import Path

import pytest
from swarmcore_operations.commands.tables import DECISIONS_OPTIONS, DRAIN_OPTIONS, EXPLAIN_OPTIONS

from swarmcore.commands.demo import DEMO_OPTIONS
from swarmcore.commands.plugins import PLUGINS_OPTIONS
from swarmcore.errors import ConfigError
from swarmcore.model import TLSFiles
from swarmcore.options import parse_discovery
from swarmcore.options.option_tables import CLUSTER_OPTS, PLUGIN_OPTS
from tests.unit.manage_options import TABLE, options_of


def test_most_defaults_are_classics():
    options = options_of("n1:1")
    assert (options.heartbeat_seconds, options.failure_retry) == (60, 3)
    assert (options.refresh_min_seconds, options.refresh_max_seconds) == (30, 60)
    assert (options.overcommit, options.alternates) == (0.05, 3)
    assert (options.strategy, options.filters, options.tls) == (None, None, None)
    assert options.hosts == ("tcp://127.0.0.1:3375",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tls"], "--tlscert and --tlskey must be provided when using --tls"),
        (["--tlsverify", "--tlscert=c"], "--tlscert and --tlskey must be provided when using"),
        (["--tlsverify", "--tlscert=c", "--tlskey=k"], "--tlscacert must be provided when using"),
        (["--tlscacert=a"], "require the use of either --tls or --tlsverify"),
        (["--engine-refresh-min-interval=0"], "min refresh interval should be a positive number"),
        (["--engine-refresh-min-interval=x"], "invalid --engine-refresh-min-interval: 'x'"),
        (["--engine-refresh-max-interval=1s"], "max refresh interval cannot be less than min"),
        (["--engine-refresh-retry=4"], "deprecated. Use --engine-failure-retry"),
        (["--engine-failure-retry=0"], "invalid failure retry count"),
        (["--engine-failure-retry=few"], "invalid --engine-failure-retry: 'few'"),
        (["--heartbeat=900ms"], "--heartbeat should be at least one second"),
        (["--discovery-opt=x"], "invalid --discovery-opt: 'x' is not of the form key=value"),
        (["--cluster-driver=mesos"], 'unsupported cluster "mesos"'),
        (["--cluster-opt=swarm.overcommit"], "invalid --cluster-opt: 'swarm.overcommit'"),
        (["--cluster-opt=swarm.overcomit=1"], "no such key; did you mean swarm.overcommit?"),
        (["--cluster-opt=swarm.reschedule.aftr=1"], "did you mean swarm.reschedule.after?"),
        (["--cluster-opt=swarm.nosuch=1"], "swarm.nosuch: there is no such key; known are"),
        (["--cluster-opt=swarm.overcommit=-2"], "larger than -1, -2.000000 is invalid"),
        (["--cluster-opt=swarm.overcommit=much"], "'much' is invalid"),
        (["--cluster-opt=swarm.overcommit=nan"], "'nan' is invalid"),
        (["--cluster-opt=swarm.overcommit=1e308"], "1000 at most, '1e308' is invalid"),
        (["--cluster-opt=swarm.cpushares=2"], "swarm.cpushares should be weight or cpus, '2'"),
        (["--cluster-opt=swarm.createretry=-1"], "can not be negative, -1 is invalid"),
        (["--cluster-opt=swarm.createretry=1.5"], "'1.5' is invalid"),
        (["--replication"], "--advertise address must be provided"),
        (["--replication", "--advertise=h"], "of the form ip:port or hostname:port, not 'h'"),
        (["--replication", "--advertise=tcp://h:1"], "of the form ip:port or hostname:port"),
        (["--replication", "--replication-ttl=0s"], "--replication-ttl should be a positive"),
        (["--grace-period=-1s"], "--grace-period should not be a negative number"),
        (["--alternates=0"], "--alternates must be 1 or more, not 0"),
        (["--tls=maybe"], "invalid --tls: 'maybe' is neither true nor false"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_error_in_options_is_one_line(arguments, message):
    with pytest.raises(ConfigError, match=message):
        options_of(*arguments, "n1:1")


@pytest.mark.parametrize("words", [[], [""]], ids=["none", "empty"])
def test_discovery_is_required(words):
    with pytest.raises(ConfigError, match="discovery required to manage a cluster"):
        options_of(*words)


def test_the_first_failure_is_classic_s_first():
    with pytest.raises(ConfigError, match="--tlscert and --tlskey"):
        options_of("--tls", "--heartbeat=1ms")


@pytest.mark.parametrize("verify", [True, False])
def test_tlsverify_implies_tls(verify):
    flag = "--tlsverify" if verify else "--tls"
    options = options_of(flag, "--tlscacert=a", "--tlscert=c", "--tlskey=k", "n1:1")
    assert options.tls == TLSFiles("a", "c", "k", verify=verify)


def test_the_first_of_a_cluster_option_counts_and_unknown_ones_are_kept():
    options = options_of(
        "--cluster-opt=swarm.createretry=0x10", "--cluster-opt=swarm.createretry=1",
        "--cluster-opt=acme=1=2", "n1:1",
    )  # fmt: skip
    assert options.alternates == 16
    assert options.cluster_opts == {"swarm.createretry": "0x10", "acme": "1=2"}


@pytest.mark.parametrize(("given", "claims"), [([], False), (["weight"], False), (["cpus"], True)])
def test_cpu_shares_are_a_weight_unless_they_are_said_to_be_cpus(given, claims):
    options = options_of(*(f"--cluster-opt=swarm.cpushares={each}" for each in given), "n1:1")
    assert options.cpu_shares_are_cpus is claims


def test_the_election_lives_by_the_replication_ttl():
    options = options_of("--replication-ttl=9s", "--discovery-opt=kv.path=p", "n1:1")
    assert options.election_options.ttl_seconds == 9
    assert options.discovery_options.options == {"kv.path": "p"}
    assert options.discovery_options.ttl_seconds == 0


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("n1:1,n2:1", "nodes://n1:1,n2:1"),
        ("nodes://n1:1", "nodes://n1:1"),
        ("ssh://ops@n1,tcp://n2:1", "nodes://ssh://ops@n1,tcp://n2:1"),
        ("n1:1,ssh://n2", "nodes://n1:1,ssh://n2"),
        ("unix:///var/run/docker.sock", "nodes://unix:///var/run/docker.sock"),
        ("file:///etc/swarm", "file:///etc/swarm"),
        ("FILE:///etc/swarm", "file:///etc/swarm"),
        ("http+sd://h/x://y", "http+sd://h/x://y"),
    ],
)
def test_a_discovery_has_a_scheme_or_is_a_list_of_engines(text, uri):
    assert str(parse_discovery(text)) == uri


def test_keys_of_plugins_and_weighers_are_passed_on():
    opts = {"swarm.weight.disk": "1", "swarm.names": "both", "acme.rack": "r1"}
    words = [f"--cluster-opt={key}={text}" for key, text in opts.items()]
    assert options_of(*words, "n1:1").cluster_opts == opts


# ---- the page


def test_the_page_has_a_row_for_every_option_with_its_variable_and_default():
    page = (Path(__file__).parents[3] / "docs" / "options.md").read_text()
    rows, heading = {}, ""
    for line in page.splitlines():
        if line.startswith("## "):
            heading = line
        elif line.startswith("| `--") and heading in ("## Global options", "## manage"):
            _, spellings, variable, default, *_ = line.split("|")
            quoted = re.findall(r"`([^`]*)`", default)
            rows[spellings.strip()] = (variable.strip("` "), quoted)
    expected = {}
    for option in TABLE:
        if option.place == "argument":
            assert f"`{option.variable}`" in page
            continue
        names = [f"-{name}" if len(name) == 1 else f"--{name}" for name in option.aliases]
        spellings = ", ".join(f"`{name}`" for name in (f"--{option.name}", *names))
        variable = "" if option.name == "print-config" else option.variable
        expected[spellings] = (variable, list(option.default))
    assert {key: rows.get(key) for key in expected} == expected
    assert rows.keys() - expected.keys() == {"`--help`, `-h`", "`--version`, `-v`"}
    assert all(f"`{key}`" in page for key in (*CLUSTER_OPTS, *PLUGIN_OPTS))
    assert all(f"--{option.name}" in page for option in (*PLUGINS_OPTIONS, *DEMO_OPTIONS))
    asking = (*DECISIONS_OPTIONS, *DRAIN_OPTIONS, *EXPLAIN_OPTIONS)
    assert all(f"--{option.name}" in page for option in asking)
