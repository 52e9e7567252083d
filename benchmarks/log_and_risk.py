"""What log and risk add to the way from a frame to the order it leads to.

One process, no sockets: the engine takes a frame and hands an order's bytes to a pipe. The bare
loop parses, keeps the book, asks the strategy, makes the order; the others add the journal, the
gate and the gateway's last checks, and both. Frames come in turns, paced as a market's do.

    python -m benchmarks.log_and_risk [--full]
"""

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from benchmarks.frames import rising, stamped
from benchmarks.report import Result, Size, quantile, run
from benchmarks.tick_to_order.engine import UNIT, Chaser, settings_of

from plimsoll.core.engine import Core
from plimsoll.core.model import Instrument, OrderState
from plimsoll.core.records import (
    ClockMeasured,
    Configured,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OrderIntended,
    OrderReported,
    QueryAnswered,
    QueryIntended,
    Record,
    TickerChanged,
    WalletReported,
)
from plimsoll.core.settings import to_text
from plimsoll.engine.beating import Pulse
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.engine import Engine
from plimsoll.engine.gateway import Gateway
from plimsoll.journal import Journal, JournalSettings
from plimsoll.observe import Log
from plimsoll.venues.bybit.links import parsers_for
from plimsoll.venues.bybit.ports import Sent
from plimsoll.venues.bybit.trade import OrderWriter

NAME = "linear:BTCUSDT"
LISTED = Instrument(
    *(NAME, "linear", "BTCUSDT", "BTC", "USDT", "USDT"),
    *("0.1", "0.001", "0.001", "100", "50", "5"),
)
ORDERS = {Size.TINY: 5, Size.SMALL: 1_000, Size.FULL: 10_000}
PAUSE_S = 0.002
ROOT = Path(__file__).resolve().parents[1]
LINEAR = next(link for link, one in parsers_for().items() if one.category == "linear")


PRICE = 65_000.0


class Nothing:
    """A journal that keeps nothing, and a lease that is always held."""

    last_seq = 0
    low_space = False
    held = True

    def trading(self, *_record: object) -> None:
        """Forget a record."""

    market = trading

    def before_send(self) -> None:
        """Wait for nothing."""


class Wire:
    """The venue's place: makes the bytes of an order and writes them to a pipe."""

    def __init__(self) -> None:
        """Open the pipe."""
        self.writer = OrderWriter(LISTED)
        self.out = os.open(os.devnull, os.O_WRONLY)
        self.sent_ns = 0
        self.newest: OrderIntended | None = None

    def create(self, order: OrderIntended) -> Sent:
        """Write an order."""
        body = self.writer.create_body(order)
        ms = order.ts_ns // 1_000_000
        frame = OrderWriter.frame("create", body, f"1-{order.seq}", ms, 2_000)
        os.write(self.out, frame)
        self.sent_ns = time.perf_counter_ns()
        self.newest = order
        return Sent("1", ms, "trade")

    amend = cancel = protect = create


