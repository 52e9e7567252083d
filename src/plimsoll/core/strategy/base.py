"""The class people write.

Parameters are annotated class attributes; callbacks are plain synchronous methods, all optional;
everything a strategy may know or ask comes through ``self``. Refusals are values, never exceptions.

    class EmaCross(Strategy):
        bars = {"1m": 100}
        fast: int = 10
        slow: int = 30
        qty: str = "0.01"

        def on_bar(self, bar):
            fast, slow = (self.ema(bar.instrument, "1m", n) for n in (self.fast, self.slow))
            if slow.is_ready:
                self.target(bar.instrument, qty=self.qty if fast.value > slow.value else 0)
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

from plimsoll.core.feed import Bar, Market
from plimsoll.core.model import Denied, Instrument, Order, OrderState, Side, TimeInForce
from plimsoll.core.strategy.indicating import Indicating, IndicatorPort
from plimsoll.core.strategy.number import Number
from plimsoll.core.strategy.parameters import Parameter, declared_by
from plimsoll.core.strategy.random_stream import RandomStream
from plimsoll.core.strategy.signals import Signal

if TYPE_CHECKING:
    from plimsoll.core.strategy.executors import ExecutorHandle, Wish

_TIME_IN_FORCE: Final = {tif.value: tif for tif in TimeInForce}
"""By text and by member alike."""


class FillEvent(NamedTuple):
    """One execution of the strategy's own orders, already booked (ACC-6)."""

    instrument: str
    side: Side
    price_ticks: int
    qty_lots: int
    fee_units: int
    is_maker: bool
    order_id: str


class Holding(NamedTuple):
    """The strategy's own position in one instrument; floats for signals, lots exact."""

    qty_lots: int
    qty: float
    entry_price: float
    unrealised: float
    realised: float


class OrderHandle:
    """What ``buy`` and ``sell`` return: the order, or why there is none."""

    __slots__ = ("_desk", "instrument", "order", "refusal")

    def __init__(self, desk: "StrategyPort", instrument: str) -> None:
        """Start before the gate has spoken."""
        self._desk = desk
        self.instrument = instrument
        self.order: Order | None = None
        self.refusal: Denied | None = None

    @property
    def state(self) -> OrderState:
        """State of the order; DENIED when a check refused it, INTENT before the gate spoke."""
        if self.order is not None:
            return self.order.state
        return OrderState.DENIED if self.refusal else OrderState.INTENT

    @property
    def is_working(self) -> bool:
        """Return whether the order may still match."""
        return self.refusal is None and (self.order is None or self.order.is_working)

    @property
    def filled_lots(self) -> int:
        """Lots matched so far."""
        return self.order.filled_lots if self.order else 0

    def amend(
        self,
        *,
        price: Number | None = None,
        qty: Number | None = None,
        trigger: Number | None = None,
    ) -> Denied | None:
        """Ask for new terms; return why not, None when they were taken up.

        ``qty`` is the new total; ``trigger`` is for orders that still wait for theirs.
        """
        return self._desk.amend(self, price, qty, trigger)

    def cancel(self) -> Denied | None:
        """Ask for a cancel; return why not, None when it was taken up."""
        return self._desk.cancel(self)


class StrategyPort(IndicatorPort, Protocol):
    """What a strategy is connected to; implemented by ``Desk``."""

    now_ns: int
    capital_units: int
    rng: RandomStream

    def place(
        self,
        instrument: str,
        side: Side,
        qty: Number,
        price: Number | None,
        tif: TimeInForce,
        *,
        reduce_only: bool,
        label: str,
        trigger: Number | None = None,
    ) -> OrderHandle:
        """Ask for an order."""
        ...

    def amend(
        self,
        handle: OrderHandle,
        price: Number | None,
        qty: Number | None,
        trigger: Number | None = None,
    ) -> Denied | None:
        """Ask for new terms of an order."""
        ...

    def cancel(self, handle: OrderHandle) -> Denied | None:
        """Ask for a cancel."""
        ...

    def target(
        self,
        instrument: str,
        qty: Number | None,
        notional: Number | None,
        weight: float | None,
        stop: Number | None,
        take: Number | None = None,
        trail: Number | None = None,
    ) -> Denied | None:
        """State what to hold."""
        ...

    def execute(self, wish: "Wish", instrument: str) -> "ExecutorHandle":
        """Start an executor."""
        ...

    def executor_handles(self) -> "list[ExecutorHandle]":
        """Return the executors that are known."""
        ...

    def quote(
        self,
        instrument: str,
        bids: Sequence[tuple[Number, Number]],
        asks: Sequence[tuple[Number, Number]],
        requote_ticks: int,
        min_life_ms: int,
    ) -> Denied | None:
        """State what to quote."""
        ...

    def size(
        self,
        instrument: str,
        side: Side,
        qty: Number | None,
        percent: Number | None,
        volatility: Number | None,
        frame: str,
    ) -> Decimal | Denied:
        """Return how much an order may have."""
        ...

    def set_timer(self, name: str, after_ns: int) -> None:
        """Wake the strategy later."""
        ...

    def holding(self, instrument: str) -> Holding:
        """Return the own position."""
        ...

    def is_paused(self, instrument: str) -> bool:
        """Return whether entries are held back until a person says otherwise."""
        ...

    def own_orders(self, instrument: str) -> list[Order]:
        """Return the own working orders."""
        ...

    def equity(self) -> float:
        """Return the capital plus all profit and loss, in quote coin."""
        ...

    def market(self, instrument: str) -> Market:
        """Return what is known of the market."""
        ...

    def instrument(self, name: str) -> Instrument:
        """Return the venue's filters."""
        ...

    def window(self, instrument: str, frame: str) -> Sequence[Bar]:
        """Return the closed bars kept, oldest first."""
        ...


