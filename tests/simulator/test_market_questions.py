"""Public questions about candles, funding, open interest and instruments, and the small topics."""

import itertools
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from plimsoll.core.model import Side
from plimsoll.simulator.brain.candles import INTERVALS, end_of, start_of

LINEAR, SPOT = "/v5/public/linear", "/v5/public/spot"
ASK = {"category": "linear", "symbol": "BTCUSDT"}
MIDDLE = 600_000


def rows(desk: Any, path: str, **params: object) -> list[Any]:
    answer = desk.get(f"/v5/market/{path}", **(ASK | params))
    assert answer["retCode"] == 0, answer
    return answer["result"]["list"]


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    at = int(datetime(2024, 2, 29, 13, 7, tzinfo=UTC).timestamp()) * 1000
    spans = {
        "W": (datetime(2024, 2, 26, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC)),
        "M": (datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        "D": (datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        "240": (datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2024, 2, 29, 16, tzinfo=UTC)),
    }
    for interval, (start, end) in spans.items():
        assert start_of(interval, at) == int(start.timestamp()) * 1000
        assert end_of(interval, at) == int(end.timestamp()) * 1000


def test_every_interval_holds_the_same_quantity(desk: Any) -> None:
    for day in range(10):  # over a weekend, so that a week ends
        for step in range(5):
            desk.trade("linear:BTCUSDT", Side.BUY, MIDDLE + 100 * day + step, 1)
            desk.wait(120)
        desk.wait(86_400)
    for interval in ("D", "W", "M"):
        found = rows(desk, "kline", interval=interval, limit=1000)
        assert sum(float(row[5]) for row in found) == pytest.approx(0.050), interval
        assert max(float(row[2]) for row in found) == (MIDDLE + 904) / 10
        starts = [int(row[0]) for row in found]
        assert starts == sorted(starts, reverse=True)
        assert all(start_of(interval, at) == at for at in starts)
    assert len(rows(desk, "kline", interval="W")) in (2, 3)
    assert len(rows(desk, "kline", interval="D", limit=3)) == 3


@pytest.mark.parametrize("interval", sorted(INTERVALS))
def test_every_interval_is_pushed_and_confirmed(desk: Any, interval: str) -> None:
    desk.socket(1, LINEAR)
    topic = f"kline.{interval}.BTCUSDT"
    assert desk.say(1, {"op": "subscribe", "args": [topic]})[0]["success"]
    desk.trade("linear:BTCUSDT", Side.BUY, MIDDLE + 1, 5)
    desk.wait(1)
    row = desk.topic(topic)[-1]["data"][0]
    now_ms = desk.now_ns // 1_000_000
    assert (row["start"], row["end"]) == (start_of(interval, now_ms), end_of(interval, now_ms) - 1)
    assert (row["volume"], row["confirm"]) == ("0.005", False)
    desk.wait((row["end"] + 1 - now_ms) / 1000 + 1)
    closed = [f["data"][0] for f in desk.topic(topic) if f["data"][0]["confirm"]]
    assert closed[-1]["start"] == row["start"]
    assert closed[-1]["volume"] == "0.005"


def test_candles_of_mark_index_and_premium_have_five_columns(desk: Any) -> None:
    for step in range(200):
        bid = MIDDLE + 50 * step
        desk.book("linear:BTCUSDT", bids=[(bid, 5)], asks=[(bid + 1 - 50, 0), (bid + 1, 5)])
        desk.wait(1)
    mark = rows(desk, "mark-price-kline", interval="1")
    index = rows(desk, "index-price-kline", interval="1")
    premium = rows(desk, "premium-index-price-kline", interval="5")
    assert {len(row) for row in mark + index + premium} == {5}
    ticker = rows(desk, "tickers")[0]
    assert mark[0][4] == ticker["markPrice"]
    assert index[0][4] == ticker["indexPrice"]
    assert float(index[0][4]) > float(index[-1][1])
    for row in (*mark, *index, *premium):
        _, opened, high, low, close = map(float, row)
        assert low <= min(opened, close) <= max(opened, close) <= high
    assert -0.01 < float(premium[0][4]) < 0.01
    for path in ("mark-price-kline", "index-price-kline", "premium-index-price-kline"):
        answer = desk.get(f"/v5/market/{path}", category="spot", symbol="BTCUSDT", interval="1")
        assert answer["retCode"] == 10001


def test_funding_history_is_the_interest_until_the_first_payment(make_desk: Any) -> None:
    desk = make_desk(funding_rates={"linear:BTCUSDT": "0.0003"})
    found = rows(desk, "funding/history")
    times = [int(row["fundingRateTimestamp"]) for row in found]
    assert len(times) == 200
    assert times == sorted(times, reverse=True)
    assert all(at % (8 * 3_600_000) == 0 for at in times)
    assert {row["fundingRate"] for row in found} == {"0.0001"}
    desk.wait(8 * 3600)
    after = rows(desk, "funding/history", limit=4)
    paid = times[0] + 8 * 3_600_000
    assert after[0] == {
        "symbol": "BTCUSDT",
        "fundingRate": "0.0003",
        "fundingRateTimestamp": str(paid),
    }
    assert [int(row["fundingRateTimestamp"]) for row in after] == [paid, *times[:3]]
    window = rows(desk, "funding/history", startTime=times[2], endTime=times[1])
    assert [int(row["fundingRateTimestamp"]) for row in window] == times[1:3]
    path = "/v5/market/funding/history"
    assert desk.get(path, **ASK, startTime=times[2])["retCode"] == 10001
    assert desk.get(path, category="spot", symbol="BTCUSDT")["retCode"] == 10001


def test_open_interest_moves_with_trading_and_has_pages(desk: Any) -> None:
    before = rows(desk, "tickers")[0]["openInterest"]
    for step in range(60):
        desk.trade("linear:BTCUSDT", Side.BUY, MIDDLE + 1, 10 + step)
        desk.wait(300)
    assert rows(desk, "tickers")[0]["openInterest"] != before
    every = rows(desk, "open-interest", intervalTime="5min", limit=200)
    hours = rows(desk, "open-interest", intervalTime="1h")
    assert len({row["openInterest"] for row in every}) > 20
    assert all(int(row["timestamp"]) % 3_600_000 == 0 for row in hours)
    assert len(hours) == 5
    page = desk.get("/v5/market/open-interest", **ASK, intervalTime="5min", limit=40)["result"]
    cursor = unquote(page["nextPageCursor"])
    rest = rows(desk, "open-interest", intervalTime="5min", limit=40, cursor=cursor)
    assert page["list"] + rest == every
    assert desk.get("/v5/market/open-interest", **ASK, intervalTime="2h")["retCode"] == 10001


def test_instruments_come_in_pages_and_filters_hold(make_desk: Any) -> None:
    desk = make_desk(extra_symbols=600)
    path = "/v5/market/instruments-info"
    first = desk.get(path, category="linear")["result"]
    assert len(first["list"]) == 500
    second = desk.get(path, category="linear", cursor=unquote(first["nextPageCursor"]))["result"]
    symbols = [row["symbol"] for row in first["list"] + second["list"]]
    assert (len(symbols), len(set(symbols)), second["nextPageCursor"]) == (605, 605, "")
    assert len(desk.get(path, category="linear", limit=1000)["result"]["list"]) == 605
    assert [row["symbol"] for row in rows(desk, "instruments-info", symbol="SYM600USDT")] == [
        "SYM600USDT"
    ]
    assert [
        row["symbol"] for row in desk.get(path, category="linear", baseCoin="ETH")["result"]["list"]
    ] == ["ETHUSDT", "ETHPERP"]
    spot = desk.get(path, category="spot", baseCoin="ETH", limit=1)["result"]
    assert len(spot["list"]) == 4
    assert "nextPageCursor" not in spot
    for status in ("PreLaunch", "Closed"):
        assert desk.get(path, category="linear", status=status)["result"]["list"] == []


@pytest.mark.parametrize(
    ("category", "usual", "asked", "given"),
    [("linear", 25, 1000, 40), ("spot", 1, 30, 30)],
)
def test_book_answers_have_the_depth_of_their_category(
    desk: Any, category: str, usual: int, asked: int, given: int
) -> None:
    bid = MIDDLE if category == "linear" else 10 * MIDDLE
    desk.book(f"{category}:BTCUSDT", bids=[(bid - step, 5) for step in range(40)])
    ask = {"category": category, "symbol": "BTCUSDT"}
    assert len(desk.get("/v5/market/orderbook", **ask)["result"]["b"]) == usual
    assert len(desk.get("/v5/market/orderbook", **ask, limit=asked)["result"]["b"]) == given
    assert desk.get("/v5/market/orderbook", **ask, limit=0)["retCode"] == 10001


def test_recent_trades_have_the_limits_of_their_category(desk: Any) -> None:
    for step in range(70):
        desk.trade("linear:BTCUSDT", Side.BUY, MIDDLE + step, 1)
        desk.trade("spot:BTCUSDT", Side.BUY, 10 * MIDDLE + step, 1)
    assert len(rows(desk, "recent-trade", category="spot", limit=1000)) == 60
    found = rows(desk, "recent-trade", limit=2)
    assert [row["price"] for row in found] == ["60006.90", "60006.80"]
    assert len(rows(desk, "recent-trade")) == 70


def test_insurance_names_the_perpetuals(desk: Any) -> None:
    found = desk.get("/v5/market/insurance")["result"]
    assert found["updatedTime"].isdigit()
    assert found["list"][0]["symbols"] == "BTCUSDT,ETHUSDT,DOGEUSDT"
    assert desk.get("/v5/market/insurance", coin="BTC")["result"]["list"] == []


def test_liquidations_are_pushed_each_500_ms_and_once(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.socket(2, SPOT)
    topic = "allLiquidation.BTCUSDT"
    market = desk.exchange.floor.markets["linear:BTCUSDT"]
    row = {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "0.005", "p": "59000.00"}
    market.liquidations.append(row | {"T": 0})  # before anybody heard: gone
    assert desk.say(1, {"op": "subscribe", "args": [topic]})[0]["success"]
    assert not desk.say(2, {"op": "subscribe", "args": [topic]})[0]["success"]
    market.liquidations.append(row)
    desk.wait(0)
    market.liquidations.append(row | {"T": 2})
    desk.wait(0.1)
    desk.wait(1)
    first, second = desk.topic(topic)
    assert list(first) == ["topic", "type", "ts", "data"]
    assert (first["data"], second["data"]) == ([row], [row | {"T": 2}])
    assert second["ts"] - first["ts"] >= 500


def test_price_limits_are_pushed_each_300_ms_they_changed(desk: Any) -> None:
    desk.socket(1, LINEAR)
    topic = "priceLimit.BTCUSDT"
    answer = desk.say(1, {"op": "subscribe", "args": [topic]})
    assert answer[1]["data"]["symbol"] == "BTCUSDT"
    assert "type" not in answer[1]
    desk.wait(5)
    assert len(desk.topic(topic)) == 1
    desk.book("linear:BTCUSDT", bids=[(MIDDLE + 5000, 5)], asks=[(MIDDLE + i, 0) for i in range(9)])
    for _ in range(20):
        desk.wait(0.1)
    stamps = [frame["ts"] for frame in desk.topic(topic)]
    assert len(stamps) > 3
    assert min(late - early for early, late in itertools.pairwise(stamps)) >= 300
    limit = desk.get("/v5/market/price-limit", **ASK)["result"]
    assert float(limit["sellLmt"]) < float(limit["buyLmt"])


def test_keys_of_each_category_come_in_the_documented_order(desk: Any) -> None:
    wanted = {
        (LINEAR, "orderbook.50.BTCUSDT"): ["topic", "type", "ts", "data", "cts"],
        (SPOT, "orderbook.50.BTCUSDT"): ["topic", "ts", "type", "data", "cts"],
        (LINEAR, "tickers.BTCUSDT"): ["topic", "type", "data", "cs", "ts"],
        (SPOT, "tickers.BTCUSDT"): ["topic", "ts", "type", "cs", "data"],
    }
    for number, ((path, topic), keys) in enumerate(wanted.items(), start=1):
        desk.socket(number, path)
        frame = desk.say(number, {"op": "subscribe", "args": [topic]})[1]
        assert list(frame) == keys


def test_spot_prints_have_no_tick_direction(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.socket(2, SPOT)
    for number in (1, 2):
        desk.say(number, {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]})
    desk.trade("linear:BTCUSDT", Side.SELL, MIDDLE, 5)
    desk.trade("spot:BTCUSDT", Side.SELL, 10 * MIDDLE, 5)
    desk.wait(0)
    linear, spot = (frame["data"][0] for frame in desk.topic("publicTrade.BTCUSDT"))
    assert list(linear) == ["T", "s", "S", "v", "p", "L", "i", "BT", "RPI", "seq"]
    assert list(spot) == [key for key in linear if key != "L"]


def test_only_the_past_after_a_subscription_is_told(desk: Any) -> None:
    desk.trade("linear:BTCUSDT", Side.SELL, MIDDLE, 5)
    desk.wait(61)
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["publicTrade.BTCUSDT", "kline.1.BTCUSDT"]})
    desk.wait(0)
    assert not desk.topic("publicTrade.BTCUSDT")
    assert [f["data"][0]["confirm"] for f in desk.topic("kline.1.BTCUSDT")] == [False]
