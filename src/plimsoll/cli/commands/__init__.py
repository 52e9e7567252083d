"""Every command: its words, its help, its arguments and where its function is."""

from typing import Final

from plimsoll.cli.commands.acting import ACTING
from plimsoll.cli.commands.backtests import BACKTESTS
from plimsoll.cli.commands.executors import EXECUTOR_COMMANDS
from plimsoll.cli.commands.explaining import EXPLAINING
from plimsoll.cli.commands.guarding import GUARDING
from plimsoll.cli.commands.judging import JUDGING
from plimsoll.cli.commands.modes import MODE_COMMANDS
from plimsoll.cli.commands.preparing import PREPARING
from plimsoll.cli.commands.running import RUNNING
from plimsoll.cli.commands.simulating import SIMULATING
from plimsoll.cli.data import commands as data
from plimsoll.cli.strategy.commands import STRATEGY_COMMANDS

COMMANDS: Final = (
    *SIMULATING,
    *BACKTESTS,
    *RUNNING,
    *ACTING,
    *EXECUTOR_COMMANDS,
    *GUARDING,
    *JUDGING,
    *EXPLAINING,
    *STRATEGY_COMMANDS,
    *MODE_COMMANDS,
    *data.COMMANDS,
    *PREPARING,
)
"""In the order of the overview."""

__all__ = ["COMMANDS"]
