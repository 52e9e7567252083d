"""Round trips: flat to flat of one owner in one instrument, net of fees and funding.

An execution that carries a position across zero ends one round trip and begins the next; its value
is shared out by quantity, its fee counts with the one it ends.
"""

import msgspec

from plimsoll.core.model import Position


class Streak(msgspec.Struct):
    """Round trips of one owner in one instrument, flat to flat."""

    sign: int = 0
    """Of the position under way, 0 = flat."""
    net_units: int = 0
    """Profit less costs when the last round trip ended."""
    lost: int = 0
    """Round trips lost in a row."""

    def on_fill(self, lots: int, held: Position) -> int | None:
        """Take the books after an execution; ``lots`` signed, dust left out.

        Returns:
            The net profit of the round trip it ended, None where it ended none.
        """
        sign = (lots > 0) - (lots < 0)
        profit = None
        if self.sign and sign != self.sign:
            net = held.realised_units - held.fee_units - held.funding_units
            profit = net - self.net_units
            self.lost = self.lost + 1 if profit < 0 else 0
            self.net_units = net
        self.sign = sign
        return profit


class RoundTrip(msgspec.Struct, frozen=True, gc=False):
    """One round trip that has ended; quantities in base, money in quote cash units."""

    instrument: str
    opened_ns: int
    closed_ns: int
    side: int
    """+1 long, -1 short."""
    most_units: int
    """Largest quantity held."""
    opened_units: int
    opened_value_units: int
    closed_units: int
    closed_value_units: int
    profit_units: int
    """Net of fees and funding."""
    fee_units: int
    funding_units: int

    @property
    def entry(self) -> float:
        """Average price of what was opened."""
        return self.opened_value_units / self.opened_units if self.opened_units else 0.0

    @property
    def exit(self) -> float:
        """Average price of what was closed."""
        return self.closed_value_units / self.closed_units if self.closed_units else 0.0


class RoundTripMaker(msgspec.Struct):
    """The round trip under way of one owner in one instrument."""

    streak: Streak = msgspec.field(default_factory=Streak)
    opened_ns: int = 0
    side: int = 0
    most_units: int = 0
    opened_units: int = 0
    opened_value_units: int = 0
    closed_units: int = 0
    closed_value_units: int = 0
    fee_units: int = 0
    """What the books held of fees, and of funding, when the last round trip ended."""
    funding_units: int = 0

    def on_fill(
        self,
        ts_ns: int,
        instrument: str,
        signed_units: int,
        value_units: int,
        *,
        lots: int,
        held: Position,
    ) -> RoundTrip | None:
        """Take an execution and the books after it.

        Args:
            ts_ns: When.
            instrument: Its name, for the round trip.
            signed_units: Quantity in base cash units, bought positive.
            value_units: Price times quantity in quote cash units, positive.
            lots: Position after it in lots, signed, dust left out.
            held: The owner's books after it.

        Returns:
            The round trip it ended.
        """
        units, sign = abs(signed_units), 1 if signed_units > 0 else -1
        under_way = self.streak.sign
        profit = self.streak.on_fill(lots, held)
        if not under_way:
            self._open(ts_ns, sign, units, value_units)
            trip = None
        elif sign == under_way:
            self.opened_units += units
            self.opened_value_units += value_units
            trip = None
        else:
            is_crossing = profit is not None and lots != 0
            rest = min(units, abs(held.qty_units)) if is_crossing else 0
            rest_value = value_units * rest // units if rest else 0
            self.closed_units += units - rest
            self.closed_value_units += value_units - rest_value
            trip = None if profit is None else self._closed(ts_ns, instrument, profit, held)
            if is_crossing:
                self._open(ts_ns, sign, rest, rest_value)
        self.most_units = max(self.most_units, abs(held.qty_units)) if lots else 0
        return trip

    def _open(self, ts_ns: int, side: int, units: int, value_units: int) -> None:
        self.opened_ns, self.side = ts_ns, side
        self.opened_units, self.opened_value_units = units, value_units
        self.closed_units = self.closed_value_units = self.most_units = 0

    def _closed(self, ts_ns: int, instrument: str, profit: int, held: Position) -> RoundTrip:
        trip = RoundTrip(
            instrument,
            self.opened_ns,
            ts_ns,
            self.side,
            self.most_units,
            self.opened_units,
            self.opened_value_units,
            self.closed_units,
            self.closed_value_units,
            profit,
            held.fee_units - self.fee_units,
            held.funding_units - self.funding_units,
        )
        self.fee_units, self.funding_units = held.fee_units, held.funding_units
        return trip


class RoundTripTotals(msgspec.Struct):
    """Sums over an owner's round trips; money in quote cash units."""

    count: int = 0
    wins: int = 0
    losses: int = 0
    won_units: int = 0
    lost_units: int = 0
    """Positive."""
    largest_win_units: int = 0
    largest_loss_units: int = 0
    """Positive."""
    held_ns: int = 0
    profit_units: int = 0

    def add(self, trip: RoundTrip) -> None:
        """Take one that has ended; one without profit or loss is neither won nor lost."""
        profit = trip.profit_units
        self.count += 1
        self.profit_units += profit
        self.held_ns += trip.closed_ns - trip.opened_ns
        if profit > 0:
            self.wins += 1
            self.won_units += profit
            self.largest_win_units = max(self.largest_win_units, profit)
        elif profit < 0:
            self.losses += 1
            self.lost_units -= profit
            self.largest_loss_units = max(self.largest_loss_units, -profit)
