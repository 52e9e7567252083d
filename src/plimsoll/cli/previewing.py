"""``--plan``: what a halt, flatten, close or cancel would touch, from the log, changing nothing."""

from typing import Any

from plimsoll.cli import text
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.prices import add_prices
from plimsoll.cli.rows import order_rows
from plimsoll.cli.watching import LogWatch, newest_journal
from plimsoll.config.layout import Layout
from plimsoll.core.engine import Core
from plimsoll.core.engine.judging import (
    CancelArgs,
    CloseArgs,
    CommandRefused,
    FlattenArgs,
    HaltArgs,
    close_scope,
    read_command,
)
from plimsoll.core.engine.reach import EngineStop, Holding, Preview, estimate, preview
from plimsoll.core.model import Scope, scope_of


def plan(layout: Layout, cmd: str, args: dict[str, object], *, json: bool) -> Exit:
    """Print what a command would touch now.

    Raises:
        Failure: there is no log, or the engine would refuse the command.
    """
    folder = newest_journal(layout)
    if folder is None:
        raise Failure(
            Exit.CONFIGURATION,
            "no-journal",
            f"no engine has run in {layout.var_dir}: there is nothing to look at",
            f"plimsoll run --project {layout.root}",
        )
    watch = LogWatch(folder)
    try:
        core = watch.core
        add_prices(core, folder, with_books=True)
        scope, seen = _preview(core, cmd, args)
    finally:
        watch.close()
    if json:
        print_json({"plan": cmd, "scope": scope.text, **_document(core, seen)})
    else:
        print(_page(core, cmd, scope, seen))
    return Exit.DONE


def _preview(core: Core, cmd: str, args: dict[str, object]) -> tuple[Scope, Preview]:
    state = core.state
    try:
        found = read_command(state, cmd, args)
        scope = _scope(core, found)
    except CommandRefused as error:
        raise Failure(Exit.REFUSED, "refused", str(error)) from error
    match found:
        case HaltArgs():
            seen = preview(
                state,
                scope,
                keeps_orders=found.keep_orders,
                with_protections=found.protections_too,
                is_dedicated=found.all,
                flattens=found.flatten,
            )
        case FlattenArgs():
            seen = preview(state, scope, is_dedicated=found.all, flattens=True)
        case _:
            seen = preview(state, scope, flattens=isinstance(found, CloseArgs))
    if isinstance(found, CancelArgs) and found.order:
        order = state.orders.find(found.order)
        return scope, seen._replace(cancels=[order] if order else [], stays=[])
    return scope, seen


def _scope(core: Core, found: object) -> Scope:
    match found:
        case HaltArgs() | FlattenArgs():
            return scope_of(found.scope)
        case CloseArgs():
            return close_scope(core.state, found)
        case CancelArgs():
            return Scope(found.strategy, found.instrument)
        case _:
            raise AssertionError(f"no plan for {found!r}")


def _page(core: Core, cmd: str, scope: Scope, seen: Preview) -> str:
    lines = [f"{cmd} of {scope.words} would now touch, without anything being changed:"]
    for title, orders in (("cancelled", seen.cancels), ("left", seen.stays)):
        lines += ["", f"orders {title}: {len(orders) or 'none'}"]
        if orders:
            rows = order_rows(core, orders)
            lines.append(text.table(rows[0], rows[1:], "  "))
    lines += ["", f"positions closed: {len(seen.closes) or 'none'}"]
    lines += [f"  {_closing(core, one)}" for one in seen.closes]
    if seen.naked:
        lines += ["", "LEFT WITHOUT PROTECTION"]
        lines += [f"  {_held(core, one)}" for one in seen.naked]
    if seen.engine_stops:
        lines += ["", "stops that only the running engine watches: they end with the engine"]
        lines += [f"  {_stop(core, one)}" for one in seen.engine_stops]
    return "\n".join(lines)


def _held(core: Core, held: Holding) -> str:
    instrument = core.ledger.instruments[held.instrument]
    return f"{held.owner} {instrument.qty_text(held.lots)} {held.instrument}"


def _closing(core: Core, held: Holding) -> str:
    reference, cost, fee = estimate(core.state, held)
    if not reference:
        return f"{_held(core, held)}: no price is known, nothing would be sent"
    instrument = core.ledger.instruments[held.instrument]
    return (
        f"{_held(core, held)} at about {instrument.price_text(reference)}: cost up to "
        f"{text.money(cost)} against it, fees about {text.money(fee)}"
    )


def _stop(core: Core, stop: EngineStop) -> str:
    instrument = core.ledger.instruments[stop.instrument]
    return f"{stop.owner} {stop.instrument} at {instrument.price_text(stop.stop_ticks)}"


def _document(core: Core, seen: Preview) -> dict[str, Any]:
    def held(one: Holding) -> dict[str, str]:
        qty = core.ledger.instruments[one.instrument].qty_text(one.lots)
        return {"strategy": one.owner, "instrument": one.instrument, "qty": qty}

    closes: list[dict[str, str | None]] = []
    for one in seen.closes:
        reference, cost, fee = estimate(core.state, one)
        instrument = core.ledger.instruments[one.instrument]
        price = instrument.price_text(reference) if reference else None
        priced = {"reference": price, "cost": text.exact(cost), "fees": text.exact(fee)}
        closes.append({**held(one), **priced})
    return {
        "cancels": [one.id for one in seen.cancels],
        "stays": [one.id for one in seen.stays],
        "closes": closes,
        "naked": [held(one) for one in seen.naked],
        "engine_stops": [
            {
                "strategy": one.owner,
                "instrument": one.instrument,
                "stop": core.ledger.instruments[one.instrument].price_text(one.stop_ticks),
            }
            for one in seen.engine_stops
        ],
    }
