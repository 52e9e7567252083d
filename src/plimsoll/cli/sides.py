"""The two sides of a comparison: our books from the log, the exchange's from its record."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from plimsoll.cli.compare import (
    ENDED,
    FILLED,
    NEVER,
    OPEN,
    UNANSWERED,
    ExecutionLine,
    OrderLine,
    Side,
)
from plimsoll.cli.rows import paper_owners
from plimsoll.core.engine import Core
from plimsoll.core.model import Instrument, Order, OrderState, is_own
from plimsoll.core.portfolio.ledger import POSITION_KINDS
from plimsoll.core.records import ExecutionReported, OrderIntended, decode
from plimsoll.journal import KIND_RECORD, TRADING, scan

_UNIT: Final = Decimal("1e-8")
"""What money and base quantities are exact to: one cash unit."""

_NEVER: Final = frozenset({OrderState.REJECTED, OrderState.DENIED, OrderState.ABSENT})
_UNANSWERED: Final = frozenset({OrderState.INTENT, OrderState.SENT, OrderState.UNKNOWN})
_VENUE_OPEN: Final = frozenset(
    {"Created", "New", "PartiallyFilled", "Untriggered", "Triggered", "Active"}
)


# ---- ours ----


def our_side(journal_dir: Path, core: Core) -> Side:
    """Return our books: orders and executions from the whole log, the rest from the core."""
    side = Side()
    for entry in scan(journal_dir, TRADING):
        if entry.kind == KIND_RECORD:
            record = decode(entry.payload)
            if isinstance(record, OrderIntended):
                side.orders.setdefault(record.client_order_id, OrderLine(NEVER, Decimal(0)))
            elif isinstance(record, ExecutionReported) and record.kind in POSITION_KINDS:
                _add_execution(side, record, core.ledger.instruments[record.instrument])
    _add_states(side, core)
    _add_holdings(side, core)
    return side


def _add_execution(side: Side, record: ExecutionReported, instrument: Instrument) -> None:
    """Add an execution; the stream and a query tell of the same one, the ledger books it once."""
    side.executions.setdefault(
        (record.instrument, record.execution_id),
        ExecutionLine(
            record.client_order_id,
            instrument.lot * record.qty_lots,
            instrument.tick * record.price_ticks,
            _UNIT * record.fee_units,
        ),
    )


def _add_states(side: Side, core: Core) -> None:
    for order in (*core.orders.closed.values(), *core.orders.working.values()):
        if order.is_paper:
            continue
        instrument = core.ledger.instruments[order.instrument]
        side.orders[order.id] = OrderLine(_state_of(order), instrument.lot * order.filled_lots)


def _state_of(order: Order) -> str:
    if order.state in _UNANSWERED:
        return UNANSWERED
    if order.is_working:
        return OPEN
    if order.state is OrderState.FILLED:
        return FILLED
    return NEVER if order.state in _NEVER and not order.venue_id else ENDED


def _add_holdings(side: Side, core: Core) -> None:
    paper = paper_owners(core)
    for (owner, name), held in core.ledger.positions.items():
        if owner in paper:
            continue
        side.booked[name] += held.fills
        if not core.ledger.instruments[name].is_spot:
            units = _UNIT * held.qty_units
            side.positions[name] = side.positions.get(name, Decimal(0)) + units
    side.wallet = {coin: _UNIT * units for coin, units in core.ledger.cash.items()}


# ---- the exchange's ----


def read_record(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a record; a torn last one, of a killed exchange, ends it.

    Raises:
        OSError: it cannot be read.
        ValueError: a line before the last is no JSON object, or a number is missing.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            found = json.loads(line)
            if not isinstance(found, dict) or found.get("n") != number:
                raise ValueError(f"line {number} is not number {number} of a record")
            yield found


def their_side(lines: Iterable[dict[str, Any]], tag: str, account: str = "") -> Side:
    """Return what the exchange recorded of one account.

    Args:
        lines: Of the record.
        tag: Of our client order ids; it tells our account where the record holds several.
        account: Number of the account at the exchange; "" = the one that has orders of the tag.
    """
    kept = [line for line in lines if line["kind"] in _TAKERS and line.get("account")]
    accounts = {line["account"] for line in kept}
    if not account and len(accounts) > 1:
        own = [line["account"] for line in kept if is_own(line.get("orderLinkId", ""), tag)]
        account = own[0] if own else ""
    side = Side()
    for line in kept:
        if account in ("", line["account"]):
            _TAKERS[line["kind"]](side, line)
    return side


def _take_order(side: Side, line: dict[str, Any]) -> None:
    link_id, order_id, status = line["orderLinkId"], line["orderId"], line["orderStatus"]
    order_ids = side.accepted.setdefault(link_id, [])
    if order_id not in order_ids:
        order_ids.append(order_id)
    state = OPEN if status in _VENUE_OPEN else FILLED if status == "Filled" else ENDED
    side.orders[link_id or order_id] = OrderLine(state, Decimal(line["cumExecQty"]))


def _take_execution(side: Side, line: dict[str, Any]) -> None:
    if line["execType"] not in POSITION_KINDS:
        return
    side.executions[_name(line), line["execId"]] = ExecutionLine(
        line["orderLinkId"],
        Decimal(line["execQty"]),
        Decimal(line["execPrice"]),
        Decimal(line["execFee"]),
    )


def _take_position(side: Side, line: dict[str, Any]) -> None:
    sign = -1 if line["side"] == "Sell" else 1
    side.positions[_name(line)] = sign * Decimal(line["size"])


def _take_wallet(side: Side, line: dict[str, Any]) -> None:
    for coin in line["coin"]:
        side.wallet[coin["coin"]] = Decimal(coin["walletBalance"])


def _name(line: dict[str, Any]) -> str:
    return f"{line['category']}:{line['symbol']}"


_TAKERS: Final = {
    "order": _take_order,
    "execution": _take_execution,
    "position": _take_position,
    "wallet": _take_wallet,
}
