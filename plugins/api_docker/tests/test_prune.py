"""One report from the prunes of several engines."""

import json

import pytest
from swarmcore_api_docker.prune import prune_query_for, sum_reports

from swarmcore.errors import BadRequest
from swarmcore.http.messages import Answer, Query


def reports(*documents):
    return [Answer(200, body=json.dumps(document).encode()) for document in documents]


def test_lists_are_joined_and_space_is_added_up():
    told = reports(
        {"ImagesDeleted": [{"Deleted": "a"}], "SpaceReclaimed": 1},
        {"ImagesDeleted": None, "SpaceReclaimed": 0},
        {"ImagesDeleted": [{"Deleted": "b"}], "SpaceReclaimed": 2},
    )
    assert sum_reports(told, "ImagesDeleted") == {
        "ImagesDeleted": [{"Deleted": "a"}, {"Deleted": "b"}],
        "SpaceReclaimed": 3,
    }


def test_an_empty_report_is_null_or_empty_as_on_the_engines():
    assert sum_reports(reports({"NetworksDeleted": None}), "NetworksDeleted") == {
        "NetworksDeleted": None
    }
    assert sum_reports(reports({"VolumesDeleted": []}), "VolumesDeleted") == {"VolumesDeleted": []}


@pytest.mark.parametrize(
    ("version", "sent", "got"),
    [
        ((1, 51), {"reserved-space": "9"}, {"reserved-space": "9"}),
        ((1, 47), {"reserved-space": "9"}, {"keep-storage": "9"}),
        ((1, 47), {"all": "1"}, {"all": "1"}),
    ],
    ids=str,
)
def test_limits_are_renamed_for_the_engines_version(engine, version, sent, got):
    assert prune_query_for(engine("n1", {}, version), Query(sent.items())) == Query(got.items())


def test_a_limit_that_an_engine_does_not_know_is_refused(engine):
    with pytest.raises(BadRequest, match=r'"max-used-space" requires API version 1\.48'):
        prune_query_for(engine("n1", {}), Query({"max-used-space": "9"}.items()))
