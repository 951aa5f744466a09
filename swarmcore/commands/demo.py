"""``swarmcore demo``: a whole cluster on this machine."""

from swarmcore.command_line import Call, Command, Option, Usage
from swarmcore.errors import ConfigError

DEMO_OPTIONS = (
    Option(
        "engines", "the number of engines", kind="number", default=("3",), value="N", place="start"
    ),
    Option(
        "real",
        "use real Docker Engines in namespaces of this machine (needs root and dockerd)",
        kind="switch",
        default=("false",),
        place="start",
    ),
    Option(
        "embedded",
        "use small built-in engines, which work on every machine",
        kind="switch",
        default=("false",),
        place="start",
    ),
    Option(
        "host",
        "the address to listen on; repeatable",
        kind="texts",
        default=("tcp://127.0.0.1:3375",),
        aliases=("H",),
        value="ADDRESS",
        place="start",
    ),
)


def _run(call: Call) -> int:
    call.refuse_words()
    read = {name: setting.value for name, setting in call.settings({}).items()}
    if read["real"] and read["embedded"]:
        raise ConfigError("demo starts real engines or embedded ones: --real or --embedded")
    if read["engines"] < 1:
        raise ConfigError("demo needs at least one engine: --engines 1")
    kind = "real" if read["real"] else "embedded" if read["embedded"] else None
    from swarmcore.demo import demo

    return demo(read["engines"], kind, read["host"])


DEMO = Command(
    Usage("demo", "run a whole cluster on this machine, to try it", "", DEMO_OPTIONS), _run
)
