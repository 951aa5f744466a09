"""The commands that ask a running manager: nodes, drain, undrain, label, explain, decisions.

This module has the tables of options only, so that help is quick; the rest is imported by a run.
"""

from swarmcore import hookimpl
from swarmcore.command_line import Call, Command
from swarmcore_operations.commands.tables import OPERATIONS


@hookimpl
def swarmcore_commands() -> list[Command]:
    """Every command of this plugin."""
    return [Command(usage, _run) for usage in OPERATIONS]


def _run(call: Call) -> int:
    """Ask a running manager, which is found as docker finds an engine."""
    variables = {key: text for key, text in call.environment.items() if key.startswith("DOCKER_")}
    options = {name: setting.value for name, setting in call.settings(variables).items()}
    from swarmcore_operations.commands.running import Operation, run_command

    return run_command(Operation(call.usage.name, options, call.words, call.environment))
