"""The shell: one port, a complete record, clean stops, honest exit codes, faults."""

import asyncio
import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from plimsoll.simulator import PortInUseError, Running, SimSettings, running, serve
from plimsoll.simulator.outgoing import FRAMES_MOST
from plimsoll.simulator.record import Record

DEADLINE_S = 60.0
CHILD = """
import sys
from plimsoll.simulator import SimSettings, serve
sys.exit(serve(SimSettings(directory=sys.argv[1]), on_port=lambda port: print(port, flush=True)))
"""
ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Market",
    "qty": "0.001",
}


def signed(body: str) -> dict[str, str]:
    stamp = str(time.time_ns() // 1_000_000)
    text = f"{stamp}sim-key5000{body}"
    return {
        "X-BAPI-API-KEY": "sim-key",
        "X-BAPI-TIMESTAMP": stamp,
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": hmac.new(b"sim-secret", text.encode(), hashlib.sha256).hexdigest(),
    }


async def create(session: aiohttp.ClientSession, url: str, **params: str) -> dict[str, Any]:
    body = json.dumps(ORDER | params)
    async with session.post(f"{url}/v5/order/create", data=body, headers=signed(body)) as answer:
        return await answer.json()


def with_exchange(
    settings: SimSettings, use: Callable[[Running, aiohttp.ClientSession], Coroutine[Any, Any, Any]]
) -> Any:
    async def main() -> Any:
        async with (
            asyncio.timeout(DEADLINE_S),
            running(settings) as exchange,
            aiohttp.ClientSession() as session,
        ):
            return await use(exchange, session)

    return asyncio.run(main())


async def until(found: Callable[[], bool]) -> None:
    for _ in range(int(DEADLINE_S / 0.005)):
        if found():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"did not happen within {DEADLINE_S} s")


def test_record_is_complete_after_sigterm(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        url = f"http://127.0.0.1:{int(child.stdout.readline())}"

        async def trade() -> None:
            async with aiohttp.ClientSession() as session:
                for number in range(5):
                    answer = await create(session, url, orderLinkId=f"k{number}")
                    assert answer["retCode"] == 0

        asyncio.run(trade())
        child.send_signal(signal.SIGTERM)
        assert child.wait(DEADLINE_S) == 0
    finally:
        child.kill()
        child.communicate()
    lines = [json.loads(line) for line in (tmp_path / "record.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["t_ns"] for line in lines] == sorted(line["t_ns"] for line in lines)
    orders = [line for line in lines if line["kind"] == "order"]
    for number in range(5):
        own = [line for line in orders if line["orderLinkId"] == f"k{number}"]
        assert own[0]["orderStatus"] == "Created"
        assert (own[-1]["orderStatus"], own[-1]["cumExecQty"]) == ("Filled", "0.001")
    kinds = {line["kind"] for line in lines}
    assert kinds >= {"config", "request", "answer", "order", "execution", "position", "wallet"}
    assert "sim-secret" not in json.dumps(lines)
    executed = sum(float(row["execQty"]) for row in lines if row["kind"] == "execution")
    assert executed == pytest.approx(0.005)
    assert json.loads((tmp_path / "sim.json").read_text())["port"] == int(url.rsplit(":", 1)[1])


def test_port_in_use_is_said_and_exits_6(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve(SimSettings(port=port)) == 6
        with pytest.raises(PortInUseError):
            with_exchange(SimSettings(port=port), lambda exchange, session: asyncio.sleep(0))
    assert f"port {port} on 127.0.0.1 is in use" in capfd.readouterr().err


def test_bad_data_file_is_said_and_exits_3(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("not a bar file\n")
    assert serve(SimSettings(data=str(path))) == 3
    assert f"{path}:1" in capfd.readouterr().err


def test_record_that_cannot_be_written_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert serve(SimSettings(directory=str(tmp_path / "file"))) == 3
    assert "the record cannot be written" in capfd.readouterr().err


def test_state_and_record_are_served() -> None:
    async def use(exchange: Running, session: aiohttp.ClientSession) -> None:
        await create(session, exchange.url, orderLinkId="seen")
        async with session.get(f"{exchange.url}/sim/state") as answer:
            state = await answer.json()
        assert state["accounts"][0]["executions"] >= 1
        assert state["market_position"]["linear:BTCUSDT"].startswith("bar")
        async with session.get(f"{exchange.url}/sim/record?from=3") as answer:
            lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        assert lines[0]["n"] == 3
        assert any(line.get("orderLinkId") == "seen" for line in lines)
        async with session.get(f"{exchange.url}/sim/record?from=x") as answer:
            assert answer.status == 400

    with_exchange(SimSettings(), use)


def test_lost_answer_leaves_an_executed_order() -> None:
    async def use(exchange: Running, session: aiohttp.ClientSession) -> None:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await create(session, exchange.url, orderLinkId="lost")
        lines = exchange.lines()
        told = [(line["name"], line["event"]) for line in lines if line["kind"] == "fault"]
        assert told == [("lose_ack", "begin"), ("lose_ack", "effect")]
        states = [line["orderStatus"] for line in lines if line["kind"] == "order"]
        assert "Filled" in states

    with_exchange(SimSettings(lose_ack=1.0), use)


def test_sockets_are_dropped_by_the_fault() -> None:
    async def use(exchange: Running, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(f"{exchange.ws_url}/v5/public/linear") as stream:
            message = await stream.receive()
            assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE)
        await until(lambda: any(line.get("event") == "close" for line in exchange.lines()))
        cuts = [line for line in exchange.lines() if line.get("name") == "cut"]
        assert [line["event"] for line in cuts][:2] == ["begin", "effect"]

    with_exchange(SimSettings(drop_connections_every_s=0.05), use)


def test_client_that_stops_reading_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FRAMES_MOST > 1000
    monkeypatch.setattr("plimsoll.simulator.outgoing.FRAMES_MOST", 3)

    async def use(exchange: Running, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(f"{exchange.ws_url}/v5/public/linear") as stream:
            await stream.send_str('{"op":"ping"}\n')
            await stream.receive()
            for _ in range(200):
                await stream.send_str('{"op":"ping"}')
            await until(
                lambda: any(
                    line.get("reason") == "client stopped reading" for line in exchange.lines()
                )
            )

    with_exchange(SimSettings(ack_delay_ms=30.0), use)


def test_delayed_frames_keep_their_order() -> None:
    async def use(exchange: Running, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(f"{exchange.ws_url}/v5/public/spot") as stream:
            for number in range(50):
                await stream.send_json({"op": "ping", "req_id": str(number)})
            answers = [await stream.receive_json() for _ in range(50)]
        assert [answer["req_id"] for answer in answers] == [str(number) for number in range(50)]

    with_exchange(SimSettings(ack_delay_ms=3.0), use)


def test_record_reads_old_lines_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plimsoll.simulator.record.TAIL_LINES", 3)
    record = Record(tmp_path / "deep" / "record.jsonl")
    record.add([str(n).encode() for n in range(1, 9)])
    assert list(record.since(2)) == [str(n).encode() for n in range(2, 9)]
    assert list(record.since(7)) == [b"7", b"8"]
    assert list(record.since(9)) == []
    record.close()


@pytest.mark.parametrize(
    "settings",
    [
        {"market": "none"},
        {"market": "arrivals"},
        {"limits": "some"},
        {"speed": 0.0},
        {"lose_ack": 2.0},
        {"match_delay_ms": -1.0},
        {"history_delay_ms": -1.0},
    ],
)
def test_settings_refuse_nonsense(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        SimSettings(**settings)
