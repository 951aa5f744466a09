"""The commands ``join`` and ``list``, without a store."""

import pytest

from swarmcore.cli import main


def test_list_prints_one_address_a_line(capsys):
    assert main(["list", "10.0.0.[1:3]:2375"]) == 0
    assert capsys.readouterr().out == "10.0.0.1:2375\n10.0.0.2:2375\n10.0.0.3:2375\n"


@pytest.mark.parametrize("command", ["list", "l"])
def test_list_fails_with_the_discoverys_own_reason(command, tmp_path, capsys):
    assert main([command, f"file://{tmp_path}/none"]) == 1
    assert "cannot read the list of engines" in capsys.readouterr().err


def test_list_says_why_a_store_has_no_list(capsys):
    assert main(["list", "--timeout", "5s", "etcd://127.0.0.1:1"]) == 1
    assert "swarmcore: etcd 127.0.0.1:1: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["join", "j"])
def test_join_refuses_a_discovery_without_announcements(command, capsys):
    assert main([command, "--advertise", "n1:2375", "10.0.0.1:2375"]) == 1
    assert "nodes:// has a list that join cannot change" in capsys.readouterr().err
