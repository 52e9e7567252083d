"""Drive a core as the engine's loop does, without journal, sockets or time of its own.

``Driver`` stamps inputs, applies, decides, applies each decision, and keeps the log. ``Venue`` is
the other side: it holds orders, position and executions of its own and can be asked what it knows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from plimsoll.core.engine import Core, State
from plimsoll.core.model import Instrument, Mode, OrderState, Side, TimeInForce
from plimsoll.core.records import (
    DECISIONS,
    AmendIntended,
    BookChanged,
    CancelIntended,
    CashMoved,
    ClockMeasured,
    Configured,
    ExecutionReported,
    HealthMeasured,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OrderIntended,
    OrderReported,
    OrderSent,
    PositionReported,
    ProtectionIntended,
    QueryAnswered,
    QueryIntended,
    Record,
    RequestAnswered,
    TickerChanged,
    TimerFired,
    WalletReported,
    encode,
)
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import (
    BreakerSettings,
    CoreSettings,
    Limits,
    StrategySettings,
    to_text,
)
from plimsoll.core.strategy import Strategy

T0 = 1_750_000_000_000_000_000
SECOND = 1_000_000_000
MS = 1_000_000
CASH = 10**8
PERP, SPOT, ETH = "linear:BTCUSDT", "spot:BTCUSDT", "linear:ETHUSDT"
PERP_USDC, SPOT_USDC = "linear:BTCPERP", "spot:BTCUSDC"
TAG = "acc"

INSTRUMENTS = {
    PERP: Instrument(
        PERP, "linear", "BTCUSDT", "BTC", "USDT", "USDT", "0.1", "0.001", "0.001", "100", "50", "5"
    ),
    ETH: Instrument(
        ETH, "linear", "ETHUSDT", "ETH", "USDT", "USDT", "0.1", "0.01", "0.01", "0", "0", "0"
    ),
    SPOT: Instrument(
        SPOT, "spot", "BTCUSDT", "BTC", "USDT", "", "0.01", "0.000001", "0.00001", "0", "0", "1"
    ),
    PERP_USDC: Instrument(
        PERP_USDC,
        "linear",
        "BTCPERP",
        "BTC",
        "USDC",
        "USDC",
        "0.1",
        "0.001",
        "0.001",
        "0",
        "0",
        "5",
    ),
    SPOT_USDC: Instrument(
        SPOT_USDC,
        "spot",
        "BTCUSDC",
        "BTC",
        "USDC",
        "",
        "0.01",
        "0.000001",
        "0.00001",
        "0",
        "0",
        "1",
    ),
}
PRICE = {PERP: 50_000.0, ETH: 2_000.0, SPOT: 50_000.0, PERP_USDC: 50_000.0, SPOT_USDC: 50_000.0}
WIDE = Limits(
    price_distance_ppm=200_000,
    order_notional=10**7 * CASH,
    orders_per_second=1_000,
    orders_per_day=10**6,
    open_orders=1_000,
    position_notional=10**8 * CASH,
    exposure=10**8 * CASH,
    daily_loss=10**8 * CASH,
    drawdown_ppm=900_000,
    leverage_ppm=10**9,
)
"""Limits that let through whatever a test is not about."""

NO_BREAKERS = BreakerSettings(off=tuple(BREAKERS))

Message = Callable[[tuple[int, int, int, int]], Record]


class Puppet(Strategy):
    """Does what a test tells it, at the next book message, and remembers what it heard."""

    def __init__(self) -> None:
        self.todo: list[Callable[[Any], object]] = []
        self.results: list[Any] = []
        self.heard: list[tuple[str, Any]] = []

    def on_start(self):
        self.heard.append(("start", None))

    def on_stop(self):
        self.heard.append(("stop", None))

    def on_book(self, market):
        todo, self.todo = self.todo, []
        for action in todo:
            self.results.append(action(self))

    def on_fill(self, fill):
        self.heard.append(("fill", fill))

    def on_order(self, order):
        self.heard.append(("order", order.state))

    def on_refusal(self, instrument, refusal):
        self.heard.append(("refusal", refusal))

    def on_bar(self, bar):
        self.heard.append(("bar", bar))


def one_strategy(mode=Mode.LIVE, instruments=(PERP,), name="s", **more) -> StrategySettings:
    more.setdefault("capital", 100_000 * CASH)
    return StrategySettings(
        name=name, source="tests:Puppet", instruments=instruments, mode=mode, **more
    )


def settings_of(*strategies, limits=WIDE, **more) -> CoreSettings:
    more.setdefault("venue_orders_per_second", 10_000)
    more.setdefault("breakers", NO_BREAKERS)  # they have tests of their own
    return CoreSettings(
        account="main",
        tag=TAG,
        strategies=strategies or (one_strategy(),),
        limits=limits,
        **more,
    )


class Driver:
    """One core and its log. ``sent`` and ``queries`` are what the engine would have sent."""

    def __init__(self, settings=None, load=None, state: State | None = None, epoch=1, now_ns=T0):
        self.settings = settings or settings_of()
        self.strategies: dict[str, Any] = {}
        self.load = load or (lambda one: self.strategies.setdefault(one.name, Puppet()))
        self.core: Any = Core(self.load, state)
        self.now_ns = now_ns
        self.epoch = epoch
        self.seq = self.core.seq
        self.log: list[Record] = []
        self.decided: list[Record] = []
        """Decisions of the newest input."""
        self.sent: list[Record] = []
        self.queries: list[QueryIntended] = []
        self.levels: list[ProtectionIntended] = []
        """Protections asked for that nobody has answered."""
        self.updates: dict[str, int] = {}
        self.marks: dict[str, tuple[float, int]] = {}
        """Mark prices told, and when: the venue's ticker is never silent while its book moves."""

    # ---- the loop ----

    def stamp(self) -> tuple[int, int, int, int]:
        return self.seq + 1, self.now_ns, self.epoch, 0

    def put(self, kind: type[Record], *fields: Any, **named: Any) -> list[Record]:
        return self.take(kind(*self.stamp(), *fields, **named))

    def say(self, message: Message) -> list[Record]:
        return self.take(message(self.stamp()))

    def take(self, record: Record) -> list[Record]:
        """Take one input through the loop; return what was decided."""
        self._append(record)
        self.decided = []
        for decision in self.core.decide(record):
            self._append(decision)
            self.decided.append(decision)
            if isinstance(decision, OrderIntended | AmendIntended | CancelIntended):
                self.sent.append(decision)
            elif isinstance(decision, QueryIntended):
                self.queries.append(decision)
            elif isinstance(decision, ProtectionIntended):
                self.levels.append(decision)
        return self.decided

    def _append(self, record: Record) -> None:
        assert record.seq == self.seq + 1, "a decision out of order"
        self.seq = record.seq
        self.log.append(record)
        self.core.apply(record)

    def advance(self, ns: int) -> list[Record]:
        """Let time pass and fire the timers the core asks for; return all decisions."""
        until, found = self.now_ns + ns, []
        while 0 < (due := self.core.wake_ns) <= until:
            self.now_ns = max(self.now_ns, due)
            found += self.put(TimerFired, due)
        self.now_ns = until
        return found

    def of(self, kind: type[Record]) -> list[Any]:
        """Return all records of a type in the log."""
        return [record for record in self.log if type(record) is kind]

    # ---- a session ----

    def begin(self, *names: str) -> "Driver":
        """Take the lease, configure, list instruments, measure the clock."""
        self.put(LeaseTaken, "main", TAG, "test", "1")
        self.put(Configured, to_text(self.settings))
        for name in names or (PERP,):
            self.put(InstrumentListed, INSTRUMENTS[name])
        self.put(ClockMeasured, 0, MS)
        return self

    def connect(self, venue: "Venue | None" = None) -> "Driver":
        """Bring the links up, answer the first comparison, bring markets up."""
        if venue is None:
            venue = Venue()
            venue.wallet = {"USDT": 10**6 * CASH}
        for link in ("trade", "public.linear", "public.spot"):
            self.put(LinkChanged, link, True, "")
        for name in self.core.state.instruments:
            self.book(name)
        self.put(LinkChanged, "private", True, "")
        self.answer_all(venue)
        for name in self.core.state.instruments:
            self.mark(name, PRICE[name])
        return self

    def live(self, *names: str, venue: "Venue | None" = None) -> "Driver":
        return self.begin(*names).connect(venue)

    def book(self, name=PERP, mid: float = 0.0, **named) -> list[Record]:
        """Send a snapshot around ``mid``: one price unit each way, 100 of quantity."""
        mid = mid or PRICE[name]
        mark, told_ns = self.marks.get(name, (0.0, self.now_ns))
        if self.now_ns - told_ns > 3 * SECOND:
            self.mark(name, mark)
        rows = named.get("bids", [(mid - 1, 100.0)]), named.get("asks", [(mid + 1, 100.0)])
        self.updates[name] = self.updates.get(name, 0) + 1
        venue_ms = self.now_ns // MS
        return self.put(BookChanged, name, 50, True, self.updates[name], 1, venue_ms, *rows)

    def mark(self, name: str, price: float) -> list[Record]:
        self.marks[name] = price, self.now_ns
        return self.put(TickerChanged, name, price, price, price, None, 0, self.now_ns // MS)

    def do(self, action: Callable[[Any], Any], name="s", on=PERP) -> Any:
        """Let a puppet act inside its next ``on_book``; return what its action returned."""
        puppet = self.strategies[name]
        puppet.todo.append(action)
        self.book(on)
        return puppet.results[-1]

    # ---- answers ----

    def answer_all(self, venue: "Venue | None" = None) -> None:
        """Answer every open query from the venue's books, or with empty books."""
        while self.queries:
            query = self.queries.pop(0)
            self.answer(query, venue.rows(query) if venue else ())

    def settle(self, venue: "Venue | None" = None, *, beats: int = 4) -> None:
        """Let beats pass and answer what is asked in them: a halt's looks at the lists."""
        for _ in range(beats):
            self.advance(SECOND // 4)
            self.answer_all(venue)

    def answer(self, query: QueryIntended, rows: Iterable[Message] = (), *, ok=True) -> None:
        count = 0
        for row in rows:
            self.say(row)
            count += 1
        self.put(QueryAnswered, query.query_id, ok, count, "" if ok else "http 503")

    def was_sent(self, order_id: str, action="create") -> None:
        self.put(OrderSent, order_id, action, f"r{self.seq}", self.now_ns // MS, "trade")

    def answered(self, order_id: str, outcome="accepted", action="create") -> list[Record]:
        code = 0 if outcome == "accepted" else 1
        return self.put(RequestAnswered, order_id, action, "r", outcome, code, outcome, "")

    def report(self, order_id: str, status: OrderState, **named) -> list[Record]:
        order = self.core.orders.find(order_id)
        message = report_of(
            order_id,
            status,
            **{
                "side": order.side if order else Side.BUY,
                "instrument": order.instrument if order else PERP,
                "price": order.price_ticks if order else 500_000,
                "qty": order.qty_lots if order else 10,
                "updated_ms": self.now_ns // MS,
                **named,
            },
        )
        return self.say(message)

    def execute(self, order_id: str, lots: int, execution_id: str, **named) -> list[Record]:
        order = self.core.orders.find(order_id)
        side = order.side if order else Side.BUY
        named = {"instrument": order.instrument if order else PERP, **named}
        return self.say(
            execution_of(execution_id, order_id, side, lots, **{"at_ms": self.now_ns // MS} | named)
        )

    def show(self, lots: int, stop: int = 0, take: int = 0, name: str = PERP) -> list[Record]:
        """Let the position stream show a position and its exits."""
        return self.say(position_of(name, lots, stop, take, self.now_ns // MS))

    @property
    def newest(self) -> Any:
        """The newest order sent."""
        order = self.core.orders.find(self.sent[-1].client_order_id)  # type: ignore[attr-defined]
        assert order is not None
        return order

    def open_order(self, side="buy", qty="0.010", limit="49000", **named) -> Any:
        """Place an order through the puppet and let the venue open it."""
        self.do(lambda s: getattr(s, side)(PERP, qty, limit, **named))
        order = self.newest
        self.was_sent(order.id)
        self.answered(order.id)
        self.report(order.id, OrderState.OPEN)
        return order


def report_of(
    order_id,
    status,
    *,
    side=Side.BUY,
    instrument=PERP,
    price=500_000,
    qty=10,
    cum=0,
    reduce_only=False,
    updated_ms=T0 // MS,
    reason="",
    source="stream",
    query_id=0,
    untriggered=False,
    venue_id=None,
    trigger=0,
    create_type="",
    stop_type="",
) -> Message:
    venue_id = f"v-{order_id}" if venue_id is None else venue_id
    return lambda stamp: OrderReported(
        *stamp,
        order_id,
        venue_id,
        instrument,
        side,
        status,
        price,
        qty,
        cum,
        reduce_only,
        untriggered,
        updated_ms,
        reason,
        source,
        query_id,
        b"",
        trigger,
        create_type,
        stop_type,
    )


def position_of(name, lots, stop=0, take=0, at_ms=T0 // MS, query_id=0) -> Message:
    source = "query" if query_id else "stream"
    return lambda stamp: PositionReported(
        *stamp, name, lots, "50000", at_ms, source, query_id, b"{}", stop, take
    )


def execution_of(
    execution_id,
    order_id,
    side,
    lots,
    *,
    price=500_000,
    instrument=PERP,
    fee=0,
    coin="USDT",
    at_ms=T0 // MS,
    kind="Trade",
    query_id=0,
    order_qty=0,
    seq=0,
    venue_id=None,
    create_type="",
) -> Message:
    return lambda stamp: ExecutionReported(
        *stamp,
        execution_id,
        order_id,
        f"v-{order_id}" if venue_id is None else venue_id,
        instrument,
        side,
        price,
        lots,
        fee,
        coin,
        False,
        kind,
        at_ms,
        "query" if query_id else "stream",
        query_id,
        b"",
        order_qty,
        seq,
        create_type,
    )


def row_of(
    row_id, kind, change, *, coin="USDT", instrument="", execution="", funding=0, at_ms=T0 // MS,
    query_id=0,
) -> Message:  # fmt: skip
    return lambda stamp: CashMoved(
        *stamp, row_id, coin, kind, instrument, change, 0, 0, funding, execution, at_ms, query_id,
        b"",
    )  # fmt: skip


@dataclass
class Listed:
    """An order at the venue."""

    id: str
    instrument: str
    side: Side
    price: int
    qty: int
    reduce_only: bool
    tif: TimeInForce
    updated_ms: int
    cum: int = 0
    status: OrderState = OrderState.OPEN

    @property
    def leaves(self) -> int:
        return self.qty - self.cum if self.is_live else 0

    @property
    def is_live(self) -> bool:
        return self.status in (OrderState.OPEN, OrderState.PARTIAL)


class Venue:
    """The venue's own record: the judge reads this and nothing of the core."""

    def __init__(self) -> None:
        self.orders: dict[str, Listed] = {}
        self.position: dict[str, int] = {}
        self.wallet: dict[str, int] = {}
        self.executions: list[tuple[int, str, Message, Message]] = []
        self.clock_ms = T0 // MS
        self.available = 10**6 * CASH
        self.maintenance_ppm = 0

    def _tick(self) -> int:
        self.clock_ms += 1
        return self.clock_ms

    def at(self, now_ns: int) -> None:
        self.clock_ms = max(self.clock_ms, now_ns // MS)

    def create(self, sent: OrderIntended) -> Listed:
        assert sent.client_order_id not in self.orders, "the same order was sent twice"
        order = self.orders[sent.client_order_id] = Listed(
            sent.client_order_id,
            sent.instrument,
            sent.side,
            sent.price_ticks,
            sent.qty_lots,
            sent.reduce_only,
            sent.tif,
            self._tick(),
        )
        return order

    def amend(self, sent: AmendIntended) -> Listed | None:
        order = self.orders.get(sent.client_order_id)
        if order is None or not order.is_live or sent.qty_lots <= order.cum:
            return None
        order.price, order.qty, order.updated_ms = sent.price_ticks, sent.qty_lots, self._tick()
        return order

    def cancel(self, order_id: str) -> Listed | None:
        order = self.orders.get(order_id)
        if order is None or not order.is_live:
            return None
        order.status, order.updated_ms = OrderState.CANCELED, self._tick()
        return order

    def fill(self, order: Listed, lots: int) -> tuple[Message, Message]:
        """Match; return the execution message and the order message."""
        held = self.position.get(order.instrument, 0)
        if order.reduce_only:
            lots = min(lots, max(0, -held * order.side.sign))
        order.updated_ms = self._tick()
        if lots <= 0:
            order.status = OrderState.CANCELED
            return self.report(order), self.report(order)
        order.cum += lots
        order.status = OrderState.FILLED if order.cum == order.qty else OrderState.PARTIAL
        self.position[order.instrument] = held + order.side.sign * lots
        name = f"x{len(self.executions)}"
        made = {
            "price": order.price,
            "instrument": order.instrument,
            "at_ms": order.updated_ms,
            "order_qty": order.qty,
        }
        message = execution_of(name, order.id, order.side, lots, **made)
        self.executions.append((order.updated_ms, order.id, message, message))
        return message, self.report(order)

    def report(self, order: Listed, query_id=0) -> Message:
        now = replace(order)
        return report_of(
            now.id,
            now.status,
            side=now.side,
            instrument=now.instrument,
            price=now.price,
            qty=now.qty,
            cum=now.cum,
            reduce_only=now.reduce_only,
            updated_ms=now.updated_ms,
            source="query" if query_id else "stream",
            query_id=query_id,
        )

    def rows(self, query: QueryIntended) -> list[Message]:
        """Return what the venue answers to a query."""
        number = query.query_id
        if query.kind == "orders":
            return [
                self.report(order, number)
                for order in self.orders.values()
                if order.is_live and order.instrument.startswith(query.category)
            ]
        if query.kind == "order":
            found = self.orders.get(query.client_order_id)
            ours = [
                one for at, order_id, one, _ in self.executions if found and order_id == found.id
            ]
            return (
                [*(_asked(one, number) for one in ours), self.report(found, number)]
                if found
                else []
            )
        if query.kind == "executions":
            return [
                _asked(one, number)
                for at_ms, _, one, _ in self.executions
                if at_ms >= query.since_ms and query.category == "linear"
            ]
        if query.kind == "positions":
            return [
                _position(name, lots, number)
                for name, lots in self.position.items()
                if lots and name.startswith(query.category)
            ]
        if query.kind == "health":
            return [_health(self.available, self.maintenance_ppm, number)]
        if query.kind == "wallet":
            return [_wallet(coin, units, number) for coin, units in self.wallet.items()]
        return []


def _asked(message: Message, query_id: int) -> Message:
    def made(stamp: tuple[int, int, int, int]) -> Record:
        record: Any = message(stamp)
        fields = {name: getattr(record, name) for name in record.__struct_fields__}
        return ExecutionReported(**fields | {"source": "query", "query_id": query_id})

    return made


def _position(name: str, lots: int, query_id: int) -> Message:
    return lambda stamp: PositionReported(*stamp, name, lots, "50000", 0, "query", query_id, b"")


def _wallet(coin: str, units: int, query_id: int) -> Message:
    return lambda stamp: WalletReported(*stamp, coin, units, "query", query_id, b"")


def _health(available: int, maintenance_ppm: int, query_id: int) -> Message:
    return lambda stamp: HealthMeasured(
        *stamp, available, available, maintenance_ppm, maintenance_ppm, {}, "query", query_id
    )


def replayed(log: Iterable[Record], load: Callable[[StrategySettings], Strategy]) -> Core:
    """Run a log through a fresh core; every decision must come out byte for byte."""
    core = Core(load)
    expected: Iterator[Record] = iter(())
    for record in log:
        if type(record) in DECISIONS:
            made = next(expected, None)
            assert made is not None, f"replay does not decide {record!r}"
            assert encode(made) == encode(record)
            core.apply(made)
        else:
            assert next(expected, None) is None
            core.apply(record)
            expected = iter(core.decide(record))
    assert next(expected, None) is None
    return core
