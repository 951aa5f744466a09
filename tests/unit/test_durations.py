import pytest

from swarmcore.command_line.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("1.s", 1),
        ("-2s", -2),
        ("+2s", 2),
        ("0", 0),
        ("-0", 0),
        ("1h0m0s", 3600),
        ("10us", 1e-5),
        ("10µs", 1e-5),  # the micro sign
        ("10μs", 1e-5),  # the Greek letter
        ("7ns", 7e-9),
        ("1s1s", 2),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("60", "number without a unit"),
        ("1m30", "number without a unit"),
        ("", "not a duration"),
        ("-", "not a duration"),
        ("--1s", "not a duration"),
        ("s", "not a duration"),
        (".s", "not a duration"),
        ("1.5.5s", "not a duration"),
        ("soon", "not a duration"),
        ("١s", "not a duration"),
        ("1d", "unknown unit 'd'"),
        ("1 s", "unknown unit ' s'"),
        ("9" * 400 + "h", "longer than 292 years"),
    ],
)
def test_what_is_no_duration_says_why(text, why):
    with pytest.raises(ValueError, match=why) as caught:
        parse_duration(text)
    assert repr(text) in str(caught.value)
