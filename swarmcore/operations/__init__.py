"""The commands that ask a running manager: explain, nodes, drain, undrain, label, decisions."""

from swarmcore.operations.commands import Call, run_command

__all__ = ["Call", "run_command"]
