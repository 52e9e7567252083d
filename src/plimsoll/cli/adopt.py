"""``adopt``: a person decides whose a foreign holding is, or that it stays foreign."""

from pathlib import Path

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import new_command
from plimsoll.cli.intervene import Watch
from plimsoll.cli.output import print_json
from plimsoll.config.books import load_books
from plimsoll.core.engine import Core
from plimsoll.core.model import FOREIGN, MANUAL, VENUE


def adopt(
    instrument: str,
    project: str,
    env: str,
    *,
    json: bool,
    to: str,
    qty: str,
    orders: bool,
    leave: bool,
    reason: str,
) -> Exit:
    """Have the engine move a holding in its books; return 8 where that is not seen within 5 s.

    Nothing is sent to the venue.

    Raises:
        Failure: what was asked cannot be, no engine, or the engine refused.
    """
    if bool(to) == leave:
        message = "adopt takes either --to STRATEGY|manual or --leave"
        raise Failure(Exit.USAGE, "usage", message, "plimsoll positions shows what is foreign")
    if leave and (qty or orders):
        raise Failure(Exit.USAGE, "usage", "--leave moves nothing", "leave out --qty and --orders")
    books = load_books(Path(project), env)
    with Watch(books) as watch:
        _must_be_there(watch.core, instrument, to)
        args = {"instrument": instrument, "to": to, "qty": qty, "orders": orders, "leave": leave}
        command = new_command("adopt", reason, **args)
        seq = watch.give(command, "books are only changed where it can be seen")
        is_done = watch.until(seq + 1, lambda _core: True)  # no engine is silent for so long
        watch.until(seq + 1, lambda _core: True)  # and what it decided with it
        refusal = _refusal(watch.core, seq)
        is_observed = instrument in watch.core.safety.observed
    if refusal:
        raise Failure(Exit.REFUSED, "refused", f"{instrument}: {refusal}")
    if json:
        fields = {"instrument": instrument, "to": to, "observed": is_observed}
        print_json({"accepted": True, "seq": seq, "id": command.id, **fields})
    elif leave:
        print(f"{instrument} stays foreign, decided at seq {seq}: it counts in exposure")
    else:
        left = "; the rest is still observed" if is_observed else ""
        print(f"{instrument} is {to}'s from seq {seq} on{left}")
    return Exit.DONE if is_done else Exit.TIMED_OUT


def _must_be_there(core: Core, name: str, to: str) -> None:
    if name not in core.ledger.instruments:
        known = ", ".join(core.ledger.instruments) or "none"
        message = f"the engine lists no {name}"
        raise Failure(Exit.USAGE, "unknown-instrument", message, f"listed: {known}")
    if to in (FOREIGN, VENUE):
        message = f"--to {to}: that is nobody"
        raise Failure(Exit.USAGE, "usage", message, f"an instance or {MANUAL}; else --leave")


def _refusal(core: Core, seq: int) -> str:
    """Return why the engine did not do it, from what it told after the command."""
    told = (one for one in core.incidents if one.cause == seq and one.code == "adopt_refused")
    return next((one.text for one in told), "")
