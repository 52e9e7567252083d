"""One strategy instance at work: its wishes, bars, indicators, and the requests it makes.

The desk turns what a strategy says into requests with exact integers, or refuses with words. It
collects; the engine drains the requests after the callback, asks the gate, and records decisions.
If the callback raises, what it asked for is dropped.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, NamedTuple

from plimsoll.core.feed import Bar, BarMaker, Market, StreamName
from plimsoll.core.model import (
    Denied,
    Instrument,
    Order,
    OrderType,
    Refusal,
    Regrid,
    Side,
    TimeInForce,
)
from plimsoll.core.records import BarChanged
from plimsoll.core.settings import Limits, StrategySettings
from plimsoll.core.strategy.base import Holding, OrderHandle, Strategy
from plimsoll.core.strategy.executors import (
    ExecutorHandle,
    Executors,
    Terms,
    Wish,
    is_executor_label,
)
from plimsoll.core.strategy.indicators import OfBars, OfCloses
from plimsoll.core.strategy.number import (
    Number,
    levels_of,
    lots_of,
    number_of,
    price_named,
    price_of,
    row_of,
    rows_moved,
    target_lots,
    ticks_of,
)
from plimsoll.core.strategy.random_stream import RandomStream
from plimsoll.core.strategy.refused import Refusals
from plimsoll.core.strategy.repetition import Repetition
from plimsoll.core.strategy.requests import (
    CancelRequest,
    PlaceRequest,
    Request,
    SizeRequest,
    amend_request,
)
from plimsoll.core.strategy.saving import (
    Migration,
    Saved,
    indicators_of,
    key_text,
    read,
    states_of,
    take_up,
)
from plimsoll.core.strategy.wishes import TARGET_LABEL, Quote, Target

_BUY: Final = Side.BUY  # hot: a member read through its class costs ten times a global
_MARKET: Final = OrderType.MARKET
_LIMIT: Final = OrderType.LIMIT


class Fed(NamedTuple):
    """The indicators of one instrument and frame: who takes a close, who takes a whole bar."""

    closes: list[Callable[[float], float]]
    bars: list[Callable[[Bar], float]]


class Reader(NamedTuple):
    """What a desk may read of the engine: functions over the engine's own state."""

    market: Callable[[str], Market]
    instrument: Callable[[str], Instrument | None]
    holding: Callable[[str, str], Holding]
    orders: Callable[[str, str], list[Order]]
    profit_units: Callable[[str], int]
    size: Callable[[SizeRequest], int | Denied]
    pause: Callable[[str, str], str] = lambda _owner, _instrument: ""
    is_there: Callable[[str, str, int], bool] = lambda _owner, _instrument, _lots: False
    """Whether a position has these lots and no order is at work on it."""
    rearm: Callable[[], None] = lambda: None
    """Says that a timer was set: whoever waits for the next one asks anew."""


class _Said(NamedTuple):
    """A target by quantity alone: what was said, and what it came to in the steps of then."""

    qty: Number
    target: Target
    listed: Instrument


