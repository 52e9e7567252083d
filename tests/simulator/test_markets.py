"""Markets: bars are reproduced exactly, recordings keep their gaps, bad files are named."""

from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.listings import default_listings
from plimsoll.simulator.brain.messages import MarketNote, SocketOpened, SocketText, Tick
from plimsoll.simulator.market import Bar, DataError, open_markets
from plimsoll.simulator.market.bars import made_bars, read_bars
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.path import prints_of
from plimsoll.simulator.settings import SimSettings

LISTINGS = default_listings(("0.01", "0.02"), ("0.005", "0.01"))
INSTRUMENTS = {name: listing.instrument for name, listing in LISTINGS.items()}
BTC = INSTRUMENTS["linear:BTCUSDT"]
MINUTE_NS = 60_000_000_000
START_NS = 1_700_000_000_000_000_000 // MINUTE_NS * MINUTE_NS


@st.composite
def bars(draw: Any) -> Bar:
    low = draw(st.integers(1, 1_000_000))
    high = low + draw(st.integers(0, 5_000))
    inside = st.integers(low, high)
    return Bar(draw(inside), high, low, draw(inside), draw(st.integers(4, 1_000_000)))


@given(bars(), st.integers(0, 100))
def test_prints_reproduce_their_bar(bar: Bar, seed: int) -> None:
    prints = list(prints_of(bar, draw_of(seed, "x", "path")))
    prices = [found.price_ticks for found in prints]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (
        bar.open,
        bar.high,
        bar.low,
        bar.close,
    )
    assert sum(found.qty_lots for found in prints) == bar.lots
    assert all(found.qty_lots > 0 and 0 <= found.at_ns < MINUTE_NS for found in prints)
    assert [found.at_ns for found in prints] == sorted(found.at_ns for found in prints)


def play(settings: SimSettings, start_ns: int, minutes: int) -> tuple[Exchange, list[bytes]]:
    """Run a brain and its markets in virtual time, 50 ms a step; return all frames sent."""
    exchange = Exchange(settings)
    markets = open_markets(settings, INSTRUMENTS)
    frames: list[bytes] = []

    def do(at_ns: int, request: Any) -> None:
        frames.extend(send.frame for send in exchange.handle(at_ns, request).sends)

    for market in markets:
        for at_ns, event in market.start(start_ns):
            do(at_ns, event)
    do(start_ns, SocketOpened(1, "/v5/public/linear"))
    topics = '["kline.1.BTCUSDT","publicTrade.BTCUSDT","orderbook.50.BTCUSDT"]'
    do(start_ns, SocketText(1, f'{{"op":"subscribe","args":{topics}}}'))
    for now in range(start_ns, start_ns + minutes * MINUTE_NS + 1, 50_000_000):
        for market in markets:
            for at_ns, event in market.due(now):
                do(at_ns, event)
        do(now, Tick())
    return exchange, frames


