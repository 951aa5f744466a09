"""The command line: the choice of the command, its output, and the exit status."""

import logging
import subprocess
import sys
import types

import pytest

from swarmcore.cli import main
from swarmcore.errors import ConfigError, SwarmError


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Remove variables of this shell, and restore logging afterwards."""
    for variable in ("DEBUG", "SWARM_DISCOVERY", "SWARM_HOST", "SWARM_ADVERTISE"):
        monkeypatch.delenv(variable, raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def started(monkeypatch):
    """Record the arguments with which the application is started; ``fails`` can raise an error."""
    calls, fails = [], []

    def manage(options, reread):
        calls.append(options)
        for error in fails:
            raise error
        return 0

    def demo(engines, kind, listen):
        calls.append((engines, kind, listen))
        return 0

    monkeypatch.setitem(sys.modules, "swarmcore.app", types.SimpleNamespace(manage=manage))
    monkeypatch.setitem(sys.modules, "swarmcore.demo", types.SimpleNamespace(demo=demo))
    return types.SimpleNamespace(calls=calls, fails=fails)


# ---- help and version


@pytest.mark.parametrize("arguments", [[], ["help"], ["h"], ["--help"], ["-h"], ["-l", "x", "-h"]])
def test_help_lists_the_commands(arguments, capsys):
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert text.startswith("Usage: swarmcore ")
    for name in ("manage", "plugins", "demo", "help", "--log-level, -l", "nodes", "drain", "hub"):
        assert name in text


@pytest.mark.parametrize(
    "command",
    ["manage", "plugins", "demo", "nodes", "drain", "undrain", "label", "explain", "decisions"],
)
def test_every_command_has_help_in_three_spellings(command, capsys):
    texts = []
    for arguments in ([command, "--help"], [command, "-h"], ["help", command]):
        assert main(arguments) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0].startswith(f"Usage: swarmcore {command} ")
    assert len(set(texts)) == 1


def test_the_help_of_manage_names_every_form_of_discovery_and_every_cluster_option(capsys):
    main(["manage", "--help"])
    text = capsys.readouterr().out
    for word in ("nodes://", "file://", "ssh://", "swarm.overcommit", "swarm.createretry",
                 "$SWARM_HOST", "default 60s", "--filter, -f NAME"):  # fmt: skip
        assert word in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("flag", ["--version", "-version", "-v"])
def test_version(flag, capsys):
    assert main([flag]) == 0
    assert capsys.readouterr().out == "swarmcore version 0.1.0\n"


def test_help_imports_no_library():
    code = (
        "import sys; from swarmcore.cli import main; main(['manage', '--help']); "
        "main(['manage', '--strategy', 'x', '--print-config', 'n1:1']); "
        "known = {'trio', 'httpx', 'h11', 'stevedore', 'argparse', 'pluggy'}; "
        "found = known & set(sys.modules); main(['--help']); "  # pluggy marks what plugins bring
        "found |= (known - {'pluggy'}) & set(sys.modules); sys.exit(sorted(found) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


# ---- commands


def test_classic_s_command_line_starts_a_manager(started):
    line = (
        "-l debug -experimental manage -H 127.0.0.1:6000 --heartbeat=1s "
        "--cluster-opt swarm.overcommit=0.1 h1:2375,h2:2375"
    )
    assert main(line.split()) == 0
    (options,) = started.calls
    assert options.experimental
    assert options.hosts == ("127.0.0.1:6000",)
    assert options.heartbeat_seconds == 1
    assert options.overcommit == 0.1
    assert str(options.discovery) == "nodes://h1:2375,h2:2375"
    assert logging.getLogger().level == logging.DEBUG


def test_global_options_may_follow_the_command_and_m_is_manage(started):
    assert main(["m", "--experimental", "-l", "warn", "n1:1"]) == 0
    assert started.calls[0].experimental
    assert logging.getLogger().level == logging.WARNING


def test_the_environment_and_the_file_reach_the_manager(started, monkeypatch, tmp_path):
    file = tmp_path / "swarm.toml"
    file.write_text('strategy = "binpack"\nlog-level = "error"\n')
    monkeypatch.setenv("SWARM_DISCOVERY", "file:///etc/swarm")
    monkeypatch.setenv("SWARMCORE_CONFIG", str(file))
    assert main(["manage"]) == 0
    assert started.calls[0].strategy == "binpack"
    assert str(started.calls[0].discovery) == "file:///etc/swarm"
    assert logging.getLogger().level == logging.ERROR


def test_print_config_prints_every_option_and_starts_nothing(started, capsys):
    assert main(["manage", "--strategy=binpack", "--print-config"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'strategy = "binpack"  # flag --strategy' in lines
    assert '# heartbeat = "60s"  # default' in lines
    assert started.calls == []


def test_print_config_checks_a_whole_configuration(started, capsys):
    assert main(["manage", "--tls", "--print-config", "n1:1"]) == 1
    printed = capsys.readouterr()
    assert "tls = true  # flag --tls\n" in printed.out
    assert printed.err == (
        "swarmcore: --tlscert and --tlskey must be provided when using --tls\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ([], (3, None, ("tcp://127.0.0.1:3375",))),
        (["--engines", "5", "--embedded"], (5, "embedded", ("tcp://127.0.0.1:3375",))),
        (["--real", "-H", ":0"], (3, "real", (":0",))),
    ],
)
def test_demo_gets_its_options(started, arguments, call):
    assert main(["demo", *arguments]) == 0
    assert started.calls == [call]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["tasks"],
            "no command is called 'tasks'; commands: create, decisions, demo, drain, explain,",
        ),
        (["help", "tasks"], "no command is called 'tasks'"),
        (["mange"], "no command is called 'mange'; did you mean manage?"),
        (["manage", "--heartbet", "5s"], "'--heartbet'; did you mean --heartbeat?"),
        (["--nosuch"], "unknown option '--nosuch'; see 'swarmcore --help'"),
        (["manage", "--nosuch"], "unknown option '--nosuch'; see 'swarmcore manage --help'"),
        (["manage"], "discovery required to manage a cluster. See 'swarmcore manage --help'."),
        (["manage", "n1:1", "--tls"], "manage takes one DISCOVERY, and got 'n1:1 --tls'"),
        (["-l", "loud", "manage", "n1:1"], "not a log level: 'loud'"),
        (["plugins", "x"], "plugins takes no argument, and got 'x'"),
        (["demo", "--real", "--embedded"], "--real or --embedded"),
        (["demo", "--engines=0"], "at least one engine"),
        (["demo", "--engines=x"], "invalid --engines: 'x' is not a whole number"),
    ],
    ids=" ".join,
)
def test_an_error_is_one_line_on_standard_error_and_status_1(arguments, message, capsys):
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("swarmcore: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("port 3375 is\nin use"),
        SwarmError("port 3375 is in use"),
        ExceptionGroup("all", [ExceptionGroup("", [ConfigError("port 3375 is in use")])]),
    ],
    ids=["config", "other", "group"],
)
def test_an_error_of_the_application_is_one_line(started, error, capsys):
    started.fails.append(error)
    assert main(["manage", "n1:1"]) == 1
    assert capsys.readouterr().err == "swarmcore: port 3375 is in use\n"


def test_a_defect_is_not_hidden(started):
    started.fails.append(ExceptionGroup("", [ConfigError("x"), ZeroDivisionError()]))
    with pytest.RaisesGroup(ConfigError, ZeroDivisionError):
        main(["manage", "n1:1"])


def test_an_interrupt_ends_quietly(started):
    started.fails.append(KeyboardInterrupt())
    assert main(["manage", "n1:1"]) == 130


@pytest.mark.parametrize("flag", ["--debug", "-debug"])
def test_debug_shows_the_traceback(started, flag, capsys):
    started.fails.append(ConfigError("port 3375 is in use"))
    assert main([flag, "manage", "n1:1"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("swarmcore: port 3375 is in use\n")
    assert "Traceback" in printed


def test_a_named_level_goes_before_debug(started):
    assert main(["--debug", "-l", "error", "manage", "n1:1"]) == 0
    assert logging.getLogger().level == logging.ERROR


def test_libraries_do_not_log_requests_at_any_level(started):
    main(["--debug", "manage", "n1:1"])
    assert not logging.getLogger("httpcore.http11").isEnabledFor(logging.INFO)
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
