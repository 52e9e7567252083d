"""Our signed requests against those of an independent client, parameter by parameter.

Each row is one call with the same arguments, made by pybit and by us against one loopback server
that keeps what arrives: method, path, parameters, headers, signature. ``pytest -rA`` shows the
table. What differs on purpose stands in ``ADDED`` with its reason.
"""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple
from urllib.parse import unquote

import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from plimsoll.venues.bybit import BybitSettings, Secret
from plimsoll.venues.bybit.api import (
    ENDPOINTS,
    AmendRequest,
    BybitClient,
    CallFailed,
    CancelAllRequest,
    CancelRequest,
    OrderRequest,
    TradingStop,
)

KEY, SECRET = "TESTKEY0001", "TESTSECRET0001"
SIGNED = {"x-bapi-api-key", "x-bapi-timestamp", "x-bapi-sign", "x-bapi-recv-window"}
ADDED = {
    "smpType": "an order of ours never matches another of ours: said each time",
    "positionIdx": "one-way mode is said, so that a hedge account refuses instead of guessing",
    "reduceOnly": "said each time, so that the log shows it",
    "isLeverage": "spot never borrows by a default",
    "marketUnit": "the unit of a spot market order's quantity is never left to a default",
    "timeInForce": "a market order behaves as IOC whatever is said: we say so",
    "limit": "whole pages: the most the endpoint gives",
    "openOnly": "open orders only, said",
    "orderFilter": "conditional orders are asked for apart: the first question names no kind",
    "tpslMode": "Full is said",
    "accountType": "the one kind of account there is",
}
"""Parameters we send and pybit leaves to the caller, and why."""


