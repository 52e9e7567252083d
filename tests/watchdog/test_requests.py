"""All that the watchdog and a direct halt can send, and that nothing else of theirs can (RSK-5)."""

import ast
import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.watchdog.test_plan import lists, order

import plimsoll
from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit.api import ENDPOINTS, AmendRequest, OrderRequest
from plimsoll.venues.bybit.api.market_rows import LinearInstrument
from plimsoll.venues.bybit.api.position_rows import Position
from plimsoll.venues.bybit.api.reading import Reader
from plimsoll.venues.bybit.rest import Answer, End
from plimsoll.venues.bybit.settings import BybitSettings, Secret
from plimsoll.watchdog.hands import Hands
from plimsoll.watchdog.plan import Reach, plan_of, steps_of
from plimsoll.watchdog.requests import BAND, Slice, reduction_of

SOURCE = Path(plimsoll.__file__).parent
MODULES = [*sorted((SOURCE / "watchdog").glob("*.py")), SOURCE / "cli" / "direct.py"]
POSTS = {one.path for one in ENDPOINTS if one.method == "POST"}
SENDABLE = {
    "/v5/order/cancel",
    "/v5/order/cancel-batch",
    "/v5/order/cancel-all",
    "/v5/order/create",
}
LISTED = Reader().row(
    LinearInstrument,
    b"""{"symbol":"BTCUSDT","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT",
    "settleCoin":"USDT","contractType":"LinearPerpetual",
    "lotSizeFilter":{"qtyStep":"0.001","minOrderQty":"0.001","maxOrderQty":"10"},
    "priceFilter":{"tickSize":"0.1"},
    "leverageFilter":{"minLeverage":"1","maxLeverage":"100","leverageStep":"0.01"}}""",
    "test",
)

decimals = st.decimals("0.001", "1000000", places=3)
positions = st.builds(
    Position,
    symbol=st.just("BTCUSDT"),
    size=st.decimals("0", "1000", places=4),
    side=st.sampled_from(("Buy", "Sell", "", "None")),
    mark_price=st.one_of(st.none(), decimals),
)


def hands_that_write(sent):
    """Return hands whose every request is written down and accepted."""
    hosts: Any = dict.fromkeys(("rest_url", "public_url", "private_url", "trade_url"), "")
    hands = Hands(BybitSettings(**hosts, key="k", secret=Secret("s")), EngineClock())

    async def post(path, body, signed_ms):
        sent.append((path, body))
        return Answer(end=End.OK, code=0, text="", result=b'{"list":[]}', ext=b'{"list":[]}')

    rest: Any = hands._client.rest
    rest.post = post
    return hands


@given(lists, st.sampled_from(Reach), st.booleans())
def test_clearing_sends_cancels_and_nothing_else(orders, reach, by_id_too):
    sent: list[tuple[str, bytes]] = []
    hands = hands_that_write(sent)
    steps = steps_of(plan_of(orders, reach, "desk"), reach, by_id_too=by_id_too)

    async def send():
        for step in steps:
            await hands.cancel(step)

    asyncio.run(send())
    assert len(sent) == len(steps)
    assert {path for path, _ in sent} <= SENDABLE - {"/v5/order/create"}
    # Without the filter a cancel-all of contracts takes every stop along.
    sweeps = [body for path, body in sent if path == "/v5/order/cancel-all"]
    assert all(b'"orderFilter":"Order"' in body for body in sweeps)


@given(positions)
def test_a_reduction_can_only_make_its_position_smaller(position):
    request = reduction_of(Slice(position, LISTED, "deskW-000001-000000001-A"))
    if request is None:
        return
    assert request.price is not None
    assert request.reduce_only
    assert (request.kind, request.time_in_force) == ("Limit", "IOC")
    assert {request.side, position.side} == {"Buy", "Sell"}
    assert 0 < request.qty <= min(position.size, Decimal(10))
    assert request.trigger_price is None
    assert request.take_profit is request.stop_loss is None
    if request.side == "Sell":
        assert request.price >= position.mark_price * (1 - BAND)
    else:
        assert 0 < request.price <= position.mark_price * (1 + BAND)
    body = request.body()
    assert (body["category"], body["reduceOnly"]) == ("linear", True)


def test_a_flat_position_or_one_without_a_price_is_not_reduced():
    flat = Position(symbol="BTCUSDT", size=Decimal(0), side="", mark_price=Decimal(1))
    for position in (flat, Position(symbol="BTCUSDT", size=Decimal(1), side="Buy")):
        assert reduction_of(Slice(position, LISTED, "x")) is None


def test_only_one_module_builds_requests_and_only_one_holds_a_client():
    builders = {"OrderRequest", "AmendRequest", "CancelRequest", "CancelAllRequest", "TradingStop"}
    builders |= {"batch_body", "frame", "RestClient", "BybitVenue", "OrderSender"}
    found = {}
    for path in MODULES:
        names = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        found[path.name] = names & (builders | {"BybitClient"})
    held = {name: names for name, names in found.items() if names}
    assert held == {
        "requests.py": {"OrderRequest", "CancelRequest", "CancelAllRequest"},
        "hands.py": {"BybitClient"},
    }


def test_hands_use_nothing_of_the_client_but_looks_cancels_and_one_reduction():
    used = set()
    for node in ast.walk(ast.parse((SOURCE / "watchdog" / "hands.py").read_text())):
        if isinstance(node, ast.Attribute):
            used.add(ast.unparse(node).removeprefix("self._client."))
    groups = {one for one in used if one.startswith(("orders.", "positions.", "market.", "rest."))}
    assert groups == {
        *("orders.open", "orders.cancel", "orders.cancel_all", "orders.cancel_batch"),
        *("orders.create", "positions.open", "market.linear_instruments"),
        *("rest.measure_offset", "rest.close"),
    }
    assert not any(one.startswith("account") for one in used)


@pytest.mark.parametrize("kind", [OrderRequest, AmendRequest])
def test_the_requests_module_makes_orders_in_one_place_and_never_amends(kind):
    tree = ast.parse((SOURCE / "watchdog" / "requests.py").read_text())
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == kind.__name__
    ]
    assert len(calls) == (kind is OrderRequest)
    for call in calls:
        words = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert words["reduce_only"] == "True"
        assert words["category"] == "'linear'"


def test_the_paths_it_may_post_to_exist():
    assert SENDABLE < POSTS


def test_a_conditional_spot_order_is_cancelled_in_the_list_it_stands_in():
    sent: list[tuple[str, bytes]] = []
    hands = hands_that_write(sent)
    orders = [
        order(1, category="spot", stop_kind="Stop"),
        order(2, category="spot", stop_kind="tpslOrder"),
        order(3, stop_kind="Stop"),
    ]
    steps = steps_of(plan_of(orders, Reach.ACCOUNT, "desk"), Reach.ACCOUNT)

    async def send():
        for step in steps:
            await hands.cancel(step)

    asyncio.run(send())
    texts = [body.decode() for _, body in sent]
    assert '"orderFilter":"StopOrder"' in next(text for text in texts if '"v1"' in text)
    assert '"orderFilter":"tpslOrder"' in next(text for text in texts if '"v2"' in text)
    assert "orderFilter" not in next(text for text in texts if '"v3"' in text)
