import json

import pytest

from plimsoll.core.records import QueryIntended
from plimsoll.venues.bybit.queries import (
    MINUTE_MS,
    WEEK_MS,
    QueryFailed,
    fetch_bars,
    fetch_rows,
)

LISTS = ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list")


def query(kind, **fields):
    base = {"category": "linear", "settle": "USDT", "instrument": "", "client_order_id": ""}
    return QueryIntended(1, 2, 3, 0, 7, kind, **(base | {"since_ms": 0} | fields))


def rows_of(*items):
    return {"list": list(items), "nextPageCursor": ""}


def test_open_orders_are_asked_for_plain_and_conditional_and_listed_once(rest):
    def prepare(fake):
        fake.reply(LISTS[0], rows_of({"orderId": "1"}, {"orderId": "2"}))

    async def scenario(client, fake):
        (found,) = await fetch_rows(client, query("orders"), None)
        return len(found.items), [dict(request.query) for request, _ in fake.requests]

    count, asked = rest(prepare, scenario)
    assert count == 2
    assert [params.get("orderFilter") for params in asked] == [None, "StopOrder"]
    assert all(params["settleCoin"] == "USDT" for params in asked)


def test_spot_has_no_settle_coin_and_a_third_filter(rest):
    async def scenario(client, fake):
        await fetch_rows(client, query("orders", category="spot"), None)
        return [dict(request.query) for request, _ in fake.requests]

    asked = rest(lambda fake: fake.reply(LISTS[0], rows_of()), scenario)
    assert [params.get("orderFilter") for params in asked] == [None, "StopOrder", "tpslOrder"]
    assert not any("settleCoin" in params for params in asked)


def test_one_order_is_looked_for_in_three_places(rest, linear):
    def prepare(fake):
        for path in LISTS:
            fake.reply(path, rows_of({"orderId": path}))

    async def scenario(client, fake):
        asked = query("order", instrument="linear:BTCUSDT", client_order_id="x")
        orders, executions = await fetch_rows(client, asked, linear)
        return [json.loads(item)["orderId"] for item in [*orders.items, *executions.items]]

    assert rest(prepare, scenario) == [LISTS[1], LISTS[0], LISTS[2]]


def test_an_order_in_none_of_them_is_looked_for_among_the_conditional_ones(rest, linear):
    def prepare(fake):
        fake.reply(LISTS[0], rows_of())
        fake.reply(LISTS[0], rows_of({"orderId": "waits"}))
        fake.reply(LISTS[1], rows_of())
        fake.reply(LISTS[2], rows_of())

    async def scenario(client, fake):
        asked = query("order", instrument="linear:BTCUSDT", client_order_id="x")
        orders, _ = await fetch_rows(client, asked, linear)
        return [json.loads(item)["orderId"] for item in orders.items]

    assert rest(prepare, scenario) == ["waits"]


def test_an_order_without_a_trigger_is_not_looked_for_among_the_conditional_ones(rest, linear):
    def prepare(fake):
        for path in LISTS:
            fake.reply(path, rows_of())

    async def scenario(client, fake):
        asked = query("order", instrument="linear:BTCUSDT", client_order_id="x", is_plain=True)
        orders, executions = await fetch_rows(client, asked, linear)
        assert not orders.items
        assert not executions.items
        return [request.path for request, _ in fake.requests]

    assert rest(prepare, scenario) == [LISTS[1], LISTS[0], LISTS[2]]


def test_an_order_without_an_id_of_ours_is_looked_for_by_the_venues(rest, linear):
    def prepare(fake):
        for path in LISTS:
            fake.reply(path, rows_of({"orderId": path}))

    async def scenario(client, fake):
        asked = query("order", instrument="linear:BTCUSDT", venue_order_id="v-1")
        await fetch_rows(client, asked, linear)
        return [dict(request.query) for request, _ in fake.requests]

    asked = rest(prepare, scenario)
    assert {one["orderId"] for one in asked} == {"v-1"}
    assert all("orderLinkId" not in one for one in asked)


