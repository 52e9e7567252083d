"""Scenario files, the control endpoint, settings and the seed: one mechanism behind all."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.simulator.outside import Outside, until, with_outside

from plimsoll.simulator import ScenarioError, SimSettings, serve
from plimsoll.simulator.faults.catalogue import CATALOGUE
from plimsoll.simulator.faults.scenario import read_scenario

BROKEN = (TimeoutError, OSError, aiohttp.ClientError)
TOML = """
[[fault]]
name = "refuse"
endpoint = "order.create"
code = 10006
duration_s = 30

[[fault]]
name = "key_expired"
at_s = 3600
account = "sim-key"
"""


def test_a_file_asks_for_faults_at_times(tmp_path: Path) -> None:
    path = tmp_path / "bad_hour.toml"
    path.write_text(TOML)
    same = tmp_path / "bad_hour.json"
    asks = read_scenario(path)
    same.write_text(
        json.dumps(
            [
                {"name": "refuse", "endpoint": "order.create", "code": 10006, "duration_s": 30},
                {"name": "key_expired", "at_s": 3600, "account": "sim-key"},
            ]
        )
    )
    assert read_scenario(same) == asks

    async def use(c: Outside) -> None:
        assert (await c.order())["retCode"] == 10006
        assert [line["source"] for line in c.effects("refuse", "begin")] == ["scenario"]
        assert c.effects("refuse", "begin")[0]["asked"]["code"] == 10006
        assert c.effects("key_expired", "begin") == []

    with_outside(use, scenario=str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[fault]]\nname = "stal"', ":fault[0].name: no fault 'stal'"),
        ('[[fault]]\nname = "stall"\n[[fault]]\nname = "stall"\nrate = 7', ":fault[1].rate: "),
        ("faults = 1", ":faults: unknown key"),
        ("fault = 3", ":fault: must be a list"),
        ("fault = [3]", ":fault[0]: must be a table"),
        ("[[fault", "scene.toml: "),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "scene.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_bad_scenario_stops_the_start(tmp_path: Path, capfd: Any) -> None:
    assert serve(SimSettings(scenario=str(tmp_path / "none.toml"))) == 3
    path = tmp_path / "scene.toml"
    path.write_text('[[fault]]\nname = "stall"\naccount = "nobody"')
    assert serve(SimSettings(scenario=str(path))) == 3
    said = capfd.readouterr().err
    assert "none.toml: cannot be read" in said
    assert "no account 'nobody'" in said


def test_faults_are_started_listed_and_stopped_while_it_runs() -> None:
    async def use(c: Outside) -> None:
        url = f"{c.exchange.url}/sim/faults"
        body = json.dumps({"name": "refuse", "code": 10016, "symbol": ""})
        async with c.session.post(url, data=body) as answer:
            assert answer.status == 201
            fault_id = (await answer.json())["id"]
        assert (await c.order())["retCode"] == 10016
        async with c.session.get(url) as answer:
            found = await answer.json()
        assert [row["name"] for row in found["active"]] == ["refuse"]
        assert found["active"][0]["effects"] == 1
        assert {row["name"] for row in found["catalogue"]} == set(CATALOGUE)
        async with c.session.delete(f"{url}/{fault_id}") as answer:
            assert answer.status == 200
        assert (await c.order())["retCode"] == 0
        assert [line["source"] for line in c.effects("refuse", "begin")] == ["live"]
        assert len(c.effects("refuse", "end")) == 1
        async with c.session.delete(f"{url}/{fault_id}") as answer:
            assert answer.status == 404
        for bad in ("{", "[]", '{"name": "x"}', "[" * 100_000, '{"name":"stall","rate":9}'):
            async with c.session.post(url, data=bad) as answer:
                assert answer.status == 400
                assert (await answer.json())["error"]["message"]

    with_outside(use)


def test_settings_are_short_for_faults() -> None:
    async def use(c: Outside) -> None:
        rows = c.exchange._server.venue.state(c.exchange._server.now())["active"]
        assert [(row["name"], row.get("rate"), row.get("every_s")) for row in rows] == [
            ("lose_ack", 0.25, None),
            ("cut", 1.0, 900),
        ]

    with_outside(use, lose_ack=0.25, drop_connections_every_s=900)


def test_the_record_begins_each_effect_with_its_fault() -> None:
    async def use(c: Outside) -> None:
        c.fault("refuse")
        await c.order()
        lines = [line for line in c.exchange.lines() if line["kind"] == "fault"]
        assert [line["event"] for line in lines] == ["begin", "effect"]
        assert {line["id"] for line in lines} == {"f1"}
        assert (lines[1]["path"], lines[1]["retCode"]) == ("/v5/order/create", 10016)
        assert lines[1]["account"] == "1001"
        numbers = [line["n"] for line in c.exchange.lines()]
        assert numbers == list(range(1, len(numbers) + 1))

    with_outside(use)


@pytest.mark.parametrize("seed", [3, 4])
def test_after_drawn_chaos_comes_calm(seed: int) -> None:
    """Whatever the seed does, the exchange lives, and afterwards everything works again."""

    async def use(c: Outside) -> None:
        server = c.exchange._server
        start_ns = server.now()
        number = 0
        while server.now() - start_ns < 3_200_000_000:
            number += 1
            try:
                async with asyncio.timeout(0.3):
                    await c.order(orderLinkId=f"o{number}")
                    stream = await c.socket("private", "order")
                    await stream.ping()
                    await stream.ws.close()
            except (*BROKEN, AssertionError, KeyError, AttributeError):
                continue  # of the client: it expects answers in their usual form
        await until(lambda: not server.venue.plan.active and not server.venue.closed)
        stream = await c.socket("linear", "orderbook.50.BTCUSDT")
        await stream.topic("orderbook")
        everything = {"category": "linear", "symbol": "BTCUSDT"}  # more than 500 may be open by now
        assert (await c.post("/v5/order/cancel-all", **everything))["retCode"] == 0
        private = await c.socket("private", "order")
        assert (await c.order(orderLinkId="calm"))["retCode"] == 0
        await private.topic("order", lambda m: m["data"][0]["orderLinkId"] == "calm")
        sources = [line["source"] for line in c.exchange.lines() if line.get("event") == "begin"]
        assert sources
        assert set(sources) == {"seed"}

    with_outside(use, faults="drawn", chaos_s=3.0, seed=seed, speed=5.0)
