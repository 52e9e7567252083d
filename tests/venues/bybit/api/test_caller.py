"""How lists are put together: pages, weeks, times, coins; whole or not at all."""

from decimal import Decimal

import pytest

from plimsoll.venues.bybit import ParseError
from plimsoll.venues.bybit.api import CallFailed
from plimsoll.venues.bybit.queries import KEPT_MS, WEEK_MS

EXECUTIONS, ORDERS, KLINE = "/v5/execution/list", "/v5/order/realtime", "/v5/market/kline"


def execution(at, number):
    fields = {"symbol": "S", "orderId": "o", "side": "Buy", "execPrice": "1", "execQty": "1"}
    return fields | {"execId": f"e{number}", "execTime": str(at)}


def asked(fake):
    return [request.query for request, _ in fake.requests]


def test_pages_are_one_list_oldest_first_each_row_once(client):
    def prepare(fake):
        page = [execution(30, 3), execution(20, 2)]
        fake.reply(EXECUTIONS, {"list": page, "nextPageCursor": "first%3D1%26last"})
        fake.reply(EXECUTIONS, {"list": [execution(20, 2), execution(10, 1)]})

    async def scenario(found, fake):
        rows = await found.orders.executions("linear", "S")
        return [row.execution_id for row in rows], fake

    ids, fake = client(prepare, scenario)
    assert ids == ["e1", "e2", "e3"]
    first, second = fake.requests
    assert asked(fake)[0] == {"category": "linear", "symbol": "S", "limit": "100"}
    assert second[0].raw_path.endswith("cursor=first%3D1%26last")
    assert "cursor" not in first[0].query


def test_rows_of_one_millisecond_stay_in_the_order_they_happened(client):
    def prepare(fake):
        fake.reply(EXECUTIONS, {"list": [execution(10, 3), execution(10, 2), execution(10, 1)]})

    async def scenario(found, fake):
        return [row.execution_id for row in await found.orders.executions("linear", "S")]

    assert client(prepare, scenario) == ["e1", "e2", "e3"]


def test_a_long_span_is_walked_in_weeks(client, clock):
    now_ms = clock.now_ns() // 1_000_000
    since_ms = now_ms - 2 * WEEK_MS - 1000

    def prepare(fake):
        for number in range(3):
            at = since_ms + number * WEEK_MS
            fake.reply(EXECUTIONS, {"list": [execution(at, number)]})

    async def scenario(found, fake):
        rows = await found.orders.executions("linear", "S", since_ms)
        return [row.execution_id for row in rows], asked(fake)

    ids, queries = client(prepare, scenario)
    assert ids == ["e0", "e1", "e2"]
    spans = [(int(query["startTime"]), int(query.get("endTime", 0))) for query in queries]
    assert spans == [
        (since_ms, since_ms + WEEK_MS - 1),
        (since_ms + WEEK_MS, since_ms + 2 * WEEK_MS - 1),
        (since_ms + 2 * WEEK_MS, 0),
    ]


def test_a_span_with_an_end_is_closed(client, clock):
    first = clock.now_ns() // 1_000_000 - 3 * WEEK_MS

    async def scenario(found, fake):
        await found.orders.executions("spot", "S", first, first + WEEK_MS + 5)
        return asked(fake)

    queries = client(lambda fake: fake.reply(EXECUTIONS, {"list": []}), scenario)
    assert [(int(query["startTime"]), int(query["endTime"])) for query in queries] == [
        (first, first + WEEK_MS - 1),
        (first + WEEK_MS, first + WEEK_MS + 5),
    ]


def test_what_the_venue_no_longer_keeps_is_not_asked_for(client, clock):
    async def scenario(found, fake):
        await found.orders.executions("spot", "S", 1)
        return asked(fake)

    queries = client(lambda fake: fake.reply(EXECUTIONS, {"list": []}), scenario)
    kept_ms = clock.now_ns() // 1_000_000 - int(queries[0]["startTime"])
    assert kept_ms == pytest.approx(KEPT_MS, abs=60_000)
    assert len(queries) == KEPT_MS // WEEK_MS + 1


def test_a_failed_page_fails_the_whole(client):
    def prepare(fake):
        fake.reply(EXECUTIONS, {"list": [execution(1, 1)], "nextPageCursor": "x"})
        fake.reply(EXECUTIONS, code=10016)

    async def scenario(found, fake):
        with pytest.raises(CallFailed, match="10016") as failed:
            await found.orders.executions("linear", "S")
        return failed.value.answer.code

    assert client(prepare, scenario) == 10016


def test_an_unreadable_row_fails_the_whole_and_is_named(client):
    def prepare(fake):
        fake.reply(EXECUTIONS, {"list": [execution(1, 1), execution(1, 2) | {"execQty": "?"}]})

    async def scenario(found, fake):
        with pytest.raises(ParseError, match="execution/list row 2: execQty"):
            await found.orders.executions("linear", "S")

    client(prepare, scenario)


