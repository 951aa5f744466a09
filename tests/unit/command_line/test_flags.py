"""How flags are parsed and separated from other arguments."""

import pytest

from swarmcore.command_line.flags import split_arguments
from swarmcore.errors import ConfigError
from tests.unit.manage_options import TABLE, options_of


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
