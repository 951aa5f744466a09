"""``swarmcore plugin new``: what it refuses, and the size of what it writes."""

import pytest

from swarmcore.cli import main
from swarmcore.commands.plugin_package import KINDS, package_files, read_names


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_the_module_of_the_author_is_below_40_lines(kind):
    texts = package_files(read_names(kind, "rack"), "0.1.0")
    assert texts[f"swarmcore_{kind}_rack.py"].count("\n") < 40
    assert not [path for path, text in texts.items() if "$" in text]


@pytest.mark.parametrize(
    ("version", "required"),
    [("0.1.0", ">=0.1.0,<0.2"), ("1.0.0rc1", ">=1.0.0rc1,<1.1"), ("1.9.2", ">=1.9.2,<1.10")],
)
def test_the_package_requires_this_swarmcore_up_to_the_next_minor_version(version, required):
    project = package_files(read_names("filter", "rack"), version)["pyproject.toml"]
    assert f'dependencies = ["swarmcore-manager{required}"]' in project


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "plugin takes three words, and got 0; write 'swarmcore plugin new KIND NAME'"),
        (["new", "filter"], "plugin takes three words, and got 2;"),
        (["new", "filter", "a", "b"], "plugin takes three words, and got 4;"),
        (["news", "filter", "rack"], "plugin has no action 'news'; did you mean new?"),
        (["list"], "plugin has no action 'list'; its action is 'swarmcore plugin new KIND NAME'"),
        (["new", "filtre", "rack"], "kind 'filtre'; did you mean filter?"),
        (
            ["new", "route", "rack"],
            "kind 'route'; kinds: discovery, filter, strategy, weigher, api, ext",
        ),
        (["new", "filter", "My-Rack"], "'My-Rack' cannot be the name"),
        (["new", "filter", "My-Rack"], "did you mean myrack?"),
        (["new", "filter", "2"], "beginning with a letter; such as rack"),
        (["new", "filter", "../rack"], "did you mean rack?"),
        (["new", "filter", "rack\n"], "did you mean rack?"),
        (["new", "filter", "health"], "is installed already; choose another name"),
        (["new", "filter", "rack", "--folder", "a/b"], "cannot write a/b: No such file or"),
        (["new", "filter", "rack", "--foldr", "a"], "did you mean --folder?"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(words, message, here, capsys):
    assert main(["plugin", *words]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert list(here.iterdir()) == []


def test_a_folder_that_exists_is_left_as_it_is(here, capsys):
    mine = here / "swarmcore-filter-rack"
    mine.mkdir()
    assert main(["plugin", "new", "filter", "rack"]) == 1
    assert "swarmcore-filter-rack exists already; remove it, or name" in capsys.readouterr().err
    assert list(mine.iterdir()) == []


def test_the_package_is_written_where_the_option_says(here, capsys):
    assert main(["plugin", "new", "filter", "rack", "--folder", "my rack"]) == 0
    assert "cd 'my rack' && pip install" in capsys.readouterr().out
    written = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}
    assert written == {
        "my rack/README.md",
        "my rack/pyproject.toml",
        "my rack/swarmcore_filter_rack.py",
        "my rack/tests/test_filter_rack.py",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_help_names_the_kind(kind, capsys):
    assert main(["plugin", "--help"]) == 0
    assert kind in capsys.readouterr().out.partition("KIND is ")[2].partition(".")[0]
