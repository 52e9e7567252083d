"""Every method of the client against its endpoint's own line in the table."""

import asyncio
import inspect
import json
import time
from contextlib import suppress
from decimal import Decimal
from typing import Any, cast

import aiohttp
import pytest

from plimsoll.simulator import SimSettings, running
from plimsoll.venues.bybit import BybitSettings, Secret, VenueUnreachable
from plimsoll.venues.bybit.api import (
    ENDPOINTS,
    AmendRequest,
    BadRequest,
    BybitClient,
    CallFailed,
    CancelAllRequest,
    CancelRequest,
    OrderRequest,
    Reader,
    TradingStop,
    batch_answers,
    batch_body,
    frame,
    read_socket_answer,
)
from plimsoll.venues.bybit.api.endpoint import GROUPS, Paging
from plimsoll.venues.bybit.sign import Signer

ORDER = OrderRequest(
    category="linear", symbol="BTCUSDT", side="Buy", qty=Decimal(1), price=Decimal(2)
)
AMEND = AmendRequest(category="linear", symbol="BTCUSDT", venue_order_id="v", qty=Decimal(1))
CANCEL = CancelRequest(category="spot", symbol="BTCUSDT", client_order_id="c")
CALLS: dict[str, tuple[Any, ...]] = {
    "market.time": (),
    "market.linear_instruments": ("BTCUSDT",),
    "market.spot_instruments": (),
    "market.order_book": ("linear", "BTCUSDT"),
    "market.full_order_book": ("spot", "BTCUSDT"),
    "market.linear_tickers": ("BTCUSDT",),
    "market.spot_tickers": ("BTCUSDT",),
    "market.public_trades": ("linear", "BTCUSDT"),
    "market.bars": ("linear", "BTCUSDT", "1"),
    "market.mark_bars": ("BTCUSDT", "1"),
    "market.index_bars": ("BTCUSDT", "1"),
    "market.premium_bars": ("BTCUSDT", "1"),
    "market.funding_rates": ("BTCUSDT",),
    "market.open_interest": ("BTCUSDT", "5min"),
    "market.risk_tiers": ("BTCUSDT",),
    "market.price_limit": ("linear", "BTCUSDT"),
    "orders.create": (ORDER,),
    "orders.amend": (AMEND,),
    "orders.cancel": (CANCEL,),
    "orders.cancel_all": (CancelAllRequest(category="linear", symbol="BTCUSDT"),),
    "orders.create_batch": ([ORDER],),
    "orders.amend_batch": ([AMEND],),
    "orders.cancel_batch": ([CANCEL],),
    "orders.pre_check": (ORDER,),
    "orders.set_disconnect_cancel": ("SPOT", 10),
    "orders.open": ("spot", "BTCUSDT"),
    "orders.history": ("spot", "BTCUSDT"),
    "orders.executions": ("spot", "BTCUSDT"),
    "orders.borrow_quota": ("BTCUSDT", "Buy"),
    "positions.open": ("BTCUSDT",),
    "positions.closed_pnl": ("BTCUSDT",),
    "positions.set_leverage": ("BTCUSDT", Decimal(5)),
    "positions.switch_mode": (),
    "positions.trading_stop": (TradingStop(symbol="BTCUSDT", stop_loss=Decimal(1)),),
    "positions.set_auto_add_margin": ("BTCUSDT",),
    "positions.add_margin": ("BTCUSDT", Decimal(5)),
    "positions.confirm_pending_maintenance": ("BTCUSDT",),
    "account.wallet": (("USDT", "BTC"),),
    "account.info": (),
    "account.fee_rates": ("linear", "BTCUSDT"),
    "account.transactions": (),
    "account.linear_instruments": (),
    "account.spot_instruments": (),
    "account.disconnect_cancel": (),
    "account.smp_group": (),
    "account.collateral": ("USDT",),
    "account.user_settings": (),
    "account.set_margin_mode": ("REGULAR_MARGIN",),
    "account.set_price_adjustment": ("linear",),
    "account.key": (),
    "account.coins": ("USDT",),
    "account.apply_demo_money": ("USDT", Decimal(1000)),
}
"""The arguments of one call of each endpoint, by its name in the table."""

