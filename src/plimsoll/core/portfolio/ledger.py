"""The ledger: exact integers, each execution booked once, every cash change with a cause.

A closing execution removes ``cost x closed / held`` from the entry cost, rounded against us by at
most one cash unit, so that a position closed to zero has lost nothing to rounding. Fees stand
apart from realised profit. Spot fees charged in the base coin shrink the holding (ACC-3).

The venue knows one net position per perpetual, whoever of us traded: cash follows that one, owners
follow their own. Where only one owner trades an instrument the two are the same. How executions are
put in order and shared out stands in ``history``, why cash moves in ``causes``.
"""

from bisect import insort
from collections import OrderedDict
from typing import Final, TypeVar

import msgspec

from plimsoll.core.model import OUTSIDE, Instrument, Position, Side
from plimsoll.core.portfolio.causes import (
    ADOPTED,
    FEE,
    FUNDING,
    OF_EXECUTIONS,
    SETTLEMENT,
    TRADE,
    Cause,
    cause_of,
)
from plimsoll.core.portfolio.history import (
    NET,
    REORDER_FILLS,
    Booked,
    History,
    book_alone,
    book_fill,
    change,
    worth,
)
from plimsoll.core.records import CashMoved, ExecutionReported, PaperFilled, PaperFunded

SEEN_KEEP_MS = 8 * 86_400_000
"""Execution ids are kept this long; the venue's own query window is 7 days (ACC-1)."""

FORCED_KINDS: Final = frozenset({"AdlTrade", "BustTrade", "Settle", "Delivery"})
"""execType values of executions nobody asked for."""

POSITION_KINDS = FORCED_KINDS | {"Trade", "BlockTrade", "MovePosition"}
"""execType values that change a position. Source: Bybit v5 docs, enum (fact V-6)."""

_KeyT = TypeVar("_KeyT")

KNOWN_KINDS = POSITION_KINDS | {"Funding"}
"""What the ledger can book; another kind blocks the instrument and is told (ACC-3)."""