def bar(at):
    return [str(at), "1", "2", "0.5", "1.5", "10", "15"]


def test_bars_are_asked_for_backwards_until_the_first(client):
    def prepare(fake):
        fake.reply(KLINE, {"list": [bar(180_000), bar(120_000)]})
        fake.reply(KLINE, {"list": [bar(60_000)]})

    async def scenario(found, fake):
        bars = await found.market.bars("linear", "S", "1", 60_000, 200_000)
        return [one.start_ms for one in bars], bars[0].close, asked(fake)

    starts, close, queries = client(prepare, scenario)
    assert starts == [60_000, 120_000, 180_000]
    assert close == Decimal("1.5")
    assert [(query["start"], query["end"]) for query in queries] == [
        ("60000", "200000"),
        ("60000", "119999"),
    ]


def test_a_span_before_the_first_bar_ends_with_an_empty_page(client):
    def prepare(fake):
        fake.reply(KLINE, {"list": [bar(120_000)]})
        fake.reply(KLINE, {"list": []})

    async def scenario(found, fake):
        return len(await found.market.bars("spot", "S", "1", 1, 200_000)), len(fake.requests)

    assert client(prepare, scenario) == (1, 2)


def test_without_a_span_the_newest_page_is_enough(client):
    async def scenario(found, fake):
        await found.market.bars("linear", "S", "60")
        return asked(fake)

    (query,) = client(lambda fake: fake.reply(KLINE, {"list": [bar(120_000)]}), scenario)
    assert query == {"limit": "1000", "category": "linear", "symbol": "S", "interval": "60"}


def test_open_orders_are_asked_for_by_coin_and_kind_and_put_together(client):
    def prepare(fake):
        row = {"symbol": "S", "side": "Buy", "orderStatus": "New", "qty": "1"}
        for number in (3, 3, 2, 1):  # plain USDT, conditional USDT, plain USDC, conditional USDC
            order = row | {"orderId": str(number), "createdTime": str(number)}
            fake.reply(ORDERS, {"list": [order]})

    async def scenario(found, fake):
        rows = await found.orders.open("linear")
        return [row.venue_order_id for row in rows], asked(fake)

    ids, queries = client(prepare, scenario)
    assert ids == ["1", "2", "3"]
    scopes = [(query["settleCoin"], query.get("orderFilter", "")) for query in queries]
    assert scopes == [("USDT", ""), ("USDT", "StopOrder"), ("USDC", ""), ("USDC", "StopOrder")]


def test_positions_are_asked_for_by_coin(client):
    async def scenario(found, fake):
        await found.positions.open()
        await found.positions.open("BTCUSDT")
        return [(query.get("settleCoin"), query.get("symbol")) for query in asked(fake)]

    path = "/v5/position/list"
    scopes = client(lambda fake: fake.reply(path, {"list": []}), scenario)
    assert scopes == [("USDT", None), ("USDC", None), (None, "BTCUSDT")]


def test_a_setting_that_is_so_already_is_success(client):
    path = "/v5/position/set-leverage"

    async def scenario(found, fake):
        first = await found.positions.set_leverage("S", Decimal(10))
        second = await found.positions.set_leverage("S", Decimal(10))
        with pytest.raises(CallFailed, match="110013"):
            await found.positions.set_leverage("S", Decimal(1000))
        return first.is_changed, second.is_changed, second.code

    def prepare(fake):
        for code in (0, 110043, 110013):
            fake.reply(path, code=code)

    assert client(prepare, scenario) == (True, False, 110043)


def test_a_setting_without_an_answer_is_no_success(client):
    async def scenario(found, fake):
        with pytest.raises(CallFailed, match="broken"):
            await found.positions.set_leverage("S", Decimal(10))

    client(lambda fake: fake.reply("/v5/position/set-leverage", status=502, text=""), scenario)


def test_the_reasons_against_a_margin_mode_are_told(client):
    path = "/v5/account/set-margin-mode"
    reasons = {"reasons": [{"reasonCode": "3400000", "reasonMsg": "open orders"}]}

    async def scenario(found, fake):
        with pytest.raises(CallFailed, match="3400000 open orders"):
            await found.account.set_margin_mode("ISOLATED_MARGIN")

    client(lambda fake: fake.reply(path, reasons, code=3400045), scenario)


def test_an_answer_without_a_result_is_no_answer(client):
    async def scenario(found, fake):
        await found.account.smp_group()

    def prepare(fake):
        fake.reply("/v5/account/smp-group", text='{"retCode":0,"retMsg":"OK"}')

    with pytest.raises(ParseError, match="expected an object"):
        client(prepare, scenario)
