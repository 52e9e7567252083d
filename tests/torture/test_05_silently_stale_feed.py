"""Row 5: the feed stands still and the connection lives.

What it costs: the bot goes on trading on a book of minutes ago; the connection answers every ping.

We promise: each stream of each instrument has its own clock. One that is silent for longer than its
own gaps allow makes the market SUSPECT, and no order that adds risk passes the gate; the other
instruments trade on.

Judged: one topic of one instrument is frozen, the socket stays. From the flag on, and at the latest
three expected intervals after the freeze (never under the 3.5 s floor that keeps a quiet book from
crying wolf), no create that adds risk on it is in the exchange's record; the neighbour has them.
"""

import pytest
from tests.torture.bench import PERP, SECOND, Bench, engine, sized
from tests.torture.strategies import Steady

from plimsoll.core.settings import Timing
from plimsoll.simulator.faults.ask import Ask

OTHER = "linear:ETHUSDT"
FROZEN_AT_S, FROZEN_S = 12.0, 25.0
TIMING = Timing()
INTERVALS_MS = {"orderbook": (200, 500), "tickers": (200, 500)}
"""Expected intervals by topic: how often the market of the run moves."""
WAY_NS = 10_000_000
"""An order that was under way when the flag went up."""
SEEDS = sized(1, 8)


def takes(_one):
    strategy = Steady()
    strategy.each = 1
    return strategy


def cases() -> list:
    return [(topic, ms, seed) for topic, many in INTERVALS_MS.items() for ms in many
            for seed in range(1, SEEDS + 1)]  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("topic", "interval_ms", "seed"), cases())
def test_no_order_adds_risk_on_a_market_whose_feed_stands_still(topic, interval_ms, seed):
    ask = Ask("silent_topic", at_s=FROZEN_AT_S, duration_s=FROZEN_S, topic=topic, symbol="BTCUSDT")
    bench = Bench(
        engine(PERP, OTHER),
        takes,
        seed=seed,
        seconds=FROZEN_AT_S + FROZEN_S + 5,
        asks=[ask],
        pulse_ms=interval_ms,
    )
    flagged: list[int] = []

    def look():
        process = bench.machine.process
        if process is None or not bench.lines("fault", event="begin"):
            return
        if process.core.markets[PERP].why_not(process.clock.now_ns()):
            flagged.append(bench.kernel.now_ns)

    bench.looks.append(look)
    bench.judged()
    begun_ns = bench.lines("fault", event="begin")[0]["t_ns"]
    ended_ns = bench.lines("fault", event="end")[0]["t_ns"]
    allowed_ns = max(3 * interval_ms * 1_000_000, TIMING.silent_ns) + 2 * TIMING.beat_ns
    flagged_ns = flagged[0]
    assert flagged_ns - begun_ns <= allowed_ns
    created = {
        symbol: [
            line["t_ns"]
            for line in bench.lines("order", orderStatus="Created", symbol=symbol)
            if not line["reduceOnly"]
        ]
        for symbol in ("BTCUSDT", "ETHUSDT")
    }
    assert not [at for at in created["BTCUSDT"] if flagged_ns + WAY_NS < at < ended_ns]
    for symbol, early, late in (
        ("BTCUSDT", 0, begun_ns),
        ("BTCUSDT", ended_ns, 1 << 62),
        ("ETHUSDT", flagged_ns, ended_ns),
    ):
        assert [at for at in created[symbol] if early < at < late], f"{symbol} did not trade"
    assert ended_ns - begun_ns > (FROZEN_S - 1) * SECOND
