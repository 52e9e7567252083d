"""The calibrated market: its statistics are those it was calibrated to, under a fixed seed."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.core.matching import MatchingBook
from plimsoll.core.model import Side
from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.listings import default_listings
from plimsoll.simulator.brain.messages import BookChanged, Printed, SocketOpened, SocketText, Tick
from plimsoll.simulator.market import DataError, compare, open_markets
from plimsoll.simulator.market.calibration import PERP_MAJOR, PERP_MINOR, profile_of
from plimsoll.simulator.market.decks import Decks
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.flow import OrderFlow
from plimsoll.simulator.market.hawkes import Hawkes
from plimsoll.simulator.market.statistics import Tally
from plimsoll.simulator.settings import SimSettings

LISTINGS = default_listings(("0.01", "0.02"), ("0.005", "0.01"))
START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
PRICES = {"linear:BTCUSDT": 600_000, "spot:BTCUSDT": 6_000_000, "linear:DOGEUSDT": 20_000}


def flow_of(name: str, seed: int = 1, price_ticks: int = 0) -> OrderFlow:
    item = LISTINGS[name].instrument
    price, draw = price_ticks or PRICES[name], draw_of(seed, name, "flow")
    decks = Decks(item, profile_of(item.category, item.base), price, draw)
    return OrderFlow(item, decks, price, draw)


def measured(name: str, seconds: int, period_ns: int) -> dict[str, float]:
    flow, tally = flow_of(name), Tally(LISTINGS[name].instrument, period_ns)
    at_ns = SECOND_NS
    tally.take(at_ns, flow.opening())
    while at_ns < (seconds + 1) * SECOND_NS:
        waited_s, events = flow.next()
        at_ns += int(waited_s * SECOND_NS)
        for event in events:
            tally.take(at_ns, event)
    return tally.result()


def test_gaps_of_the_small_perpetual_are_the_measured_bursts() -> None:
    hawkes = Hawkes(PERP_MINOR.arrivals, draw_of(1, "x", "flow"))
    gaps = sorted(hawkes.next()[0] * 1000 for _ in range(20_000))
    assert sum(gap < 20 for gap in gaps) / len(gaps) == pytest.approx(0.32, abs=0.03)
    assert sum(gap < 1 for gap in gaps) / len(gaps) == pytest.approx(0.14, abs=0.02)
    assert gaps[len(gaps) // 2] == pytest.approx(40, rel=0.2)
    assert gaps[len(gaps) * 9 // 10] == pytest.approx(219, rel=0.2)


@pytest.mark.parametrize(
    ("name", "period_ms", "wanted"),
    [
        (
            "linear:BTCUSDT",
            50,
            {
                "levels a message within 25 bp, median": (26, 0.5),
                "deletions among level changes, %": (21.7, 0.2),
                "spread, bp, median": (0.0167, 0.05),
                "bid value within 1 bp, thousand": (607, 0.5),
                "bid value within 25 bp, thousand": (26_580, 0.3),
                "move of the middle in a second, bp, deviation": (1.18, 0.5),
                "orders that take, a second": (15.2, 0.4),
                "prints an order, mean": (4.06, 0.4),
                "order value, median": (1913, 0.4),
                "gap of orders, ms, median": (29, 0.5),
                "gaps of orders below 20 ms, %": (43.7, 0.2),
            },
        ),
        (
            "spot:BTCUSDT",
            100,
            {
                "deletions among level changes, %": (47.8, 0.1),
                "bid value within 10 bp, thousand": (2397, 0.3),
                "orders that take, a second": (9.7, 0.4),
                "sides of orders, autocorrelation at 1": (0.38, 0.3),
            },
        ),
    ],
)
def test_statistics_are_near_the_recordings(
    name: str, period_ms: int, wanted: dict[str, tuple[float, float]]
) -> None:
    found = measured(name, 60, period_ms * 1_000_000)
    for key, (value, tolerance) in wanted.items():
        assert found[key] == pytest.approx(value, rel=tolerance), key
    assert found["clustering: variance over mean of orders in a second"] > 5
    assert found["sides of orders, autocorrelation at 10"] > 0.05


@settings(max_examples=12)
@given(st.sampled_from(sorted(PRICES)), st.integers(0, 10**6), st.integers(2, 50))
def test_the_book_is_never_crossed_and_prints_are_positive(
    name: str, seed: int, low_price: int
) -> None:
    for price in (0, low_price):  # a price of few ticks must not break the model
        flow, book = flow_of(name, seed, price), MatchingBook()
        opening = flow.opening()
        book.replace(opening.bids, opening.asks)
        for _ in range(100):
            waited_s, events = flow.next()
            assert waited_s >= 0
            for event in events:
                if isinstance(event, BookChanged):
                    book.set_levels(Side.BUY, event.bids)
                    book.set_levels(Side.SELL, event.asks)
                elif isinstance(event, Printed):
                    assert event.qty_lots > 0
                    assert event.price_ticks > 0
            assert book.best(Side.BUY) == flow.bid
            assert book.best(Side.SELL) == flow.bid + 1


def test_a_seed_makes_one_market() -> None:
    first, same, other = (
        flow_of("linear:BTCUSDT"),
        flow_of("linear:BTCUSDT"),
        flow_of("linear:BTCUSDT", 2),
    )
    assert first.opening() == same.opening() != other.opening()
    assert [first.next() for _ in range(500)] == [same.next() for _ in range(500)]


def run(seconds: float, topics: dict[str, list[str]], **wanted: Any) -> list[tuple[int, Any]]:
    """Run a calibrated exchange in virtual time and return (time, frame)."""
    usual: dict[str, Any] = {
        "market": "calibrated",
        "history_bars": 5,
        "instrument": "linear:DOGEUSDT",
    }
    chosen = SimSettings(**(usual | wanted))
    exchange = Exchange(chosen)
    items = {
        name: listing.instrument
        for name, listing in exchange.floor.listings.items()
        if name.startswith(("linear:DOGE", "linear:SYM"))  # the busy ones would only take time
    }
    markets = open_markets(chosen, items, exchange.is_watched)
    for market in markets:
        for at_ns, event in market.start(START_NS):
            exchange.handle(at_ns, event)
    frames: list[tuple[int, Any]] = []
    for number, (path, words) in enumerate(topics.items(), start=1):
        exchange.handle(START_NS, SocketOpened(number, path))
        text = json.dumps({"op": "subscribe", "args": words})
        output = exchange.handle(START_NS, SocketText(number, text))
        frames += [(START_NS, json.loads(send.frame)) for send in output.sends]
    for now in range(START_NS, START_NS + int(seconds * SECOND_NS), 5_000_000):
        for market in markets:
            for at_ns, event in market.due(now):
                for send in exchange.handle(at_ns, event).sends:
                    frames.append((at_ns, json.loads(send.frame)))
        frames += [(now, json.loads(send.frame)) for send in exchange.handle(now, Tick()).sends]
    return frames


DEPTH = {"/v5/public/linear": ["orderbook.50.DOGEUSDT"]}


def test_same_seed_same_frames_and_burst_multiplies_them() -> None:
    calm = run(20, DEPTH, push_periods="none")
    assert calm == run(20, DEPTH, push_periods="none")
    burst = run(20, DEPTH, push_periods="none", burst=20)
    assert 12 * len(calm) < len(burst) < 28 * len(calm)


def test_a_planned_burst_lies_where_it_was_planned() -> None:
    frames = run(15, DEPTH, push_periods="none", bursts=((5.0, 5.0, 20.0),))
    parts = [0, 0, 0]
    for at_ns, _ in frames:
        parts[min(2, (at_ns - START_NS) // (5 * SECOND_NS))] += 1
    assert parts[1] > 8 * max(parts[0], parts[2])


def test_at_the_venues_pace_gaps_are_never_shorter_than_the_period() -> None:
    frames = run(5, DEPTH, burst=20)
    stamps = [frame["ts"] for _, frame in frames if frame.get("type") == "delta"]
    assert len(stamps) > 100
    assert min(late - early for early, late in pairwise(stamps)) >= 20


def test_extra_symbols_move_only_while_somebody_watches() -> None:
    topics = {"/v5/public/linear": ["orderbook.50.SYM007USDT", "tickers.SYM300USDT"]}
    frames = run(5, topics, extra_symbols=300, market="prices")
    deltas = [frame for _, frame in frames if frame.get("topic") == topics["/v5/public/linear"][0]]
    assert len(deltas) > 10
    chosen = SimSettings(extra_symbols=300)
    exchange = Exchange(chosen)
    items = {name: listing.instrument for name, listing in exchange.floor.listings.items()}
    extra = open_markets(chosen, items, lambda name: name == "linear:SYM002USDT")[-1]
    extra.start(START_NS)
    events = list(extra.due(START_NS + 20 * SECOND_NS))
    names = {event.name for _, event in events if isinstance(event, BookChanged)}
    assert names == {"linear:SYM002USDT"}


@pytest.mark.parametrize(
    "values",
    [
        {"burst": 0},
        {"bursts": ((1.0, 0.0, 2.0),)},
        {"extra_symbols": 1000},
        {"push_periods": "fast"},
        {"market": "real"},
    ],
)
def test_impossible_settings_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="found"):
        SimSettings(**values)


def archive(path: Path, count: int = 60) -> Path:
    rows = [["1.9531", "6203"], ["1.9530", "2409"]]
    asks = [["1.9532", "100"], ["1.9533", "10.0"]]
    frames = [
        {
            "topic": "orderbook.500.XRPUSDT",
            "type": "delta" if number else "snapshot",
            "ts": 1_733_011_200_000 + 100 * number,
            "data": {"s": "XRPUSDT", "b": rows if not number else [["1.9530", str(number)]]}
            | {"a": asks if not number else [], "u": number, "seq": number},
            "cts": 1_733_011_200_000,
        }
        for number in range(count)
    ]
    path.write_text("\n".join(map(json.dumps, frames)) + "\n")
    return path


def test_an_archive_is_replayed_with_its_gaps_at_any_speed(tmp_path: Path) -> None:
    path = archive(tmp_path / "ob500.data")
    items = {name: listing.instrument for name, listing in LISTINGS.items()}
    for speed in (1, 5, 20):
        chosen = SimSettings(
            market="arrivals", data=str(path), instrument="linear:DOGEUSDT", speed=speed
        )
        market = open_markets(chosen, items)[0]
        ((at_ns, opening),) = market.start(START_NS)
        assert isinstance(opening, BookChanged)
        assert opening.bids == [(195_310, 6203), (195_300, 2409)]
        stamps = [at for at, _ in market.due(START_NS + 10 * SECOND_NS)][:59]
        gap = 100_000_000 // speed
        assert [at - at_ns for at in stamps] == [gap * number for number in range(1, 60)]


def test_a_comparison_has_both_columns(tmp_path: Path) -> None:
    found = compare(archive(tmp_path / "ob500.jsonl"))
    assert (found.instrument, found.period_ms) == ("linear:XRPUSDT", 100)
    assert found.recording["messages a second"] == pytest.approx(10, rel=0.02)
    assert found.recording["levels a message within 25 bp, median"] == 1
    assert found.recording["spread, bp, median"] == pytest.approx(0.512, rel=0.01)
    assert found.simulator["spread, bp, median"] == pytest.approx(0.512, rel=0.05)
    short = compare(tmp_path / "ob500.jsonl", seconds=2)
    assert short.seconds == pytest.approx(2)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("1.9530", "-1"), "above 0"),
        (('"b"', '"x"'), "no order book frame"),
        (('"ts": 17', '"ts": "17'), "no JSON|not as expected"),
        (('"ts"', '"when"'), "no time ts"),
        (("XRPUSDT", "XRP"), "against USDT"),
        (("snapshot", "delta"), "no depth snapshot"),
    ],
)
def test_a_bad_archive_is_named(tmp_path: Path, change: tuple[str, str], what: str) -> None:
    path = archive(tmp_path / "ob500.jsonl")
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(DataError, match=what):
        compare(path)


def test_too_short_a_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few to compare"):
        compare(archive(tmp_path / "ob500.jsonl", 5))


RECORDING = "market/other_venues/binance_usdm_BTCUSDT_depth0ms_bbo_trades_20240808_345s.jsonl.zst"


def test_a_real_recording_is_met_within_a_factor_of_two(shared_data: Path) -> None:
    path = shared_data / RECORDING
    if not path.exists():
        pytest.skip(f"{path} is absent")
    found = compare(path, seconds=60)
    for name, value in found.recording.items():
        if not name.startswith(("gap", "sides", "order value, p90", "clustering")):
            assert 0.5 < found.simulator[name] / value < 2, name


def test_profiles_are_sound() -> None:
    for profile in (PERP_MAJOR, PERP_MINOR, profile_of("spot", "ETH")):
        edges = [band.to_bp for band in profile.bands]
        assert edges == sorted(edges)
        assert sum(band.share for band in profile.bands) == pytest.approx(1, abs=0.01)
        arrivals = profile.arrivals
        own = arrivals.orders_pull * arrivals.order_raise
        assert own + arrivals.quotes_pull * arrivals.quote_raise < 1


def test_a_market_at_rest_leaves_the_record_alone(desk: Any) -> None:
    name = "linear:BTCUSDT"

    def lines() -> int:
        return sum(line.get("symbol") == name for line in desk.kinds("market"))

    for _ in range(300):
        desk.wait(1)
    still = lines()
    for _ in range(5):
        desk.wait(1)
    assert lines() == still
    desk.trade(name, Side.BUY, 600_001, 1)
    desk.wait(1)
    assert lines() == still + 1
