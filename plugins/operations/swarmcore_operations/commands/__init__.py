"""Commands for operating a manager: nodes, drain, undrain, label, explain, decisions.

This module only has the tables of options, so that help is fast; commands import the rest.
"""

from swarmcore import hookimpl
from swarmcore.command_line import Call, Command
from swarmcore_operations.commands.tables import OPERATIONS


@hookimpl
def swarmcore_commands() -> list[Command]:
    """All commands of this plugin."""
    return [Command(usage, _run) for usage in OPERATIONS]


def _run(call: Call) -> int:
    """Run a command; the manager is found as the ``docker`` command finds an engine."""
    variables = {key: text for key, text in call.environment.items() if key.startswith("DOCKER_")}
    options = {name: setting.value for name, setting in call.settings(variables).items()}
    from swarmcore_operations.commands.running import Operation, run_command

    return run_command(Operation(call.usage.name, options, call.words, call.environment))
