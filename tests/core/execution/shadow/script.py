"""Records written by hand: a market of 0.1 steps around 50,000, orders and what becomes of them."""

from tests.properties.driver import INSTRUMENTS, MS, PERP, SECOND, T0, settings_of

from plimsoll.core.execution.shadow import Model, Shadow
from plimsoll.core.model import OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    AmendIntended,
    BookChanged,
    CancelIntended,
    Configured,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    OrderIntended,
    OrderReported,
    OrderSent,
    PublicTraded,
    RequestAnswered,
)
from plimsoll.core.settings import to_text

BUY, SELL = Side.BUY, Side.SELL
IOC, GTC, POST_ONLY = TimeInForce.IOC, TimeInForce.GTC, TimeInForce.POST_ONLY
OWNER = "live"
BID, ASK = 500_000, 500_001
LOTS = 1_000
"""Lots of one whole coin."""


class Script:
    """A shadow, and the hand that writes its log."""

    def __init__(self, model: Model | None = None, **core) -> None:
        self.shadow = Shadow(model)
        self.seq, self.now_ns, self.orders, self.updates = 0, T0, 0, 0
        self.cum: dict[str, int] = {}
        self.terms: dict[str, tuple] = {}
        self.put(LeaseTaken, "acc", "acc", "h", "1")
        self.put(Configured, to_text(settings_of(**core)))
        self.put(InstrumentListed, INSTRUMENTS[PERP])
        self.book([(BID, 10), (BID - 1, 20)], [(ASK, 10), (ASK + 1, 20)], is_snapshot=True)

    def put(self, kind, *fields) -> None:
        self.seq += 1
        self.shadow.apply(kind(self.seq, self.now_ns, 1, 0, *fields))

    def after(self, ms: float) -> None:
        self.now_ns += int(ms * MS)

    @property
    def ms(self) -> int:
        return self.now_ns // MS

    def book(self, bids=(), asks=(), *, is_snapshot=False) -> None:
        self.updates += 1
        rows = [[(price / 10, lots / LOTS) for price, lots in side] for side in (bids, asks)]
        head = (PERP, 50, is_snapshot, self.updates, self.updates, self.ms)
        self.put(BookChanged, *head, *rows)

    def prints(self, taker: Side, price: int, lots: int) -> None:
        rows = [(price / 10, lots / LOTS, taker is BUY, self.ms)]
        self.put(PublicTraded, PERP, rows, self.ms)

    def send(self, side: Side, price: int, lots: int, tif: TimeInForce = IOC, **more) -> str:
        self.orders += 1
        number = f"acc-000001-{self.orders:09d}-X"
        kind = OrderType.MARKET if tif is IOC else OrderType.LIMIT
        terms = (OWNER, PERP, side, kind, tif, price, lots, False, "")
        self.seq += 1
        record = OrderIntended(self.seq, self.now_ns, 1, 0, number, *terms, **more)
        self.shadow.apply(record)
        self.put(OrderSent, number, "create", "r", 0, "trade", 1)
        self.terms[number], self.cum[number] = (side, price, lots), 0
        return number

    def amend(self, number: str, price: int, lots: int) -> None:
        self.put(AmendIntended, number, price, lots)
        self.put(OrderSent, number, "amend", "r", 0, "trade", 1)
        self.terms[number] = (self.terms[number][0], price, lots)

    def cancel(self, number: str) -> None:
        self.put(CancelIntended, number, "because")
        self.put(OrderSent, number, "cancel", "r", 0, "trade", 1)

    def report(self, number: str, status: OrderState = OrderState.OPEN) -> None:
        side, price, lots = self.terms[number]
        terms = (PERP, side, status, price, lots, self.cum[number], False, False, self.ms)
        self.put(OrderReported, number, f"v-{number}", *terms, "", "stream", 0, b"")

    def fill(self, number: str, price: int, lots: int, *, is_maker: bool = False) -> None:
        side, _, whole = self.terms[number]
        self.cum[number] += lots
        terms = (PERP, side, price, lots, 0, "USDT", is_maker, "Trade", self.ms)
        name = f"e{self.seq}"
        self.put(ExecutionReported, name, number, f"v-{number}", *terms, "stream", 0, b"")
        is_full = self.cum[number] >= whole
        self.report(number, OrderState.FILLED if is_full else OrderState.PARTIAL)

    def answer(self, number: str, outcome: str, action: str = "create") -> None:
        self.put(RequestAnswered, number, action, "r", outcome, 0, "", f"v-{number}")

    def end(self) -> Shadow:
        """Let enough time pass for everything to be judged."""
        for _ in range(3):
            self.after(20 * SECOND / MS)
            self.book([(BID - 4, 1 + self.updates % 3)], [])
        self.shadow.settle()
        return self.shadow
