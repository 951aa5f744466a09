"""Times, ages and globs, as tables."""

import pytest
from swarmcore_api_docker.glob import Glob
from swarmcore_api_docker.go_numbers import BadValue, NumberError, parse_int
from swarmcore_api_docker.status_text import FOREVER, age_changes_at, word_age, word_status
from swarmcore_api_docker.timestamps import parse_moment, parse_seconds, parse_when

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "Less than a second"), (0.9, "Less than a second"), (1, "1 second"), (2, "2 seconds"),
        (59.9, "59 seconds"), (MINUTE, "About a minute"), (2 * MINUTE, "2 minutes"),
        (HOUR - 1, "59 minutes"), (HOUR, "About an hour"), (1.49 * HOUR, "About an hour"),
        (1.5 * HOUR, "2 hours"), (47.4 * HOUR, "47 hours"), (48 * HOUR, "2 days"),
        (13.9 * DAY, "13 days"), (14 * DAY, "2 weeks"), (59 * DAY, "8 weeks"),
        (60 * DAY, "2 months"), (729 * DAY, "24 months"), (730 * DAY, "2 years"),
    ],
)  # fmt: skip
def test_ages_are_in_dockers_words(seconds, words):
    assert word_age(seconds) == words


def test_a_wording_holds_until_the_moment_it_names():
    age = 0.0
    while age < 3 * DAY:
        until = age_changes_at(1000.0, 1000.0 + age) - 1000.0
        assert until > age
        assert word_age(until - 1e-6) == word_age(age)
        age = until


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"Running": True}, "Up 3 minutes"),
        ({"Running": True, "Paused": True}, "Up 3 minutes (Paused)"),
        ({"Running": True, "Restarting": True, "ExitCode": 1}, "Restarting (1) About a minute ago"),
        ({"Running": True, "Health": {"Status": "starting"}}, "Up 3 minutes (health: starting)"),
        ({"Running": True, "Health": {"Status": "healthy"}}, "Up 3 minutes (healthy)"),
        ({"Running": True, "Health": {"Status": "none"}}, "Up 3 minutes"),
        ({"Running": True, "Health": None}, "Up 3 minutes"),
        ({"ExitCode": 137}, "Exited (137) About a minute ago"),
        ({"Dead": True}, "Dead"),
        ({"RemovalInProgress": True}, "Removal In Progress"),
        ({"StartedAt": "0001-01-01T00:00:00Z"}, "Created"),
        ({"StartedAt": "0001-01-01T00:00:07.5Z"}, "Created"),
        ({"FinishedAt": "0001-01-01T00:00:00Z"}, ""),
    ],
    ids=str,
)
def test_status(docker, state, status):
    full = {"StartedAt": docker.moment(180), "FinishedAt": docker.moment(60), **state}
    assert word_status(full, docker.now).text == status


def test_a_status_without_age_never_changes(docker):
    assert word_status({"Dead": True}, docker.now).until == FOREVER


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T12:00:00Z", 1714564800.0),
        ("2024-05-01T12:00:00.123456789Z", 1714564800.123456),
        ("2024-05-01T14:00:00+02:00", 1714564800.0),
        ("0001-01-01T00:00:00Z", None), ("", None), (None, None), ("yesterday", None),
    ],
)  # fmt: skip
def test_moments(text, seconds):
    assert parse_moment(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None), ("-1", None), ("-1.5", None), ("0", 0.0), ("-2", -2.0), ("+7", 7.0),
        ("1714564800", 1714564800.0), ("1714564800.5", 1714564800.5),
        ("1.0000000005", 1.0000000005),
        ("1714564800123", 1714564800123.0),
    ],
)  # fmt: skip
def test_since_and_until_are_seconds(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("tomorrow", "tomorrow"),
        ("10m", "10m"),
        ("1e5", "1e5"),
        (".5", ""),
        ("5.", ""),
        (" 1", " 1"),
    ],
)
def test_what_are_no_seconds_is_refused_as_an_engine_does(text, wrong):
    with pytest.raises(BadValue, match=f'^strconv.ParseInt: parsing "{wrong}": invalid syntax$'):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("1714564800", 1714564800.0), ("1714564800.5", 1714564800.5),
        ("10m", 400.0), ("1h30m", -4400.0), ("1.5s", 998.5), ("0s", 1000.0),
        ("2024-05-01T12:00:00Z", 1714564800.0), ("2024-05-01T12:00:00", 1714564800.0),
    ],
)  # fmt: skip
def test_the_filter_until_takes_three_forms(text, seconds):
    assert parse_when(text, 1000.0) == seconds


@pytest.mark.parametrize("text", ["", "-1", "tomorrow", "10x", "1e5", "--5"])
def test_another_form_is_refused_as_an_engine_does(text):
    with pytest.raises(BadValue, match=f'failed to parse value as time or duration: "{text}"'):
        parse_when(text, 1000.0)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("busybox", "busybox", True), ("busybox", "busybox:1", False), ("busy*", "busybox:1", True),
        ("*", "team/tool", False), ("*/*", "team/tool:1", True), ("team/*:1", "team/tool:1", True),
        ("team/*:1", "team/tool:2", False), ("b?sybox", "busybox", True), ("?", "/", False),
        ("[a-c]x", "bx", True), ("[^a-c]x", "bx", False), ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False), ("**a", "bba", True), ("", "", True), ("*", "", True),
        ("a*b*c", "a1b2b3c", True), ("a*b*c", "a1b2b3", False),
    ],
)  # fmt: skip
def test_globs(pattern, text, matches):
    assert Glob(pattern).matches(text) is matches


@pytest.mark.parametrize("pattern", ["[", "[a", "[]a]", "[a-]", "\\"])
def test_a_malformed_glob_is_refused(pattern):
    with pytest.raises(BadValue, match=r"^syntax error in pattern$"):
        Glob(pattern)


def test_a_glob_of_many_stars_is_quick():
    assert not Glob("*a" * 200 + "b").matches("a" * 2000)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("+3", 3), ("-3", -3), ("007", 7), ("9223372036854775807", (1 << 63) - 1),
        ("-9223372036854775808", -(1 << 63)), ("0" * 5000 + "8", 8),
    ],
)  # fmt: skip
def test_numbers_are_those_of_64_bits(text, number):
    assert parse_int(text) == number


@pytest.mark.parametrize(
    "text", ["9223372036854775808", "-9223372036854775809", "9" * 5000, "-" + "9" * 5000]
)
def test_larger_numbers_are_out_of_range(text):
    with pytest.raises(NumberError, match="value out of range"):
        parse_int(text)
