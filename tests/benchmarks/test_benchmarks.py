"""The benchmarks run: every workload measures something, briefly, on a small cluster."""

import json

import pytest

from benchmarks.figures import read_results
from benchmarks.report import write_report
from benchmarks.runner import run
from benchmarks.settings import Settings, Size
from benchmarks.workloads import WORKLOADS, On, choose

SIZE = Size(2, 5)
#: Those that build a thousand nodes and more.
LARGE = {"placement-1000x50", "placement-10000x5"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(
        names=[],
        sizes=[SIZE],
        seconds=0.01,
        rounds=1,
        idle_seconds=0.1,
        settle_seconds=0,
        stream_bytes=1 << 20,
        floor=True,
        json_file=tmp_path_factory.mktemp("benchmarks") / "results.json",
    )


@pytest.fixture(scope="module")
def workloads():
    return [each for each in choose([], floor=True) if each.name not in LARGE]


@pytest.fixture(scope="module")
def results(settings, workloads):
    results = run(settings, workloads)
    results.write(settings.json_file, settings)
    return results


def test_every_workload_is_measured(results, workloads):
    for workload in workloads:
        side = "floor" if workload.on is On.FLOOR else "manager"
        assert results.sides(workload.name, SIZE)[0] == side, results.notes
        if workload.on is On.ALL:
            assert "engine" in results.sides(workload.name, SIZE), results.notes


def test_the_table_has_a_line_for_each_and_80_columns(results, workloads):
    lines = write_report(results).splitlines()[1:]
    for workload in workloads:
        assert any(line.split()[:1] == [workload.name] for line in lines)
    assert [line for line in lines if len(line) > 80 and not line.startswith("note")] == []


def test_the_json_has_every_figure_and_no_place_of_this_machine(results, settings):
    text = settings.json_file.read_text()
    assert read_results(settings.json_file) == results
    assert str(settings.json_file.parent) not in text
    assert {"machine", "settings", "notes", "results"} == json.loads(text).keys()


def test_a_name_or_a_family_chooses():
    assert [each.name for each in choose(["ping-16"], floor=False)] == ["ping-16"]
    assert [each.name for each in choose(["ping"], floor=False)] == ["ping-1", "ping-16"]
    with pytest.raises(ValueError, match="no workload 'pong'"):
        choose(["pong"], floor=False)


def test_workloads_have_different_names():
    names = [workload.name for workload in WORKLOADS]
    assert len(set(names)) == len(names)
