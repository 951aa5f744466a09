"""The errors and the exit status with which Swarm classic refused a command line.

Deployment scripts match these sentences; our errors begin with them, or contain them.
"""

import pytest

from swarmcore.cli import main

JOIN = ("join", "--advertise", "10.0.0.1:2375")
ADVERTISE = "--advertise should be of the form ip:port or hostname:port"


def manage(*options):
    return ("manage", *options, "10.0.0.1:2375")


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Remove variables of this shell."""
    for variable in ("SWARM_DISCOVERY", "SWARM_HOST", "SWARM_ADVERTISE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("list",), "discovery required to list a cluster. See 'swarmcore list --help'."),
        (("manage",), "discovery required to manage a cluster. See 'swarmcore manage --help'."),
        (("join",), "discovery required to join a cluster. See 'swarmcore join --help'."),
        (("list", "--timeout", "0s", "a:1"), "--timeout should be a positive number"),
        (("list", "--timeout", "soon", "a:1"), "invalid --timeout: "),
        (
            ("create", "x"),
            "the `create` command takes no arguments. See 'swarmcore create --help'.",
        ),
        (("join", "a:1"), "missing mandatory --advertise flag"),
        (("join", "--advertise", "http://x", "a:1"), ADVERTISE),
        (("join", "--advertise", "x:0", "a:1"), ADVERTISE),
        ((*JOIN, "--delay", "never", "a:1"), "invalid --delay: "),
        ((*JOIN, "--delay", "-1s", "a:1"), "--delay should not be a negative number"),
        ((*JOIN, "--heartbeat", "often", "a:1"), "invalid --heartbeat: "),
        ((*JOIN, "--heartbeat", "10ms", "a:1"), "--heartbeat should be at least one second"),
        ((*JOIN, "--ttl", "long", "a:1"), "invalid --ttl: "),
        ((*JOIN, "--ttl", "60s", "a:1"), "--ttl must be strictly superior to the heartbeat value"),
        (manage("--heartbeat", "1ms"), "--heartbeat should be at least one second"),
        (
            manage("--engine-refresh-min-interval", "0s"),
            "min refresh interval should be a positive number",
        ),
        (
            manage("--engine-refresh-max-interval", "1s"),
            "max refresh interval cannot be less than min refresh interval",
        ),
        (manage("--engine-failure-retry", "0"), "invalid failure retry count"),
        (
            manage("--engine-refresh-retry", "4"),
            "--engine-refresh-retry is deprecated. Use --engine-failure-retry",
        ),
        (manage("--replication"), "--advertise address must be provided when using --"),
        (manage("--replication", "--advertise", "x"), ADVERTISE),
        (
            manage("--replication", "--advertise", "a:1", "--replication-ttl", "0s"),
            "--replication-ttl should be a positive number",
        ),
        (
            manage("--replication", "--advertise", "a:1", "--replication-ttl", "long"),
            "invalid --replication-ttl: ",
        ),
        (manage("--tls"), "--tlscert and --tlskey must be provided when using --tls"),
        (
            manage("--tlsverify", "--tlscert", "c", "--tlskey", "k"),
            "--tlscacert must be provided when using --tlsverify",
        ),
        (
            manage("--tlscert", "c"),
            "--tlscert, --tlskey and --tlscacert require the use of either --tls or --tlsverify",
        ),
        (
            manage("--tls", "--tlscert", "/none/c", "--tlskey", "/none/k"),
            "Couldn't load X509 key pair (/none/c, /none/k): ",
        ),
        (manage("--cluster-driver", "mesos"), 'unsupported cluster "mesos"'),
        (
            manage("--cluster-opt", "swarm.overcommit=-2"),
            "swarm.overcommit should be larger than -1, -2.000000 is invalid",
        ),
        (
            manage("--cluster-opt", "swarm.createretry=-1"),
            "swarm.createretry can not be negative, -1 is invalid",
        ),
        (("list", "token://"), "token is empty"),
    ],
)
def test_a_wrong_command_line_is_refused_in_classics_words(arguments, sentence, capsys):
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("nodes://10.0.0.1:2375,10.0.0.2:2375", "10.0.0.1:2375\n10.0.0.2:2375\n"),
        ("10.0.0.[1:3]:2375", "10.0.0.1:2375\n10.0.0.2:2375\n10.0.0.3:2375\n"),
        ("192.168.1.2:[2:4]375", "192.168.1.2:2375\n192.168.1.2:3375\n192.168.1.2:4375\n"),
        ("[::1]:2375", "[::1]:2375\n"),
    ],
)
def test_list_prints_one_address_a_line(source, printed, capsys):
    assert main(("list", source)) == 0
    assert capsys.readouterr().out == printed


def test_list_prints_the_addresses_of_a_file_without_comments_and_blanks(tmp_path, capsys):
    file = tmp_path / "engines"
    file.write_text("10.0.0.1:2375\n\n# gone: 10.0.0.9:2375\n10.0.0.[2:3]:2375\n")
    assert main(("list", f"file://{file}")) == 0
    assert capsys.readouterr().out == "10.0.0.1:2375\n10.0.0.2:2375\n10.0.0.3:2375\n"
