"""``orders`` and ``positions``: tables read from the logs."""

from pathlib import Path
from typing import Any

from plimsoll.cli import text
from plimsoll.cli.books import replica_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json
from plimsoll.cli.rows import (
    cash_rows,
    mode_of,
    open_profit,
    order_rows,
    owners,
    position_rows,
    profit_of,
    strategy_rows,
    waiting_lines,
)
from plimsoll.cli.shields import shield_of
from plimsoll.config.books import load_books
from plimsoll.core.engine import Core
from plimsoll.core.model import Instrument, Order


def orders(project: str, env: str, *, json: bool, all: bool, limit: int) -> Exit:
    """Print the working orders, or with ``all`` the closed ones before them."""
    with replica_of(load_books(Path(project), env)) as replica:
        core = replica.core
        found = list(core.orders.working.values())
        if all:
            found = [*core.orders.closed.values(), *found]
            found.sort(key=lambda order: order.created_ns)
        found = found[-limit:]
        if json:
            print_json({"orders": [_order(core, order) for order in found]})
        elif found:
            rows = order_rows(core, found)
            print(text.table(rows[0], rows[1:]))
        else:
            print("no orders" if all else "no working orders; --all shows those that are over")
    return Exit.DONE


def positions(project: str, env: str, *, json: bool) -> Exit:
    """Print what every strategy holds and has made."""
    with replica_of(load_books(Path(project), env)) as replica:
        core = replica.core
        if json:
            found = {"positions": _positions(core), "strategies": strategies(core)}
            print_json(found | {"cash": _cash(core), "observed": core.safety.observed})
            return Exit.DONE
        held, made = position_rows(core), strategy_rows(core)
        print(text.table(held[0], held[1:]) if len(held) > 1 else "no open positions")
        if len(made) > 1:
            print()
            print(text.table(made[0], made[1:]))
        cash = cash_rows(core)
        if len(cash) > 1:
            print()
            print(text.table(cash[0], cash[1:]))
        for line in waiting_lines(core):
            print(line)
    return Exit.DONE


def strategies(core: Core) -> dict[str, dict[str, Any]]:
    """Return what each owner made, as exact decimal text."""
    found = {}
    for owner in owners(core):
        profit = profit_of(core, owner)
        found[owner] = {
            "mode": mode_of(core, owner),
            "realised_pnl": text.exact(profit.realised),
            "unrealised_pnl": _exact(profit.unrealised),
            "fees": text.exact(profit.fees),
            "fills": profit.fills,
        }
    return found


def _positions(core: Core) -> list[dict[str, Any]]:
    rows = []
    for (owner, name), held in core.ledger.positions.items():
        if held.qty_units:
            instrument = core.ledger.instruments[name]
            shield = shield_of(core, owner, name)
            rows.append(
                {
                    "strategy": owner,
                    "instrument": name,
                    "qty": instrument.qty_text(core.ledger.qty_lots(owner, name)),
                    "cost": text.exact(held.cost_units),
                    "unrealised_pnl": _exact(open_profit(core, owner, name)),
                    "protection": shield.where,
                    "stop": _price(instrument, shield.level.stop_ticks),
                    "take": _price(instrument, shield.level.take_ticks),
                    "stop_distance": shield.distance,
                }
            )
    return rows


def _cash(core: Core) -> dict[str, dict[str, str]]:
    """Return why each coin's balance is what it is, as exact decimal text by cause."""
    return {
        coin: {name: text.exact(one.units) for name, one in causes.items()}
        for coin, causes in core.ledger.causes.items()
    }


def _price(instrument: Instrument, ticks: int) -> str | None:
    return instrument.price_text(ticks) if ticks else None


def _exact(units: int | None) -> str | None:
    return None if units is None else text.exact(units)


def _order(core: Core, order: Order) -> dict[str, Any]:
    instrument = core.ledger.instruments.get(order.instrument)
    return {
        "id": order.id,
        "venue_id": order.venue_id,
        "strategy": order.owner,
        "paper": order.is_paper,
        "instrument": order.instrument,
        "side": str(order.side),
        "type": str(order.order_type),
        "time_in_force": str(order.tif),
        "qty": instrument.qty_text(order.qty_lots) if instrument else None,
        "price": instrument.price_text(order.price_ticks) if instrument else None,
        "filled": instrument.qty_text(order.filled_lots) if instrument else None,
        "reduce_only": order.reduce_only,
        "trigger": _price(instrument, order.trigger_ticks) if instrument else None,
        "untriggered": order.is_untriggered,
        "state": str(order.state),
        "reason": order.reason,
        "created_ns": order.created_ns,
    }
