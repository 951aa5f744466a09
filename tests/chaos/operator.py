"""An operator who drains one node after another, also with moves, and checks that drains stay."""

import threading
import time
from random import Random

from tests.chaos.asking import Asker, Outcome
from tests.chaos.history import History
from tests.chaos.plan import ENGINES
from tests.chaos.weather import Weather, drained_part, is_drain
from tests.chaos.worker import Worker
from tests.chaos.world import World

_PAUSE_SECONDS = (4.0, 12.0)
_AGAIN_SECONDS = 1.0
_MOVES_SECONDS = 40.0


class Operator(Worker):
    """Drains and undrains nodes until stopped; no node is drained afterwards.

    Args:
        seed: the seed of the run.
        world: has the managers.
        history: gets what happens.
        weather: knows which parts are disturbed, and gets the drained nodes.
        stopping: ends the operator.
    """

    def __init__(
        self, seed: int, world: World, history: History, weather: Weather, stopping: threading.Event
    ) -> None:
        super().__init__("operator", history, stopping)
        self._random = Random(f"{seed} operator")
        self._asker = Asker("operator", world, history, self._random)
        self._weather = weather

    def _work(self) -> None:
        number = 0
        while not self._stopping.wait(self._random.uniform(*_PAUSE_SECONDS)):
            number += 1
            self._empty(self._random.choice(ENGINES), f"reason {number}")

    def _empty(self, node: str, reason: str) -> None:
        part = drained_part(node)
        self._weather.disturb(part, self._history.now())
        body = {"Reason": reason, "Move": self._random.random() < 0.7}
        done = self._ask("drain", node, body)
        if done.ok:
            self._stopping.wait(self._random.uniform(*_PAUSE_SECONDS))
            self._expect(node, reason)
        # The drain may have been carried out although no answer said so.
        while not self._ask("undrain", node, {}).ok:
            # For example a manager was restarted and does not know the engine yet.
            time.sleep(_AGAIN_SECONDS)
        self._expect(node, None)
        self._wait_moves()
        self._weather.recovered(part, self._history.now())

    def _ask(self, what: str, node: str, body: object) -> Outcome:
        done = self._asker.operate(
            what, "POST", f"/swarmcore/nodes/{node}/{what}", body, about=(node,), good={200}
        )
        parts = self._weather.disturbed(done.since, self._history.now())
        # A setting is acknowledged when it is stored, and needs the engine's name.
        if not done.ok and all(is_drain(part) for part in parts):
            self._history.violate(f"the operator's {what} of {node} failed: {done.told}", node)
        return done

    def _wait_moves(self) -> None:
        """Wait until the moves under way have ended; an undrain begins no more of them."""
        deadline = self._history.now() + _MOVES_SECONDS
        while self._history.now() < deadline:
            reply = self._asker.look("/swarmcore/moves", "moves")
            known = reply is not None and reply.status == 200
            if known and all(move["State"] != "moving" for move in reply.json):
                return
            time.sleep(_AGAIN_SECONDS)

    def _expect(self, node: str, reason: str | None) -> None:
        reply = self._asker.look(f"/swarmcore/nodes/{node}", node)
        if reply is None or reply.status != 200:
            return
        drained = reply.json["Drained"]
        if (drained and drained["Reason"]) != reason:
            self._history.violate(f"{node} was to be drained by {reason!r}, and is {drained}", node)
