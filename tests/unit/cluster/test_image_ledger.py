"""The age and content of an image, from inspections by all engine releases."""

import pytest

from swarmcore.cluster.image_ledger import content_of, date_of, write_date

#: The same import by release 20.10 and by 28.5.
OLD = {
    "RootFS": {"Layers": ["sha256:x"]},
    "Config": {"Hostname": "", "Env": ["A=b"], "Cmd": None, "Image": "", "AttachStdin": False},
    "Os": "linux",
    "Architecture": "amd64",
    "Created": "2026-01-01T00:00:00Z",
}
NEW = OLD | {"Config": {"Env": ["A=b"], "WorkingDir": ""}, "Created": "2026-01-01T00:00:07Z"}


@pytest.mark.parametrize(
    ("tagged", "made", "date"),
    [
        ("2026-01-02T00:00:00.123456789Z", "2026-01-01T00:00:00Z", 1767312000.123456),
        ("0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 1767225600),
        ("2026-01-01T00:00:00Z", "2026-01-02T01:00:00+01:00", 1767312000),
        (None, "nonsense", 0),
        (None, None, 0),
    ],
)
def test_the_later_of_both_dates_counts(tagged, made, date):
    assert date_of({"Created": made, "Metadata": {"LastTagTime": tagged}}) == date
    assert date_of({"Created": made, "Metadata": None}) <= date


def test_equal_contents_have_one_key_for_all_releases_and_times():
    assert content_of(OLD) == content_of(NEW) != ""


@pytest.mark.parametrize(
    "change",
    [
        {"RootFS": {"Layers": ["sha256:y"]}},
        {"Config": {"Env": ["A=c"]}},
        {"Architecture": "arm64"},
        {"RootFS": None},
    ],
    ids=str,
)
def test_different_contents_have_different_keys(change):
    assert content_of(OLD | change) != content_of(OLD)


def test_an_incomplete_inspection_has_no_content():
    assert content_of({}) == ""


def test_dates_in_the_log_are_readable():
    assert write_date(1767225600.9) == "2026-01-01T00:00:00+00:00"
    assert write_date(1e30) == "no date"
