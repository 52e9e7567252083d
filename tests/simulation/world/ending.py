"""The end of a run: whether the engine is well, and its books equal to the exchange's record."""

from decimal import Decimal
from typing import Final

from tests.simulation.world.facts import VenueOrder
from tests.simulation.world.judge import Judge

from plimsoll.core.engine import Core
from plimsoll.core.model import OrderState

_UNIT: Final = 10**8
_ANSWER_NS: Final = 5_000_000_000
_FATE_NS: Final = 20_000_000_000
"""By then it is proven that a request came to nothing: receive window, margin, three looks."""


def differences(judge: Judge, core: Core, booked: set[str]) -> list[str]:
    """Return how our books differ from the exchange's; none is a pass."""
    return [
        *_open_orders(judge, core),
        *(f"execution lost: {one}" for one in judge.executions if one not in booked),
        *(f"execution invented: {one}" for one in booked if one not in judge.executions),
        *_held(judge, core),
        *_money(judge, core),
        *_left_by_a_halt(judge),
    ]


def _open_orders(judge: Judge, core: Core) -> list[str]:
    theirs = {order.link or number for number, order in judge.orders.items() if order.is_live}
    ours = {order.id for order in core.orders.working.values() if not order.is_paper}
    found = [f"open at the venue only: {one}" for one in sorted(theirs - ours)]
    return found + [
        f"open with us only: {one} {core.orders.working[one].state}"
        for one in sorted(ours - theirs)
    ]


def _left_by_a_halt(judge: Judge) -> list[str]:
    halt = judge.halts.get("")
    if halt is None or halt.keeps_orders:
        return []
    return [
        f"open under a halt: {order.link}"
        for order in judge.orders.values()
        if order.is_live and order.link in judge.intents and not _is_exit(order)
    ]


def _is_exit(order: VenueOrder) -> bool:
    """Return whether a halt leaves an order: it can only make a position smaller."""
    is_stop = order.status == "Untriggered" and not order.is_buy
    return order.reduce_only or (is_stop and order.name.startswith("spot:"))


def _held(judge: Judge, core: Core) -> list[str]:
    found = []
    for name, instrument in core.ledger.instruments.items():
        if instrument.is_spot:
            held = core.ledger.positions.items()
            paper = core.state.paper_owners
            units = sum(one.qty_units for (who, of), one in held if of == name and who not in paper)
            ours = Decimal(units) / _UNIT
            theirs = judge.positions.get(name, Decimal(0)) - judge.base_fees[name]
            if ours != theirs:
                found.append(f"holding of {name}: ours {ours}, venue {theirs}")
        else:
            lots = core.ledger.account_lots(name, core.state.paper_owners)
            ours, theirs = lots * instrument.lot, judge.positions.get(name, Decimal(0))
            if ours != theirs:
                found.append(f"position {name}: ours {ours}, venue {theirs}")
    return found


def _money(judge: Judge, core: Core) -> list[str]:
    found = []
    for coin, theirs in judge.wallet.items():
        ours = Decimal(core.ledger.cash.get(coin, 0)) / _UNIT
        if ours != theirs:
            found.append(f"wallet {coin}: ours {ours}, venue {theirs}")
    return found


def unwell(core: Core, now_ns: int) -> str:
    """Return what keeps an engine from being well, empty when it is (Q18)."""
    if not core.safety.is_reconciled:
        return "the books are not compared"
    for order in core.orders.working.values():
        is_late = order.asked_ns and now_ns - order.asked_ns > _ANSWER_NS
        if order.state in (OrderState.UNKNOWN, OrderState.INTENT) or is_late:
            return f"order {order.id} is {order.state}{' and unanswered' if is_late else ''}"
        if order.is_busy and now_ns - order.touched_ns > _FATE_NS:
            return f"order {order.id} waits for an answer that does not come"
    for name, market in core.markets.items():
        if why_not := market.why_not(now_ns):
            return f"{name} {why_not}"
    return ""