NAMED: dict[str, dict[str, Any]] = {
    "market.order_book": {"levels": 50},
    "positions.switch_mode": {"is_hedge": False, "coin": "USDT"},
    "positions.set_auto_add_margin": {"is_on": True},
    "account.set_price_adjustment": {"is_on": False},
}


def test_the_table_names_every_method_once():
    names = [endpoint.name for endpoint in ENDPOINTS]
    assert len(names) == len(set(names))
    assert CALLS.keys() == set(names)
    nowhere = BybitSettings(rest_url="", public_url="", private_url="", trade_url="")
    client = BybitClient(nowhere, Clock())
    for group in ("market", "orders", "positions", "account"):
        methods = {
            f"{group}.{name}"
            for name, member in inspect.getmembers(getattr(client, group))
            if inspect.iscoroutinefunction(member) and not name.startswith("_")
        }
        listed = {name for name in names if name.startswith(f"{group}.")}
        assert methods - listed <= {"orders.recently_closed"}  # a second question to open orders
        assert listed <= methods


def test_the_table_is_consistent():
    for endpoint in ENDPOINTS:
        fields = set(endpoint.row.__struct_fields__)
        assert endpoint.group in GROUPS, endpoint.name
        assert {endpoint.time, *endpoint.key} - {""} <= fields, endpoint.name
        assert endpoint.signed == (not endpoint.name.startswith("market.")), endpoint.name
        assert endpoint.is_list or endpoint.paging is Paging.NONE, endpoint.name
        assert endpoint.paging is not Paging.BACKWARDS or endpoint.time, endpoint.name


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_each_method_asks_its_endpoint_as_the_table_says(client, endpoint):
    group, _, method = endpoint.name.partition(".")

    async def scenario(found, fake):
        call = getattr(getattr(found, group), method)
        fake.answers.clear()
        fake.reply(endpoint.path, code=10001)
        with suppress(CallFailed):
            await call(*CALLS[endpoint.name], **NAMED.get(endpoint.name, {}))
        return fake.requests[0]

    request, body = client(lambda fake: None, scenario)
    assert (request.method, request.path) == (endpoint.method, endpoint.path)
    assert ("X-BAPI-SIGN" in request.headers) == endpoint.signed
    if endpoint.limit:
        assert request.query["limit"] == str(endpoint.limit)
    if endpoint.method == "POST":
        assert isinstance(json.loads(body), dict)


def test_a_venue_that_does_not_answer_is_told_at_once(client):
    with pytest.raises(VenueUnreachable, match="venue's time"):
        client(lambda fake: fake.answers.clear() or fake.reply("/v5/market/time", status=502), None)


@pytest.mark.parametrize(("product", "window"), [("OPTIONS", 10), ("SPOT", 2), ("SPOT", 301)])
def test_disconnect_protection_out_of_range_is_refused(client, product, window):
    async def scenario(found, fake):
        with pytest.raises(BadRequest):
            await found.orders.set_disconnect_cancel(product, window)
        return fake.requests

    assert client(lambda fake: None, scenario) == []


def test_a_position_mode_is_set_for_a_symbol_or_a_coin(client):
    async def scenario(found, fake):
        for fields in ({}, {"symbol": "BTCUSDT", "coin": "USDT"}):
            with pytest.raises(BadRequest):
                await found.positions.switch_mode(is_hedge=True, **fields)

    client(lambda fake: None, scenario)


class Clock:
    def now_ns(self):
        return time.time_ns()

    def monotonic_ns(self):
        return time.monotonic_ns()


async def _on_the_simulator(work):
    async with running(SimSettings(limits="off", seed=3)) as found:
        settings = BybitSettings(
            rest_url=found.url,
            public_url="",
            private_url="",
            trade_url=f"{found.ws_url}/v5/trade",
            key="sim-key",
            secret=Secret("sim-secret"),
        )
        async with BybitClient(settings, Clock()) as client:
            return await work(client)


