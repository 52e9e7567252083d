"""A strategy on a stage, for its tests: a test plays bars, books and prices, and sees what it asks.

    stage = Rehearsal(EmaCross(), "linear:BTCUSDT")
    for close in (100.0, 101.0, 102.0):
        stage.bar(close)
    assert stage.target() == Decimal("4.901")

Nothing is matched and no limit refuses: it shows wishes, not results. Prices are kept to 0.01 and
quantities to 0.001 unless the stage is given instruments of its own.
"""

from decimal import Decimal
from typing import Any, Final, NamedTuple

from plimsoll.core.feed import DEPTH, Bar, Market
from plimsoll.core.model import Denied, Instrument, Order, Refusal
from plimsoll.core.records import BookChanged, TickerChanged
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy.base import Holding, Strategy
from plimsoll.core.strategy.desk import Desk, Reader
from plimsoll.core.strategy.refused import Refused
from plimsoll.core.strategy.requests import PlaceRequest, Request, SizeRequest

START_NS: Final = 1_750_000_020_000_000_000
"""When a rehearsal begins unless told otherwise: a whole minute."""

_CASH: Final = 10**8


class Row(NamedTuple):
    """One order that rests, as a quote asks for it."""

    price: Decimal
    qty: Decimal


class Rehearsal:
    """One strategy, its desk, and markets that say what the test says."""

    def __init__(
        self,
        strategy: Strategy,
        *instruments: str | Instrument,
        capital: int = 10_000,
        seed: int = 1,
        now_ns: int = START_NS,
    ) -> None:
        """Connect a strategy and start it, without data.

        Args:
            strategy: An instance, parameters set as it likes.
            instruments: Names or whole instruments; what the class names where none are given.
            capital: Of the instance, in quote coin.
            seed: Of its random stream.
            now_ns: When it begins, Unix ns.
        """
        listed = [
            listing(one) if isinstance(one, str) else one
            for one in instruments or strategy.instruments
        ]
        self.strategy: Any = strategy
        """Typed loosely: a test looks at what its own class has."""
        self.begun_ns = self.now_ns = now_ns
        self.markets = {one.name: Market(one) for one in listed}
        self.holdings: dict[str, Holding] = {}
        self.profit = 0.0
        """What ``equity`` shows over the capital."""
        self._updates = 0
        settings = StrategySettings(
            name="rehearsal",
            source="rehearsal:Strategy",
            instruments=tuple(self.markets),
            capital=capital * _CASH,
        )
        reader = Reader(
            market=self.markets.__getitem__,
            instrument=lambda name: self.markets[name].instrument if name in self.markets else None,
            holding=lambda _owner, name: self.holdings.get(name, Holding(0, 0.0, 0.0, 0.0, 0.0)),
            orders=_no_orders,
            profit_units=lambda _owner: int(self.profit * _CASH),
            size=_no_size,
        )
        self.desk = Desk(settings, strategy, reader, seed)
        self.desk.now_ns = now_ns
        strategy.on_start()

    # ---- what the test plays ----

    def bar(
        self,
        close: float,
        instrument: str = "",
        frame: str = "",
        *,
        high: float = 0.0,
        low: float = 0.0,
        volume: float = 1.0,
    ) -> None:
        """Close a bar; the market stands at its close.

        Each is a span later than the one before; the first ones of all instruments begin together.

        Args:
            close: Its close.
            instrument: Of it; the only one where there is one.
            frame: Its time frame; the only one that is declared.
            high: Its high; with 0 the larger of open (the close before) and close.
            low: Its low, likewise.
            volume: What was traded in it.
        """
        name = instrument or self._only()
        frame = frame or next(iter(self.strategy.bars))
        maker = self.desk.makers[name, frame]
        window = maker.window
        last = window[-1].close if window else close
        begun = self.begun_ns - self.begun_ns % maker.span
        start = window[-1].start_ns + maker.span if window else begun
        top, bottom = high or max(last, close), low or min(last, close)
        bar = Bar(name, frame, start, last, top, bottom, close, volume)
        self._pass(max(self.now_ns, start + maker.span))
        self.price(close, name)
        window.append(bar)
        self.desk.feed_bar(bar)
        self.strategy.on_bar(bar)

    def book(self, mid: float, instrument: str = "", *, spread: float = 0.02) -> None:
        """Show a book around a price, and the mark price there."""
        name = instrument or self._only()
        self.price(mid, name, spread=spread)
        self.strategy.on_book(self.markets[name])

    def price(self, price: float, instrument: str = "", *, spread: float = 0.02) -> None:
        """Let book, mark and last price stand around a price; nothing hears it by itself."""
        name = instrument or self._only()
        market, now_ms = self.markets[name], self.now_ns // 1_000_000
        self._updates += 1
        stamp = (self._updates, self.now_ns, 1, 0)
        ticker = TickerChanged(*stamp, name, price, price, price, None, 0, now_ms)
        bids, asks = [(price - spread / 2, 100.0)], [(price + spread / 2, 100.0)]
        count = self._updates
        change = BookChanged(*stamp, name, DEPTH, True, count, count, now_ms, bids, asks)
        market.on_ticker(ticker, 0)
        market.on_book(change, 0)

    def funding(self, rate: float, instrument: str = "") -> None:
        """Show the rate of the next funding; nothing hears it by itself."""
        self.markets[instrument or self._only()].funding_rate = rate

    def hold(self, qty: float, instrument: str = "", *, entry: float = 0.0) -> None:
        """Let it hold this much, signed."""
        name = instrument or self._only()
        lots = self.markets[name].instrument.lots_of(Decimal(str(qty)))
        self.holdings[name] = Holding(lots, qty, entry, 0.0, 0.0)

    def timer(self, name: str) -> None:
        """Let time pass until a timer it has set is due, and fire it.

        Raises:
            KeyError: it has set none of this name.
        """
        self._pass(max(self.now_ns, self.desk.timers.pop(name)))
        self.strategy.on_timer(name)

    # ---- what it asks ----

    def target(self, instrument: str = "") -> Decimal | None:
        """Return the quantity it wants to hold, None where it has not said."""
        name = instrument or self._only()
        found = self.desk.targets.get(name)
        return None if found is None else found.qty_lots * self.markets[name].instrument.lot

    def stop(self, instrument: str = "") -> Decimal:
        """Return the stop of its target, 0 where it has none."""
        name = instrument or self._only()
        return self.desk.targets[name].stop_ticks * self.markets[name].instrument.tick

    def quotes(self, instrument: str = "") -> tuple[list[Row], list[Row]]:
        """Return the bids and asks it wants to rest, best first."""
        name = instrument or self._only()
        found, listed = self.desk.quotes.get(name), self.markets[name].instrument
        rows = (found.bids, found.asks) if found else ([], [])
        bids, asks = ([Row(p * listed.tick, q * listed.lot) for p, q in side] for side in rows)
        return bids, asks

    def orders(self) -> list[PlaceRequest]:
        """Return the orders it asked for since the last call."""
        return [one for one in self.requests() if isinstance(one, PlaceRequest)]

    def requests(self) -> list[Request]:
        """Return everything it asked for order by order since the last call."""
        return [one for one in self.desk.drain() if not isinstance(one, Refused)]

    def refused(self) -> list[Refused]:
        """Return what it was refused at once, by call and reason: a wrong call is its own fault."""
        return list(self.desk.refusals.kinds.values())

    # ---- inside ----

    def _only(self) -> str:
        (name,) = self.markets
        return name

    def _pass(self, now_ns: int) -> None:
        self.now_ns = self.desk.now_ns = now_ns


def listing(name: str, tick: str = "0.01", lot: str = "0.001") -> Instrument:
    """Return an instrument for tests: ``linear:BTCUSDT`` or ``spot:ETHUSDC``, no minimum value."""
    category, _, symbol = name.partition(":")
    quote = "USDC" if symbol.endswith("USDC") else "USDT"
    base, settle = symbol.removesuffix(quote), quote if category == "linear" else ""
    zero = "0"
    return Instrument(name, category, symbol, base, quote, settle, tick, lot, lot, zero, zero, zero)


def _no_orders(_owner: str, _instrument: str) -> list[Order]:
    return []


def _no_size(asked: SizeRequest) -> Denied:
    return Denied(Refusal.NO_REFERENCE, f"a rehearsal has no limits to size {asked.instrument} by")
