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
        "log-format",
        "text, or json: one object for each line",
        default=("text",),
        value="FORMAT",
    ),
    Option(
        "experimental",
        "mark the manager as experimental in 'docker info' and 'docker version'",
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
        "do not load a plugin that is loaded by default; repeatable",
        kind="texts",
        value="NAME",
    ),
    Option(
        "strategy",
        "how to rank the nodes for a container: spread, binpack, random, or a plugin's strategy",
        default=("spread",),
        value="NAME",
    ),
    Option(
        "filter",
        "a filter that selects the nodes for a container; repeatable; NAME replaces the default"
        " filters, +NAME adds to them",
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
        "the address to listen on: tcp://IP:PORT, IP:PORT, unix://PATH or fd://; repeatable",
        kind="texts",
        default=("tcp://127.0.0.1:3375",),
        aliases=("H",),
        env="SWARM_HOST",
        value="ADDRESS",
    ),
    Option(
        "tls",
        "use TLS for clients and engines, without verifying them",
        kind="switch",
        default=("false",),
    ),
    Option(
        "tlsverify",
        "use TLS, and verify clients and engines by certificates of --tlscacert",
        kind="switch",
        default=("false",),
    ),
    Option("tlscacert", "trust certificates signed by this CA", value="FILE"),
    Option("tlscert", "this manager's certificate", value="FILE"),
    Option("tlskey", "its private key", value="FILE"),
    Option(
        "api-enable-cors",
        "allow web pages of any origin to use the API",
        kind="switch",
        default=("false",),
        aliases=("cors",),
    ),
    Option(
        "grace-period",
        "how long open requests may take to complete when the manager stops",
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
        "obsolete: use --engine-failure-retry",
        kind="number",
        default=("3",),
        value="COUNT",
    ),
    Option(
        "refresh-on-node-filter",
        "accepted and ignored: ps is kept current by the engines' events",
        kind="switch",
        default=("false",),
    ),
    Option(
        "container-name-refresh-filter",
        "accepted and ignored: ps is kept current by the engines' events",
        value="TEXT",
    ),
)

_CLUSTER = (
    Option(
        "alternates",
        "how many more nodes a create tries after failures that a node caused",
        kind="number",
        default=("3",),
        value="COUNT",
    ),
    Option(
        "node-settings",
        "the file that stores drained nodes and added labels; without it they are lost when the"
        " manager stops",
        value="FILE",
    ),
    Option(
        "cluster-driver",
        "the cluster driver, for scripts of Swarm classic; the only value is swarm",
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
        "run as one of several managers, one of which is the primary",
        kind="switch",
        default=("false",),
    ),
    Option(
        "replication-ttl",
        "how long a primary that no longer answers stays primary",
        kind="duration",
        default=("20s",),
        value="DURATION",
    ),
    Option(
        "advertise",
        "the address at which other managers reach this one",
        aliases=("addr",),
        env="SWARM_ADVERTISE",
        value="HOST:PORT",
    ),
)

CONFIG = Option(
    "config",
    "a TOML file with options; flags and the environment take precedence",
    value="FILE",
    place="start",
)

_START = (
    CONFIG,
    Option(
        "print-config",
        "print the value of every option with its source, and do not start",
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

#: Keys of ``--cluster-opt`` that the core reads.
CLUSTER_OPTS = {
    "swarm.compat": "classic: use Swarm classic's names, messages and defaults",
    "swarm.overcommit": "fraction of CPU and memory that may be claimed in addition (0.05)",
    "swarm.cpushares": "meaning of CpuShares: a relative weight, or cpus to claim (weight)",
    "swarm.createretry": "like --alternates; the larger of the two counts (0)",
    "swarm.starts": "how many creates and starts an engine runs at once (0: no limit)",
    "swarm.queue": "seconds that a create waits for free resources (0: it fails at once)",
    "swarm.queue.limit": "how many creates may wait at the same time (1000)",
    "swarm.spread": "a node label, such as zone: prefer its value with the fewest containers",
    "swarm.carry": "lead over the best node with an image that makes a copy worthwhile (1)",
    "swarm.weight.image": "weight of having the image, relative to the strategy (0)",
    "swarm.weight.failures": "weight of recent failures on a node, relative to the strategy (0)",
}

#: Keys that bundled plugins read.  Other plugins use prefixes of their own.
PLUGIN_OPTS = (
    "swarm.names",
    "swarm.reschedule.after",
    "swarm.reschedule.departed",
    "swarm.reschedule.parallel",
)
