"""A run is safe: flat before, everything taken back after, inside its budget, never on mainnet."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from plimsoll.simulator.brain.listings import default_listings
from plimsoll.simulator.brain.messages import BookChanged
from plimsoll.simulator.market.arrivals import ArrivalsMarket
from plimsoll.simulator.settings import SimSettings
from plimsoll.venues.bybit import (
    AccountUnsupported,
    BybitSettings,
    CredentialsRefused,
    Secret,
    UnknownInstrument,
    environment,
)
from plimsoll.venues.bybit.api import OrderAnswer, OrderRequest
from plimsoll.venues.bybit.api.orders import OrdersApi
from plimsoll.venues.bybit.probe import CHECKS, Check, Probe, Unknown, Verdict
from plimsoll.venues.bybit.probe.arrivals import arrivals_of

BY_NAME = {check.name: check for check in CHECKS}
DEADLINE_S = 60.0


def made(find, category=""):
    return Check("made", category, "what is it", "so", find, "guide")


def resting(**fields):
    usual: dict[str, Any] = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "qty": Decimal("0.001"),
    }
    return OrderRequest(**(usual | {"price": Decimal(20_000)} | fields))


# ---- before ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mainnet", "demo", "testnet", "simulator"])
def test_a_probe_is_refused_at_an_address_of_real_money(clock, name):
    hosts = environment("mainnet")
    settings = BybitSettings(
        rest_url=hosts.rest_url, public_url="", private_url="", trade_url="", key="k"
    )
    with pytest.raises(AccountUnsupported, match="never runs where money is real"):
        Probe(settings, clock, name, ["linear:BTCUSDT"])


def test_a_probe_needs_a_key(clock):
    hosts = environment("testnet")
    settings = BybitSettings(
        rest_url=hosts.rest_url, public_url="", private_url="", trade_url="", secret=Secret("")
    )
    with pytest.raises(CredentialsRefused):
        Probe(settings, clock, "testnet", ["linear:BTCUSDT"])


@pytest.mark.parametrize(
    "order",
    [
        resting(),
        resting(trigger_price=Decimal(90_000), trigger_direction=1),
        resting(category="spot", qty=Decimal("0.001")),
        resting(
            category="spot",
            qty=Decimal("0.001"),
            trigger_price=Decimal(90_000),
            order_filter="StopOrder",
        ),
        resting(kind="Market", price=None),
    ],
    ids=["order", "conditional", "spot", "spot conditional", "position"],
)
def test_an_account_in_use_is_refused_and_left_as_it_is(probed, order):
    async def before(client):
        answer = await client.orders.create(order)
        assert answer.outcome == "accepted", answer

    ran = probed([BY_NAME["off-tick-linear"]], before=before)
    assert isinstance(ran.error, AccountUnsupported)
    assert "orders and positions" in str(ran.error)
    assert (len(ran.orders), ran.position != 0) in ((1, False), (0, True))
    assert ran.report.rows == []


def test_an_instrument_nobody_trades_is_refused(probed):
    assert isinstance(probed([], names=("linear:NOSUCH",)).error, UnknownInstrument)


# ---- after -----------------------------------------------------------------------------------


async def open_everything(desk):
    """Leave a resting, a conditional and a nameless order, and a position with exits."""
    await BY_NAME["exits-attached"].find(desk)
    await desk.rest_one()
    await desk.create(await desk.resting_order("Sell", client_order_id=""))
    price = await desk.far("Buy")
    more = {"trigger_price": price, "trigger_direction": 2}
    await desk.create(desk.order("Buy", desk.least(price), price, **more))


async def open_spot(desk):
    await desk.buy_least(2)
    await BY_NAME["conditional-life-spot"].find(desk)
    await desk.rest_one()


@pytest.mark.parametrize(
    ("category", "open_all"), [("linear", open_everything), ("spot", open_spot)]
)
def test_an_interrupted_run_takes_everything_back(probed, category, open_all):
    opened = asyncio.Event()

    async def find(desk):
        await open_all(desk)
        desk.orders.clear()  # as if nothing of it were known any more
        opened.set()
        await asyncio.Event().wait()

    async def meanwhile(task, client):
        async with asyncio.timeout(DEADLINE_S):
            await opened.wait()
        assert await client.orders.open(category, "BTCUSDT")
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # an impatient person

    ran = probed([made(find, category), BY_NAME["off-tick-linear"]], meanwhile=meanwhile)
    assert isinstance(ran.error, asyncio.CancelledError)
    assert ran.report.is_interrupted
    assert (ran.report.left, ran.orders, ran.position) == ([], [], 0)
    assert ran.report.rows == []
    if category == "spot":
        sold = [line for line in ran.recording.splitlines() if '"orderType\\":\\"Market' in line]
        assert sold, "what was bought is sold again"


def test_an_error_of_a_check_takes_everything_back_and_is_told(probed):
    async def find(desk):
        await open_everything(desk)
        raise RuntimeError("a bug")

    ran = probed([made(find, "linear")])
    assert isinstance(ran.error, RuntimeError)
    assert (ran.report.left, ran.orders, ran.position) == ([], [], 0)


def test_what_cannot_be_taken_back_is_said(probed, monkeypatch):
    async def cancel(self, request):
        return OrderAnswer(outcome="unknown", code=10016, text="server error")

    async def find(desk):
        await desk.rest_one()
        monkeypatch.setattr(OrdersApi, "cancel", cancel)
        return "so"

    ran = probed([made(find, "linear")])
    (order,) = ran.orders
    (left,) = ran.report.left
    assert order.client_order_id in left
    assert "unknown 10016 server error" in left


def test_each_check_begins_flat(probed):
    async def dirty(desk):
        await open_everything(desk)
        return "so"

    async def clean(desk):
        (position,) = await desk.client.positions.open(desk.symbol)
        orders = await desk.client.orders.open("linear", desk.symbol)
        return "so" if not (position.size or orders) else f"{position.size} {len(orders)}"

    rows = probed([made(dirty, "linear"), made(clean, "linear")]).report.rows
    assert [row.seen for row in rows] == ["so", "so"]


# ---- money -----------------------------------------------------------------------------------


def test_a_budget_that_is_used_up_sends_nothing_that_could_match(probed):
    names = [name for name, check in BY_NAME.items() if "fill" in name or "margin" in name]
    ran = probed([BY_NAME[name] for name in names], budget=Decimal("0.01"))
    rows = {row.name: row for row in ran.report.rows}
    assert rows["new-before-fill-linear"].verdict is Verdict.UNKNOWN
    assert "budget of 0.01 is used up" in rows["new-before-fill-linear"].note
    assert rows["order-margin"].verdict is Verdict.EQUAL
    assert ran.executions == 0
    assert ran.report.spent == "0"


def test_what_is_spent_is_what_the_account_has_lost(probed):
    balances = []

    async def before(client):
        balances.append((await client.account.wallet(("USDT",))).coins[0].wallet_balance)

    async def find(desk):
        await desk.buy_least()
        await desk.close()
        balances.append((await desk.client.account.wallet(("USDT",))).coins[0].wallet_balance)
        return "so"

    ran = probed([made(find, "linear")], before=before)
    assert Decimal(ran.report.spent) == balances[0] - balances[1] > 0


def test_words_of_refused_questions_are_the_remark(probed):
    async def find(desk):
        await desk.client.market.risk_tiers("NOSUCH")

    async def never(desk):
        raise Unknown("nobody can see it")

    rows = probed([made(find), made(never)]).report.rows
    assert [row.verdict for row in rows] == ["unknown", "unknown"]
    assert "/v5/market/risk-limit" in rows[0].note
    assert rows[1].note == "nobody can see it"


# ---- the recording ---------------------------------------------------------------------------


def test_a_recording_holds_everything_but_secrets(probed):
    ran = probed([BY_NAME["duplicate-id-linear"], BY_NAME["trade-order"]])
    lines = [json.loads(line) for line in ran.recording.splitlines()]
    assert lines[0]["link"] == "head"
    assert lines[0]["format"] == 1
    links = {line["link"] for line in lines}
    assert {"rest", "private", "trade", "public.linear", "public.spot", "row"} <= links
    assert [line["t_ns"] for line in lines] == sorted(line["t_ns"] for line in lines)
    create = next(line for line in lines if line.get("target") == "/v5/order/create")
    assert create["check"] == "duplicate-id-linear"
    assert json.loads(create["text"])["retCode"] == 0
    assert ["X-Bapi-Limit", "10"] in create["headers"]
    key = next(line for line in lines if line.get("target") == "/v5/user/query-api")
    assert key["text"] == "***"
    logins = [line for line in lines if '"op":"auth"' in line.get("frame", "")]
    assert {line["frame"] for line in logins if line["way"] == "out"} == {
        '{"op":"auth","args":["***"]}'
    }
    assert "sim-secret" not in ran.recording
    assert "sim-key" not in ran.recording
    assert "sign" not in ran.recording.lower().replace("signed", "")


@pytest.mark.parametrize("name", ["linear:BTCUSDT", "spot:BTCUSDT"])
def test_the_book_of_a_recording_runs_in_the_simulator(probed, tmp_path, name):
    async def find(desk):
        await BY_NAME[f"book-chain-50-{desk.category}"].find(desk)
        return "so"

    category, _, symbol = name.partition(":")
    ran = probed([made(find, category)], names=(name,))
    path = tmp_path / "book.arrivals"
    path.write_text("\n".join(arrivals_of(ran.recording.splitlines(), category, symbol)) + "\n")
    listing = default_listings(("0.01", "0.02"), ("0.005", "0.01"))[name]
    settings = SimSettings(market="arrivals", data=str(path), instrument=name)
    market = ArrivalsMarket(settings, listing.instrument)
    (_, whole), *_ = market.start(0)
    assert isinstance(whole, BookChanged)
    assert len(whole.bids) == 50
    events = [event for _, event in market.due(10**12)]
    deltas = path.read_text().count("depthUpdate")
    kinds = [type(event).__name__ for event in events]
    assert kinds.count("BookChanged") == deltas >= 4


def test_a_gap_ends_a_stretch_and_the_longest_one_is_taken():
    def line(at, kind, u):
        data = {"s": "S", "b": [["1", "2"]], "a": [["3", "4"]], "u": u, "seq": u}
        frame = {"topic": "orderbook.50.S", "type": kind, "data": data}
        fields = {"t_ns": at, "check": "", "link": "public.linear", "way": "in"}
        return json.dumps(fields | {"frame": json.dumps(frame)}, separators=(",", ":"))

    kinds = [("delta", 4), ("snapshot", 5), ("delta", 6), ("delta", 8), ("delta", 9)]
    kinds += [("snapshot", 1), ("delta", 2), ("delta", 3), ("delta", 5)]
    lines = [line(at, *one) for at, one in enumerate(kinds)]
    found = [json.loads(text.partition(" ")[2]) for text in arrivals_of(lines, "linear", "S")]
    assert [one.get("lastUpdateId") or one["data"]["u"] for one in found] == [1, 2, 3]
    assert list(arrivals_of(lines, "spot", "S")) == []
