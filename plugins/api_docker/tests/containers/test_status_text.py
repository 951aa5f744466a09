"""The Status column of ``docker ps``, as tables."""

import pytest
from swarmcore_api_docker.containers.status_text import (
    FOREVER,
    age_changes_at,
    format_age,
    status_of,
)

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
    assert format_age(seconds) == words


def test_a_wording_holds_until_the_moment_it_names():
    age = 0.0
    while age < 3 * DAY:
        until = age_changes_at(1000.0, 1000.0 + age) - 1000.0
        assert until > age
        assert format_age(until - 1e-6) == format_age(age)
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
    assert status_of(full).at(docker.now).text == status


def test_a_status_without_age_never_changes(docker):
    assert status_of({"Dead": True}).at(docker.now).until == FOREVER