class Desk:
    """Implements ``StrategyPort`` for one instance."""

    def __init__(
        self, settings: StrategySettings, strategy: Strategy, reader: Reader, seed: int
    ) -> None:
        """Connect a strategy; nothing happens until the engine calls its callbacks."""
        self.name = settings.name
        self.settings = settings
        self.strategy = strategy
        self.reader = reader
        self.names = tuple(settings.instruments or strategy.instruments)
        self.capital_units = settings.capital
        self.now_ns = 0
        self.rng = RandomStream(seed)
        self.is_started = False
        self.stop_reason = ""
        self.waits_for_bars: set[int] = set()
        """Queries of warm-up bars not yet answered; while any is open no risk may be added."""
        self.has_bars: set[tuple[str, str]] = set()
        """Frames whose bars are whole already: nothing is fetched for them."""
        self.migration = Migration([], [], [])
        self.early_minutes: list[BarChanged] = []
        """Live minutes that came before the fetched ones; delivered after them."""
        self.requests: list[Request] = []
        self.targets: dict[str, Target] = {}
        self._said: dict[str, _Said] = {}
        """The newest plain target of each instrument: most are said again with each bar."""
        self.quotes: dict[str, Quote] = {}
        self.wish_changed: set[str] = set()
        self.executors = Executors(reader.instrument, lambda names: self.wish_changed.update(names))
        self.timers: dict[str, int] = {}
        """When each named timer is due, Unix ns."""
        self.denials: list[int] = []
        """Times of recent refusals, for the repetition guard (RSK-8)."""
        self.refusals = Refusals()
        """What it was refused here, counted; it is told of it at once."""
        self.repetition: Repetition | None = None
        """Orders and amends that passed, for the same guard; the engine says how many."""
        self.makers: dict[tuple[str, str], BarMaker] = {
            (name, frame): BarMaker(name, frame, keep, settings.frames.get(frame, ""))
            for name in self.names
            for frame, keep in strategy.bars.items()
        }
        self.own_makers = tuple(maker for maker in self.makers.values() if maker.is_own)
        """Those whose bars a timer closes."""
        self.indicators: dict[tuple[Any, ...], Any] = {}
        """By kind, instrument, frame and terms."""
        self.fed: dict[tuple[str, str], Fed] = {key: Fed([], []) for key in self.makers}
        """What of them takes the bars of an instrument and frame."""
        self.left_out: list[str] = []
        """Changed parameters that its class does not take: told when it starts."""
        kind = type(strategy)
        self.hears_book = kind.on_book is not Strategy.on_book
        self.hears_fills = kind.on_fill is not Strategy.on_fill
        self.hears_orders = kind.on_order is not Strategy.on_order
        self.hears_trades = kind.on_trade is not Strategy.on_trade
        lives_on = {
            StreamName.TRADES: self.hears_trades or bool(self.own_makers),
            StreamName.BARS: len(self.own_makers) < len(self.makers),
        }
        self.streams = tuple(name for name, is_needed in lives_on.items() if is_needed)
        """What must be LIVE, besides book and ticker, for an order of it that adds risk."""
        strategy._port = self
        vars(strategy)["instruments"] = self.names
        for name, declared in states_of(kind).items():
            setattr(strategy, name, declared.fresh())

    @property
    def is_stopped(self) -> bool:
        """Return whether the instance was stopped and hears nothing any more."""
        return bool(self.stop_reason)

    @property
    def is_at_work(self) -> bool:
        """Return whether it has started and was not stopped."""
        return self.is_started and not self.stop_reason

    @property
    def limits(self) -> Limits | None:
        """Return its own limits, None where the account's hold."""
        return self.settings.limits

    def unready(self, *, reduces: bool) -> Denied | None:
        """Return why it may not ask for an order now."""
        if self.stop_reason:
            return Denied(Refusal.STRATEGY_STOPPED, f"{self.name}: {self.stop_reason}")
        if self.waits_for_bars and not reduces:
            return Denied(Refusal.WARMING_UP, f"{self.name} is still fetching bars")
        return None

    def acted(self, now_ns: int, *action: object) -> None:
        """Count an order or amend that passed every check (RSK-8)."""
        if self.repetition is not None:
            self.repetition.note(now_ns, action)

    # ---- StrategyPort: wishes ----

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
        """See ``Strategy.target``."""
        is_by_qty = stop is take is trail is notional is weight is None
        if is_by_qty and self._stands(instrument, qty):
            return None  # said again, as many do with each bar, and it is so (hot)
        listed = self._listed(instrument)
        if isinstance(listed, Denied):
            return self._refused("target", instrument, listed)
        if self.executors.running((instrument,)):
            text = f"an executor is at work in {instrument}: cancel it, or wait for its end"
            return self._refused("target", instrument, Denied(Refusal.EXECUTOR, text))
        lots = target_lots(listed, qty, notional, weight, self.capital_units, self._reference)
        if isinstance(lots, Denied):
            return self._refused("target", instrument, lots)
        levels = levels_of(listed, stop, take, trail)
        if isinstance(levels, Denied):
            return self._refused("target", instrument, levels)
        stop_ticks, take_ticks, trail_ticks = levels
        is_plain = not any(levels)
        if qty is not None and is_plain:
            self._said[instrument] = _Said(qty, Target(lots), listed)
        now = self.targets.get(instrument)
        if now is None:
            now = self.targets[instrument] = Target(lots)
        elif now == Target(lots) and is_plain and self.reader.is_there(self.name, instrument, lots):
            return None  # said in other words, or for the first time since a restart
        if now.stopped_sign * lots <= 0:
            now.stopped_sign = 0
        if now.qty_lots != lots:
            now.not_before_ns = 0
        stop_ticks = now.trailed(lots, stop_ticks, trail_ticks, listed)
        if (now.stop_ticks, now.take_ticks) != (stop_ticks, take_ticks) or now.is_held:
            now.passed_ns = 0
        now.qty_lots, now.stop_ticks, now.is_held = lots, stop_ticks, False
        now.take_ticks = take_ticks
        self.wish_changed.add(instrument)
        return None

    def quote(
        self,
        instrument: str,
        bids: Sequence[tuple[Number, Number]],
        asks: Sequence[tuple[Number, Number]],
        requote_ticks: int,
        min_life_ms: int,
    ) -> Denied | None:
        """See ``Strategy.quote``."""
        listed = self._listed(instrument)
        if isinstance(listed, Denied):
            return self._refused("quote", instrument, listed)
        before = self.quotes.get(instrument)
        try:
            bid_rows = [row_of(listed, row, ROUND_FLOOR) for row in bids]
            ask_rows = [row_of(listed, row, ROUND_CEILING) for row in asks]
        except ValueError as error:
            text = f"quote(): {error}; rows are (price, quantity), both finite numbers"
            return self._refused("quote", instrument, Denied(Refusal.OFF_STEP, text))
        self.quotes[instrument] = Quote(
            bid_rows,
            ask_rows,
            max(1, requote_ticks),
            min_life_ms * 1_000_000,
            before.waits if before else {},
        )
        self.wish_changed.add(instrument)
        return None

    # ---- StrategyPort: executors ----

    def execute(self, wish: Wish, instrument: str) -> ExecutorHandle:
        """See ``Strategy.execute``."""
        terms = Terms(
            self._untargeted,
            lots_of,
            price_named,
            number_of,
            self.reader.market,
            self.window,
            self.rng,
            self.now_ns,
        )
        handle = self.executors.begin(wish, instrument, terms)
        if handle.run is None and handle.refusal is not None:
            self._refused("execute", instrument or type(wish).__name__, handle.refusal)
        for leg in handle.run.legs if handle.run else ():
            self.targets.pop(leg.instrument, None)  # flat, and reached
        return handle

    def executor_handles(self) -> list[ExecutorHandle]:
        """See ``Strategy.executors``."""
        return self.executors.handles()

    def _untargeted(self, instrument: str) -> Instrument | Denied:
        """Return the filters of an instrument in which no target trades."""
        target = self.targets.get(instrument)
        if target is not None and (
            target.qty_lots
            or self.holding(instrument).qty_lots
            or any(order.label == TARGET_LABEL for order in self.own_orders(instrument))
        ):
            text = f"a target stands in {instrument}: it would trade against an executor"
            return Denied(Refusal.EXECUTOR, text)
        return self._listed(instrument)

    # ---- StrategyPort: explicit orders ----

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
        """See ``Strategy.buy``."""
        handle = OrderHandle(self, instrument)
        listed = self._listed(instrument)
        if isinstance(listed, Denied):
            handle.refusal = self._refused(side.value, instrument, listed)
            return handle
        rounding = ROUND_FLOOR if side is _BUY else ROUND_CEILING
        lots = lots_of(listed, qty)
        ticks = 0 if price is None else ticks_of(listed, price, rounding, "limit")
        waits_for = 0 if trigger is None else price_of(listed, "trigger", trigger)
        if is_executor_label(label):
            text = f"label {label!r} is that of an executor: give it another"
            handle.refusal = Denied(Refusal.EXECUTOR, text)
        elif isinstance(lots, Denied):
            handle.refusal = lots
        elif isinstance(ticks, Denied):
            handle.refusal = ticks
        elif isinstance(waits_for, Denied):
            handle.refusal = waits_for
        else:
            kind = _MARKET if price is None else _LIMIT
            self.requests.append(
                PlaceRequest(
                    instrument, side, kind, tif, ticks, lots, reduce_only, label, handle, waits_for
                )
            )
            return handle
        self._refused(side.value, instrument, handle.refusal)
        return handle

    def amend(
        self,
        handle: OrderHandle,
        price: Number | None,
        qty: Number | None,
        trigger: Number | None = None,
    ) -> Denied | None:
        """See ``OrderHandle.amend``."""
        order = handle.order
        if order is None or not order.is_working:
            denied = Denied(Refusal.NO_SUCH_ORDER, "the order is not working")
            return self._refused("amend", handle.instrument, denied)
        listed = self.reader.instrument(order.instrument)
        assert listed is not None
        request = amend_request(order, listed, price, qty, trigger)
        if isinstance(request, Denied):
            return self._refused("amend", handle.instrument, request)
        self.requests.append(request)
        return None

    def cancel(self, handle: OrderHandle) -> Denied | None:
        """See ``OrderHandle.cancel``."""
        order = handle.order
        if order is None or not order.is_working:
            denied = Denied(Refusal.NO_SUCH_ORDER, "the order is not working")
            return self._refused("cancel", handle.instrument, denied)
        if not order.cancel_pending:
            self.requests.append(CancelRequest(order, "strategy"))
        return None

    def set_timer(self, name: str, after_ns: int) -> None:
        """See ``Strategy.timer``."""
        self.timers[name] = self.now_ns + max(0, after_ns)
        self.reader.rearm()

    def size(
        self,
        instrument: str,
        side: Side,
        qty: Number | None,
        percent: Number | None,
        volatility: Number | None,
        frame: str,
    ) -> Decimal | Denied:
        """See ``Strategy.size``."""
        found = self._sized(instrument, side, (qty, percent, volatility), frame)
        return self._refused("size", instrument, found) if isinstance(found, Denied) else found

    def _sized(
        self,
        instrument: str,
        side: Side,
        wish: tuple[Number | None, Number | None, Number | None],
        frame: str,
    ) -> Decimal | Denied:
        listed = self._listed(instrument)
        if isinstance(listed, Denied):
            return listed
        qty, percent, volatility = wish
        given = [value for value in wish if value is not None]
        if len(given) != 1:
            text = "size() takes one of qty, percent and volatility"
            return Denied(Refusal.OFF_STEP, text)
        number = number_of(given[0])
        if number is None or not 0 < number < _SIZE_MOST:
            text = f"size(): {given[0]!r} is not a number above zero and below {_SIZE_MOST:.0e}"
            return Denied(Refusal.OFF_STEP, text)
        closes: tuple[float, ...] = ()
        span_ns = 1
        if volatility is not None:
            maker = self._maker(instrument, frame)
            closes, span_ns = tuple(bar.close for bar in maker.window), maker.span
        lots = self.reader.size(
            SizeRequest(
                self.name,
                instrument,
                side,
                None if qty is None else number,
                None if percent is None else number,
                0 if volatility is None else int(number * 1_000_000),
                closes,
                span_ns,
            )
        )
        return lots if isinstance(lots, Denied) else lots * listed.lot

    # ---- StrategyPort: reading ----

    def holding(self, instrument: str) -> Holding:
        """See ``Strategy.position``."""
        return self.reader.holding(self.name, instrument)

    def is_paused(self, instrument: str) -> bool:
        """See ``Strategy.is_paused``."""
        return bool(self.reader.pause(self.name, instrument))

    def own_orders(self, instrument: str) -> list[Order]:
        """See ``Strategy.orders``."""
        return self.reader.orders(self.name, instrument)

    def equity(self) -> float:
        """See ``Strategy.equity``."""
        return (self.capital_units + self.reader.profit_units(self.name)) / 1e8

    def market(self, instrument: str) -> Market:
        """See ``Strategy.market``."""
        return self.reader.market(instrument)

    def instrument(self, name: str) -> Instrument:
        """Return the filters of an instrument this instance trades."""
        found = self._listed(name)
        if isinstance(found, Denied):
            raise KeyError(found.text)
        return found

    def window(self, instrument: str, frame: str) -> Sequence[Bar]:
        """See ``Strategy.window``."""
        return self._maker(instrument, frame).window

    def indicator(
        self,
        kind: str,
        instrument: str,
        frame: str,
        terms: tuple[float, ...],
        make: Callable[[], Any],
    ) -> Any:  # noqa: ANN401 - whatever ``make`` makes
        """Return the indicator under these terms; a new one is fed the bars kept so far."""
        key = (kind, instrument, frame, *terms)
        found = self.indicators.get(key)
        if found is None:
            found = make()
            for bar in self._maker(instrument, frame).window:
                found.take(bar)
            self._keep(key, found)
        return found

    def _keep(self, key: tuple[Any, ...], indicator: OfCloses | OfBars) -> None:
        self.indicators[key] = indicator
        fed = self.fed[key[1], key[2]]
        if isinstance(indicator, OfCloses):
            fed.closes.append(indicator.update)
        else:
            fed.bars.append(indicator.update)

    # ---- the engine's side ----

    def feed_bar(self, bar: Bar) -> None:
        """Update the indicators of this bar's frame before the strategy hears it."""
        fed = self.fed[bar.instrument, bar.frame]
        for update in fed.closes:
            update(bar.close)
        for take in fed.bars:
            take(bar)

    def drain(self) -> list[Request]:
        """Hand out the requests made since the last call."""
        requests, self.requests = self.requests, []
        return requests

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count the wishes for an instrument in its new steps, and round them to what it takes."""
        listed = self.reader.instrument(instrument)
        assert listed is not None
        target, quote = self.targets.get(instrument), self.quotes.get(instrument)
        if target is not None:
            target.qty_lots = listed.on_qty_step(target.qty_lots * regrid.lot)
            target.stop_ticks = listed.on_price_step(target.stop_ticks * regrid.tick, up=False)
            target.take_ticks = listed.on_price_step(target.take_ticks * regrid.tick, up=False)
            target.regrid_trail(regrid)
        if quote is not None:
            quote.bids = rows_moved(listed, quote.bids, regrid, up=False)
            quote.asks = rows_moved(listed, quote.asks, regrid, up=True)
        self.executors.regrid(instrument, regrid)
        self.wish_changed.add(instrument)

    def save(self) -> bytes:
        """Return everything needed to go on after a restart."""
        strategy = self.strategy
        return Saved(
            {name: getattr(strategy, name) for name in states_of(type(strategy))},
            self.targets,
            self.quotes,
            {f"{name} {frame}": list(maker.window) for (name, frame), maker in self.makers.items()},
            {key_text(key): value for key, value in self.indicators.items()},
            self.rng.word,
            self.timers,
            list(self.executors.runs.values()),
            self.executors.count,
        ).encoded()

    def restore(self, payload: bytes, *, of_other_code: bool = False) -> None:
        """Take over what ``save`` wrote; what the class no longer declares like this is left."""
        saved = read(payload)
        self.migration = take_up(self.strategy, saved.states, is_strict=of_other_code)
        self.targets, self.rng.word = saved.targets, saved.rng_word
        for target in self.targets.values():
            target.is_held = True
        for key, made in indicators_of(saved).items():
            if key[1:3] in self.makers:
                self._keep(key, made)
        self.timers = saved.timers
        self.executors.restore(saved.executors, saved.executor_count)
        for (name, frame), maker in self.makers.items():
            maker.window.extend(saved.windows.get(f"{name} {frame}", ()))
        # Quotes are not restored: they were prices of another moment, the strategy states anew.
        # Quotes are not restored: they were prices of another moment, the strategy states anew.

    def go_on_from(self, before: "Desk") -> None:
        """Take the bars under way over from the desk in whose place this one is put."""
        self.repetition, self.denials = before.repetition, before.denials
        if before.waits_for_bars:
            return  # its bars are not whole: they are fetched anew
        for key, maker in before.makers.items():
            own = self.makers.get(key)
            if own is not None and (own.span, own.window.maxlen) == (
                maker.span,
                maker.window.maxlen,
            ):
                self.makers[key] = maker
                self.has_bars.add(key)
        self.own_makers = tuple(maker for maker in self.makers.values() if maker.is_own)

    def _refused(self, ask: str, instrument: object, denied: Denied) -> Denied:
        """Count a refusal the strategy is told of; the first of its kind goes into the log."""
        first = self.refusals.note(ask, instrument, denied, self.now_ns)
        if first is not None:
            self.requests.append(first)
        return denied

    def _reference(self, listed: Instrument) -> Decimal:
        """Return the price sizes are counted at, 0 where there is none yet."""
        return self.reader.market(listed.name).reference_ticks(self.now_ns) * listed.tick

    def _stands(self, instrument: str, qty: Number | None) -> bool:
        """Return whether a quantity was said last, is held, and nothing is at work on it."""
        said = self._said.get(instrument)
        return (
            said is not None
            and qty == said.qty
            and self.targets.get(instrument) == said.target
            and not self.executors.runs
            and self.reader.instrument(instrument) is said.listed
            and self.reader.is_there(self.name, instrument, said.target.qty_lots)
        )

    def _listed(self, instrument: str) -> Instrument | Denied:
        found = self.reader.instrument(instrument) if instrument in self.names else None
        if found is None:
            return Denied(
                Refusal.UNKNOWN_INSTRUMENT,
                f"{instrument!r} is not among this strategy's instruments {', '.join(self.names)}: "
                "name it in `instruments` of its entry",
            )
        return found

    def _maker(self, instrument: str, frame: str) -> BarMaker:
        try:
            return self.makers[instrument, frame]
        except KeyError:
            raise KeyError(
                f"{self.name}: bars {frame!r} of {instrument!r} are not declared in `bars`"
            ) from None


_SIZE_MOST: Final = 10**12
