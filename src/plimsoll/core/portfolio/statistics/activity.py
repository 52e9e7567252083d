"""How much an owner had at risk, how much was traded, and how much of what was asked came."""

from collections.abc import Sequence

import msgspec


class Activity(msgspec.Struct):
    """Sums over time, fills, orders and requests; money in quote cash units."""

    seen_ns: int = 0
    gross_units: int = 0
    """Gross notional since the newest sample."""
    capital_units: int = 0
    """Capital since then."""
    span_ns: int = 0
    in_market_ns: int = 0
    gross_unit_ns: int = 0
    """Gross notional times time, and capital times time."""
    capital_unit_ns: int = 0
    fills: int = 0
    traded_units: int = 0
    fee_units: int = 0
    orders: int = 0
    asked_units: int = 0
    filled_units: int = 0
    requests: int = 0
    failures: int = 0

    def sample(self, ts_ns: int, gross_units: int, capital_units: int) -> None:
        """Take what is held from here on; what was held until here is counted."""
        if self.seen_ns:
            span = ts_ns - self.seen_ns
            self.span_ns += span
            self.in_market_ns += span if self.gross_units else 0
            self.gross_unit_ns += span * self.gross_units
            self.capital_unit_ns += span * self.capital_units
        self.seen_ns, self.gross_units, self.capital_units = ts_ns, gross_units, capital_units

    def stretch(
        self, times_ns: Sequence[int], gross_units: Sequence[int], capital_units: int
    ) -> None:
        """Take samples one after the other, at least one, as ``sample`` would."""
        self.sample(times_ns[0], gross_units[0], capital_units)
        seen, held, in_market, gross_ns = times_ns[0], gross_units[0], 0, 0
        for ts_ns, gross in zip(times_ns, gross_units, strict=True):
            if held:
                span = ts_ns - seen
                in_market += span
                gross_ns += span * held
            seen, held = ts_ns, gross
        if times_ns[0]:
            span = seen - times_ns[0]
            self.span_ns += span
            self.in_market_ns += in_market
            self.gross_unit_ns += gross_ns
            self.capital_unit_ns += span * capital_units
        self.seen_ns, self.gross_units = seen, held

    def on_fill(self, value_units: int, fee_units: int) -> None:
        """Take one execution."""
        self.fills += 1
        self.traded_units += value_units
        self.fee_units += fee_units

    def on_order(self, asked_units: int, filled_units: int) -> None:
        """Take an order that has ended: both quantities at one price."""
        self.orders += 1
        self.asked_units += asked_units
        self.filled_units += filled_units

    def on_request(self, *, is_done: bool) -> None:
        """Take the end of a request; one that was rejected or stayed UNKNOWN is not done."""
        self.requests += 1
        self.failures += not is_done

    def capital(self, now_units: int) -> float:
        """Return the average capital; that of now while no time has passed."""
        return self.capital_unit_ns / self.span_ns if self.span_ns else float(now_units)
