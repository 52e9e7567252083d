"""What one question to the journal costs: ``why`` for orders drawn at random, against a whole scan.

The journal is made here: market frames, each leading to an order that is sent, answered, reported
and filled, so that causes stand on both logs. The index is made once; that is printed apart.

    python -m benchmarks.why [--full]
"""

import random
import tempfile
import time
from pathlib import Path

from benchmarks.frames import stamped, wandering
from benchmarks.report import Result, Size, quantile, run

from plimsoll.core.model import IdMaker, Instrument, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    FRAME_KIND,
    RECORD_KIND,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    OrderIntended,
    OrderReported,
    OrderSent,
    Record,
    RequestAnswered,
    decode,
    encode,
)
from plimsoll.journal import TRADING, Journal, scan
from plimsoll.venues.bybit.links import parsers_for
from plimsoll.why import Index, tell

ORDERS = {Size.TINY: (50, 5), Size.SMALL: (20_000, 500), Size.FULL: (200_000, 1_000)}
"""Orders in the journal, five records and a frame each, and questions asked."""

PERP = "linear:BTCUSDT"
LISTED = Instrument(
    PERP, "linear", "BTCUSDT", "BTC", "USDT", "USDT", "0.1", "0.001", "0.001", "100", "50", "5"
)
ROOT = Path(__file__).resolve().parents[1]
START_NS = 1_750_000_000_000_000_000
LINEAR = next(bytes([link]) for link, one in parsers_for().items() if one.category == "linear")


def measure(size: Size) -> Result:
    """Make a journal, ask, and scan for some of the same orders."""
    orders, questions = ORDERS[size]
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var, prefix="bench-") as name:
        folder = Path(name)
        ids = make_journal(folder / "journal", orders)
        index = Index(folder / "journal", folder / "why.sqlite")
        begin = time.perf_counter()
        records = index.refresh()
        indexed_s = time.perf_counter() - begin
        drawn = random.Random(1).sample(ids, questions)
        asked = [_timed(lambda one=one: tell(index, one)) for one in drawn]
        scanned = [_timed(lambda one=one: _scan(folder / "journal", one)) for one in drawn[:3]]
        index.close()
    rows = {
        "why, index up to date": (quantile(asked, 0.5) / 1e6, quantile(asked, 0.99) / 1e6),
        "scan of the trading log": (quantile(scanned, 0.5) / 1e6, max(scanned) / 1e6),
        f"index of {records:,} records, once": (indexed_s * 1e3, indexed_s * 1e3),
    }
    ratio = rows["why, index up to date"][0] / rows["scan of the trading log"][0]
    return Result(
        f"why an order, {orders:,} orders", ("p50 ms", "p99 ms"), rows, {"to a scan": ratio}
    )


def _timed(call) -> int:
    begin = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - begin


def _scan(folder: Path, order: str) -> list[Record]:
    """The naive twin: read every record of the trading log and keep those of one order."""
    records = (decode(entry.payload) for entry in scan(folder, TRADING))
    return [one for one in records if getattr(one, "client_order_id", "") == order]


def make_journal(folder: Path, orders: int, *, frames: int = 1) -> list[str]:
    """Make a journal of orders with so many book frames before each; return their ids."""
    journal = Journal.open(folder, "bench", 1)
    snapshot, deltas = wandering(1_000)
    maker, ids, seq = IdMaker("bench", 1), [], 2
    first: tuple[Record, ...] = (
        LeaseTaken(1, START_NS, 1, 0, "bench", "bench", "engine", "0"),
        InstrumentListed(2, START_NS, 1, 0, LISTED),
    )
    for record in first:
        journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    for number in range(orders):
        at = START_NS
        for place in range(number * frames, (number + 1) * frames):
            raw = deltas[place % len(deltas)] if place else snapshot
            at = START_NS + place * 50_000_000
            journal.market(seq + 1, at, FRAME_KIND, LINEAR + stamped(raw, at // 1_000_000))
            seq += 1
        link = maker.peek()
        maker.counter += 1
        ids.append(link)
        for record in _life(seq + 1, at, link, f"v{number}", number):
            journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        seq += 5
    journal.close()
    return ids


def _life(seq: int, at: int, link: str, venue_id: str, number: int) -> list[Record]:
    side = Side.BUY if number % 2 else Side.SELL
    ms = at // 1_000_000
    limit, post_only = OrderType.LIMIT, TimeInForce.POST_ONLY
    return [
        OrderIntended(
            *(seq, at, 1, seq - 1), link, "s", PERP, side, limit, post_only, 650_000, 5, False, ""
        ),
        OrderSent(seq + 1, at, 1, seq, link, "create", f"1-{number}", ms, "trade"),
        RequestAnswered(
            seq + 2, at, 1, seq, link, "create", f"1-{number}", "accepted", 0, "OK", venue_id
        ),
        OrderReported(
            *(seq + 3, at, 1, 0, link, venue_id, PERP, side, OrderState.FILLED, 650_000, 5, 5),
            *(False, False, ms, "", "stream", 0, b""),
        ),
        ExecutionReported(
            *(seq + 4, at, 1, 0, f"e{number}", link, venue_id, PERP, side, 650_000, 5, 1_000),
            *("USDT", True, "Trade", ms, "stream", 0, b""),
        ),
    ]


if __name__ == "__main__":
    run("why an order", [measure])