@pytest.fixture
def bar_file(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    rows = ["timestamp,open,high,low,close,volume"]
    rows += [
        f"2024-01-01 00:{n:02}:00,{60000 + n},{60010 + n},{59990 - n},{60001 + n},{10 + n}.125"
        for n in range(8)
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("late_ns", [0, 17_300_000_000])
def test_candles_of_a_run_equal_the_file(bar_file: Path, late_ns: int) -> None:
    """Also when the run begins in the middle of a minute."""
    settings = SimSettings(data=str(bar_file), history_bars=4)
    exchange, _ = play(settings, START_NS + late_ns, 3)
    wanted = read_bars(bar_file, BTC)
    candles = list(exchange.floor.markets["linear:BTCUSDT"].candles)[:7]
    found = [Bar(c.open, c.high, c.low, c.close, c.lots) for c in candles]
    assert found == wanted[:7]
    assert [candle.start_ms for candle in candles[4:]] == [
        START_NS // 1_000_000 + n * 60_000 for n in range(3)
    ]


def test_same_seed_same_frames(bar_file: Path) -> None:
    settings = SimSettings(seed=3, data=str(bar_file))
    _, frames = play(settings, START_NS + 1, 1)
    assert frames == play(settings, START_NS + 1, 1)[1]
    other = SimSettings(seed=4, data=str(bar_file))
    assert frames != play(other, START_NS + 1, 1)[1]
    assert len(frames) > 400


def test_book_is_fifty_levels_deep_and_never_crossed() -> None:
    exchange, _ = play(SimSettings(), START_NS, 1)
    for market in exchange.floor.markets.values():
        sides = [market.book.levels(side, 100) for side in ("buy", "sell")]  # type: ignore[arg-type]
        bids, asks = sides
        assert len(bids) >= 50
        assert len(asks) >= 50
        assert bids[0][0] < asks[0][0]


def test_market_stands_still_after_the_last_bar(bar_file: Path) -> None:
    settings = SimSettings(data=str(bar_file), history_bars=4, speed=5)
    markets = open_markets(settings, INSTRUMENTS)
    markets[0].start(START_NS)
    texts = [
        event.text
        for _, event in markets[0].due(START_NS + MINUTE_NS)
        if isinstance(event, MarketNote)
    ]
    assert texts == ["bars ended after 4; the market stands still from here"]
    assert markets[0].position()["linear:BTCUSDT"] == "ended after bar 4"


def test_made_bars_are_sound_and_seeded() -> None:
    first = list(islice(made_bars(1, BTC, Decimal(60000)), 50))
    assert first == list(islice(made_bars(1, BTC, Decimal(60000)), 50))
    assert first != list(islice(made_bars(2, BTC, Decimal(60000)), 50))
    for bar, after in pairwise(first):
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert bar.close == after.open


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("hello\nworld\n", ":1", "no column"),
        ("", ":1", "no bars"),
        ("timestamp,open,high,low,close,volume\n1,2,3,1,2\n", ":2", "cut short"),
        ("timestamp,open,high,low,close,volume\n1,2,3,1,x,9\n", ":2", "not all numbers"),
        ("timestamp,open,high,low,close,volume\n1,2,1,3,2,9\n", ":2", "within low and high"),
        ("timestamp,open,high,low,close,volume\n1,2,3,1,2,-9\n", ":2", "not negative"),
    ],
)
def test_bad_bar_files_are_named_with_their_line(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_bars(path, BTC)
    assert f"{path}{where}" in str(caught.value)
    assert what in str(caught.value)


def test_truncated_and_false_compression_is_noticed(tmp_path: Path, bar_file: Path) -> None:
    packed = zstandard.ZstdCompressor().compress(bar_file.read_bytes())
    path = tmp_path / "bars.csv.zst"
    path.write_bytes(packed)
    assert len(read_bars(path, BTC)) == 8
    path.write_bytes(packed[:-20])
    with pytest.raises(DataError, match="cut short"):
        read_bars(path, BTC)
    path.write_bytes(b"no compression at all")
    with pytest.raises(DataError, match="not a Zstandard"):
        read_bars(path, BTC)
    with pytest.raises(DataError, match="cannot be read"):
        read_bars(tmp_path / "absent.csv", BTC)


def test_real_bar_file_plays_exactly(shared_data: Path) -> None:
    path = shared_data / "bars" / "binance_spot_BTCUSDT_1m_20240212_20240317.csv.zst"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    name = "spot:BTCUSDT"
    settings = SimSettings(data=str(path), instrument=name, history_bars=10)
    exchange, _ = play(settings, START_NS, 3)
    wanted = read_bars(path, INSTRUMENTS[name])[:13]
    candles = list(exchange.floor.markets[name].candles)[:13]
    assert [Bar(c.open, c.high, c.low, c.close, c.lots) for c in candles] == wanted


RECORDING = "market/other_venues/binance_usdm_BTCUSDT_depth0ms_bbo_trades_20240808_345s.jsonl.zst"


def test_recording_replays_book_and_prints_with_its_gaps(shared_data: Path) -> None:
    path = shared_data / RECORDING
    if not path.exists():
        pytest.skip(f"{path} is absent")
    settings = SimSettings(market="arrivals", data=str(path))
    market = open_markets(settings, INSTRUMENTS)[0]
    exchange = Exchange(settings)
    for at_ns, event in market.start(START_NS):
        exchange.handle(at_ns, event)
    stamps = []
    for at_ns, event in market.due(START_NS + 20_000_000_000):
        stamps.append(at_ns - START_NS)
        exchange.handle(at_ns, event)
    public = exchange.floor.markets["linear:BTCUSDT"]
    assert stamps == sorted(stamps)
    assert 19_000_000_000 < stamps[-1] <= 20_000_000_000
    book = public.book
    assert book.best("buy") < book.best("sell")  # type: ignore[arg-type,operator]
    assert len(public.tape) > 100
    assert len(book.levels("buy", 50)) == 50  # type: ignore[arg-type]


def test_changes_heard_before_the_snapshot_that_are_newer_are_part_of_the_opening(
    tmp_path: Path,
) -> None:
    """It was asked for by REST: levels that are gone meanwhile would stand in the book for ever."""
    path = tmp_path / "rec.jsonl"
    path.write_text(
        '100 {"stream":"d","data":{"e":"depthUpdate","U":1,"u":5,"b":[["99.0","9"]],"a":[]}}\n'
        '150 {"stream":"d","data":{"e":"depthUpdate","U":6,"u":7,'
        '"b":[["100.0","0"],["99.9","1"]],"a":[["100.1","4"]]}}\n'
        '200 {"lastUpdateId":5,"bids":[["100.0","2"]],"asks":[["100.2","3"]]}\n'
    )
    market = open_markets(SimSettings(market="arrivals", data=str(path)), INSTRUMENTS)[0]
    opening = market.start(0)[0][1]
    assert opening.bids == [(999, 1000)]  # type: ignore[union-attr]
    assert sorted(opening.asks) == [(1001, 4000), (1002, 3000)]  # type: ignore[union-attr]


def test_made_recording_maps_snapshot_depth_and_trade(tmp_path: Path) -> None:
    path = tmp_path / "rec.jsonl"
    path.write_text(
        '100 {"stream":"d","data":{"e":"depthUpdate","U":1,"u":4,"b":[["50.0","9"]],"a":[]}}\n'
        '200 {"lastUpdateId":5,"bids":[["100.04","2"]],"asks":[["100.2","3"]]}\n'
        '250 {"stream":"d","data":{"e":"depthUpdate","U":5,"u":5,"b":[["60.0","9"]],"a":[]}}\n'
        '1200 {"stream":"d","data":{"e":"depthUpdate","U":6,"u":7,"b":[["100.1","1"]],"a":[]}}\n'
        '1300 {"stream":"t","data":{"e":"trade","p":"100.1","q":"0.5","X":"MARKET","m":true}}\n'
    )
    settings = SimSettings(market="arrivals", data=str(path))
    market = open_markets(settings, INSTRUMENTS)[0]
    events = market.start(0) + list(market.due(10_000))
    assert [at for at, _ in events[:3]] == [0, 1000, 1100]
    assert events[0][1].bids == [(1000, 2000)]  # type: ignore[union-attr]
    assert events[2][1].qty_lots == 500  # type: ignore[union-attr]
    assert "recording ended" in events[3][1].text  # type: ignore[union-attr]
    path.write_text("100 {}\n")
    with pytest.raises(DataError, match="no depth snapshot"):
        open_markets(settings, INSTRUMENTS)
