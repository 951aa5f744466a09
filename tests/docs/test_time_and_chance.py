"""The product reads clocks, makes random numbers and starts threads in one module each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [*(ROOT / "swarmcore").rglob("*.py"), *(ROOT / "plugins").glob("*/swarmcore_*/**/*.py")]
PRODUCT = sorted(path for path in FILES if "testing" not in path.parts)

#: What only the named module may use; the names are dotted, and end with what is called.
RESERVED = {
    "clock.py": {
        *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns")),
        *("time.perf_counter", "time.perf_counter_ns", "time.localtime", "time.gmtime"),
        *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
        "datetime.date.today",
    },
    "chance.py": {
        *(f"random.{name}" for name in ("SystemRandom", "random", "uniform", "choice", "shuffle")),
        *(f"random.{name}" for name in ("randrange", "randint", "sample", "getrandbits")),
        *(f"secrets.{name}" for name in ("token_hex", "token_bytes", "choice", "randbelow")),
        *("secrets.token_urlsafe", "uuid.uuid1", "uuid.uuid4", "os.urandom"),
    },
    "threads.py": {"trio.to_thread.run_sync"},
}


def used(source):
    """Return the dotted names of everything from other modules that *source* uses."""
    tree = ast.parse(source)
    origins = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            origins |= {(each.asname or each.name): each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            origins |= {
                (each.asname or each.name): f"{node.module}.{each.name}" for each in node.names
            }
    found = set(origins.values())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name, dot, rest = ast.unparse(node).partition(".")
            found |= {f"{origins[name]}{dot}{rest}"} if name in origins else set()
    return found


@pytest.mark.parametrize("owner", RESERVED)
def test_one_module_of_the_product_reads_it(owner):
    users = {
        str(path.relative_to(ROOT)): names
        for path in PRODUCT
        if (names := used(path.read_text()) & RESERVED[owner])
    }
    assert users.keys() == {f"swarmcore/{owner}"}, users


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import time\nprint(time.time())", "time.time"),
        ("from time import monotonic", "time.monotonic"),
        ("from datetime import datetime as d\nd.now()", "datetime.datetime.now"),
        ("import trio\nawait trio.to_thread.run_sync(f)", "trio.to_thread.run_sync"),
        ("from random import SystemRandom", "random.SystemRandom"),
    ],
)
def test_a_use_is_found_however_it_is_imported(source, name):
    assert name in used(source)
