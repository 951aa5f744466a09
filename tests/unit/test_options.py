"""Options: sources and their order, classic's checks, and the file."""

import re
from pathlib import Path

import pytest
from swarmcore_operations.commands.tables import DECISIONS_OPTIONS, DRAIN_OPTIONS, EXPLAIN_OPTIONS

from swarmcore.command_line.flags import split_arguments
from swarmcore.command_line.settings import read_config_file, resolve
from swarmcore.commands.demo import DEMO_OPTIONS
from swarmcore.commands.plugins import PLUGINS_OPTIONS
from swarmcore.errors import ConfigError
from swarmcore.model import TLSFiles
from swarmcore.options import build_options, parse_discovery
from swarmcore.options.option_tables import (
    CLUSTER_OPTS,
    GLOBAL_OPTIONS,
    MANAGE_OPTIONS,
)

TABLE = (*GLOBAL_OPTIONS, *MANAGE_OPTIONS)


def settings_of(*arguments, environment=None, file=None):
    given, words = split_arguments(arguments, TABLE, "swarmcore manage")
    if words:
        given["discovery"] = words
    return resolve(TABLE, given, environment or {}, file and read_config_file(str(file), TABLE))


def options_of(*arguments, **sources):
    return build_options(settings_of(*arguments, **sources))


def written(tmp_path, text):
    path = tmp_path / "swarmcore.toml"
    path.write_text(text)
    return path


# ---- flags


@pytest.mark.parametrize(
    "arguments",
    [
        ["--heartbeat=5s", "n1:1"],
        ["--heartbeat", "5s", "n1:1"],
        ["-heartbeat=5s", "n1:1"],
        ["-heartbeat", "5s", "--", "n1:1"],
        ["--heartbeat", "1s", "--heartbeat", "5s", "n1:1"],
    ],
    ids=" ".join,
)
def test_one_dash_is_two_dashes_and_a_blank_is_an_equals_sign(arguments):
    assert options_of(*arguments).heartbeat_seconds == 5


def test_flags_stop_at_the_first_word():
    given, words = split_arguments(["-tls", "n1:1", "--tls"], TABLE, "swarmcore manage")
    assert (given, words) == ({"tls": ["true"]}, ["n1:1", "--tls"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["n1", "--tls", "n2"], ["n1", "n2"]),
        (["--tls", "n1", "n2"], ["n1", "n2"]),
        (["n1", "n2", "-tls"], ["n1", "n2"]),
        (["n1", "--tls", "--", "--no", "-x"], ["n1", "--no", "-x"]),
        (["-", "--tls"], ["-"]),
    ],
    ids=" ".join,
)
def test_flags_may_be_mixed_with_words_where_a_command_allows_it(arguments, words):
    assert split_arguments(arguments, TABLE, "swarmcore drain", mixed=True) == (
        {"tls": ["true"]},
        words,
    )


def test_a_value_may_begin_with_a_dash():
    given, _ = split_arguments(["--advertise", "-x", "-"], TABLE, "swarmcore manage")
    assert given == {"advertise": ["-x"]}


@pytest.mark.parametrize("text", ["true", "1", "T"])
def test_a_switch_is_given_a_value_with_an_equals_sign_only(text):
    assert options_of(f"--experimental={text}", "n1:1").experimental
    assert not options_of("--experimental=false", "n1:1").experimental


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nosuch"], "unknown option '--nosuch'; see 'swarmcore manage --help'"),
        (["---tls"], "unknown option '---tls'"),
        (["-fhealth"], "unknown option '-fhealth'"),
        (["--discovery", "x"], "unknown option '--discovery'"),
        (["--strategy"], "option '--strategy' needs a value"),
    ],
)
def test_a_flag_that_cannot_be_read_is_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        split_arguments(arguments, TABLE, "swarmcore manage")


# ---- sources


def test_flags_go_before_environment_before_file_before_default(tmp_path):
    file = written(tmp_path, 'strategy = "random"\nheartbeat = "7s"\nalternates = 5\n')
    environment = {"SWARMCORE_STRATEGY": "binpack", "SWARMCORE_HEARTBEAT": "9s"}
    settings = settings_of("--strategy", "quiet", "n1:1", environment=environment, file=file)
    assert {name: (settings[name].value, settings[name].origin) for name in (
        "strategy", "heartbeat", "alternates", "grace-period", "discovery"
    )} == {
        "strategy": ("quiet", "flag --strategy"),
        "heartbeat": (9, "environment SWARMCORE_HEARTBEAT"),
        "alternates": (5, f"file {file}"),
        "grace-period": (10, "default"),
        "discovery": ("n1:1", "argument"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("SWARM_HOST", "host"),
        ("SWARM_ADVERTISE", "advertise"),
        ("SWARM_DISCOVERY", "discovery"),
        ("DEBUG", "debug"),
    ],
)
def test_classic_s_variables_keep_their_names(variable, name):
    setting = settings_of(environment={variable: "1"})[name]
    assert (setting.texts, setting.origin) == (("1",), f"environment {variable}")


