"""The ledger: exact integers, each execution booked once, every cash change with a cause.

A closing execution removes ``cost x closed / held`` from the entry cost, rounded against us by at
most one cash unit, so that a position closed to zero has lost nothing to rounding. Fees stand
apart from realised profit. Spot fees charged in the base coin shrink the holding (ACC-3).

What a closing realises depends on what came before it, so live executions are booked in the order
the venue made them, not that of arrival: one that comes late (fetched after a broken link, while
newer ones streamed in) is put in its place and the newer ones are booked again (ACC-1).

The venue knows one net position per perpetual, whoever of us traded: cash follows that one, owners
follow their own. Where only one owner trades an instrument the two are the same.
"""

from bisect import insort
from collections import OrderedDict

import msgspec

from plimsoll.core.model import Instrument, Position, Side
from plimsoll.core.records import ExecutionReported, PaperFilled

SEEN_KEEP_MS = 8 * 86_400_000
"""Execution ids are kept this long; the venue's own query window is 7 days (ACC-1)."""

POSITION_KINDS = frozenset(
    {"Trade", "AdlTrade", "BustTrade", "BlockTrade", "MovePosition", "Settle", "Delivery"}
)
"""execType values that change a position. Source: Bybit v5 docs, enum (fact V-6)."""

KNOWN_KINDS = POSITION_KINDS | {"Funding"}
"""What the ledger can book; another kind blocks the instrument and is told (ACC-3)."""


NET = ""
"""Stands for the whole account where an owner is named."""

REORDER_FILLS = 256
"""Executions of one position that a late one may still be put in front of."""


