"""The display of figures: tables with ratios, and charts."""

import pytest

from benchmarks.figures import Results, describe_machine, read_results
from benchmarks.plots import CHARTS, draw_all
from benchmarks.report import write_report
from benchmarks.settings import Settings, Size

SMALL, LARGE = Size(10, 50), Size(100, 50)
PING = {"per_s": 1000.0, "p50_ms": 1.0, "p99_ms": 2.0, "cpu_us": 40.0}
EXEC = {"mb_per_s": 500.0, "cpu_s_per_gb": 2.0}


@pytest.fixture
def results():
    return Results(machine=describe_machine())


def lines_of(results, name):
    return [line.split() for line in write_report(results).splitlines() if name in line]


def test_a_figure_is_the_median_and_has_its_spread(results):
    for cpu in (90.0, 30.0, 40.0):
        results.add("ping-16", SMALL, "manager", {**PING, "cpu_us": cpu})
    [[_, _, _, _, cpu, spread]] = lines_of(results, "ping-16")
    assert (cpu, spread) == ("40.0", "30.0..90.0")


def test_cost_is_shown_in_units_of_the_floor(results):
    results.add("floor-exchange", SMALL, "floor", {**PING, "cpu_us": 20.0})
    results.add("ping-16", SMALL, "manager", PING)
    assert lines_of(results, "ping-16")[0][-1] == "2.00"


def test_what_an_idle_manager_uses_is_told_apart_where_it_is_much(results):
    results.add("ping-16", SMALL, "manager", {**PING, "net_us": 39.0})
    assert lines_of(results, "less idle") == []
    results.add("ping-1", SMALL, "manager", {**PING, "net_us": 30.0})
    assert lines_of(results, "less idle") == [["less", "idle", "30.0", "30.0..30.0"]]


def test_a_ratio_stands_below_what_was_measured_beside(results):
    for name, figures in (("ping-16", PING), ("exec", EXEC)):
        results.add(name, SMALL, "manager", figures)
        results.add(name, SMALL, "against", {key: value * 2 for key, value in figures.items()})
    ratios = lines_of(results, "  ratio")
    assert ratios == [["ratio", "0.50", "0.50", "0.50", "0.50"], ["ratio", "0.50", "0.50"]]


def test_a_ratio_stands_in_the_column_of_its_figure(results):
    results.add("exec", SMALL, "manager", EXEC)
    results.add("exec", SMALL, "against", EXEC)
    lines = write_report(results).splitlines()
    [head] = [line for line in lines if line.startswith("workload")]
    [ratio] = [line for line in lines if line.startswith("  ratio")]
    assert len(ratio) == head.index("CPU s/GB") + len("CPU s/GB")


def test_figures_of_a_start_have_a_line_each(results):
    results.add("start", SMALL, "manager", {"healthy_s": 1.5})
    results.add("start", SMALL, "against", {"healthy_s": 3.0})
    assert lines_of(results, "start") == [
        ["start", "healthy_s", "1.50", "1.50..1.50", "3.00", "0.50"]
    ]


def test_notes_stand_below_the_tables(results):
    results.note("HAProxy is not installed")
    results.note("HAProxy is not installed")
    assert write_report(results).splitlines()[-1] == "note: HAProxy is not installed"


def test_charts_need_two_measurements(results, tmp_path):
    for size in (SMALL, LARGE):
        results.add("ping-16", size, "manager", PING)
    results.add("ping-1", SMALL, "manager", PING)
    drawn = draw_all(results, tmp_path)
    assert [path.stem for path in drawn] == ["cost-by-engines", "cost-by-clients"]
    picture = drawn[0].read_text()
    assert picture.startswith("<svg")
    assert picture.count("<circle") == 2
    assert "ping-16 40" in picture


def test_results_of_several_runs_make_one_chart(results, tmp_path):
    files = []
    for size in (SMALL, LARGE):
        one = Results(machine=describe_machine())
        one.add("ping-16", size, "manager", PING)
        one.note("the same")
        files.append(tmp_path / f"{size.engines}.json")
        one.write(files[-1], Settings(names=[], sizes=[size]))
    results = read_results(*files)
    assert (results.sizes(), results.notes) == ([SMALL, LARGE], ["the same"])
    assert [path.stem for path in draw_all(results, tmp_path)] == ["cost-by-engines"]


def test_charts_have_different_names():
    assert len({chart.name for chart in CHARTS}) == len(CHARTS)