def test_flags_replace_the_list_of_the_variable():
    environment = {"SWARM_HOST": "127.0.0.1:1, 127.0.0.1:2"}
    assert options_of("n1:1", environment=environment).hosts == (
        "127.0.0.1:1",
        "127.0.0.1:2",
    )
    assert options_of("-H", ":3", "n1:1", environment=environment).hosts == (":3",)


@pytest.mark.parametrize("text", ["", " ", ","])
def test_an_empty_variable_is_none(text):
    assert options_of("n1:1", environment={"SWARM_HOST": text}).hosts == ("tcp://127.0.0.1:3375",)


def test_another_program_s_debug_is_ignored():
    assert not options_of("n1:1", environment={"DEBUG": "express:*"}).debug


def test_a_bad_value_names_its_source(tmp_path):
    with pytest.raises(ConfigError, match="invalid --heartbeat: '60' has a number without a unit"):
        options_of("--heartbeat", "60", "n1:1")
    with pytest.raises(ConfigError, match=r"\(from environment SWARMCORE_HEARTBEAT\)"):
        options_of("n1:1", environment={"SWARMCORE_HEARTBEAT": "60"})
    with pytest.raises(ConfigError, match=r"\(from file .*swarmcore\.toml\)"):
        options_of("n1:1", file=written(tmp_path, "heartbeat = 60\n"))


def test_what_is_printed_is_a_file_that_says_the_same(tmp_path):
    arguments = [
        "--filter", "health", "--filter", 'a"b\\', "--cluster-opt", "swarm.overcommit=0.2",
        "--heartbeat", "90s", "--experimental", "--alternates", "7", "ssh://ops@n[1:2]",
    ]  # fmt: skip
    printed = settings_of(*arguments)
    again = settings_of(file=written(tmp_path, "\n".join(map(str, printed.values()))))
    assert {name: setting.value for name, setting in again.items()} == {
        name: setting.value for name, setting in printed.items()
    }
    assert not again["strategy"].given  # a default is printed, and stays one


# ---- the file


def test_the_file_takes_lists_tables_and_plain_values(tmp_path):
    options = options_of(
        file=written(
            tmp_path,
            """
            discovery = "file:///etc/swarm/cluster"
            debug = true
            plugin = "strategy_quiet"
            host = ["127.0.0.1:1", "unix:///run/swarm.sock"]
            [cluster-opt]
            swarm.overcommit = 0.5
            "acme.rack" = "b"
            """,
        )
    )
    assert str(options.discovery) == "file:///etc/swarm/cluster"
    assert options.debug
    assert options.plugins == ("strategy_quiet",)
    assert options.hosts == ("127.0.0.1:1", "unix:///run/swarm.sock")
    assert options.cluster_opts == {"swarm.overcommit": "0.5", "acme.rack": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strategi = 1", "unknown key 'strategi'"),
        ("print-config = true", "unknown key 'print-config'"),
        ("strategy = [", "not TOML: "),
        ("strategy = ['a']", "strategy cannot be list"),
        ("heartbeat = 07:32:00", "heartbeat cannot be time"),
        ("\udc80".encode("utf-8", "surrogateescape"), "not TOML: "),
    ],
    ids=["typo", "start only", "broken", "list", "time", "bytes"],
)
def test_a_wrong_file_is_one_line_with_its_path(tmp_path, text, message):
    file = tmp_path / "swarmcore.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=message) as caught:
        options_of("n1:1", file=file)
    assert f"--config {file}: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(ConfigError, match="cannot read it: No such file or directory"):
        options_of("n1:1", file=tmp_path / "none.toml")


# ---- checks


def test_classic_s_defaults_hold_where_the_world_has_not_moved_on():
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
        (["--alternates=0"], "--alternates counts the nodes"),
        (["--tls=maybe"], "invalid --tls: 'maybe' is neither true nor false"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_work_is_one_line(arguments, message):
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


# ---- the page


def test_the_page_has_a_row_for_every_option_with_its_variable_and_default():
    page = (Path(__file__).parents[2] / "docs" / "options.md").read_text()
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
    assert all(f"`{key}`" in page for key in CLUSTER_OPTS)
    assert all(f"--{option.name}" in page for option in (*PLUGINS_OPTIONS, *DEMO_OPTIONS))
    asking = (*DECISIONS_OPTIONS, *DRAIN_OPTIONS, *EXPLAIN_OPTIONS)
    assert all(f"--{option.name}" in page for option in asking)