class Booked(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """One booked execution; sorts as the venue made them.

    Within a millisecond its cross sequence tells; fills made at once share that, and then a taker
    walks away from the best price: ``walk`` is the signed price.
    """

    executed_ms: int
    venue_seq: int
    walk: int
    execution_id: str
    side: Side
    price_ticks: int
    qty_lots: int
    fee_units: int
    fee_coin: str


class History(msgspec.Struct):
    """The newest executions of a position, and the position before them."""

    base: Position
    fills: list[Booked] = []


class Ledger:
    """Positions by (owner, instrument), cash by coin, and the set of executions already booked."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.positions: dict[tuple[str, str], Position] = {}
        self.netted: dict[str, Position] = {}
        """The live account's own position by perpetual: what the venue's cash follows."""
        self.cash: dict[str, int] = {}
        """Wallet balance by coin as the live account's executions and adoptions explain it."""
        self.histories: dict[tuple[str, str], History] = {}
        self.instruments: dict[str, Instrument] = {}
        self.seen: OrderedDict[tuple[str, str], int] = OrderedDict()
        self.cursor_ms = 0
        """Every execution up to here is booked (moved by ``Reconciled`` only, HND-5)."""

    def position(self, owner: str, instrument: str) -> Position:
        """Return the holding of one owner; a new flat one where there is none."""
        key = (owner, instrument)
        held = self.positions.get(key)
        if held is None:
            held = self.positions[key] = Position()
        return held

    def qty_lots(self, owner: str, instrument: str) -> int:
        """Return the signed holding in whole lots, dust cut towards zero."""
        held = self.positions.get((owner, instrument))
        if held is None:
            return 0
        per_lot = self.instruments[instrument].base_units_per_lot
        whole = abs(held.qty_units) // per_lot
        return whole if held.qty_units >= 0 else -whole

    def account_lots(self, instrument: str, paper: frozenset[str]) -> int:
        """Return the live account's signed holding in lots: all owners but the paper ones."""
        per_lot = self.instruments[instrument].base_units_per_lot
        units = sum(
            held.qty_units
            for (owner, name), held in self.positions.items()
            if name == instrument and owner not in paper
        )
        whole = abs(units) // per_lot
        return whole if units >= 0 else -whole

    def is_new(self, record: ExecutionReported) -> bool:
        """Return whether this execution has not been booked yet (ACC-1)."""
        return (record.instrument, record.execution_id) not in self.seen

    def book_execution(self, owner: str, record: ExecutionReported) -> None:
        """Book one live execution on its owner and on the account's cash.

        Funding moves cash only. The caller has asked ``is_new``.
        """
        self._remember(record)
        instrument = self.instruments[record.instrument]
        if record.kind == "Funding":
            self.position(owner, record.instrument).funding_units += record.fee_units
            self._add_cash(record.fee_coin, -record.fee_units)
            return
        fill = Booked(
            record.executed_ms,
            record.venue_seq,
            record.side.sign * record.price_ticks,
            record.execution_id,
            record.side,
            record.price_ticks,
            record.qty_lots,
            record.fee_units,
            record.fee_coin,
        )
        self._book_in_order(instrument, owner, fill)
        self._add_cash(record.fee_coin, -record.fee_units)
        if instrument.is_spot:
            sign = record.side.sign
            value = instrument.notional_units(record.price_ticks, record.qty_lots)
            self._add_cash(instrument.quote, -sign * value)
            self._add_cash(instrument.base, sign * record.qty_lots * instrument.base_units_per_lot)
        else:
            self._add_cash(instrument.settle, self._book_in_order(instrument, NET, fill))

    def book_paper(self, owner: str, instrument: str, side: Side, record: PaperFilled) -> None:
        """Book one paper execution on its owner; the account's cash is not touched."""
        self._book(
            self.position(owner, instrument),
            self.instruments[instrument],
            side,
            record.price_ticks,
            record.qty_lots,
            record.fee_units,
            record.fee_coin,
        )

    def forget_order_of(self, instrument: str) -> None:
        """Begin the order of executions anew: the newest are counted in steps of before."""
        for key in [key for key in self.histories if key[1] == instrument]:
            del self.histories[key]

    def adopt_position(self, owner: str, instrument: str, qty_lots: int, cost_units: int) -> None:
        """Add a holding the venue has and our executions do not explain; cost signed like it."""
        for holder in (owner, NET):
            held = self._held(holder, instrument)
            held.qty_units += qty_lots * self.instruments[instrument].base_units_per_lot
            held.cost_units += cost_units
            self.histories.pop((holder, instrument), None)  # executions begin anew after it

    def adopt_cash(self, coin: str, delta_units: int) -> None:
        """Add a balance difference with a recorded cause."""
        self._add_cash(coin, delta_units)

    def unrealised(self, owner: str, instrument: str, price_ticks: int) -> int:
        """Return the open profit in quote cash units at a price; 0 without a price."""
        held = self.positions.get((owner, instrument))
        return self._open_profit(held, instrument, price_ticks) if held else 0

    def net_unrealised(self, instrument: str, price_ticks: int) -> int:
        """Return the account's open profit in a perpetual, as the venue counts it."""
        held = self.netted.get(instrument)
        return self._open_profit(held, instrument, price_ticks) if held else 0

    def owners(self) -> list[str]:
        """Return every owner with a position or a history, in order of first appearance."""
        return list(dict.fromkeys(owner for owner, _ in self.positions))

    def neutral(self, paper: frozenset[str]) -> dict[str, object]:
        """Return the books in a form equal across releases: no field names of ours inside rows."""
        return {
            "positions": sorted(
                [owner, name, held.qty_units, held.cost_units, held.realised_units, held.fee_units]
                for (owner, name), held in self.positions.items()
                if held.fills or held.qty_units
            ),
            "cash": sorted([coin, units] for coin, units in self.cash.items() if units),
            "paper": sorted(paper),
            "cursor_ms": self.cursor_ms,
        }

    # ---- inside ----

    def _open_profit(self, held: Position, instrument: str, price_ticks: int) -> int:
        if not held.qty_units or not price_ticks:
            return 0
        worth = self._value(self.instruments[instrument], held.qty_units, price_ticks)
        return worth - held.cost_units

    def _held(self, owner: str, instrument: str) -> Position:
        if owner != NET:
            return self.position(owner, instrument)
        return self.netted.setdefault(instrument, Position())

    def _book_in_order(self, instrument: Instrument, owner: str, fill: Booked) -> int:
        """Book an execution in its place; return the change of realised profit."""
        key = (owner, instrument.name)
        held = self._held(*key)
        history = self.histories.get(key)
        if history is None:
            history = self.histories[key] = History(msgspec.structs.replace(held))
        fills = history.fills
        if not fills or fills[-1] < fill:
            fills.append(fill)
            realised = self._book_one(held, instrument, fill)
        else:
            insort(fills, fill)
            again = msgspec.structs.replace(history.base, funding_units=held.funding_units)
            for one in fills:
                self._book_one(again, instrument, one)
            if owner == NET:
                self.netted[instrument.name] = again
            else:
                self.positions[key] = again
            realised = again.realised_units - held.realised_units
        if len(fills) > REORDER_FILLS:
            self._book_one(history.base, instrument, fills.pop(0))
        return realised

    def _book_one(self, held: Position, instrument: Instrument, fill: Booked) -> int:
        return self._book(
            held,
            instrument,
            fill.side,
            fill.price_ticks,
            fill.qty_lots,
            fill.fee_units,
            fill.fee_coin,
        )

    def _book(
        self,
        held: Position,
        instrument: Instrument,
        side: Side,
        price_ticks: int,
        qty_lots: int,
        fee_units: int,
        fee_coin: str,
    ) -> int:
        """Book quantity, cost and fee; return the profit realised, in quote cash units."""
        units = side.sign * qty_lots * instrument.base_units_per_lot
        value = side.sign * instrument.notional_units(price_ticks, qty_lots)
        realised = _change(held, units, value)
        held.realised_units += realised
        held.turnover_units += abs(value)
        held.fills += 1
        if instrument.is_spot and fee_coin == instrument.base:
            # The coin paid as fee leaves the holding; its worth at this price is the fee.
            worth = -self._value(instrument, -fee_units, price_ticks)
            held.qty_units -= fee_units
            held.cost_units -= worth
            held.fee_units += worth
        else:
            held.fee_units += fee_units
        return realised

    def _value(self, instrument: Instrument, base_units: int, price_ticks: int) -> int:
        """Return the quote cash units of a base quantity, rounded down (towards a loss)."""
        return (
            base_units
            * price_ticks
            * instrument.cash_per_tick_lot
            // (instrument.base_units_per_lot)
        )

    def _add_cash(self, coin: str, units: int) -> None:
        if units:
            self.cash[coin] = self.cash.get(coin, 0) + units

    def _remember(self, record: ExecutionReported) -> None:
        self.seen[record.instrument, record.execution_id] = record.executed_ms
        while self.seen:
            key, executed_ms = next(iter(self.seen.items()))
            if executed_ms >= record.executed_ms - SEEN_KEEP_MS:
                break
            del self.seen[key]


def _change(held: Position, units: int, value: int) -> int:
    """Add a signed quantity at a signed value; return the profit realised by what it closed."""
    before = held.qty_units
    if before == 0 or (before > 0) == (units > 0):
        held.qty_units += units
        held.cost_units += value
        return 0
    closing = min(abs(units), abs(before))
    # Ceiling for both signs: a long gives up more cost, a short gets back less. Against us.
    removed = -(-held.cost_units * closing // abs(before))
    closed_value = value if closing == abs(units) else value * closing // abs(units)
    held.qty_units += units if closing == abs(units) else (closing if units > 0 else -closing)
    held.cost_units -= removed
    rest_units = abs(units) - closing
    if rest_units:
        held.qty_units += rest_units if units > 0 else -rest_units
        held.cost_units += value - closed_value
    return -closed_value - removed
