"""The commands for operating a manager, and their options.  Pure."""

from swarmcore.command_line import Option, Usage

_WHERE = (
    Option(
        "host",
        "the address of the manager: tcp://HOST:PORT, HOST:PORT, unix://PATH or ssh://[USER@]HOST",
        default=("tcp://127.0.0.1:3375",),
        aliases=("H",),
        env="DOCKER_HOST",
        value="ADDRESS",
        place="start",
    ),
    Option("tls", "use TLS", kind="switch", default=("false",), env="DOCKER_TLS", place="start"),
    Option(
        "tlsverify",
        "use TLS, and verify the manager",
        kind="switch",
        default=("false",),
        env="DOCKER_TLS_VERIFY",
        place="start",
    ),
    Option(
        "tlscacert",
        "trust certificates signed by this CA (ca.pem in $DOCKER_CERT_PATH)",
        value="FILE",
        place="start",
    ),
    Option(
        "tlscert", "your certificate (cert.pem in $DOCKER_CERT_PATH)", value="FILE", place="start"
    ),
    Option("tlskey", "its private key (key.pem in $DOCKER_CERT_PATH)", value="FILE", place="start"),
)
_JSON = Option("json", "print JSON, for scripts", kind="switch", default=("false",), place="start")

NODES_OPTIONS = (_JSON, *_WHERE)
EXPLAIN_OPTIONS = (
    _JSON,
    Option("node", "show the result of every rule for this node", value="NODE", place="start"),
    Option(
        "json-config",
        "explain this body of a create instead of a command line; - for standard input",
        value="FILE",
        place="start",
    ),
    Option("name", "with --json-config: the container's name", value="NAME", place="start"),
    *_WHERE,
)

DECISIONS_OPTIONS = (
    _JSON,
    Option(
        "limit",
        "the maximum number of decisions to show",
        kind="number",
        default=("20",),
        aliases=("n",),
        value="COUNT",
        place="start",
    ),
    *_WHERE,
)

DRAIN_OPTIONS = (
    Option(
        "reason", "the reason, which refusals and 'docker info' show", value="TEXT", place="start"
    ),
    Option(
        "author",
        "your name, shown with the reason (default: your user name)",
        value="NAME",
        place="start",
    ),
    Option(
        "wait",
        "return when no container runs on the nodes any more",
        kind="switch",
        default=("false",),
        place="start",
    ),
    Option(
        "move",
        "move containers whose reschedule policy allows it to other nodes",
        kind="switch",
        default=("false",),
        place="start",
    ),
    Option(
        "timeout",
        "with --wait: give up after this time, and exit with status 1; 0 waits for ever",
        kind="duration",
        default=("0",),
        value="DURATION",
        place="start",
    ),
    *_WHERE,
)

#: All commands.
OPERATIONS = (
    Usage("nodes", "show the nodes of a running manager", "[NODE...]", NODES_OPTIONS, mixed=True),
    Usage("drain", "stop placing containers on nodes", "NODE...", DRAIN_OPTIONS, mixed=True),
    Usage("undrain", "resume placing containers on nodes", "NODE...", _WHERE, mixed=True),
    Usage(
        "label",
        "add labels to a node, or remove added labels with KEY-",
        "NODE KEY=VALUE|KEY- ...",
        _WHERE,
        mixed=True,
    ),
    Usage(
        "explain",
        "show where 'docker run' would place the container, and why; change nothing",
        "[--] docker run ...",
        EXPLAIN_OPTIONS,
        "The exit status is 0 if the container would be placed, and 2 if it would be refused.\n",
    ),
    Usage("moves", "show containers that were moved to other nodes", "", (_JSON, *_WHERE)),
    Usage("decisions", "show the latest placements and refusals", "", DECISIONS_OPTIONS),
)