class Kept(NamedTuple):
    """One request as it arrived."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]

    @property
    def params(self) -> dict[str, Any]:
        """Return the parameters; of a GET as they read after one decoding."""
        if self.method == "POST":
            found: dict[str, Any] = json.loads(self.body)
            return found
        pairs = (pair.partition("=") for pair in self.query.split("&") if pair)
        return {name: unquote(value) for name, _, value in pairs}

    @property
    def is_signed_for_itself(self) -> bool:
        """Return whether the signature is that of these very bytes."""
        sent = self.headers
        text = sent["x-bapi-timestamp"] + KEY + sent["x-bapi-recv-window"]
        text += self.query if self.method == "GET" else self.body
        wanted = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, sent["x-bapi-sign"])


class Handler(BaseHTTPRequestHandler):
    """Answers everything with a refusal that neither client repeats, and keeps it."""

    kept: ClassVar[list[Kept]] = []

    def _take(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        if path == "/v5/market/time":
            answer = {"retCode": 0, "result": {"timeNano": str(time.time_ns())}}
        else:
            self.kept.append(Kept(self.command, path, query, body, headers))
            answer = {"retCode": 10001, "retMsg": "kept", "result": {}}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _take

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


class Clock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


Ours = Callable[[BybitClient], Awaitable[object]]
Theirs = Callable[[HTTP], object]
L: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT"}
S: dict[str, Any] = {"category": "spot", "symbol": "BTCUSDT"}
FIRST = time.time_ns() // 1_000_000 - 86_400_000
LAST = FIRST + 3_600_000
LIMIT: dict[str, Any] = {"side": "Buy", "orderType": "Limit", "qty": "0.010", "price": "30000.5"}
OURS: dict[str, Any] = {"side": "Buy", "qty": Decimal("0.010"), "price": Decimal("30000.5")}
STOP: dict[str, Any] = {"side": "Sell", "qty": "0.010", "orderType": "Market"}


def order(**fields: Any) -> OrderRequest:
    return OrderRequest(**(L | OURS | fields))


CALLS: dict[str, tuple[Theirs, Ours]] = {
    "orders.create, limit": (
        lambda p: p.place_order(**L, **LIMIT, timeInForce="PostOnly", orderLinkId="a-1"),
        lambda c: c.orders.create(order(time_in_force="PostOnly", client_order_id="a-1")),
    ),
    "orders.create, protected": (
        lambda p: p.place_order(
            **L, **LIMIT, timeInForce="GTC", takeProfit="31000", stopLoss="29000.5",
            tpslMode="Partial", tpTriggerBy="MarkPrice", slTriggerBy="LastPrice",
            tpOrderType="Limit", tpLimitPrice="31001",
        ),
        lambda c: c.orders.create(
            order(
                take_profit=Decimal(31000), stop_loss=Decimal("29000.5"), tpsl_mode="Partial",
                tp_trigger_by="MarkPrice", sl_trigger_by="LastPrice", tp_order_type="Limit",
                tp_limit_price=Decimal(31001),
            )
        ),
    ),
    "orders.create, conditional": (
        lambda p: p.place_order(
            **L, **STOP, triggerPrice="29000", triggerDirection=2, triggerBy="MarkPrice",
            reduceOnly=True, closeOnTrigger=True, positionIdx=0,
        ),
        lambda c: c.orders.create(
            order(
                side="Sell", kind="Market", price=None, trigger_price=Decimal(29000),
                trigger_direction=2, trigger_by="MarkPrice", reduce_only=True,
                close_on_trigger=True,
            )
        ),
    ),
    "orders.create, spot by value": (
        lambda p: p.place_order(
            **S, side="Buy", orderType="Market", qty="25", marketUnit="quoteCoin",
            slippageToleranceType="Percent", slippageTolerance="0.5",
        ),
        lambda c: c.orders.create(
            OrderRequest(
                **S, side="Buy", kind="Market", qty=Decimal(25), market_unit="quoteCoin",
                slippage_type="Percent", slippage=Decimal("0.5"),
            )
        ),
    ),
    "orders.create, spot stop": (
        lambda p: p.place_order(
            **S, **LIMIT, timeInForce="GTC", triggerPrice="29000", orderFilter="StopOrder",
        ),
        lambda c: c.orders.create(
            OrderRequest(**S, **OURS, trigger_price=Decimal(29000), order_filter="StopOrder")
        ),
    ),
    "orders.create, from the book": (
        lambda p: p.place_order(
            **L, side="Buy", orderType="Limit", qty="0.010", timeInForce="GTC",
            bboSideType="Queue", bboLevel="1",
        ),
        lambda c: c.orders.create(order(price=None, bbo_side="Queue", bbo_level=1)),
    ),
    "orders.amend": (
        lambda p: p.amend_order(**L, orderLinkId="a-1", qty="0.005", price="30001"),
        lambda c: c.orders.amend(
            AmendRequest(
                **L, client_order_id="a-1", qty=Decimal("0.005"), price=Decimal(30001)
            )
        ),
    ),
    "orders.cancel": (
        lambda p: p.cancel_order(**S, orderId="17", orderFilter="tpslOrder"),
        lambda c: c.orders.cancel(
            CancelRequest(**S, venue_order_id="17", order_filter="tpslOrder")
        ),
    ),
    "orders.cancel_all": (
        lambda p: p.cancel_all_orders(category="linear", settleCoin="USDC", stopOrderType="Stop"),
        lambda c: c.orders.cancel_all(
            CancelAllRequest(category="linear", settle="USDC", stop_kind="Stop")
        ),
    ),
    "orders.create_batch": (
        lambda p: p.place_batch_order(
            category="linear", request=[{"symbol": "BTCUSDT", **LIMIT, "timeInForce": "IOC"}]
        ),
        lambda c: c.orders.create_batch([order(time_in_force="IOC")]),
    ),
    "orders.amend_batch": (
        lambda p: p.amend_batch_order(
            category="linear", request=[{"symbol": "BTCUSDT", "orderId": "v", "price": "1.5"}]
        ),
        lambda c: c.orders.amend_batch(
            [AmendRequest(**L, venue_order_id="v", price=Decimal("1.5"))]
        ),
    ),
    "orders.cancel_batch": (
        lambda p: p.cancel_batch_order(
            category="spot", request=[{"symbol": "BTCUSDT", "orderLinkId": "c"}]
        ),
        lambda c: c.orders.cancel_batch([CancelRequest(**S, client_order_id="c")]),
    ),
    "orders.pre_check": (
        lambda p: p.pre_check_order(**L, **LIMIT, timeInForce="GTC"),
        lambda c: c.orders.pre_check(order()),
    ),
    "orders.set_disconnect_cancel": (
        lambda p: p.set_dcp(product="DERIVATIVES", timeWindow=10),
        lambda c: c.orders.set_disconnect_cancel("DERIVATIVES", 10),
    ),
    "orders.open": (
        lambda p: p.get_open_orders(**L, orderLinkId="a-1"),
        lambda c: c.orders.open("linear", "BTCUSDT", client_order_id="a-1"),
    ),
    "orders.history": (
        lambda p: p.get_order_history(**S, startTime=FIRST, endTime=LAST),
        lambda c: c.orders.history("spot", "BTCUSDT", FIRST, LAST),
    ),
    "orders.executions": (
        lambda p: p.get_executions(**L, startTime=FIRST, endTime=LAST, execType="Funding"),
        lambda c: c.orders.executions("linear", "BTCUSDT", FIRST, LAST, kind="Funding"),
    ),
    "orders.borrow_quota": (
        lambda p: p.get_borrow_quota(**S, side="Sell"),
        lambda c: c.orders.borrow_quota("BTCUSDT", "Sell"),
    ),
    "positions.open": (
        lambda p: p.get_positions(**L),
        lambda c: c.positions.open("BTCUSDT"),
    ),
    "positions.closed_pnl": (
        lambda p: p.get_closed_pnl(**L, startTime=FIRST, endTime=LAST),
        lambda c: c.positions.closed_pnl("BTCUSDT", FIRST, LAST),
    ),
    "positions.set_leverage": (
        lambda p: p.set_leverage(**L, buyLeverage="2.5", sellLeverage="2.5"),
        lambda c: c.positions.set_leverage("BTCUSDT", Decimal("2.5")),
    ),
    "positions.switch_mode": (
        lambda p: p.switch_position_mode(category="linear", coin="USDT", mode=0),
        lambda c: c.positions.switch_mode(is_hedge=False, coin="USDT"),
    ),
    "positions.trading_stop": (
        lambda p: p.set_trading_stop(
            **L, stopLoss="29000", trailingStop="50", activePrice="31000", positionIdx=0
        ),
        lambda c: c.positions.trading_stop(
            TradingStop(
                symbol="BTCUSDT", stop_loss=Decimal(29000), trailing_stop=Decimal(50),
                active_price=Decimal(31000),
            )
        ),
    ),
    "positions.set_auto_add_margin": (
        lambda p: p.set_auto_add_margin(**L, autoAddMargin=1),
        lambda c: c.positions.set_auto_add_margin("BTCUSDT", is_on=True),
    ),
    "positions.add_margin": (
        lambda p: p.add_or_reduce_margin(**L, margin="-5.5"),
        lambda c: c.positions.add_margin("BTCUSDT", Decimal("-5.5")),
    ),
    "positions.confirm_pending_maintenance": (
        lambda p: p.confirm_new_risk_limit(**L),
        lambda c: c.positions.confirm_pending_maintenance("BTCUSDT"),
    ),
    "account.wallet": (
        lambda p: p.get_wallet_balance(accountType="UNIFIED", coin="USDT,BTC"),
        lambda c: c.account.wallet(("USDT", "BTC")),
    ),
    "account.info": (lambda p: p.get_account_info(), lambda c: c.account.info()),
    "account.fee_rates": (
        lambda p: p.get_fee_rates(**S),
        lambda c: c.account.fee_rates("spot", "BTCUSDT"),
    ),
    "account.transactions": (
        lambda p: p.get_transaction_log(
            currency="USDT", type="TRADE", startTime=FIRST, endTime=LAST
        ),
        lambda c: c.account.transactions(FIRST, LAST, currency="USDT", kind="TRADE"),
    ),
    "account.linear_instruments": (
        lambda p: p.get_account_instruments_info(**L),
        lambda c: c.account.linear_instruments("BTCUSDT"),
    ),
    "account.spot_instruments": (
        lambda p: p.get_account_instruments_info(**S),
        lambda c: c.account.spot_instruments("BTCUSDT"),
    ),
    "account.disconnect_cancel": (
        lambda p: p.query_dcp_info(),
        lambda c: c.account.disconnect_cancel(),
    ),
    "account.smp_group": (lambda p: p.get_smp_group(), lambda c: c.account.smp_group()),
    "account.collateral": (
        lambda p: p.get_collateral_info(currency="BTC"),
        lambda c: c.account.collateral("BTC"),
    ),
    "account.user_settings": (
        lambda p: p.get_user_setting_config(),
        lambda c: c.account.user_settings(),
    ),
    "account.set_margin_mode": (
        lambda p: p.set_margin_mode(setMarginMode="ISOLATED_MARGIN"),
        lambda c: c.account.set_margin_mode("ISOLATED_MARGIN"),
    ),
    "account.set_price_adjustment": (
        lambda p: p.set_limit_price_action(category="linear", modifyEnable=False),
        lambda c: c.account.set_price_adjustment("linear", is_on=False),
    ),
    "account.key": (lambda p: p.get_api_key_information(), lambda c: c.account.key()),
    "account.coins": (lambda p: p.get_coin_info(coin="BTC"), lambda c: c.account.coins("BTC")),
}  # fmt: skip

NOT_OFFERED = {"account.apply_demo_money"}
"""Signed endpoints that pybit has no method for."""


def theirs(url: str, call: Theirs) -> Kept:
    session = HTTP(api_key=KEY, api_secret=SECRET, recv_window=2000)
    session.endpoint = url
    Handler.kept.clear()
    with pytest.raises(InvalidRequestError):
        call(session)
    session.client.close()
    return Handler.kept[0]


def ours(url: str, call: Ours) -> Kept:
    settings = BybitSettings(
        rest_url=url, public_url="", private_url="", trade_url="", key=KEY, secret=Secret(SECRET)
    )

    async def main() -> None:
        async with BybitClient(settings, Clock()) as client:
            try:
                await call(client)
            except CallFailed as failed:
                if failed.answer.code != 10001:
                    raise

    Handler.kept.clear()
    asyncio.run(main())
    return Handler.kept[0]


def differences(wanted: Any, found: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (what they send and we do not send alike, what we add)."""
    lost = {name: value for name, value in wanted.items() if found.get(name) != value}
    added = {name: value for name, value in found.items() if name not in wanted}
    return lost, added


