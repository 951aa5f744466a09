"""One run: start all parts, let clients work while the faults of a plan come and go, then check."""

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from swarmcore_lab import Lab

from tests.chaos import faults
from tests.chaos.clients import Client
from tests.chaos.followers import Follower
from tests.chaos.history import History
from tests.chaos.ledger import Ledger
from tests.chaos.operator import Operator
from tests.chaos.plan import MANAGERS, Fault, draw, show
from tests.chaos.verdict import give_verdict
from tests.chaos.watcher import Watcher
from tests.chaos.weather import Weather
from tests.chaos.world import World

CLIENTS = 5


class Run:
    """A run with a seed.

    Args:
        seed: the seed of plan and clients.
        seconds: how long faults are injected.
        say: prints a line.
    """

    def __init__(self, seed: int, seconds: float, say: Callable[[str], None]) -> None:
        self.seed = seed
        self.seconds = seconds
        self.plan: Sequence[Fault] = draw(seed, seconds)
        self.history = History()
        self._say = say
        self._ledger = Ledger()
        self._weather = Weather()
        self._stopping = threading.Event()
        self._highest_rss = 0

    def go(self) -> bool:
        """Do everything; return whether all invariants held.  Nothing is left on the machine."""
        self._say(f"chaos: seed {self.seed}, {len(self.plan)} faults in {self.seconds:g} s")
        for line in show(self.plan):
            self._say(line)
        logs = Path(tempfile.mkdtemp(prefix="swarmcore-chaos-"))
        try:
            with Lab() as lab:
                world = World(lab, logs)
                world.start()
                self._say("all parts are well; the faults begin")
                self._disturb(world)
                self._say("all faults are undone; the cluster heals")
                give_verdict(world, self._ledger, self.history)
        except BaseException:
            self._say(f"logs are in {logs}")
            raise
        self._report(logs)
        if not self.history.violations:
            shutil.rmtree(logs)
        return not self.history.violations

    def _disturb(self, world: World) -> None:
        """Let clients work until the plan ends; afterwards no thread runs, and no fault is left."""
        started = (world, self._ledger, self.history, self._weather, self._stopping)
        clients = [Client(f"c{number}", self.seed, *started) for number in range(CLIENTS)]
        operator = Operator(self.seed, world, self.history, self._weather, self._stopping)
        watcher = Watcher(world, self.history, self._weather, self._stopping)
        followers = [Follower(manager, world, self.history, self._stopping) for manager in MANAGERS]
        begin = self.history.now()
        threads = [
            threading.Thread(target=self._inject, args=(fault, begin, world), daemon=True)
            for fault in self.plan
        ]
        for each in (*clients, operator, watcher, *followers, *threads):
            each.start()
        try:
            self._stopping.wait(self.seconds)
            for thread in threads:
                thread.join()
            # Clients go on until everything has recovered: healing must not disturb them either.
            deadline = self.history.now() + self.seconds
            while self._weather.recovering() and self.history.now() < deadline:
                self._stopping.wait(0.5)
        finally:
            self._stopping.set()
            for each in (*threads, *clients, operator, watcher, *followers):
                with contextlib.suppress(RuntimeError):  # it was not started
                    each.join()
            self._highest_rss = watcher.highest_rss
        for follower in followers:
            follower.check(self._ledger, self._weather)

    def _inject(self, fault: Fault, begin: float, world: World) -> None:
        if self._stopping.wait(max(begin + fault.at - self.history.now(), 0)):
            return
        try:
            with ExitStack() as stack:
                self.history.add("fault", f"BEGIN {fault}")
                self.history.count("faults", f"faults: {fault.kind}")
                self._weather.begin(fault, self.history.now())
                faults.begin(fault, world, stack)
                self._stopping.wait(max(begin + fault.ends - self.history.now(), 0))
            self._weather.end(fault, self.history.now())
            self.history.add("fault", f"END   {fault}")
        except Exception as error:  # a thread's exception would be lost
            self.history.violate(f"{fault} could not be injected and undone: {error!r}")

    def _report(self, logs: Path) -> None:
        (logs / "history").write_text("\n".join(self.history.lines()) + "\n")
        for name, count in sorted(self.history.counts.items()):
            self._say(f"{count:8d} {name}")
        self._say(f"{self._highest_rss >> 20:8d} MiB at most in a manager")
        for each in self.history.violations:
            self._say(f"\n{each}")
        if self.history.violations:
            minutes = self.seconds / 60
            self._say(f"\n{len(self.history.violations)} violations; logs and history: {logs}")
            self._say(f"again: python -m tests.chaos --seed {self.seed} --minutes {minutes:g}")
