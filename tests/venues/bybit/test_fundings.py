"""Fundings of the past: whole, each once, with the mark price of its minute, or a failed query."""

import pytest

from plimsoll.venues.bybit.fundings import Funding, fetch_fundings
from plimsoll.venues.bybit.listing import load_instruments
from plimsoll.venues.bybit.queries import MINUTE_MS, QueryFailed

HISTORY, MARKS = "/v5/market/funding/history", "/v5/market/mark-price-kline"
HOUR = 60 * MINUTE_MS


def rates(*rows):
    return {
        "list": [
            {"symbol": "BTCUSDT", "fundingRate": rate, "fundingRateTimestamp": str(at)}
            for at, rate in rows
        ]
    }


def marks(at, opened):
    return {"list": [[str(at), opened, "0.3", "0.1", "0.2"]]}


def fetched(rest, linear, prepare, since=1):
    async def scenario(client, fake):
        found = await fetch_fundings(client, linear, since)
        return found, [(request.path, dict(request.query)) for request, _ in fake.requests]

    return rest(prepare, scenario)


def test_each_rate_comes_with_the_mark_its_minute_opened_at(rest, linear):
    def prepare(fake):
        fake.reply(HISTORY, rates((2 * HOUR, "-0.0001"), (HOUR, "0.00012345")))
        fake.reply(MARKS, marks(HOUR, "50000.12"))
        fake.reply(MARKS, marks(2 * HOUR, "49999.9"))

    found, asked = fetched(rest, linear, prepare)
    assert found == [Funding(HOUR, 0.00012345, 50000.12), Funding(2 * HOUR, -0.0001, 49999.9)]
    assert [path for path, _ in asked] == [HISTORY, MARKS, MARKS]
    assert asked[0][1]["startTime"] == "2"
    assert (asked[1][1]["start"], asked[1][1]["interval"]) == (str(HOUR), "1")


def test_pages_are_gone_through_backwards(rest, linear):
    def prepare(fake):
        fake.reply(HISTORY, rates(*((n * HOUR, "0.0001") for n in range(300, 100, -1))))
        fake.reply(HISTORY, rates((100 * HOUR, "0.0001")))
        for n in range(100, 301):
            fake.reply(MARKS, marks(n * HOUR, "50000"))

    found, asked = fetched(rest, linear, prepare)
    assert [one.at_ms for one in found] == [n * HOUR for n in range(100, 301)]
    assert asked[1][1]["endTime"] == str(101 * HOUR - 1)


def test_none_is_an_answer(rest, linear):
    found, _ = fetched(rest, linear, lambda fake: fake.reply(HISTORY, rates()))
    assert found == []


@pytest.mark.parametrize(
    ("history", "mark"),
    [
        (rates((HOUR, "x")), None),
        (rates((HOUR, "NaN")), None),
        (rates((HOUR, "2")), None),
        ({"rows": []}, None),
        (rates((HOUR, "0.0001")), {"list": []}),
        (rates((HOUR, "0.0001")), marks(2 * HOUR, "1")),
        (rates((HOUR, "0.0001")), marks(HOUR, "0")),
        (rates((HOUR, "0.0001")), marks(HOUR, "inf")),
    ],
)
def test_what_cannot_be_read_or_has_no_mark_fails_the_query(rest, linear, history, mark):
    def prepare(fake):
        fake.reply(HISTORY, history)
        if mark is not None:
            fake.reply(MARKS, mark)

    with pytest.raises(QueryFailed):
        fetched(rest, linear, prepare)


ROW = {
    "symbol": "BTCUSDT",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "lotSizeFilter": {"qtyStep": "0.001", "minOrderQty": "0.001"},
    "priceFilter": {"tickSize": "0.1"},
    "leverageFilter": {"maxLeverage": "100.00"},
}


def tier(limit, rate, symbol="BTCUSDT"):
    return {"symbol": symbol, "riskLimitValue": limit, "maintenanceMargin": rate}


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (
            [tier("10000000", "0.01"), tier("2000000", "0.005"), tier("9", "0.1", "ETHUSDT")],
            (("2000000", "0.005"), ("10000000", "0.01")),
        ),
        ([tier("150", "0.5"), tier("300", "1")], (("150", "0.005"), ("300", "0.01"))),
        ([tier("x", "0.5")], ()),
        ([], ()),
        (None, ()),
    ],
)
def test_risk_tiers_are_read_as_fractions_and_missing_ones_stop_nothing(rest, rows, found):
    def prepare(fake):
        fake.reply("/v5/market/instruments-info", {"list": [ROW]})
        if rows is None:
            fake.reply("/v5/market/risk-limit", code=10016)
        else:
            fake.reply("/v5/market/risk-limit", {"list": rows})

    async def scenario(client, fake):
        (item,) = await load_instruments(client, ["linear:BTCUSDT"], with_fees=False)
        return item

    item = rest(prepare, scenario)
    assert (item.max_leverage, item.risk_tiers) == ("100.00", found)
