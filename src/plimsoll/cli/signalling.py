"""``signal``: tell an instance something from outside."""

import json as json_text
import sys

import msgspec

from plimsoll.cli.arguments import usage
from plimsoll.cli.exits import Exit
from plimsoll.cli.giving import given, layout_of, new_command
from plimsoll.cli.output import print_json
from plimsoll.core.strategy.signals import PAYLOAD_MOST


def send(
    strategy: str, payload: str, project: str, env: str, *, json: bool, id: str, at: int
) -> Exit:
    """Give a signal to the running engine.

    Raises:
        Failure: no JSON object, no engine runs, or it refused.
    """
    text = sys.stdin.read(PAYLOAD_MOST + 1) if payload == "-" else payload
    try:
        found = json_text.loads(text)
    except (ValueError, RecursionError) as error:
        raise usage(f"expected a JSON object: {error}", _EXAMPLE) from error
    if not isinstance(found, dict):
        raise usage(f"expected a JSON object, found {text[:60]}", _EXAMPLE)
    command = new_command("signal", "")
    name = f"signal-{strategy}-{id}" if id else command.id
    args: dict[str, object] = {"strategy": strategy, "payload": found}
    if at:
        args["at_ms"] = at
    command = msgspec.structs.replace(command, id=name, args=args)
    answer = given(layout_of(project, env), command, "a signal is heard by a running engine")
    if json:
        print_json({"accepted": True, "seq": answer.seq, "id": name, "strategy": strategy})
    else:
        print(f"{strategy} has heard it: seq {answer.seq}; what came of it: plimsoll why {name}")
    return Exit.DONE


_EXAMPLE = """plimsoll signal follow '{"side": "long"}'"""
