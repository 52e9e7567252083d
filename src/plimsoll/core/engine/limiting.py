"""A limit changed while the engine runs (RSK-7): the command is recorded, then the change.

Whether the person may raise one was settled before the command became a record: a passphrase is
checked outside of the core, where it can be forgotten.
"""

import json
from collections.abc import Iterator

from plimsoll.core.engine.state import State
from plimsoll.core.records import LimitsChanged, OperatorCommand, Record
from plimsoll.core.risk.limits import refusal_of


def change_limit(state: State, command: OperatorCommand) -> Iterator[Record]:
    """Change a limit as a command says, nothing where it cannot be set."""
    args = json.loads(command.args or "{}")
    scope, key, value = str(args.get("scope", "")), str(args.get("key", "")), args.get("value")
    if refusal_of(scope, key, value, state.settings) or not isinstance(value, int):
        return
    before = state.limits.value(scope, key)
    reason = str(args.get("reason", "")) or command.cmd
    yield LimitsChanged(*state.stamp(), scope, key, value, before, command.actor, reason)
