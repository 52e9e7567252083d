"""NautilusTrader's live node, unmodified, trades on the simulator; its record is the judge.

The node needs an environment of its own: ``make nautilus`` makes ``.venv-nautilus`` and runs this.
"""

import json
import os
import signal
import subprocess
import sys
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from pybit.unified_trading import HTTP

REPOSITORY = Path(__file__).resolve().parents[3]
VARIABLE = "PLIMSOLL_NAUTILUS_PYTHON"
NODE_S = 90
"""The node's own deadline; it needs about two seconds."""
STATES = {"New": "ACCEPTED", "Filled": "FILLED", "Cancelled": "CANCELED"}
SIDES = {"Buy": "LONG", "Sell": "SHORT"}

Line = dict[str, Any]


@pytest.fixture(scope="module")
def nautilus() -> str:
    """Return the interpreter that has NautilusTrader, or skip."""
    named = os.environ.get(VARIABLE)
    python = Path(named) if named else REPOSITORY / ".venv-nautilus" / "bin" / "python"
    if not named and not python.exists():
        pytest.skip(f"no NautilusTrader in .venv-nautilus: run `make nautilus`, or set {VARIABLE}")
    importing = subprocess.run(
        [python, "-c", "import nautilus_trader"], capture_output=True, text=True, check=False
    )
    assert importing.returncode == 0, f"{python}: {importing.stderr}"
    return str(python)


class Round:
    """What one node said, and what the simulator recorded meanwhile."""

    def __init__(self, directory: Path, python: str, category: str) -> None:
        """Run simulator and node, each as a process of its own."""
        words = ("sim", "--json", "--port", "0", "--seed", "7", "--dir", str(directory))
        simulator = subprocess.Popen(
            [sys.executable, "-m", "plimsoll.cli", *words], stdout=subprocess.PIPE, text=True
        )
        try:
            assert simulator.stdout is not None
            url = f"http://{json.loads(simulator.stdout.readline())['address']}"
            self.resting = trade_before(url, category)
            self.report, self.log = run_node(python, url, category)
            simulator.send_signal(signal.SIGTERM)
            assert simulator.wait(30) == 0
        finally:
            simulator.kill()
            simulator.communicate()
        text = (directory / "record.jsonl").read_text()
        self.lines: list[Line] = [json.loads(line) for line in text.splitlines()]
        self.category = category

    def of(self, kind: str, **wanted: object) -> list[Line]:
        """Return the record's lines of a kind whose fields have the wanted values."""
        return [
            line
            for line in self.lines
            if line["kind"] == kind and all(line.get(key) == value for key, value in wanted.items())
        ]

    def order(self, role: str) -> Line:
        """Return an order of the strategy as the node had it at the end."""
        (found,) = [order for order in self.report["orders"] if order["role"] == role]
        return found

    def fills(self) -> list[Line]:
        """Return the executions the record has of the node's orders, oldest first."""
        ids = {order["id"] for order in self.report["orders"]}
        return [line for line in self.of("execution") if line["orderId"] in ids]

    def wallet(self, before: int = sys.maxsize) -> dict[str, Decimal]:
        """Return what the record's wallet lines said last of each coin, before line ``before``."""
        lines = [line for line in self.of("wallet") if line["n"] < before]
        return {
            coin["coin"]: Decimal(coin["walletBalance"]) for line in lines for coin in line["coin"]
        }


def trade_before(url: str, category: str) -> str:
    """Leave a resting order and, on linear, an open position; return the resting order's id."""
    session = HTTP(api_key="sim-key", api_secret="sim-secret")
    session.endpoint = url
    ask = {"category": category, "symbol": "ETHUSDT"}
    try:
        book = session.get_orderbook(**ask)["result"]
        price = f"{float(book['b'][0][0]) * 0.995:.2f}"
        usual = {**ask, "side": "Buy", "qty": "0.15", "orderType": "Limit"}
        made = session.place_order(**usual, price=price)["result"]["orderId"]
        if category == "linear":
            session.place_order(**usual | {"orderType": "Market"})
        return made
    finally:
        session.client.close()


def run_node(python: str, url: str, category: str) -> tuple[Line, str]:
    """Return the node's report and its log."""
    ran = subprocess.run(
        [python, "-m", "tests.clients.nautilus.node", url, category, str(NODE_S)],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=NODE_S + 60,
        check=False,
    )
    assert ran.returncode == 0, (ran.stdout, ran.stderr[-5000:])
    assert ran.stdout.count("\n") == 1
    return json.loads(ran.stdout), ran.stderr


@pytest.fixture(scope="module", params=["linear", "spot"])
def played(
    request: pytest.FixtureRequest, nautilus: str, tmp_path_factory: pytest.TempPathFactory
) -> Round:
    directory = tmp_path_factory.mktemp(f"nautilus-{request.param}")
    return Round(directory, nautilus, request.param)


def test_reconciliation_finds_the_order_the_position_and_the_wallet(played: Round) -> None:
    found = played.report["reconciled"]
    assert [order["id"] for order in found["orders"]] == [played.resting]
    (line,) = played.of("order", orderId=played.resting, orderStatus="New")
    (order,) = found["orders"]
    assert order["status"] == "ACCEPTED"
    assert same(order, line, {"price": "price", "qty": "qty", "filled": "cumExecQty"})
    opened = played.of("position", symbol="ETHUSDT")
    assert len(opened) == (played.category == "linear")
    assert found["positions"] == [position_of(line) for line in opened]
    before = played.of("request", method="WS")[0]["n"]
    coins = played.wallet(before)
    assert money(found["balances"]) == {"USDT": 100_000, "BTC": 1, "ETH": 10} | coins


