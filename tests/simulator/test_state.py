"""A restart with the same directory goes on: money, orders, history, ids, the record."""

import asyncio
import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.simulator.outside import Outside, resting, taking, with_outside

from plimsoll.simulator import AccountSettings, Running, SimSettings, StateError
from plimsoll.simulator.record import Record

CHILD = """
import sys
from plimsoll.simulator import SimSettings, serve
settings = SimSettings(directory=sys.argv[1], limits="off", port=int(sys.argv[2]))
sys.exit(serve(settings, on_port=lambda port: print(port, flush=True)))
"""


async def shown(c: Outside) -> dict[str, Any]:
    """Return everything an account can ask for."""
    linear: dict[str, Any] = {"category": "linear"}
    found: dict[str, Any] = {"open": await c.open_orders(limit=50)}
    for name, path, params in (
        ("spot", "/v5/order/realtime", {"category": "spot"}),
        ("history", "/v5/order/history", linear | {"limit": 50}),
        ("executions", "/v5/execution/list", linear | {"limit": 100}),
        ("positions", "/v5/position/list", linear | {"settleCoin": "USDT"}),
        ("log", "/v5/account/transaction-log", {"accountType": "UNIFIED", "limit": 50}),
        ("fees", "/v5/account/fee-rate", linear),
    ):
        answer = await c.get(path, **params)
        assert answer["retCode"] == 0, answer
        found[name] = answer["result"]["list"]
    wallet = await c.get("/v5/account/wallet-balance", accountType="UNIFIED")
    coins = wallet["result"]["list"][0]["coin"]
    found["wallet"] = {row["coin"]: (row["walletBalance"], row["locked"]) for row in coins}
    for row in found["positions"]:
        for name in ("markPrice", "unrealisedPnl", "positionIM", "positionMM", "liqPrice"):
            row.pop(name, None)
        for name in ("positionIMByMp", "positionMMByMp", "bustPrice", "positionValue"):
            row.pop(name, None)
    return found


async def trade_some(c: Outside) -> None:
    await c.post(
        "/v5/position/set-leverage",
        category="linear",
        symbol="BTCUSDT",
        buyLeverage="7",
        sellLeverage="7",
    )
    await c.post("/v5/account/set-limit-px-action", category="linear", modifyEnable=False)
    await c.order(**taking(qty="0.013", orderLinkId="bought"))
    await c.order(**taking(qty="0.006", side="Sell", orderLinkId="sold"))
    await c.order(**taking(category="spot", qty="100", orderLinkId="coins"))
    for number in range(3):
        await c.order(orderLinkId=f"rests{number}", price=f"{40000 + number}.0")
    await c.order(category="spot", qty="0.001", orderLinkId="spot-rests", price="40000")
    await c.order(orderLinkId="gone")
    where = {"category": "linear", "symbol": "BTCUSDT"}
    await c.post("/v5/order/cancel", orderLinkId="gone", **where)


@pytest.mark.parametrize("wanted", [True, False], ids=["in order", "again"])
def test_everything_is_there_after_a_restart(tmp_path: Path, *, wanted: bool) -> None:
    async def first(c: Outside) -> dict[str, Any]:
        await trade_some(c)
        return await shown(c)

    before = with_outside(first, directory=str(tmp_path))
    if not wanted:  # a run that changes nothing leaves everything as well
        with_outside(shown, directory=str(tmp_path))
    after = with_outside(shown, directory=str(tmp_path))
    assert after == before
    assert {row["orderLinkId"] for row in after["open"]} == {"rests0", "rests1", "rests2"}
    assert after["positions"][0]["leverage"] == "7"
    assert after["positions"][0]["size"] == "0.007"


def test_orders_work_on_in_the_book(tmp_path: Path) -> None:
    async def first(c: Outside) -> str:
        await trade_some(c)
        return (await c.order(orderLinkId="last"))["result"]["orderId"]

    last_id = with_outside(first, directory=str(tmp_path))

    async def second(c: Outside) -> None:
        stream = await c.socket("private", "order")
        where = {"category": "linear", "symbol": "BTCUSDT"}
        answer = await c.post("/v5/order/amend", orderLinkId="rests0", price="39000", **where)
        assert answer["retCode"] == 0
        assert (await stream.topic("order"))["data"][0]["price"] == "39000.00"
        answer = await c.post("/v5/order/cancel", orderLinkId="rests1", **where)
        assert answer["retCode"] == 0
        twice = await c.order(orderLinkId="bought")
        assert twice["retCode"] == 110072, "client ids are never forgotten"
        made = await c.order(orderLinkId="new")
        ids = {line["orderId"] for line in c.exchange.lines() if line["kind"] == "order"}
        assert made["result"]["orderId"] in ids
        assert made["result"]["orderId"] != last_id
        refused = await c.order(price="90000")
        assert refused["retCode"] == 30208, "set-limit-px-action is kept"
        restart = next(line for line in c.exchange.lines() if line.get("event") == "restart")
        assert restart["orders"] == 5
        assert restart["earlier"] == "ended in order"
        stream = await c.socket("linear", "orderbook.50.BTCUSDT")
        assert (await stream.topic("orderbook"))["data"]["u"] == 1

    with_outside(second, directory=str(tmp_path))


