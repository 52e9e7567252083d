"""Arrivals that excite each other: calm most of the time, bursts now and then."""

from math import exp, log

from plimsoll.simulator.market.calibration import Arrivals
from plimsoll.simulator.market.draw import Draw


class Hawkes:
    """When the next event happens and whether it is an order; times in seconds (Ogata thinning)."""

    def __init__(self, arrivals: Arrivals, draw: Draw) -> None:
        """Begin at time 0 with the excitement that is usual."""
        self._draw = draw.random
        self._arrivals = arrivals
        a = arrivals
        self._own = a.orders_pull * a.order_raise + a.quotes_pull * a.quote_raise
        base = a.orders_base * a.order_raise + a.quotes_base * a.quote_raise
        usual = base / max(1e-9, 1 - self._own)
        self._fast = usual * a.fast_share
        self._slow = usual - self._fast
        self._fast_raise = a.fast_share * a.fast_per_s
        self._slow_raise = (1 - a.fast_share) * a.slow_per_s

    def next(self) -> tuple[float, bool]:
        """Return (seconds since the last event, whether an order takes liquidity)."""
        a, draw = self._arrivals, self._draw
        base, pull = a.orders_base + a.quotes_base, a.orders_pull + a.quotes_pull
        fast, slow, waited = self._fast, self._slow, 0.0
        while True:
            most = base + pull * (fast + slow)
            gap = -log(1 - draw()) / most
            waited += gap
            fast *= exp(-gap * a.fast_per_s)
            slow *= exp(-gap * a.slow_per_s)
            excitement = fast + slow
            orders = a.orders_base + a.orders_pull * excitement
            chosen = draw() * most
            if chosen < orders + a.quotes_base + a.quotes_pull * excitement:
                break
        is_order = chosen < orders
        add = a.order_raise if is_order else a.quote_raise
        self._fast = fast + add * self._fast_raise
        self._slow = slow + add * self._slow_raise
        return waited, is_order
