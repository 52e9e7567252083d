"""Orders, positions and strategies of a core as rows of text; the first row holds the titles."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from plimsoll.cli import text
from plimsoll.cli.shields import SESSION_ENDS, shield_of
from plimsoll.core.engine import Core
from plimsoll.core.model import LiveStage, Mode, Order, strategy_of

Rows = list[tuple[str, ...]]

CANCELING = ", canceling"
"""Added to the state of an order that the venue was asked to cancel."""


def owners(core: Core) -> list[str]:
    """Return the instances of the newest session, then every other owner of a position."""
    configured = [entry.name for entry in core.settings.strategies] if core.settings else []
    return list(dict.fromkeys((*configured, *core.ledger.owners())))


def mode_of(core: Core, owner: str) -> str:
    """Return an instance's mode, ``-`` for owners that are none of ours."""
    entries = core.settings.strategies if core.settings else ()
    modes = [str(entry.mode) for entry in entries if entry.name == owner]
    if not modes:
        return "paper, ended" if owner in core.state.paper_owners else "-"
    found = core.state.modes.standings.get(strategy_of(owner))
    if found is None or modes[0] == Mode.PAPER:
        return modes[0]
    return _STAGES.get(found.stage, "live, UNPROVEN" if found.is_unproven else modes[0])


_STAGES: Final = {
    LiveStage.RUN_OFF: "live, running off",
    LiveStage.FLATTEN: "live, being flattened",
}


def paper_owners(core: Core) -> frozenset[str]:
    """Return the instances whose orders never leave the engine."""
    return core.state.paper_owners


def stopped_strategies(core: Core) -> dict[str, str]:
    """Return why instances were stopped, but for the one reason that is no trouble: the end."""
    stopped = core.state.stopped.items()
    return {owner: reason for owner, reason in stopped if reason != SESSION_ENDS}


def held_by(core: Core, owner: str) -> list[str]:
    """Return the instruments in which an owner has or had a position."""
    return [name for who, name in core.ledger.positions if who == owner]


class Profit(NamedTuple):
    """What an owner made, in cash units of the quote coin.

    ``unrealised`` is None where a position has no price to measure it at.
    """

    realised: int
    fees: int
    unrealised: int | None
    fills: int


def profit_of(core: Core, owner: str) -> Profit:
    """Return what an owner made over all instruments."""
    held = [core.ledger.position(owner, name) for name in held_by(core, owner)]
    unrealised = [open_profit(core, owner, name) for name in held_by(core, owner)]
    return Profit(
        sum(position.realised_units for position in held),
        sum(position.fee_units for position in held),
        None if None in unrealised else sum(units or 0 for units in unrealised),
        sum(position.fills for position in held),
    )


def open_profit(core: Core, owner: str, name: str) -> int | None:
    """Return the open profit of a position, 0 where it is flat, None where there is no price."""
    if not core.ledger.position(owner, name).qty_units:
        return 0
    market = core.markets.get(name)
    if market is None or not market.reference_ticks(core.ts_ns):
        return None
    return core.unrealised(owner, name)


def live_totals(core: Core) -> tuple[int, int, int]:
    """Return realised profit, fees and fills of the instances whose orders are sent."""
    paper = paper_owners(core)
    live = [profit_of(core, owner) for owner in core.ledger.owners() if owner not in paper]
    return (
        sum(one.realised for one in live),
        sum(one.fees for one in live),
        sum(one.fills for one in live),
    )


def strategy_rows(core: Core) -> Rows:
    """Return one row for each owner: what it made and what it has working."""
    rows: Rows = [("strategy", "mode", ">realised", ">open", ">fees", ">fills", ">working")]
    stopped = stopped_strategies(core)
    for owner in owners(core):
        profit = profit_of(core, owner)
        working = sum(order.owner == owner for order in core.orders.working.values())
        rows.append(
            (
                owner,
                mode_of(core, owner) + (", STOPPED" if owner in stopped else ""),
                text.money(profit.realised, signed=True),
                _open(profit.unrealised),
                text.money(profit.fees),
                str(profit.fills),
                str(working),
            )
        )
    return rows


def position_rows(core: Core) -> Rows:
    """Return one row for each open position."""
    rows: Rows = [
        ("strategy", "instrument", ">quantity", ">entry", ">open", "protected by", ">stop", ">take",
         ">away")
    ]  # fmt: skip
    for (owner, name), held in core.ledger.positions.items():
        lots = core.ledger.qty_lots(owner, name)
        if not held.qty_units:
            continue
        instrument = core.ledger.instruments[name]
        entry = held.cost_units / held.qty_units
        places = max(0, -instrument.tick.as_tuple().exponent)  # type: ignore[operator]
        rows.append(
            (
                owner,
                name,
                text.qty(instrument, lots),
                f"{entry:.{places}f}",
                _open(open_profit(core, owner, name)),
                *_shield(core, owner, name),
            )
        )
    return rows


def cash_rows(core: Core) -> Rows:
    """Return one row for each coin: its balance, and the causes it is the sum of."""
    rows: Rows = [("coin", ">balance", "by cause")]
    for coin, units in core.ledger.cash.items():
        causes = core.ledger.causes.get(coin, {})
        told = ", ".join(f"{name} {text.exact(one.units)}" for name, one in causes.items())
        rows.append((coin, text.exact(units), told))
    return rows


def waiting_lines(core: Core) -> list[str]:
    """Return what waits for a person, and the commands that decide it."""
    safety = core.safety
    lines = [
        f"  {name} is observed: {why}\n    plimsoll adopt {name} --to STRATEGY|manual, or --leave"
        for name, why in safety.observed.items()
    ]
    return ["", "waiting for a person", *lines] if lines else []


def _shield(core: Core, owner: str, name: str) -> tuple[str, str, str, str]:
    where, level, distance = shield_of(core, owner, name)
    instrument = core.ledger.instruments[name]
    stop, take = (instrument.price_text(ticks) if ticks else "-" for ticks in level)
    return where, stop, take, "-" if distance is None else f"{distance:.2%}"


def _open(units: int | None) -> str:
    return "no price" if units is None else text.money(units, signed=True)


def order_rows(core: Core, orders: Iterable[Order]) -> Rows:
    """Return one row for each order, as given."""
    rows: Rows = [
        ("time", "order", "strategy", "instrument", "side", ">quantity", ">price", ">filled",
         "state", "why")
    ]  # fmt: skip
    for order in orders:
        instrument = core.ledger.instruments.get(order.instrument)
        numbers = (order.qty_lots, order.price_ticks, order.filled_lots)
        shown = tuple(map(str, numbers))
        if instrument is not None:
            shown = (
                text.qty(instrument, order.qty_lots),
                instrument.price_text(order.price_ticks),
                text.qty(instrument, order.filled_lots),
            )
        state = f"{order.state}{CANCELING}" if order.cancel_pending else str(order.state)
        rows.append(
            (
                text.clock(order.created_ns),
                order.id,
                f"{order.owner} (paper)" if order.is_paper else order.owner,
                order.instrument,
                str(order.side),
                *shown,
                state,
                order.reason,
            )
        )
    return rows
