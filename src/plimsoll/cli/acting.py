"""What a person does by hand: flatten, close, order; and letting a stopped strategy start again.

Each is a command to the running engine. What came of it is read from the log afterwards.
"""

from typing import Final

from plimsoll.cli.control import halted
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import given, layout_of, new_command, scope_text
from plimsoll.cli.output import print_json
from plimsoll.cli.previewing import plan as show
from plimsoll.cli.watching import must_have_run, watching
from plimsoll.config.layout import Layout
from plimsoll.control import Command
from plimsoll.core.engine import Core
from plimsoll.core.engine.judging import CloseArgs, CommandRefused, close_scope
from plimsoll.core.model import Order, OrderState
from plimsoll.core.records import OrderDenied, OrderIntended

_WATCH_S: Final = 5.0
_MOVING: Final = (OrderState.INTENT, OrderState.SENT, OrderState.ACKED)


def flatten(
    scope: str, project: str, env: str, *, json: bool, reason: str, all: bool, plan: bool
) -> Exit:
    """Halt a scope and close its positions; 8 where something is left.

    Raises:
        Failure: nothing to close, no engine, or the engine refused.
    """
    layout = layout_of(project, env)
    args: dict[str, object] = {"scope": scope_text(scope)}
    if all:
        args["all"] = True
    if plan:
        return show(layout, "flatten", args, json=json)
    command = new_command("flatten", reason, **args)
    answer = given(
        layout, command, "positions are closed by an engine; plimsoll halt works without"
    )
    return halted(layout, command, answer.seq, json=json, flattens=True)


def close(
    instrument: str,
    project: str,
    env: str,
    *,
    json: bool,
    reason: str,
    strategy: str,
    plan: bool,
) -> Exit:
    """Close one instance's position and halt it there; 8 where something is left.

    Raises:
        Failure: nobody holds it, several do, no engine, or the engine refused.
    """
    layout = layout_of(project, env)
    args: dict[str, object] = {"instrument": instrument}
    if strategy:
        args["strategy"] = strategy
    if plan:
        return show(layout, "close", args, json=json)
    scope = _close_scope(layout, instrument, strategy)
    command = new_command("close", reason, **args)
    answer = given(layout, command, "positions are closed by an engine")
    told = Command(id=command.id, actor=command.actor, cmd="close", args={"scope": scope})
    return halted(layout, told, answer.seq, json=json, flattens=True)


def order(
    instrument: str,
    side: str,
    qty: str,
    project: str,
    env: str,
    *,
    json: bool,
    reason: str,
    limit: str,
    reduce_only: bool,
    post_only: bool,
) -> Exit:
    """Place an order by hand; 7 with the gate's words where it is refused.

    Raises:
        Failure: refused, no engine, or it does not answer.
    """
    layout = layout_of(project, env)
    args: dict[str, object] = {"instrument": instrument, "side": side, "qty": qty}
    asked = {"limit": limit, "reduce_only": reduce_only, "post_only": post_only}
    args |= {key: value for key, value in asked.items() if value}
    command = new_command("order", reason, **args)
    seq = given(layout, command, "an order by hand goes through the engine's gate").seq
    with watching(must_have_run(layout), seq) as watch:
        is_known = lambda: bool(  # noqa: E731
            watch.of(OrderIntended, cause=seq) or watch.of(OrderDenied, cause=seq)
        )
        watch.until(seq, is_known, _WATCH_S)
        for denied in watch.of(OrderDenied, cause=seq):
            raise Failure(Exit.REFUSED, denied.code, denied.text)
        made = watch.of(OrderIntended, cause=seq)
        if not made:
            raise Failure(Exit.TIMED_OUT, "unanswered", f"accepted at seq {seq}; see the log")
        name = made[0].client_order_id
        is_settled = watch.until(seq, lambda: not _moves(watch.core, name), _WATCH_S)
        found = watch.core.orders.find(name)
        state = str(found.state) if found else "unknown"
        filled = _filled(watch.core, found)
    if json:
        fields = {"order": name, "state": state, "filled": filled}
        print_json({"accepted": True, "seq": seq, "id": command.id, **fields})
    else:
        why = f" ({found.reason})" if found and found.reason else ""
        print(f"order {name} is {state}{why}, filled {filled}")
    if state == OrderState.REJECTED:
        return Exit.REFUSED
    return Exit.DONE if is_settled else Exit.TIMED_OUT


def strategy_resume(name: str, project: str, env: str, *, json: bool, reason: str) -> Exit:
    """Let an instance that was stopped for a fault start again.

    Raises:
        Failure: it is not stopped, no engine, or the engine refused.
    """
    layout = layout_of(project, env)
    command = new_command("strategy-resume", reason, strategy=name)
    answer = given(layout, command, "an instance is started by a running engine")
    if json:
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, "strategy": name})
    else:
        print(f"{name} starts again from seq {answer.seq}, from its newest checkpoint")
    return Exit.DONE


def _close_scope(layout: Layout, instrument: str, strategy: str) -> str:
    with watching(must_have_run(layout)) as watch:
        try:
            asked = CloseArgs(instrument=instrument, strategy=strategy)
            return close_scope(watch.core.state, asked).text
        except CommandRefused as error:
            raise Failure(Exit.REFUSED, "refused", str(error)) from error


def _moves(core: Core, name: str) -> bool:
    order = core.orders.find(name)
    return order is None or order.state in _MOVING


def _filled(core: Core, order: Order | None) -> str:
    instrument = core.ledger.instruments.get(order.instrument) if order else None
    return instrument.qty_text(order.filled_lots) if order and instrument else "0"