async def _traded(client: BybitClient):
    book = await client.market.order_book("linear", "BTCUSDT", levels=5)
    low = (book.bids[0].price * Decimal("0.98")).quantize(Decimal("0.1"))
    rests = OrderRequest(
        category="linear",
        symbol="BTCUSDT",
        side="Buy",
        qty=Decimal("0.010"),
        price=low,
        time_in_force="PostOnly",
        client_order_id="api-1",
    )
    takes = OrderRequest(
        category="linear", symbol="BTCUSDT", side="Sell", qty=Decimal("0.010"), kind="Market"
    )
    answers = [await client.orders.create(rests), *await client.orders.create_batch([takes, rests])]
    target: Any = {"category": "linear", "symbol": "BTCUSDT", "client_order_id": "api-1"}
    answers.append(await client.orders.amend(AmendRequest(**target, qty=Decimal("0.005"))))
    (order,) = await client.orders.open("linear")
    answers.append(await client.orders.cancel(CancelRequest(**target)))
    fills = await client.orders.executions("linear", "BTCUSDT")
    (position,) = await client.positions.open("BTCUSDT")
    wallet = await client.account.wallet(("USDT",))
    return answers, order, fills, position, wallet, client.strange_words


def test_the_client_trades_on_the_simulator():
    answers, order, fills, position, wallet, strange = asyncio.run(_on_the_simulator(_traded))
    outcomes = [answer.outcome for answer in answers]
    assert outcomes == ["accepted", "accepted", "unknown", "accepted", "accepted"]
    assert answers[2].code == 110072  # the same id again: an earlier copy arrived
    assert (order.client_order_id, order.qty, order.status) == ("api-1", Decimal("0.005"), "New")
    assert sum(fill.qty for fill in fills) == Decimal("0.010")
    assert position.signed_size == Decimal("-0.010")
    balance = wallet.coin("USDT")
    assert balance is not None
    assert balance.wallet_balance > 0
    assert strange == {}


async def _batch_by_socket(client: BybitClient):
    settings, now_ms = client.rest.settings, client.rest.signed_ms()
    signer = Signer(settings.key, settings.secret)
    book = await client.market.order_book("spot", "BTCUSDT", levels=1)
    low = (book.bids[0].price * Decimal("0.999")).quantize(Decimal("0.01"))
    place: Any = {"category": "spot", "symbol": "BTCUSDT"}
    good = OrderRequest(
        **place, side="Buy", qty=Decimal("0.001"), price=low, client_order_id="socket-1"
    )
    poor = OrderRequest(
        **place, side="Sell", qty=Decimal(50), price=low, client_order_id="socket-2"
    )
    cancel = CancelRequest(**place, client_order_id="socket-1")
    async with aiohttp.ClientSession() as session, session.ws_connect(settings.trade_url) as socket:
        expires = now_ms + 10_000
        login = [signer.key, expires, signer.login(expires)]
        await socket.send_json({"op": "auth", "args": login})
        assert (await socket.receive_json())["retCode"] == 0
        found = []
        for op, action, requests in (
            ("order.create-batch", "create", [good, poor]),
            ("order.cancel-batch", "cancel", [cancel, cancel]),
        ):
            sent: Any = frame(cast("Any", op), batch_body(requests), f"r-{action}", now_ms, 5000)
            await socket.send_str(sent.decode())
            answer = read_socket_answer((await socket.receive_str()).encode())
            assert answer.request_id == f"r-{action}"
            kind: Any = action
            found += batch_answers(Reader(), kind, answer.answer, "trade", len(requests))
        return found


def test_a_batch_on_the_trade_socket_ends_item_by_item():
    found = asyncio.run(_on_the_simulator(_batch_by_socket))
    assert [item.outcome for item in found] == ["accepted", "refused", "accepted", "gone"]
    assert found[1].code == 170131