def test_every_signed_endpoint_that_both_offer_is_compared() -> None:
    signed = {endpoint.name for endpoint in ENDPOINTS if endpoint.signed}
    assert {name.partition(",")[0] for name in CALLS} == signed - NOT_OFFERED


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_is_the_same_request(url: str, name: str) -> None:
    their_call, our_call = CALLS[name]
    wanted, found = theirs(url, their_call), ours(url, our_call)
    assert (found.method, found.path) == (wanted.method, wanted.path)
    lost, added = differences(wanted.params, found.params)
    if lost.keys() == {"request"}:  # a batch: item by item
        (their_item,), (our_item,) = lost["request"], found.params["request"]
        lost, added = differences(their_item, our_item)
    print(f"{name} | {found.method} {found.path} | {wanted.params} | added {sorted(added)}")
    assert lost == {}
    assert added.keys() <= ADDED.keys()
    for sent in (wanted, found):
        assert sent.headers.keys() >= SIGNED
        assert sent.headers["x-bapi-api-key"] == KEY
        assert sent.headers["x-bapi-recv-window"] == "2000"
        assert sent.is_signed_for_itself


def test_both_send_the_same_headers_but_for_those_of_the_library(url: str) -> None:
    def own(kept: Kept) -> set[str]:
        return {name for name in kept.headers if name.startswith("x-") or name == "content-type"}

    their_call, our_call = CALLS["orders.amend"]
    # The kind of signature is told by the key itself; the official client says it all the same.
    assert own(theirs(url, their_call)) - own(ours(url, our_call)) == {"x-bapi-sign-type"}


def test_a_cursor_goes_back_as_it_came(url: str) -> None:
    cursor = "first%3D1700000000000%26last%3D5"
    wanted = theirs(url, lambda p: p.get_executions(**L, cursor=cursor))

    async def ask(client: BybitClient) -> object:
        params = {**L, "cursor": cursor}
        return await client.rest.get("/v5/execution/list", params, signed=True)

    found = ours(url, ask)
    assert f"cursor={cursor}" in wanted.query
    assert f"cursor={cursor}" in found.query
    assert found.is_signed_for_itself