class Ledger:
    """Positions by (owner, instrument), cash by coin, and what is already booked."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.positions: dict[tuple[str, str], Position] = {}
        self.netted: dict[str, Position] = {}
        """The live account's own position by instrument: what the venue's cash follows."""
        self.cash: dict[str, int] = {}
        """Wallet balance by coin as the live account's causes explain it."""
        self.causes: dict[str, dict[str, Cause]] = {}
        """The same by coin and cause: their sum is the cash, always (ACC-4)."""
        self.histories: dict[str, History] = {}
        self.instruments: dict[str, Instrument] = {}
        self.seen: OrderedDict[tuple[str, str], int] = OrderedDict()
        self.rows: OrderedDict[str, int] = OrderedDict()
        """Rows of the transaction log already read, by their key, and when they were made."""
        self.cursor_ms = 0
        """Every execution up to here is booked (moved by ``Reconciled`` only, HND-5)."""
        self.cash_ms = 0
        """The same of the transaction log."""
        self.begun_ms = 0
        """What happened before is in what was adopted: the first comparison of all."""

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
        if held is None or not held.qty_units:
            return 0
        units, per_lot = held.qty_units, self.instruments[instrument].base_units_per_lot
        return units // per_lot if units > 0 else -(-units // per_lot)  # hot: no call

    def account_lots(self, instrument: str, paper: frozenset[str]) -> int:
        """Return the live account's signed holding in lots: all owners but the paper ones.

        On spot an owner below zero has sold coins that were in the wallet before: that takes
        nothing from what the others hold.
        """
        listed, units = self.instruments[instrument], 0
        for (owner, name), held in self.positions.items():  # hot: no generator
            is_live = name == instrument and owner not in paper
            if is_live and (held.qty_units > 0 or not listed.is_spot):
                units += held.qty_units
        return _whole(units, listed) if units else 0

    def outside_units(self, instrument: str) -> int:
        """Return the signed base quantity that belongs to no instance."""
        held = (self.positions.get((owner, instrument)) for owner in sorted(OUTSIDE))
        return sum(one.qty_units for one in held if one is not None)

    def spare_units(self, instrument: Instrument) -> int:
        """Return the coins of a spot pair's base in the wallet that belong to no instance."""
        return self._spare(instrument) + self.outside_units(instrument.name)

    def is_new(self, record: ExecutionReported) -> bool:
        """Return whether this execution has not been booked yet (ACC-1)."""
        return (record.instrument, record.execution_id) not in self.seen

    def book_execution(self, owner: str, record: ExecutionReported) -> list[tuple[str, int]]:
        """Book one live execution on whom it belongs to and on the account's cash.

        Funding moves cash only, on ``owner``. The caller has asked ``is_new``.

        Returns:
            The instances it was found to take something from, and how many base cash units, where
            it (or one it is put in front of) comes from outside.
        """
        self._remember(record.instrument, record.execution_id, record.executed_ms)
        instrument = self.instruments[record.instrument]
        if record.kind == "Funding":
            self._book_funding(owner, record)
            return []
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
            owner,
        )
        realised, taken = self._book_in_order(instrument, fill)
        self._add_cash(record.fee_coin, FEE, -record.fee_units)
        if instrument.is_spot:
            sign = record.side.sign
            value = instrument.notional_units(record.price_ticks, record.qty_lots)
            base = record.qty_lots * instrument.base_units_per_lot
            self._add_cash(instrument.quote, TRADE, -sign * value)
            self._add_cash(instrument.base, TRADE, sign * base)
        else:
            self._add_cash(instrument.settle, TRADE, realised)
        return taken

    def book_paper(
        self, owner: str, instrument: str, side: Side, record: PaperFilled, settled_ms: int = 0
    ) -> None:
        """Book one paper execution on its owner; the account's cash is not touched.

        ``settled_ms``: fundings of the position before it are settled up to here.
        """
        ticks, lots = record.price_ticks, record.qty_lots
        named = (0, 0, 0, record.execution_id, side, ticks, lots)
        fill = Booked(*named, record.fee_units, record.fee_coin, owner)
        held = self.position(owner, instrument)
        book_alone(held, self.instruments[instrument], fill)
        held.funded_ms = max(held.funded_ms, settled_ms)

    def book_paper_funding(self, record: PaperFunded) -> bool:
        """Book funding on a paper position, once a funding time; return whether it was new."""
        held = self.position(record.owner, record.instrument)
        if not record.owed:  # of what is owed the owed span says what is new
            if record.funding_ms <= held.funded_ms:
                return False
            held.funded_ms = record.funding_ms
        held.funding_units += record.paid_units
        return True

    def book_row(self, row: CashMoved) -> str:
        """Book one row of the transaction log once.

        Returns:
            The cause it was booked under; "" where it is known already, or told by an execution.
        """
        if row.row_id in self.rows:
            return ""
        _remember(self.rows, row.row_id, row.moved_ms)
        cause = cause_of(row, self.instruments)
        if not cause:
            return ""
        if row.execution_id:  # of an instrument nobody lists: its execution must not come again
            self._remember(row.instrument, row.execution_id, row.moved_ms)
        instrument = self.instruments.get(row.instrument)
        if cause == SETTLEMENT and instrument is not None and not instrument.is_spot:
            at = (row.moved_ms, 0, 0, row.row_id, Side.BUY, 0, 0, 0, row.coin)
            realised, _ = self._book_in_order(instrument, Booked(*at, NET, row.change_units))
            # Where it comes late, what was closed since has realised less than it seemed.
            self._add_cash(row.coin, TRADE, realised - row.change_units)
        self._add_cash(row.coin, cause, row.change_units)
        return cause

    def forget_order_of(self, instrument: str) -> None:
        """Begin the order of executions anew: the newest are counted in steps of before."""
        for key in [key for key in self.histories if key[1] == instrument]:
            del self.histories[key]

    def adopt_position(self, owner: str, instrument: str, qty_lots: int, cost_units: int) -> None:
        """Add a holding the venue has and our executions do not explain; cost signed like it."""
        for holder in (owner, NET):
            held = self._enter(instrument, holder)
            held.qty_units += qty_lots * self.instruments[instrument].base_units_per_lot
            held.cost_units += cost_units
        self._restart(instrument)

    def move_position(
        self, from_owner: str, to_owner: str, instrument: str, qty_lots: int, cost_units: int
    ) -> None:
        """Give a part of one owner's holding to another; the account's own does not change."""
        units = qty_lots * self.instruments[instrument].base_units_per_lot
        giving, taking = (self._enter(instrument, one) for one in (from_owner, to_owner))
        giving.qty_units -= units
        giving.cost_units -= cost_units
        taking.realised_units += change(taking, units, cost_units)
        self._restart(instrument)

    def adopt_cash(self, coin: str, delta_units: int, cause: str = ADOPTED) -> None:
        """Add a balance difference with a recorded cause."""
        self._add_cash(coin, cause, delta_units)

    def entries(self, coin: str) -> int:
        """Return how many changes of a coin are booked: each may have been rounded once."""
        return sum(one.entries for one in self.causes.get(coin, {}).values())

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
        return worth(self.instruments[instrument], held.qty_units, price_ticks) - held.cost_units

    def _enter(self, instrument: str, owner: str) -> Position:
        """Return a live owner's position, his history begun."""
        if owner == NET:
            held = self.netted.setdefault(instrument, Position())
        else:
            held = self.position(owner, instrument)
        self.histories.setdefault(instrument, History()).enter(owner, held)
        return held

    def _held(self, instrument: str) -> dict[str, Position]:
        """Return the positions of all live owners, the account's own among them."""
        return {owner: self._enter(instrument, owner) for owner in self.histories[instrument].base}

    def _restart(self, instrument: str) -> None:
        self.histories[instrument].restart(self._held(instrument))

    def _book_in_order(
        self, instrument: Instrument, fill: Booked
    ) -> tuple[int, list[tuple[str, int]]]:
        """Book an execution in its place.

        Returns:
            The change of the account's realised profit, and what it took from instances.
        """
        name = instrument.name
        net_before = self._enter(name, NET).realised_units
        self._enter(name, fill.owner)
        history, held = self.histories[name], self._held(name)
        spare = self._spare(instrument) if OUTSIDE & held.keys() else 0
        before = {owner: one.outside_units for owner, one in held.items()}
        fills = history.fills
        if not fills or fills[-1] < fill:
            fills.append(fill)
            book_fill(held, instrument, fill, spare)
        else:
            insort(fills, fill)
            held = self._book_again(instrument, history, held, spare)
        if len(fills) > REORDER_FILLS:
            book_fill(history.base, instrument, fills.pop(0), spare)
        taken = [
            (owner, one.outside_units - before[owner])
            for owner, one in held.items()
            if one.outside_units > before[owner]
        ]
        return held[NET].realised_units - net_before, taken

    def _book_again(
        self, instrument: Instrument, history: History, held: dict[str, Position], spare: int
    ) -> dict[str, Position]:
        again = {
            owner: msgspec.structs.replace(one, funding_units=held[owner].funding_units)
            for owner, one in history.base.items()
        }
        for fill in history.fills:
            book_fill(again, instrument, fill, spare)
        for owner, one in again.items():
            if owner == NET:
                self.netted[instrument.name] = one
            else:
                self.positions[owner, instrument.name] = one
        return again

    def _book_funding(self, owner: str, record: ExecutionReported) -> None:
        """Share funding out by what each owner holds; the last takes what rounding leaves."""
        name = record.instrument
        self._enter(name, NET)
        held = {
            one: position
            for one, position in self._held(name).items()
            if one != NET and position.qty_units
        }
        if not held:
            held = {owner: self._enter(name, owner)}
        net, left = sum(one.qty_units for one in held.values()), record.fee_units
        for number, one in enumerate(sorted(held, key=lambda who: (who in OUTSIDE, who)), start=1):
            is_last = number == len(held) or not net
            part = left if is_last else -(-record.fee_units * held[one].qty_units // net)
            held[one].funding_units += part
            left -= part
        self._add_cash(record.fee_coin, FUNDING, -record.fee_units)

    def _spare(self, instrument: Instrument) -> int:
        """Return the base coins of a spot pair that no execution of the pair brought."""
        if not instrument.is_spot:
            return 0
        base = instrument.base
        causes = self.causes.get(base, {}).items()
        pairs = (other for other in self.instruments.values() if other.is_spot)
        return sum(one.units for name, one in causes if name not in OF_EXECUTIONS) + sum(
            self.outside_units(other.name)
            for other in pairs
            if other.base == base and other.name != instrument.name
        )

    def _add_cash(self, coin: str, cause: str, units: int) -> None:
        if units:
            self.cash[coin] = self.cash.get(coin, 0) + units
            booked = self.causes.setdefault(coin, {}).setdefault(cause, Cause())
            booked.units += units
            booked.entries += 1

    def _remember(self, instrument: str, execution_id: str, at_ms: int) -> None:
        _remember(self.seen, (instrument, execution_id), at_ms)


def _remember(seen: OrderedDict[_KeyT, int], key: _KeyT, at_ms: int) -> None:
    seen[key] = at_ms
    while seen:
        oldest, told_ms = next(iter(seen.items()))
        if told_ms >= at_ms - SEEN_KEEP_MS:
            break
        del seen[oldest]


def _whole(units: int, instrument: Instrument) -> int:
    whole = abs(units) // instrument.base_units_per_lot
    return whole if units >= 0 else -whole
