"""The sample configuration for the systemd service: complete, and each line of it works."""

import re
from pathlib import Path

import pytest

from swarmcore.command_line import resolve
from swarmcore.command_line.setting_sources import read_config_file
from swarmcore.options import build_options
from swarmcore.options.option_tables import GLOBAL_OPTIONS, MANAGE_OPTIONS

SAMPLE = Path(__file__).parents[2] / "packaging" / "systemd" / "swarmcore.toml"
TABLE = (*GLOBAL_OPTIONS, *MANAGE_OPTIONS)
#: A comment in prose has a space after its #.
UNUSED = re.compile(r"^#(?=[a-z])", re.MULTILINE)
TLS = re.compile(r"^#(?=tlsverify|tlscacert|tlscert|tlskey)", re.MULTILINE)
REPLICATION = re.compile(r"^#(?=replication|advertise)", re.MULTILINE)


def load(folder, text):
    """Return the options of a configuration file."""
    path = folder / "swarmcore.toml"
    path.write_text(text)
    settings = resolve(TABLE, {}, {}, read_config_file(str(path), TABLE))
    for setting in settings.values():
        assert setting.value is not None
    return build_options(settings)


def test_the_sample_works_as_it_is(tmp_path):
    options = load(tmp_path, SAMPLE.read_text())
    assert (options.hosts, options.discovery.scheme) == (("fd://",), "file")
    assert options.node_settings == "/var/lib/swarmcore/nodes.json"


@pytest.mark.parametrize("used", [UNUSED, TLS, REPLICATION], ids=["all", "TLS", "replication"])
def test_the_samples_unused_options_can_be_used(tmp_path, used):
    text = SAMPLE.read_text()
    changed = used.sub("", text)
    assert changed != text
    options = load(tmp_path, changed)
    given = {name for name, setting in options.settings.items() if setting.given}
    assert given == set(re.findall(r"^([a-z-]+) = ", changed, re.MULTILINE))


def test_the_sample_shows_every_option_of_a_file():
    shown = re.findall(r"^#?([a-z-]+) = ", SAMPLE.read_text(), re.MULTILINE)
    assert sorted(shown) == sorted(each.name for each in TABLE if each.place != "start")
