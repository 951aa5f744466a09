"""One report of what several engines pruned."""

import json

from swarmcore_api_docker.pruning import sum_reports

from swarmcore.messages import Answer


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


def test_nothing_deleted_is_null_or_empty_as_the_engines_say_it():
    assert sum_reports(reports({"NetworksDeleted": None}), "NetworksDeleted") == {
        "NetworksDeleted": None
    }
    assert sum_reports(reports({"VolumesDeleted": []}), "VolumesDeleted") == {"VolumesDeleted": []}
