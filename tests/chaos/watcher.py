"""Looks at managers and engines all the time: recovery, copies that run twice, memory."""

import threading
from collections import defaultdict
from pathlib import Path

from swarmcore_lab import LabError

from tests.chaos.clients import POLICY, TOKEN
from tests.chaos.history import History
from tests.chaos.plan import ENGINES, MANAGERS, STORE
from tests.chaos.weather import Weather, is_drain
from tests.chaos.worker import Worker
from tests.chaos.world import Info, World, agreed_primary

#: How long a part may take to serve again after its fault was undone.
RECOVERY_SECONDS = 60.0
_LOOK_SECONDS = 0.7
#: The most memory that a manager of this small cluster may use.
_RSS_BYTES = 250 << 20


class Watcher(Worker):
    """Runs the checks that are possible while faults go on, in a thread."""

    def __init__(
        self, world: World, history: History, weather: Weather, stopping: threading.Event
    ) -> None:
        super().__init__("watcher", history, stopping)
        self._world = world
        self._weather = weather
        self._twice: dict[str, str] = {}
        self.highest_rss = 0

    def _work(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            infos = {name: self._world.info(name) for name in MANAGERS}
            self._note_recoveries(infos)
            self._look_for_second_copies(infos)
            self._measure()

    def _note_recoveries(self, infos: dict[str, Info | None]) -> None:
        now = self._history.now()
        settled = agreed_primary(infos, self._world.address) is not None
        for part, since in self._weather.recovering().items():
            if part in ENGINES:
                well = all(info is not None and part in info.healthy for info in infos.values())
            else:
                well = settled
            if well:
                self._weather.recovered(part, now)
                self._history.add("weather", f"{part} is well again", result=f"{now - since:.1f} s")
            elif now - since > RECOVERY_SECONDS and self._is_calm_but(part):
                self._weather.recovered(part, now)
                self._history.violate(f"{part} did not recover within {RECOVERY_SECONDS:g} s")

    def _is_calm_but(self, part: str) -> bool:
        now = self._history.now()
        parts = self._weather.disturbed(now - RECOVERY_SECONDS, now)
        return {each for each in parts if not is_drain(each)} <= {part, STORE}

    def _look_for_second_copies(self, infos: dict[str, Info | None]) -> None:
        """Find containers that run on two engines which the primary calls healthy.

        A container may be moved between two lists; one that two looks in a row find twice, on the
        same engines, is not.
        """
        leading = [info for info in infos.values() if info is not None and info.role == "primary"]
        healthy = leading[0].healthy if len(leading) == 1 else set()
        places: dict[str, list[str]] = defaultdict(list)
        for name in sorted(healthy):
            for token in self._running(name):
                places[token].append(name)
        found = {token: " and ".join(where) for token, where in places.items() if where[1:]}
        for token, where in found.items():
            if self._twice.get(token) == where:
                self._history.violate(f"{token} runs on {where}, which can be reached", token)
        self._twice = found

    def _running(self, engine: str) -> list[str]:
        """The tokens of running containers that may be moved; none if the engine is disturbed."""
        try:
            rows = self._world.engines[engine].api.call("GET", "/containers/json", timeout=2)
        except LabError:
            return []
        return [row["Labels"][TOKEN] for row in rows if POLICY in row["Labels"]]

    def _measure(self) -> None:
        for name in MANAGERS:
            rss = rss_of(self._world, name)
            if rss > max(_RSS_BYTES, self.highest_rss):
                self._history.violate(f"manager {name} uses {rss >> 20} MiB of memory")
            self.highest_rss = max(self.highest_rss, rss)


def rss_of(world: World, manager: str) -> int:
    """Return the resident memory of a manager in bytes; 0 if it does not run."""
    try:
        status = Path(f"/proc/{world.hosts[manager].pid}/status").read_text()
    except (OSError, LabError):
        return 0
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
