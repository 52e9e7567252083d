"""Commands: large orders that are worked in small ones."""

from typing import Final

from plimsoll.cli.arguments import SHARED, Argument, Command
from plimsoll.cli.commands.common import REASON

EXECUTOR_COMMANDS: Final = (
    Command(
        "executors list",
        "list the executors of a project's instances, from the logs",
        (
            "plimsoll executors list",
            "plimsoll executors list --instance work --all --json",
        ),
        "executors:show",
        (
            *SHARED,
            Argument("--instance", "of this instance alone", default="", metavar="NAME"),
            Argument("--all", "those that have ended as well", is_flag=True),
        ),
        "Works with the engine stopped. What is traded, working and refused is as new as the log.\n"
        "The newest hundred of an instance that have ended are kept.",
    ),
    Command(
        "executors cancel",
        "end an executor: cancel what it has working, ask for nothing more",
        ('plimsoll executors cancel work#3 --reason "the market has turned"',),
        "executors:cancel",
        (
            Argument("name", "INSTANCE#NUMBER, as `plimsoll executors list` names it"),
            *SHARED,
            REASON,
        ),
        "Recorded first, so that a restart knows it. Its strategy is told (`on_executor`, reason\n"
        "`operator`) and may begin another one: `plimsoll pause` keeps it from that. What is\n"
        "traded stays; of `Legs` what is ahead is taken back at the market first. Exit code 7\n"
        "where there is no such executor, 8 when it has not ended within 5 s.",
    ),
)
"""In the order of the overview."""