class Strategy(Indicating):
    """Base of all strategies. Declare needs, override what you want to hear."""

    instruments: ClassVar[Sequence[str]] = ()
    """Used where the configuration names none; on an instance at work, what it trades."""
    bars: ClassVar[dict[str, int]] = {}
    """Time frames and how many bars to keep: ``{"1s": 60, "1m": 200}``."""

    signal: ClassVar[type[Signal] | None] = None
    """What somebody outside may tell it; ``None``: nothing."""

    _port: StrategyPort

    # ---- what happens ----

    def on_start(self) -> None:
        """Hear that data and orders are available."""

    def on_bar(self, bar: Bar) -> None:
        """Hear a final bar."""

    def on_book(self, market: Market) -> None:
        """Hear that the book changed; ``market`` is read-only."""

    def on_trade(self, instrument: str, price: float, qty: float, *, is_buy: bool) -> None:
        """Hear one print of the public tape."""

    def on_timer(self, name: str) -> None:
        """Hear a timer set with ``self.timer``."""

    def on_fill(self, fill: FillEvent) -> None:
        """Hear one own execution; positions are already updated."""

    def on_order(self, order: Order) -> None:
        """Hear that an own order changed state."""

    def on_refusal(self, instrument: str, refusal: Denied) -> None:
        """Hear that the venue did not take the stop or take of a target; the engine's own stays."""

    def on_executor(self, handle: "ExecutorHandle") -> None:
        """Hear that an executor was filled, refused for a new reason, or has ended."""

    def on_signal(self, signal: Any) -> None:  # noqa: ANN401 - of the class declared
        """Hear what somebody outside tells it: an object of the class its ``signal`` declares."""

    def on_stop(self) -> None:
        """Hear that the strategy ends."""

    # ---- level 1: say what to hold or quote ----

    def target(
        self,
        instrument: str,
        qty: Number | None = None,
        *,
        notional: Number | None = None,
        weight: float | None = None,
        stop: Number | None = None,
        take: Number | None = None,
        trail: Number | None = None,
    ) -> Denied | None:
        """Hold this much, signed: exactly one of quantity, notional (quote) or weight of capital.

        ``stop``: when the mark price (spot: last) passes it against the position, the target
        becomes flat and the same direction is not entered again until another one was asked for.
        ``take``: the same on the side of profit. On a live perpetual both stand at the venue, as
        stop-loss and take-profit of the whole position, and work without the engine; on spot and on
        paper the engine watches them. Rounded towards zero to a lot.
        ``trail``: a distance in price; the stop follows the best price since this side was stated
        and never goes back while it is stated. With ``stop`` as well, the nearer one holds.
        """
        return self._port.target(instrument, qty, notional, weight, stop, take, trail)

    def quote(
        self,
        instrument: str,
        bids: Sequence[tuple[Number, Number]] = (),
        asks: Sequence[tuple[Number, Number]] = (),
        *,
        requote_ticks: int = 1,
        min_life_ms: int = 500,
    ) -> Denied | None:
        """Rest post-only orders at these (price, quantity) rows, best first; empty rows withdraw.

        An order moves when its price is ``requote_ticks`` or more away from the wish and it is
        older than ``min_life_ms``. Prices are rounded away from the market, quantities down.
        """
        return self._port.quote(instrument, bids, asks, requote_ticks, min_life_ms)

    # ---- level 2: order by order ----

    def buy(
        self,
        instrument: str,
        qty: Number,
        limit: Number | None = None,
        *,
        tif: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        label: str = "",
        trigger: Number | None = None,
    ) -> OrderHandle:
        """Buy; without ``limit`` at the market, as an IOC limit inside the slippage band.

        ``trigger``: the order waits at the venue until the mark price (spot: last) passes this.
        Without ``limit`` its band is then that of the trigger. It counts in every limit at once.
        """
        return self._order(
            instrument, Side.BUY, qty, limit, tif, post_only, reduce_only, label, trigger
        )

    def sell(
        self,
        instrument: str,
        qty: Number,
        limit: Number | None = None,
        *,
        tif: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        label: str = "",
        trigger: Number | None = None,
    ) -> OrderHandle:
        """Sell; without ``limit`` at the market, as an IOC limit inside the slippage band.

        ``trigger``: see ``buy``.
        """
        return self._order(
            instrument, Side.SELL, qty, limit, tif, post_only, reduce_only, label, trigger
        )

    def size(
        self,
        instrument: str,
        side: Side | str,
        qty: Number | None = None,
        *,
        percent: Number | None = None,
        volatility: Number | None = None,
        frame: str = "1d",
    ) -> Decimal | Denied:
        """Return the quantity an order on this side gets now, or why it gets none.

        Exactly one of: ``qty``; ``percent`` of the capital; ``volatility``, the part of the capital
        a year may move it by (0.2 = 20 %), from the closes of a declared ``frame``. The last is
        annualised with 365 days of 24 hours and needs ten returns. All are cut to what the limits
        leave on this side and to the venue's filters, and rounded down to a lot. The gate still
        checks the order: between the two the market may have moved.
        """
        return self._port.size(instrument, Side(side), qty, percent, volatility, frame)

    def timer(self, name: str, after_s: float) -> None:
        """Call ``on_timer(name)`` once, ``after_s`` seconds from now.

        A later call with the same name moves it. Timers survive a restart; one that came due
        meanwhile fires at the start.
        """
        self._port.set_timer(name, int(after_s * 1e9))

    # ---- level 3: large orders worked in small ones ----

    def execute(self, wish: "Wish", instrument: str = "") -> "ExecutorHandle":
        """Start an executor: ``Twap``, ``Vwap``, ``Iceberg``, ``Pov``, ``Legs`` or ``Grid``.

        Nothing is raised: where it cannot be started the handle is done and says why. It outlives
        a restart; ``executors`` and ``executor`` find it again. ``Legs`` names its instruments
        itself. Not where a target stands: the two would trade against each other.
        """
        return self._port.execute(wish, instrument)

    def executors(self) -> "list[ExecutorHandle]":
        """Return the executors under way and the newest ended ones, oldest first."""
        return self._port.executor_handles()

    def executor(self, number: int) -> "ExecutorHandle | None":
        """Return the executor with a number, ``None`` where it is forgotten."""
        return next((one for one in self.executors() if one.number == number), None)

    # ---- what is known ----

    @property
    def now(self) -> int:
        """Time of the event being handled, Unix ns."""
        return self._port.now_ns

    @property
    def rng(self) -> RandomStream:
        """Own seeded random stream."""
        return self._port.rng

    @property
    def equity(self) -> float:
        """Capital plus realised and open profit, less fees, in quote coin."""
        return self._port.equity()

    @property
    def capital(self) -> float:
        """Configured capital in quote coin."""
        return self._port.capital_units / 1e8

    def position(self, instrument: str) -> Holding:
        """Return the own position."""
        return self._port.holding(instrument)

    def is_paused(self, instrument: str) -> bool:
        """Return whether entries here wait for a person; what reduces a position still passes.

        So it is after somebody else, or the venue, has closed a part of the own position: a target
        does not buy it back.
        """
        return self._port.is_paused(instrument)

    def orders(self, instrument: str) -> list[Order]:
        """Return the own working orders, oldest first; `handle_of` amends and cancels one."""
        return self._port.own_orders(instrument)

    def handle_of(self, order: Order) -> OrderHandle:
        """Return what `buy` or `sell` returned for an order: a restart and a reload forget that."""
        handle = OrderHandle(self._port, order.instrument)
        handle.order = order
        return handle

    def market(self, instrument: str) -> Market:
        """Return book and prices of an instrument."""
        return self._port.market(instrument)

    def window(self, instrument: str, frame: str) -> Sequence[Bar]:
        """Return the closed bars kept of a declared frame, oldest first."""
        return self._port.window(instrument, frame)

    def _order(
        self,
        instrument: str,
        side: Side,
        qty: Number,
        limit: Number | None,
        tif: TimeInForce | str,
        post_only: bool,
        reduce_only: bool,
        label: str,
        trigger: Number | None,
    ) -> OrderHandle:
        how = TimeInForce.POST_ONLY if post_only else _TIME_IN_FORCE.get(tif) or TimeInForce(tif)
        return self._port.place(
            instrument,
            side,
            qty,
            limit,
            how,
            reduce_only=reduce_only,
            label=label,
            trigger=trigger,
        )


def parameters_of(cls: type[Strategy]) -> dict[str, Parameter]:
    """Return the parameters a strategy declares, by name.

    Raises:
        TypeError: an annotated attribute that cannot be one: no default, or of no plain type.
    """
    return declared_by(cls, dir(Strategy))