@pytest.mark.parametrize("broken", LISTS)
def test_one_failed_place_fails_the_query(rest, linear, broken):
    def prepare(fake):
        for path in LISTS:
            fake.reply(path, rows_of(), code=10016 if path == broken else 0)

    async def scenario(client, fake):
        asked = query("order", instrument="linear:BTCUSDT", client_order_id="x")
        await fetch_rows(client, asked, linear)

    with pytest.raises(QueryFailed, match=broken):
        rest(prepare, scenario)


def test_executions_come_oldest_first_and_once_over_weekly_windows(rest, clock):
    def row(number, at):
        return {"symbol": "X", "execId": number, "execTime": str(at), "seq": 1}

    def prepare(fake):
        fake.reply(LISTS[2], rows_of(row("b", 20), row("a", 10)))
        fake.reply(LISTS[2], rows_of(row("c", 30), row("b", 20)))

    async def scenario(client, fake):
        client.offset.add(clock.now_ns(), clock.now_ns(), clock.now_ns())
        since = client.signed_ms() - WEEK_MS - 60_000
        (found,) = await fetch_rows(client, query("executions", since_ms=since), None)
        ends = [request.query.get("endTime") for request, _ in fake.requests]
        return [json.loads(item)["execId"] for item in found.items], ends, since

    ids, ends, since = rest(prepare, scenario)
    assert ids == ["a", "b", "c"]
    assert ends == [str(since + WEEK_MS), None]


def test_only_final_bars_are_returned_oldest_first(rest, linear, clock):
    now_ms = clock.now_ns() // 1_000_000
    start = now_ms - now_ms % MINUTE_MS
    prices = ["1", "2", "0.5", "1.5", "10", "15"]
    bars = [[str(start - n * MINUTE_MS), *prices] for n in range(3)]

    async def scenario(client, fake):
        client.offset.add(clock.now_ns(), clock.now_ns(), clock.now_ns())
        return await fetch_bars(client, linear, start - 5 * MINUTE_MS)

    found = rest(lambda fake: fake.reply("/v5/market/kline", {"list": bars}), scenario)
    wanted = [start - 2 * MINUTE_MS, start - MINUTE_MS]
    assert [bar.start_ms for bar in found][:2] == wanted


def test_an_unknown_kind_is_refused(rest):
    async def scenario(client, fake):
        await fetch_rows(client, query("weather"), None)

    with pytest.raises(QueryFailed, match="weather"):
        rest(lambda fake: None, scenario)


def test_the_transaction_log_is_read_over_weekly_windows_oldest_first_each_row_once(rest, clock):
    """Rows of one id may be different ones: a spot trade has one a coin."""

    def row(number, at, coin="USDT"):
        named = {"id": number, "type": "TRADE", "currency": coin, "tradeId": "t"}
        return named | {"transactionTime": str(at)}

    path = "/v5/account/transaction-log"

    def prepare(fake):
        fake.reply(path, rows_of(row("b", 20, "BTC"), row("b", 20), row("a", 10)))
        fake.reply(path, rows_of(row("c", 30), row("b", 20)))

    async def scenario(client, fake):
        client.offset.add(clock.now_ns(), clock.now_ns(), clock.now_ns())
        since = client.signed_ms() - WEEK_MS - 60_000
        asked = query("cash", category="", settle="", since_ms=since)
        (found,) = await fetch_rows(client, asked, None)
        params = [dict(request.query) for request, _ in fake.requests]
        rows = [json.loads(item) for item in found.items]
        return found.kind, [(one["id"], one["currency"]) for one in rows], params, since

    kind, ids, params, since = rest(prepare, scenario)
    assert kind == "cash"
    assert ids == [("a", "USDT"), ("b", "USDT"), ("b", "BTC"), ("c", "USDT")]
    assert [one.get("endTime") for one in params] == [str(since + WEEK_MS), None]
    assert all(one["accountType"] == "UNIFIED" and one["limit"] == "50" for one in params)