def test_the_record_goes_on_without_a_gap(tmp_path: Path) -> None:
    for number in range(3):

        async def use(c: Outside, number: int = number) -> None:
            assert (await c.order(**taking(orderLinkId=f"t{number}")))["retCode"] == 0
            assert (await c.order(orderLinkId=f"r{number}"))["retCode"] == 0

        with_outside(use, directory=str(tmp_path))
    lines = [json.loads(line) for line in (tmp_path / "record.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["t_ns"] for line in lines] == sorted(line["t_ns"] for line in lines)
    ids = [line["execId"] for line in lines if line["kind"] == "execution"]
    assert len(ids) == len(set(ids)) >= 3


def test_fresh_ignores_and_removes_what_was_there(tmp_path: Path) -> None:
    with_outside(trade_some, directory=str(tmp_path))

    async def use(c: Outside) -> None:
        assert await c.open_orders() == []
        assert (await c.order(orderLinkId="bought"))["retCode"] == 0

    with_outside(use, directory=str(tmp_path), fresh=True)
    lines = (tmp_path / "record.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["n"] == 1
    assert not (tmp_path / "history.jsonl").exists()


def test_secrets_are_not_written_and_new_settings_win(tmp_path: Path) -> None:
    with_outside(trade_some, directory=str(tmp_path))
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "sim-secret" not in text
    other = AccountSettings(key="another", secret="sim-secret", uid=7)

    async def use(c: Outside) -> None:
        restart = next(line for line in c.exchange.lines() if line.get("event") == "restart")
        assert restart["notes"] == ["uid 1001 is in state.json and not in the settings"]

    with_outside(use, directory=str(tmp_path), accounts=(other,))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 99}', '{"version": 2, "lines": 3}', "null"]
)
def test_damage_is_said_and_never_a_traceback(tmp_path: Path, text: str) -> None:
    with_outside(trade_some, directory=str(tmp_path))
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(StateError, match=r"state\.json.*start with fresh"):
        with_outside(shown, directory=str(tmp_path))


def test_history_that_is_missing_is_said(tmp_path: Path) -> None:
    with_outside(trade_some, directory=str(tmp_path))
    (tmp_path / "history.jsonl").unlink()
    with pytest.raises(StateError, match="history"):
        with_outside(shown, directory=str(tmp_path))


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2}\n{"n":')
    record = Record(path, goes_on=True)
    assert record.count == 2
    record.add([b'{"n":3}'])
    assert list(record.since(1)) == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
    record.close()
    assert path.read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'


def test_lines_the_record_had_not_got_yet_come_back(tmp_path: Path) -> None:
    """Killed after the state and before the record was written, even within a line of it."""
    with_outside(trade_some, directory=str(tmp_path))
    path, state_path = tmp_path / "record.jsonl", tmp_path / "state.json"
    lines = path.read_text().splitlines(keepends=True)
    state = json.loads(state_path.read_text())
    state |= {"clean": False, "first_line": len(lines) - 4}
    state["lines"] = [line.rstrip() for line in lines[-5:]]
    state_path.write_text(json.dumps(state))
    path.write_text("".join(lines[:-3]) + lines[-3][:20])
    with_outside(shown, directory=str(tmp_path))
    after = path.read_text().splitlines(keepends=True)
    assert after[: len(lines)] == lines
    assert [json.loads(line)["n"] for line in after] == list(range(1, len(after) + 1))


def start(directory: Path, port: int = 0) -> "tuple[subprocess.Popen[str], int]":
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(directory), str(port)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    return child, int(child.stdout.readline())


def test_killed_at_any_instant_it_goes_on_consistently(tmp_path: Path) -> None:
    """What the record says, the restarted exchange says: nothing older than 50 ms is lost."""
    port, sent = 0, 0
    for round_ in range(4):
        child, port = start(tmp_path, port)

        async def use(c: Outside, round_: int = round_) -> None:
            nonlocal sent
            for number in range(20 + 7 * round_):
                link = f"r{round_}n{number}"
                answer = await c.order(**resting(orderLinkId=link, price=f"{40000 + number}.0"))
                assert answer["retCode"] == 0, answer
                answer = await c.order(**taking(qty="0.001", orderLinkId=f"{link}t"))
                assert answer["retCode"] == 0, answer
                sent += 2

        try:
            against(port, use)
        finally:
            child.send_signal(signal.SIGKILL)
            child.communicate()
    child, port = start(tmp_path, port)
    try:
        found = against(port, counted)
    finally:
        child.terminate()
        child.communicate()
    lines = [json.loads(line) for line in (tmp_path / "record.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    states: dict[str, str] = {}
    for line in lines:
        if line["kind"] == "order":
            states[line["orderId"]] = line["orderStatus"]
    executed = [Decimal(line["execQty"]) for line in lines if line["kind"] == "execution"]
    ids = [line["execId"] for line in lines if line["kind"] == "execution"]
    assert len(ids) == len(set(ids))
    still = {order_id for order_id, state in states.items() if state == "New"}
    assert found["open"] == still
    assert found["size"] == sum(executed)
    assert len(states) >= sent - 4 * 60  # what 50 ms can hold, four times
    notes = [line["earlier"] for line in lines if line.get("event") == "restart"]
    assert notes == ["died; its last 50 ms may be missing"] * 4


def against(port: int, use: Any) -> Any:
    async def main() -> Any:
        exchange: Any = At(port)
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            return await use(Outside(exchange, session))

    return asyncio.run(main())


class At:
    """Where an exchange of another process listens, in the place of ``Running``."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}"


async def counted(c: Outside) -> dict[str, Any]:
    found, cursor = set(), ""
    while True:
        answer = await c.get(
            "/v5/order/realtime", category="linear", settleCoin="USDT", limit=50, cursor=cursor
        )
        found |= {row["orderId"] for row in answer["result"]["list"]}
        cursor = answer["result"]["nextPageCursor"]
        if not cursor:
            break
    rows = await c.get("/v5/position/list", category="linear", symbol="BTCUSDT")
    return {"open": found, "size": Decimal(rows["result"]["list"][0]["size"])}


def test_running_is_what_outside_needs() -> None:
    assert {"url", "ws_url"} <= set(dir(Running))
    assert SimSettings().fresh is False