def test_book_and_trades_arrive(played: Round) -> None:
    assert played.report["levels"] == [50, 50]
    assert played.report["deltas"] > 1
    assert played.report["trades"] >= 3
    asked = played.of("connection", event="subscribe")
    topics = {topic for line in asked for topic in line["topics"]}
    assert topics >= {"orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"}
    assert topics >= {"order", "execution", "wallet"}  # and "position", from 1.231 on


def test_orders_take_the_path_the_record_shows(played: Round) -> None:
    sent = [line["path"] for line in played.of("request", method="WS")]
    assert sent == ["order.create", "order.amend", "order.cancel", "order.create", "order.create"]
    assert {line["retCode"] for line in played.of("answer")} == {0}
    events = played.report["events"]
    assert [name for role, name in events if role == "rest"] == [
        "OrderInitialized",
        "OrderSubmitted",
        "OrderAccepted",
        "OrderPendingUpdate",
        "OrderUpdated",
        "OrderPendingCancel",
        "OrderCanceled",
    ]
    history = played.of("order", orderId=played.order("rest")["id"])
    states = [(line["orderStatus"], Decimal(line["qty"])) for line in history]
    few, more = Decimal("0.010"), Decimal("0.012")
    assert states == [("Created", few), ("New", few), ("New", more), ("Cancelled", more)]
    for order in played.report["orders"]:
        end = played.of("order", orderId=order["id"])[-1]
        assert (order["client_id"], order["status"]) == (
            end["orderLinkId"],
            STATES[end["orderStatus"]],
        )
        assert order["side"].title() == end["side"]
        assert same(order, end, {"price": "price", "qty": "qty", "filled": "cumExecQty"})
    assert played.order("open")["status"] == played.order("close")["status"] == "FILLED"


def test_every_fill_and_its_fee_are_reported_once(played: Round) -> None:
    expected = [fill_of(line) for line in played.fills()]
    assert [reported_fill(fill) for fill in played.report["fills"]] == expected
    for line in played.fills() if played.category == "linear" else ():
        rate = Decimal("0.0002" if line["isMaker"] else "0.00055")
        owed = Decimal(line["execPrice"]) * Decimal(line["execQty"]) * rate
        assert Decimal(line["execFee"]) == owed.quantize(Decimal("1e-8"), ROUND_UP)
    assert len(expected) == [name for _, name in played.report["events"]].count("OrderFilled")
    read = {fill["id"]: reported_fill(fill) for fill in played.report["read_back"]["fills"]}
    assert [read[line["execId"]] for line in played.fills()] == expected
    assert set(read) == {line["execId"] for line in played.of("execution")}


def test_position_opens_and_closes(played: Round) -> None:
    names = [name for role, name in played.report["events"] if role == "position"]
    assert (names[0], names[-1]) == ("PositionOpened", "PositionClosed")
    bought, sold = (
        sum(Decimal(line["execQty"]) for line in played.fills() if line["side"] == side)
        for side in ("Buy", "Sell")
    )
    assert bought == Decimal("0.010")
    assert Decimal(played.report["held"]["qty"]) == sold
    if played.category == "spot":
        assert played.of("position") == []
        return
    lines = played.of("position", symbol="BTCUSDT")
    held = next(line for line in lines if Decimal(line["size"]) == bought)
    assert played.report["held"] == position_of(held)
    assert Decimal(lines[-1]["size"]) == 0
    assert played.report["read_back"]["positions"] == [["ETHUSDT-LINEAR.BYBIT", "0.15"]]
    realised = sum(Decimal(line["execPnl"]) - Decimal(line["execFee"]) for line in played.fills())
    assert Decimal(played.report["realised"].split()[0]) == realised


def test_what_is_read_back_at_the_end_is_the_record(played: Round) -> None:
    read = {order["id"]: order for order in played.report["read_back"]["orders"]}
    ends = {line["orderId"]: line for line in played.of("order")}
    assert set(read) == set(ends)
    for order_id, line in ends.items():
        assert read[order_id]["status"] == STATES[line["orderStatus"]]
        assert same(read[order_id], line, {"filled": "cumExecQty"})
    wallet = played.wallet()
    assert wallet["USDT"] < 100_000
    assert money(played.report["read_back"]["balances"]).items() >= wallet.items()


def same(found: Line, line: Line, names: dict[str, str]) -> bool:
    """Return whether named numbers of the node equal those of the record."""
    return all(Decimal(found[ours]) == Decimal(line[theirs]) for ours, theirs in names.items())


def fill_of(line: Line) -> tuple[str, str, Decimal, Decimal, Decimal, str, str]:
    price, qty, fee = (Decimal(line[name]) for name in ("execPrice", "execQty", "execFee"))
    liquidity = "MAKER" if line["isMaker"] else "TAKER"
    return line["execId"], line["orderId"], price, qty, fee, line["feeCurrency"], liquidity


def reported_fill(fill: Line) -> tuple[str, str, Decimal, Decimal, Decimal, str, str]:
    fee, coin = fill["commission"].split()
    price, qty = Decimal(fill["price"]), Decimal(fill["qty"])
    return fill["id"], fill["order"], price, qty, Decimal(fee), coin, fill["liquidity"]


def position_of(line: Line) -> Line:
    """Return a recorded position in the words of the node."""
    return {
        "instrument": f"{line['symbol']}-LINEAR.BYBIT",
        "side": SIDES[line["side"]],
        "qty": line["size"],
        "entry": pytest.approx(float(line["entryPrice"]), abs=1e-8, rel=0),
    }


def money(balances: dict[str, str]) -> dict[str, Decimal]:
    return {coin: Decimal(text.split()[0]) for coin, text in balances.items()}
