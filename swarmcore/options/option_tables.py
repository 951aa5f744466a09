"""The options of the program and of ``manage``, for parsing, help, the config file and the docs.

Names, environment variables and defaults are Swarm classic's where classic has the option.  Two
defaults differ: the port (2375 is the engine's), and the filter chain, which lists the filters of
this release.  Pure.
"""

from swarmcore.command_line import Option

GLOBAL_OPTIONS = (
    Option(
        "debug",
        "log everything, and show tracebacks",
        kind="switch",
        default=("false",),
        env="DEBUG",
    ),
    Option(
        "log-level",
        "debug, info, warning, error, fatal or panic",
        default=("info",),
        aliases=("l",),
        value="LEVEL",
    ),
    Option(
        "experimental",
        "say so in 'docker info' and 'docker version'",
        kind="switch",
        default=("false",),
    ),
)

PLUGIN = Option(
    "plugin",
    "load a plugin: its name, an importable module, or a file; repeatable",
    kind="texts",
    value="NAME",
)
DISCOVERY_OPT = Option(
    "discovery-opt", "an option of the discovery; repeatable", kind="pairs", value="KEY=VALUE"
)

_PLUGINS = (
    PLUGIN,
    Option(
        "without",
        "leave out a plugin that would be loaded by itself; repeatable",
        kind="texts",
        value="NAME",
    ),
    Option(
        "strategy",
        "which node is preferred: spread, binpack, random, or a plugin's",
        default=("spread",),
        value="NAME",
    ),
    Option(
        "filter",
        "which nodes may take a container; repeatable; +NAME adds to the default chain, NAME"
        " replaces it",
        kind="texts",
        default=(
            "health",
            "port",
            "containerslots",
            "dependency",
            "affinity",
            "constraint",
            "whitelist",
            "platform",
        ),
        aliases=("f",),
        value="NAME",
    ),
)

_SERVING = (
    Option(
        "host",
        "listen here: tcp://IP:PORT, IP:PORT, unix://PATH or fd://; repeatable",
        kind="texts",
        default=("tcp://127.0.0.1:3375",),
        aliases=("H",),
        env="SWARM_HOST",
        value="ADDRESS",
    ),
    Option("tls", "serve by TLS, and ask engines by TLS", kind="switch", default=("false",)),
    Option(
        "tlsverify",
        "TLS, and verify clients and engines by --tlscacert",
        kind="switch",
        default=("false",),
    ),
    Option("tlscacert", "trust certificates signed by this CA", value="FILE"),
    Option("tlscert", "this manager's certificate", value="FILE"),
    Option("tlskey", "its private key", value="FILE"),
    Option(
        "api-enable-cors",
        "let browsers from other origins use the API",
        kind="switch",
        default=("false",),
        aliases=("cors",),
    ),
    Option(
        "grace-period",
        "how long requests may take to finish when the manager stops",
        kind="duration",
        default=("10s",),
        value="DURATION",
    ),
)

_ENGINES = (
    Option(
        "heartbeat",
        "how often discovery looks for changes",
        kind="duration",
        default=("60s",),
        value="DURATION",
    ),
    Option(
        "engine-refresh-min-interval",
        "shortest time between two refreshes of an engine",
        kind="duration",
        default=("30s",),
        value="DURATION",
    ),
    Option(
        "engine-refresh-max-interval",
        "longest time between two refreshes of an engine",
        kind="duration",
        default=("60s",),
        value="DURATION",
    ),
    Option(
        "engine-failure-retry",
        "failures in a row after which an engine is unhealthy",
        kind="number",
        default=("3",),
        value="COUNT",
    ),
    Option(
        "engine-refresh-retry",
        "no longer used: see --engine-failure-retry",
        kind="number",
        default=("3",),
        value="COUNT",
    ),
    Option(
        "refresh-on-node-filter",
        "no longer needed: ps is kept current by the engines' events",
        kind="switch",
        default=("false",),
    ),
    Option(
        "container-name-refresh-filter",
        "no longer needed: ps is kept current by the engines' events",
        value="TEXT",
    ),
)

_CLUSTER = (
    Option(
        "alternates",
        "how many other nodes to try for one create, when the failure is the node's",
        kind="number",
        default=("3",),
        value="COUNT",
    ),
    Option(
        "node-settings",
        "keep drained nodes and added labels in this file; without it they end with the manager",
        value="FILE",
    ),
    Option(
        "cluster-driver",
        "only swarm; kept for classic's scripts",
        default=("swarm",),
        aliases=("c",),
        value="NAME",
    ),
    Option(
        "cluster-opt",
        "an option of the cluster or of a plugin; repeatable",
        kind="pairs",
        value="KEY=VALUE",
    ),
    DISCOVERY_OPT,
    Option(
        "unix-engines",
        "allow lists from stores, hubs and other servers to name unix sockets of this machine",
        kind="switch",
        default=("false",),
    ),
    Option(
        "replication",
        "be one of several managers, of which one leads",
        kind="switch",
        default=("false",),
    ),
    Option(
        "replication-ttl",
        "how long a leader that went silent leads on",
        kind="duration",
        default=("20s",),
        value="DURATION",
    ),
    Option(
        "advertise",
        "where the other managers find this one",
        aliases=("addr",),
        env="SWARM_ADVERTISE",
        value="HOST:PORT",
    ),
)

CONFIG = Option(
    "config",
    "read options from a TOML file; flags and environment go first",
    value="FILE",
    place="start",
)

_START = (
    CONFIG,
    Option(
        "print-config",
        "print what holds and where each value came from, and do not start",
        kind="switch",
        default=("false",),
        place="start",
    ),
)

DISCOVERY = Option(
    "discovery",
    "where the engines are",
    env="SWARM_DISCOVERY",
    value="DISCOVERY",
    place="argument",
)

MANAGE_OPTIONS = (*_PLUGINS, *_SERVING, *_ENGINES, *_CLUSTER, *_START, DISCOVERY)

#: Keys of ``--cluster-opt`` that the core reads; other keys are for plugins.
CLUSTER_OPTS = {
    "swarm.compat": "classic: names, sentences and defaults as Swarm classic had them",
    "swarm.overcommit": "share of a node's CPU and memory given out beyond what it has (0.05)",
    "swarm.cpushares": "what CpuShares means: weight, or cpus, which claims that many (weight)",
    "swarm.createretry": "like --alternates; the larger of the two counts (0)",
    "swarm.starts": "how many creates and starts an engine has at once (0: any number)",
    "swarm.queue": "seconds that a create waits for room (0: fail at once)",
    "swarm.queue.limit": "how many creates may wait at once (1000)",
    "swarm.spread": "a label of nodes; first its value with the fewest containers",
    "swarm.carry": "lead over nodes with an image for it to be carried to the best node (1)",
    "swarm.weight.image": "how much it counts that a node has the image (0)",
    "swarm.weight.failures": "how much creates that failed on a node count against it (0)",
}
