"""``cancel`` and ``release``: a person's commands about orders or one instrument's block.

The engine accepts a command before it knows whether there is anything to do, so the log is asked
first whether there is, and afterwards what came of it.
"""

import difflib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from plimsoll.cli.arguments import usage
from plimsoll.cli.books import damage_told, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import new_command, no_engine, send
from plimsoll.cli.output import print_json
from plimsoll.cli.previewing import plan as show
from plimsoll.config.books import Books, load_books
from plimsoll.control import Command, ControlUnreachable
from plimsoll.core.engine import Core
from plimsoll.core.engine.reach import is_cancelled
from plimsoll.core.model import NOT_OURS, Order, Scope
from plimsoll.engine.replica import Replica

_WATCH_S: Final = 5.0
_POLL_S: Final = 0.02


def cancel(
    order: str,
    project: str,
    env: str,
    *,
    json: bool,
    reason: str,
    strategy: str,
    instrument: str,
    plan: bool,
) -> Exit:
    """Have the engine cancel one order, or what can add risk of a strategy or an instrument.

    Returns 8 where something still works after 5 s.

    Raises:
        Failure: no such order, nothing to cancel, no engine, or the engine refused.
    """
    if sum(map(bool, (order, strategy, instrument))) != 1:
        hint = "plimsoll cancel ORDER, or --strategy NAME, or --instrument NAME"
        raise usage("cancel takes one of an order, a strategy and an instrument", hint)
    books = load_books(Path(project), env)
    asked = {"order": order, "strategy": strategy, "instrument": instrument}
    args: dict[str, object] = {key: value for key, value in asked.items() if value}
    if plan:
        return show(books.layout, "cancel", args, json=json)
    if order:
        return _cancel_one(books, order, reason, json=json)
    return _cancel_scope(books, Scope(strategy, instrument), args, reason, json=json)


def _cancel_scope(
    books: Books, scope: Scope, args: dict[str, object], reason: str, *, json: bool
) -> Exit:
    def left(core: Core) -> list[str]:
        orders = core.orders.working.values()
        return [order.id for order in orders if is_cancelled(order, scope)]

    with Watch(books) as watch:
        asked = left(watch.core)
        command = new_command("cancel", reason, **args)
        seq = watch.give(command, "it cancels orders, not this command")
        is_over = watch.until(seq, lambda core: not set(asked) & set(left(core)))
        still = [name for name in left(watch.core) if name in asked]
    if json:
        fields = {"asked": asked, "working": still}
        print_json({"accepted": True, "seq": seq, "id": command.id, **fields})
    else:
        print(f"{len(asked) - len(still)} of {len(asked)} orders of {scope.words} are over")
    return Exit.DONE if is_over else Exit.TIMED_OUT


def _cancel_one(books: Books, order: str, reason: str, *, json: bool) -> Exit:
    with Watch(books) as watch:
        _must_be_ours(watch.core, order)
        command = new_command("cancel", reason, order=order)
        seq = watch.give(command, "it cancels orders, not this command")
        is_over = watch.until(seq, lambda core: not _is_working(core, order))
        found = watch.core.orders.find(order)
        state = _state_words(found) if found else "unknown to the log"
    if json:
        print_json({"accepted": True, "seq": seq, "id": command.id, "order": order, "state": state})
    elif is_over:
        print(f"order {order} is over: {state}")
    else:
        print(f"accepted at seq {seq}; after {_WATCH_S:.0f} s order {order} is still {state}")
    return Exit.DONE if is_over else Exit.TIMED_OUT


def release(instrument: str, project: str, env: str, *, json: bool, reason: str) -> Exit:
    """Have the engine end a block; return 8 where it is still in force after 5 s.

    Raises:
        Failure: the instrument is not blocked, no engine, or the engine refused.
    """
    books = load_books(Path(project), env)
    with Watch(books) as watch:
        why = _must_be_blocked(watch.core, instrument)
        command = new_command("release", reason, instrument=instrument)
        seq = watch.give(command, "a block is only ended where it can be seen")
        is_free = watch.until(seq, lambda core: instrument not in core.safety.blocks)
    if json:
        fields = {"instrument": instrument, "released": is_free, "was": why}
        print_json({"accepted": True, "seq": seq, "id": command.id, **fields})
    elif is_free:
        print(f"released {instrument} at seq {seq}; it was blocked: {why}")
    else:
        print(f"accepted at seq {seq}; {instrument} is still blocked: see plimsoll status")
    return Exit.DONE if is_free else Exit.TIMED_OUT


class Watch:
    """The books of an account before and after a command."""

    def __init__(self, books: Books) -> None:
        """Read the log as it is now."""
        self._books = books
        self._replica = Replica(journal_of(books))

    def __enter__(self) -> "Watch":
        with damage_told(self._books):
            self._replica.poll()
        return self

    def __exit__(self, *_: object) -> None:
        self._replica.close()

    @property
    def core(self) -> Core:
        """Return the books as last read."""
        return self._replica.core

    def give(self, command: Command, why: str) -> int:
        """Give the command to the engine; return the seq of its acceptance."""
        try:
            return send(self._books.layout, command).seq
        except ControlUnreachable as error:
            raise no_engine(self._books.layout, why, command.cmd) from error

    def until(self, seq: int, is_done: Callable[[Core], bool]) -> bool:
        """Read on until the log is past ``seq`` and something is so; False after five seconds."""
        deadline = time.monotonic() + _WATCH_S
        with damage_told(self._books):
            while True:
                self._replica.poll()
                if self.core.seq >= seq and is_done(self.core):
                    return True
                if time.monotonic() > deadline:
                    return False
                time.sleep(_POLL_S)


def _must_be_ours(core: Core, name: str) -> None:
    order = core.orders.find(name)
    hint = "plimsoll orders lists the working ones"
    if order is None:
        working = [one.id for one in core.orders.working.values() if one.owner not in NOT_OURS]
        near = difflib.get_close_matches(name, working, n=1, cutoff=0.8)
        what, hint = f"the log has no order {name!r}", f"did you mean {near[0]}?" if near else hint
    elif order.owner in NOT_OURS:
        what = f"order {name} is not ours to cancel: it was placed outside of this engine"
        hint = "cancel it where it was placed"
    elif not order.is_working:
        what = f"order {name} is over already: {_state_words(order)}"
    else:
        return
    raise Failure(Exit.USAGE, "no-order", what, hint)


def _must_be_blocked(core: Core, name: str) -> str:
    blocks = core.safety.blocks
    if name in blocks:
        return blocks[name]
    what = f"{name} is not blocked"
    known = f"blocked: {', '.join(blocks)}" if blocks else "no instrument is: see plimsoll status"
    raise Failure(Exit.USAGE, "not-blocked", what, known)


def _is_working(core: Core, name: str) -> bool:
    order = core.orders.find(name)
    return order is not None and order.is_working


def _state_words(order: Order) -> str:
    return f"{order.state} ({order.reason})" if order.reason else str(order.state)
