"""The parts of a probe by themselves: judges of frames, the purse, the page, a socket's end."""

import asyncio
import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from plimsoll.venues.bybit import VenueUnreachable
from plimsoll.venues.bybit.probe import Report, Row, Tape, Unknown, Verdict, document_of, page_of
from plimsoll.venues.bybit.probe.purse import Purse
from plimsoll.venues.bybit.probe.sockets import Frame, Socket
from plimsoll.venues.bybit.probe.watching import chain_of, delta_of, final_bars, repeat_of

SECOND = 1_000_000_000


def book(u, kind="delta", at=0):
    return Frame(at, "", {"topic": "orderbook.50.S", "type": kind, "data": {"u": u}})


@pytest.mark.parametrize(
    ("frames", "value"),
    [
        ([book(7, "snapshot"), book(8), book(9)], "each by one"),
        ([book(7, "snapshot"), book(8), book(10)], "gaps"),
        ([book(7, "snapshot"), book(7)], "gaps"),
        ([book(7, "snapshot"), book(8), book(1, "snapshot"), book(2)], "each by one"),
    ],
)
def test_a_chain_is_each_delta_by_one_behind_the_message_before(frames, value):
    assert chain_of(frames).value == value


def test_a_book_that_rests_is_repeated_or_silent_or_never_rested():
    first, same = book(7, "snapshot"), book(7, "snapshot", 3 * SECOND)
    heard = [at * SECOND // 2 for at in range(13)]  # of other topics, twice a second
    assert repeat_of([first, same], heard).value == "the same u after 3 s"
    found = repeat_of([first, book(8, "snapshot", 5 * SECOND)], heard)
    assert (found.value, found.note) == ("no repetition", "silent for 5.0 s")
    with pytest.raises(Unknown, match="never rested"):
        repeat_of([first, book(7, "snapshot", 1), book(8, "snapshot", SECOND)], [0, 1, SECOND])


def test_a_book_is_not_silent_while_nothing_comes_at_all():
    """We stood still, or the connection did: what the book did meanwhile was not seen."""
    first, second = book(7, "snapshot"), book(8, "snapshot", 30 * SECOND)
    with pytest.raises(Unknown, match=r"at most 1\.0 s"):
        repeat_of([first, second], [0, 30 * SECOND, 30 * SECOND + 1])


def ticker(kind, **data):
    return Frame(0, "", {"topic": "tickers.S", "type": kind, "data": {"symbol": "S"} | data})


def test_a_delta_that_repeats_a_field_is_told():
    first = ticker("snapshot", lastPrice="1", markPrice="2")
    assert delta_of([first, ticker("delta", lastPrice="3")]).value == "only what changed"
    seen = delta_of([first, ticker("delta", lastPrice="3", markPrice="2")])
    assert (seen.value, seen.note) == ("more", "markPrice")
    with pytest.raises(Unknown):
        delta_of([first])


def bar(start, confirm):
    row = {"start": start, "confirm": confirm}
    return Frame(0, "", {"topic": "kline.1.S", "data": [row]})


@pytest.mark.parametrize(
    ("frames", "value"),
    [
        ([bar(0, False), bar(0, True), bar(1, False)], "once, then no more"),
        ([bar(0, True), bar(0, True)], "another way"),
        ([bar(0, True), bar(0, False)], "another way"),
    ],
)
def test_a_bar_is_final_once(frames, value):
    assert final_bars(frames).value == value


# ---- money -----------------------------------------------------------------------------------


def row(number, side, qty, price, fee, **more):
    fields = {"execId": f"e{number}", "side": side, "execQty": qty, "execPrice": price}
    return fields | {"execFee": fee, "execType": "Trade"} | more


def test_a_round_trip_costs_its_fees_and_its_spread(linear):
    purse = Purse(Decimal(1))
    purse.take(linear, row(1, "Buy", "0.001", "60001", "0.033", feeCurrency="USDT"))
    assert (purse.spent, purse.held(linear.name)) == (Decimal("0.033"), Decimal("0.001"))
    sell = row(2, "Sell", "0.001", "60000", "0.033", feeCurrency="USDT")
    for _ in range(2):  # told twice, booked once
        purse.take(linear, sell)
    purse.take(linear, row(3, "Sell", "1", "1", "9", execType="Funding"))
    assert (purse.spent, purse.held(linear.name)) == (Decimal("0.067"), Decimal(0))
    purse.check(Decimal(200))
    with pytest.raises(Unknown, match="budget of 1 is used up"):
        purse.check(Decimal(250))


def test_a_fee_in_the_coin_bought_is_valued(spot):
    purse = Purse(Decimal(1))
    purse.take(spot, row(1, "Buy", "0.001", "60000", "0.000001", feeCurrency="BTC"))
    assert purse.held(spot.name) == Decimal("0.000999")
    assert purse.spent == Decimal("0.06")
    purse.take(spot, row(2, "Sell", "0.000999", "60000", "0.05994", feeCurrency="USDT"))
    assert (purse.held(spot.name), purse.spent) == (Decimal(0), Decimal("0.11994"))


# ---- the page --------------------------------------------------------------------------------


def report(**fields):
    rows = [
        Row(name=f"r{place}", instrument="linear:S", question="q", expected="a", seen=seen,
            verdict=verdict, note=note)
        for place, (seen, verdict, note) in enumerate(
            [("a", Verdict.EQUAL, ""), ("b | <c>\nd", Verdict.DIFFERENT, "x" * 900),
             ("", Verdict.UNKNOWN, "why")]
        )
    ]  # fmt: skip
    usual: dict[str, Any] = {
        "environment": "demo",
        "instruments": ("linear:S",),
        "started_ms": 1_700_000_000_000,
    }
    return Report(**(usual | {"program": "1", "rows": rows} | fields))


def test_the_page_begins_with_what_differs_and_stays_a_table():
    page = page_of(report(left=["order x"], dust=["0.1 S"], is_interrupted=True))
    assert page.index("## Different") < page.index("## Unknown") < page.index("## Equal")
    assert "b \\| &lt;c> d" in page
    assert max(map(len, page.splitlines())) < 700
    for words in ("1 equal, 1 different, 1 unknown", "2023-11-14 22:13", "order x", "interrupted"):
        assert words in page
    assert "says nothing of the venue" not in page
    assert "says nothing of the venue" in page_of(report(environment="simulator"))


def test_the_document_is_json_with_counts():
    found = json.loads(json.dumps(document_of(report())))
    assert found["counts"] == {"equal": 1, "different": 1, "unknown": 1}
    assert found["rows"][1]["verdict"] == "different"


# ---- sockets ---------------------------------------------------------------------------------


def test_a_socket_the_venue_ends_says_so_and_nothing_waits_on(clock):
    async def end(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("[1]")
        await socket.close()
        return socket

    async def main():
        runner = web.ServerRunner(web.Server(end))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        socket = Socket("public", url, Tape(clock), clock, ping_s=0)
        try:
            async with socket:
                assert await socket.ended(10)
                with contextlib.suppress(VenueUnreachable):  # writing to an ended connection
                    assert await socket.ask("ping", patience_s=60) is None
        finally:
            await runner.cleanup()
        assert [frame.found for frame in socket.frames] == [{}]
        assert socket.closed_ns >= socket.opened_ns > 0

    asyncio.run(main())


def test_an_address_nobody_listens_on_is_unreachable(clock):
    async def main():
        async with Socket("public", "ws://127.0.0.1:9", Tape(clock), clock):
            pass

    with pytest.raises(VenueUnreachable):
        asyncio.run(main())