class Way:
    """An engine from frame to order, with the parts it was asked to have."""

    def __init__(self, journal: Any, *, has_risk: bool) -> None:
        """Bring it to the point where it may trade."""
        self.wire, self.clock = Wire(), EngineClock()
        settings = settings_of(Path(), 0, 0).core
        self.core = Core(lambda _settings: Chaser())
        self.engine = Engine(self.core, journal, self.clock, 1, parsers_for(), Log(), _raise)
        parts: Any = (self.core.state, journal, Nothing(), self.wire, Pulse(self.clock))
        gateway: Any = Gateway(*parts)
        self.engine.connect(gateway if has_risk else self.wire, self._answer)  # type: ignore[arg-type]
        self.put(LeaseTaken, "bench", "bench", "engine", "0")
        self.put(Configured, to_text(settings))
        self.put(InstrumentListed, LISTED)
        self.put(ClockMeasured, 0, 1_000_000)
        if not has_risk:
            gate: Any = self.core.trader.placer.gate
            gate.check = lambda _order, _around: None
        self.put(LinkChanged, "private", True, "")
        self.put(LinkChanged, "trade", True, "")

    def put(self, kind: type[Record], *fields: object) -> None:
        """Give the engine an input."""
        self.engine.put(kind(*self.engine.stamp(), *fields))

    def mark(self) -> None:
        """Tell the mark price."""
        at_ms = self.clock.now_ns() // 1_000_000
        self.put(TickerChanged, NAME, PRICE, PRICE, PRICE, 0.0, 0, at_ms)

    def _answer(self, query: QueryIntended) -> None:
        rows, number = int(query.kind == "wallet"), query.query_id
        after = self.engine._pending
        if rows:
            units = 1_000_000 * UNIT
            after.append(
                lambda: WalletReported(*self.engine.stamp(), "USDT", units, "query", number, b"")
            )
        after.append(lambda: QueryAnswered(*self.engine.stamp(), number, True, rows, ""))

    def order_of(self, frame: bytes) -> int:
        """Return the ns from a frame to its order on the wire; 0 where none left."""
        now_ns = self.clock.now_ns()
        raw = stamped(frame, now_ns // 1_000_000)
        begin = time.perf_counter_ns()
        self.engine.frame(LINEAR, raw, now_ns)
        order, self.wire.newest = self.wire.newest, None
        if order is None:
            return 0
        taken = self.wire.sent_ns - begin
        ms = self.clock.now_ns() // 1_000_000
        self.put(
            OrderReported,
            *(order.client_order_id, f"v{order.seq}", NAME, order.side, OrderState.CANCELED),
            *(order.price_ticks, order.qty_lots, 0, False, False, ms, "", "stream", 0, b""),
        )
        return taken


def measure(size: Size) -> Result:
    """Measure every way in turns."""
    count = ORDERS[size]
    snapshot, deltas = rising(count + 50, every=1)
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=var, prefix="bench-")))

        def journal(sync: Literal["kernel", "disk"]) -> Journal:
            place = folder / f"{sync}{len(list(folder.iterdir()))}"
            made = Journal.open(place, "bench", 1, JournalSettings(sync=sync))
            stack.callback(made.close)
            return made

        ways: dict[str, Way] = {
            "bare loop": Way(Nothing(), has_risk=False),
            "with risk": Way(Nothing(), has_risk=True),
            "with the log": Way(journal("kernel"), has_risk=False),
            "log and risk": Way(journal("kernel"), has_risk=True),
            'log and risk, sync = "disk"': Way(journal("disk"), has_risk=True),
        }
        taken = _in_turns(ways, snapshot, deltas)
    rows = {
        name: tuple(quantile(times, q) / 1_000 for q in (0.5, 0.99))
        for name, times in taken.items()
    }
    bare = rows["bare loop"][0]
    return Result(
        "from a frame to its order, inside the process",
        ("p50 us", "p99 us"),
        rows,
        {"log and risk, to the bare loop": rows["log and risk"][0] / bare},
        (
            f"log and risk add {rows['log and risk'][0] - bare:.1f} us at the median; "
            f"forcing each order to disk adds {rows[_DISK][0] - rows['log and risk'][0]:.1f} us",
        ),
    )


_DISK = 'log and risk, sync = "disk"'


def _in_turns(ways: dict[str, Way], snapshot: bytes, deltas: list[bytes]) -> dict[str, list[int]]:
    taken: dict[str, list[int]] = {name: [] for name in ways}
    for way in ways.values():
        way.order_of(snapshot)
        way.mark()
    for number, delta in enumerate(deltas):
        for name, way in ways.items():
            time.sleep(PAUSE_S / len(ways))
            if number % 20 == 0:
                now_ns = way.clock.now_ns()
                way.engine.fire(now_ns)
                way.mark()  # a ticker that is silent for seconds stops new risk
            spent = way.order_of(delta)
            if spent and number >= 50:
                taken[name].append(spent)
    short = [name for name, times in taken.items() if len(times) < (len(deltas) - 50) * 0.9]
    assert not short, f"orders did not leave: {short}"
    return taken


def _raise(error: BaseException) -> None:
    raise error


if __name__ == "__main__":
    run("log and risk", [measure])
