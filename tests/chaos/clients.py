"""Clients that work with containers all the time, each in a thread, and check the answers."""

import threading
from random import Random

from tests.chaos.asking import Asker, Outcome, labels_of
from tests.chaos.history import History
from tests.chaos.ledger import Entry, Knowledge, Ledger
from tests.chaos.plan import ENGINES, MANAGERS
from tests.chaos.weather import Weather, drained_part, is_drain, kinds_of
from tests.chaos.worker import Worker
from tests.chaos.world import World

TOKEN = "chaos.token"
POLICY = "com.docker.swarm.reschedule-policies"
_MEMORY = 8 << 20
#: How many containers a client keeps, so that three engines stay responsive on two cores.
_MANY = 4
#: Names for which all clients compete.
_SHARED = ("shared-0", "shared-1")
_PAUSE_SECONDS = (0.05, 0.4)


class Client(Worker):
    """Does one random operation after another until it is stopped.

    Args:
        name: its name, the beginning of the names of its containers.
        seed: the seed of the run.
        world: has the managers.
        ledger: gets what is known about its containers.
        history: gets what happens.
        weather: knows which parts are disturbed.
        stopping: ends the client.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        world: World,
        ledger: Ledger,
        history: History,
        weather: Weather,
        stopping: threading.Event,
    ) -> None:
        super().__init__(name, history, stopping)
        self._random = Random(f"{seed} {name}")
        self._asker = Asker(name, world, history, self._random)
        self._ledger = ledger
        self._weather = weather
        self._made = 0
        self._own: list[Entry] = []

    def _work(self) -> None:
        operations = {
            self._create: 6, self._compete: 1, self._start: 4, self._list: 4, self._inspect: 4,
            self._rename: 2, self._exec: 3, self._remove: 4, self._wait: 1,
        }  # fmt: skip
        while not self._stopping.wait(self._random.uniform(*_PAUSE_SECONDS)):
            self._random.choices(list(operations), list(operations.values()))[0]()

    # ---- operations

    def _create(self) -> None:
        if len(self._own) >= _MANY:
            self._remove()
            return
        self._made += 1
        self._make(f"{self._name}-{self._made}", policy=self._random.random() < 0.5)

    def _compete(self) -> None:
        name = self._random.choice(_SHARED)
        if all(entry.name != name for entry in self._own):
            self._made += 1
            self._make(name, policy=False)

    def _make(self, name: str, policy: bool, ends: bool = False) -> Entry:
        """Create a container; the entry says what is known about it."""
        entry = Entry(f"{self._name}/{self._made}", name, policy, ends)
        self._ledger.add(entry)
        self._own.append(entry)
        labels = {TOKEN: entry.token}
        host = {"Memory": _MEMORY, "Init": True}
        if policy:
            labels[POLICY] = '["on-node-failure"]'
            host["RestartPolicy"] = {"Name": "always"}
        command = ["sh", "-c", "exit 3"] if ends else ["sleep", "3600"]
        body = {"Image": "busybox", "Cmd": command, "Labels": labels, "HostConfig": host}
        done = self._asker.operate(
            "create", "POST", f"/containers/create?name={name}", body,
            about=(name, entry.token), good={201}, good_again={409},
        )  # fmt: skip
        entry.repeated = done.repeated
        if done.status == 409:
            self._find_own(entry, done)
        elif done.ok:
            entry.state = Knowledge.PRESENT
            entry.created_at = self._history.now()
        else:
            self._judge("create", entry, done, engines=ENGINES)
        if entry.state is Knowledge.PRESENT:
            other = self._ledger.hold(entry)
            if other is not None:
                self._violate(f"{name} has two holders: {other} and {entry.token}", entry)
            self._look_for(entry)
        return entry

    def _find_own(self, entry: Entry, done: Outcome) -> None:
        """Find out, after a conflict, whether the container is that of an earlier attempt."""
        token = labels_of(self._asker.look(f"/containers/{entry.name}/json", entry.name)).get(TOKEN)
        if token == entry.token:
            entry.state = Knowledge.PRESENT
        elif not done.repeated:
            entry.state = Knowledge.GONE
            self._own.remove(entry)
            if entry.name not in _SHARED:
                self._violate(f"{entry.name} was never created, and is taken", entry)

    def _start(self) -> None:
        entry = self._choose()
        if entry is not None and not entry.started:
            self._run_it(entry)

    def _run_it(self, entry: Entry) -> bool:
        done = self._operate("start", entry, "POST", "/start", good={204, 304})
        entry.started = entry.started or done.ok
        return done.ok

    def _inspect(self) -> None:
        entry = self._choose()
        if entry is not None:
            done = self._operate("inspect", entry, "GET", "/json", good={200})
            if done.ok and done.reply is not None:
                self._read(entry, done.reply.json)

    def _list(self) -> None:
        done = self._asker.operate(
            "list",
            "GET",
            "/containers/json?all=1",
            about=tuple(entry.token for entry in self._own) or (self._name,),
            good={200},
        )
        if not done.ok or done.reply is None:
            self._judge("list", None, done, engines=())
            return
        tokens = [row["Labels"].get(TOKEN) for row in done.reply.json]
        for entry in self._own:
            seen = tokens.count(entry.token)
            if seen > 1:
                self._violate(f"{entry.name} is listed {seen} times", entry)
            elif entry.state is Knowledge.PRESENT and seen == 0 and self._is_calm(entry, done):
                self._violate(f"{entry.name} is not listed", entry)

    def _rename(self) -> None:
        entry = self._choose()
        if entry is None or entry.name in _SHARED:
            return
        old, new = entry.name, f"{entry.name}r"
        self._ledger.release(old)
        done = self._operate(
            "rename", entry, "POST", f"/rename?name={new}", good={204}, good_again={404, 409}
        )
        if done.ok and done.status != 204:  # the first attempt may have been carried out
            reply = self._asker.look(f"/containers/{new}/json", old, new)
            renamed = labels_of(reply).get(TOKEN) == entry.token
        else:
            renamed = done.ok
        if renamed:
            entry.former.append(old)
            entry.name = new
        elif not done.ok or done.status != 204:
            entry.state = Knowledge.UNKNOWN
            self._own.remove(entry)

    def _exec(self) -> None:
        entry = self._choose()
        if entry is None or not entry.started or entry.ends:
            return
        body = {"Cmd": ["echo", "chaos"], "AttachStdout": True, "Tty": True}
        done = self._operate("exec", entry, "POST", "/exec", body, good={201})
        if not done.ok or done.reply is None:
            return
        path = f"/exec/{done.reply.json['Id']}/start"
        ran = self._asker.operate(
            "exec start", "POST", path, {"Tty": True},
            about=(entry.name, entry.token), good={200}, good_again={409},
        )  # fmt: skip
        if not ran.ok:
            self._judge("exec start", entry, ran, engines=self._engines_of(entry))
            return
        # The first of two attempts may have got the output, and a raw stream that ends because a
        # manager on its way was lost looks complete.
        disturbed = self._weather.disturbed(ran.since, self._history.now())
        is_calm = self._is_calm(entry, ran) and disturbed.isdisjoint(MANAGERS)
        is_sure = ran.reply is not None and not ran.repeated and is_calm
        if is_sure and b"chaos" not in ran.reply.body:
            self._violate(f"an exec in {entry.name} said {ran.reply.body!r}", entry)

    def _remove(self) -> None:
        entry = self._choose()
        if entry is None:
            return
        self._ledger.release(entry.name)
        self._own.remove(entry)
        entry.state = Knowledge.UNKNOWN
        entry.started = False  # it may be killed and left
        done = self._operate(
            "remove", entry, "DELETE", "?force=1", good={204}, good_again={404, 409}
        )
        if done.status == 204 or (done.status == 404 and self._is_calm(entry, done)):
            entry.state = Knowledge.GONE
            self._look_for_none(entry)

    def _wait(self) -> None:
        if len(self._own) >= _MANY:
            return
        self._made += 1
        entry = self._make(f"{self._name}-{self._made}", policy=False, ends=True)
        if entry.state is not Knowledge.PRESENT or not self._run_it(entry):
            return
        done = self._operate("wait", entry, "POST", "/wait", good={200})
        is_sure = done.ok and self._is_calm(entry, done)
        if is_sure and done.reply is not None and done.reply.json["StatusCode"] != 3:
            self._violate(f"{entry.name} ended with {done.reply.json}", entry)

    # ---- reading own writes

    def _look_for(self, entry: Entry) -> None:
        since = self._history.now()
        reply = self._asker.look(f"/containers/{entry.name}/json", entry.name, entry.token)
        if reply is None or reply.status >= 500:
            return
        if reply.status == 200:
            self._read(entry, reply.json)
        elif self._weather.disturbed(since, self._history.now()).isdisjoint(ENGINES):
            self._violate(f"{entry.name} was created, and cannot be found: {reply.message}", entry)

    def _look_for_none(self, entry: Entry) -> None:
        reply = self._asker.look(f"/containers/{entry.name}/json", entry.name, entry.token)
        # Another client may have given a shared name again while this one waited for the answer.
        if labels_of(reply).get(TOKEN) == entry.token:
            self._violate(f"{entry.name} was removed, and can be inspected", entry)

    def _read(self, entry: Entry, document: dict[str, object]) -> None:
        token = document["Config"]["Labels"].get(TOKEN)  # type: ignore[index]
        if token != entry.token:
            self._violate(f"{entry.name} belongs to {token}, and not to {entry.token}", entry)
        entry.node = document["Node"]["Name"]  # type: ignore[index]

    # ---- judging

    def _choose(self) -> Entry | None:
        known = [entry for entry in self._own if entry.state is Knowledge.PRESENT]
        return self._random.choice(known) if known else None

    def _operate(
        self,
        what: str,
        entry: Entry,
        method: str,
        path: str,
        body: object = None,
        *,
        good: set[int],
        good_again: set[int] = frozenset(),  # type: ignore[assignment]
    ) -> Outcome:
        done = self._asker.operate(
            what, method, f"/containers/{entry.name}{path}", body,
            about=(entry.name, entry.token), good=good, good_again=good_again,
        )  # fmt: skip
        if not done.ok:
            self._judge(what, entry, done, engines=self._engines_of(entry))
        return done

    def _engines_of(self, entry: Entry) -> tuple[str, ...]:
        """The engines that may have a container: all, if it may have been moved."""
        return ENGINES if entry.policy or not entry.node else (entry.node,)

    def _judge(
        self, what: str, entry: Entry | None, done: Outcome, engines: tuple[str, ...]
    ) -> None:
        """Decide whether an operation may fail; a create needs any engine, unless all are out."""
        parts = self._weather.disturbed(done.since, self._history.now())
        if what in ("create", "list"):
            explained = all({each, drained_part(each)} & parts for each in ENGINES)
        else:
            explained = bool(parts & set(engines)) or self._is_moving(entry, parts)
        if explained or kinds_of(parts) >= 2:
            self._history.count("failures that faults explain")
            return
        names = () if entry is None else (entry.name, entry.token)
        disturbed = ", ".join(sorted(parts)) or "nothing"
        self._history.violate(
            f"{self._name}: {what} {names} failed although only {disturbed} was disturbed:"
            f" {done.told}",
            *names,
        )

    def _is_calm(self, entry: Entry, done: Outcome) -> bool:
        parts = self._weather.disturbed(done.since, self._history.now())
        return parts.isdisjoint(self._engines_of(entry)) and not self._is_moving(entry, parts)

    def _is_moving(self, entry: Entry | None, parts: set[str]) -> bool:
        """Whether a drain may move a container: it is stopped for a moment, and gets a new id."""
        return entry is not None and entry.policy and any(is_drain(part) for part in parts)

    def _violate(self, what: str, entry: Entry) -> None:
        self._history.violate(f"{self._name}: {what}", entry.name, entry.token, *entry.former)
