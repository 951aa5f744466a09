"""What a manager keeps of each container is small, so that tens of thousands fit."""

import subprocess
import sys
from pathlib import Path

#: Bytes: a third more than were measured; the documents as they are sent would be 5,000 more.
_LIMIT = 2600
_ENGINES, _CONTAINERS = 40, 500


def test_a_container_keeps_two_kilobytes():
    script = Path(__file__).with_name("many_containers.py")
    arguments = [sys.executable, str(script), str(_ENGINES), str(_CONTAINERS)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert 500 < int(done.stdout) < _LIMIT
