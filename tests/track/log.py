"""Trading logs made by hand: days of round trips whose profit is known, on paper or live."""

from tests.properties.driver import CASH, INSTRUMENTS, PERP, TAG, WIDE

from plimsoll.core.model import DAY_NS, Mode, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.model.ids import IdMaker
from plimsoll.core.records import (
    Configured,
    EquityMeasured,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    OrderIntended,
    OrderSent,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
    ProfitMeasured,
    Record,
    RequestAnswered,
    StageChanged,
)
from plimsoll.core.settings import CoreSettings, StrategySettings, to_text

FIRST = 20_000
"""The day a log begins on."""
HOUR = DAY_NS // 24
PRICE, LOTS = 500_000, 10
UNITS_A_TICK = LOTS * INSTRUMENTS[PERP].cash_per_tick_lot
HASH = "0123456789abcdef" * 4


def strategy(name="ema", mode=Mode.PAPER, capital=1_000 * CASH, **more) -> StrategySettings:
    """Return the settings of an instance."""
    more.setdefault("source_hash", "v1")
    return StrategySettings(
        name=name, source="ema.py:Ema", instruments=(PERP,), mode=mode, capital=capital, **more
    )


class Log:
    """Records in their order; ``profit`` is what each instance has earned."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.now_ns = FIRST * DAY_NS + HOUR
        self.epoch = 0
        self.profit: dict[str, int] = {}
        self.strategies: dict[str, StrategySettings] = {}

    def put(self, kind: type[Record], *fields) -> Record:
        record = kind(len(self.records) + 1, self.now_ns, self.epoch, 0, *fields)
        self.records.append(record)
        return record

    def begin(self, *strategies: StrategySettings) -> "Log":
        """Begin a session with these instances."""
        self.epoch += 1
        self.ids = IdMaker(TAG, self.epoch)
        self.strategies = {one.name: one for one in strategies}
        self.put(LeaseTaken, "main", TAG, "test", "1")
        settings = CoreSettings(account="main", tag=TAG, strategies=strategies, limits=WIDE)
        self.put(Configured, to_text(settings))
        self.put(InstrumentListed, INSTRUMENTS[PERP])
        return self

    def equity(self, units: int) -> None:
        self.put(EquityMeasured, units)

    def measure(self, *names: str) -> None:
        for name in names or tuple(self.strategies):
            self.put(ProfitMeasured, name, self.profit.get(name, 0))

    def trip(self, name: str, ticks: int, fee_units: int = 0, *, refused: bool = False) -> None:
        """Make a round trip that earns so many ticks; or ask for an order the venue refuses."""
        is_paper = self.strategies[name].mode is Mode.PAPER
        for side, price in ((Side.BUY, PRICE), (Side.SELL, PRICE + ticks)):
            order = self.ids.peek()
            self.ids.counter += 1
            terms = (order, name, PERP, side, OrderType.LIMIT, TimeInForce.GTC, price, LOTS)
            self.put(PaperOrderIntended if is_paper else OrderIntended, *terms, False, "")
            if is_paper:
                self._paper(order, price, fee_units, refused=refused)
            else:
                self._live(order, side, price, fee_units, refused=refused)
            if refused:
                return
            self.now_ns += 10**9
        self.profit[name] = self.profit.get(name, 0) + ticks * UNITS_A_TICK - 2 * fee_units

    def _paper(self, order: str, price: int, fee_units: int, *, refused: bool) -> None:
        if refused:
            self.put(PaperReported, order, OrderState.REJECTED, price, LOTS, "no")
            return
        self.put(PaperFilled, order, f"e{order}", price, LOTS, fee_units, "USDT", False)

    def _live(self, order: str, side: Side, price: int, fee_units: int, *, refused: bool) -> None:
        self.put(OrderSent, order, "create", "r", self.now_ns // 10**6, "trade")
        outcome = "refused" if refused else "accepted"
        self.put(RequestAnswered, order, "create", "r", outcome, 0, "", "")
        if refused:
            return
        venue_id, at_ms = f"v{order}", self.now_ns // 10**6
        self.put(
            *(ExecutionReported, f"e{order}", order, venue_id, PERP, side, price, LOTS, fee_units),
            *("USDT", False, "Trade", at_ms, "stream", 0, b""),
        )

    def days(self, *trips: tuple[int, ...], name: str = "ema") -> "Log":
        """Make a day of each tuple: its round trips, ticks each, and what they came to."""
        for ticks in trips:
            for one in ticks:
                self.trip(name, one)
                self.now_ns += HOUR // 4
                self.measure(name)
            self.now_ns = (self.now_ns // DAY_NS + 1) * DAY_NS
            self.measure()
            self.now_ns += HOUR
        return self

    def staged(self, stage: str, step=0, *, name="ema", capital=0, expected_ppb=0, evidence=HASH):
        """Record a decision about a stage."""
        self.put(
            *(StageChanged, name, stage, step, "paper", capital, expected_ppb),
            *(evidence, "anna", "because"),
        )
