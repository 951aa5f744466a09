"""The sources of settings, their precedence, and the configuration file."""

import pytest

from swarmcore.errors import ConfigError
from tests.unit.manage_options import options_of, settings_of, written


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
def test_an_empty_variable_is_ignored(text):
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


def test_the_printed_configuration_is_an_equal_file(tmp_path):
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
