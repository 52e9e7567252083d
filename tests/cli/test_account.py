"""`instrument`, `account check` and `account setup` against the simulator, from a project."""

import json
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from tests.cli.conftest import edit

from plimsoll.cli import account
from plimsoll.cli.account import wanted_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.instrument import Facts, capital_step, document, least_order, page
from plimsoll.config.project import load_project
from plimsoll.simulator import AccountSettings, SimSettings
from plimsoll.simulator.thread import SimulatorThread
from plimsoll.venues.bybit.api import Reader
from plimsoll.venues.bybit.api.market_rows import (
    LinearInstrument,
    LinearTicker,
    PriceLimit,
    RiskTier,
    SpotInstrument,
    SpotTicker,
)


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatorThread]:
    accounts = (AccountSettings(), AccountSettings(key="ro-key", uid=7, read_only=True))
    with SimulatorThread(SimSettings(limits="off", seed=7, accounts=accounts)) as found:
        yield found


def want(root, words):
    edit(root, "dedicated = true", f"dedicated = true\n{words}")


# ---- instrument ------------------------------------------------------------------------------


def test_an_instrument_is_shown_with_its_smallest_order(plimsoll, project):
    ran = plimsoll("instrument", "linear:BTCUSDT", "--project", project)
    for words in ("least order", "mark price", "next funding", "highest bid taken", "0.055 %"):
        assert words in ran.out, ran.out + ran.err


@pytest.mark.parametrize("name", ["linear:BTCUSDT", "spot:BTCUSDT"])
def test_an_instrument_as_json_has_exact_numbers_under_our_names(plimsoll, project, name):
    ran = plimsoll("instrument", name, "--project", project, "--json")
    found = ran.document
    least, lots = found["least_order"], found["listed"]["lot_filter"]
    assert Decimal(least["qty"]) % Decimal(lots["lot_size"]) == 0
    assert Decimal(least["value"]) >= Decimal(lots["min_notional"])
    assert found["fees"]["taker"] == ("0.00055" if name.startswith("linear") else "0.001")
    assert ran.code == (Exit.UNHEALTHY if found["missing"] else Exit.DONE)


@pytest.mark.parametrize("name", ["linear:NOSUCHUSDT", "spot:NOSUCHUSDT", "btcusdt"])
def test_an_instrument_that_does_not_exist_is_told(plimsoll, project, name):
    ran = plimsoll("instrument", name, "--project", project, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert ran.error["code"] == "unknown-instrument"


def test_without_an_exchange_it_is_unreachable(plimsoll, root):
    edit(root, "var/sim/sim.json", "127.0.0.1:9")
    for words in (("instrument", "linear:BTCUSDT"), ("account", "check")):
        ran = plimsoll(*words, "--project", root, "--json")
        assert ran.code == Exit.UNREACHABLE


LINEAR = {
    "symbol": "SUSDT", "status": "Trading", "baseCoin": "S", "quoteCoin": "USDT",
    "settleCoin": "USDT", "contractType": "LinearPerpetual", "fundingInterval": 480,
    "lotSizeFilter": {
        "qtyStep": "0.1", "minOrderQty": "0.1", "maxOrderQty": "100", "minNotionalValue": "5"
    },
    "priceFilter": {"tickSize": "0.01"},
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "50", "leverageStep": "0.01"},
}  # fmt: skip
PAIR = {
    "symbol": "SUSDT", "status": "Trading", "baseCoin": "S", "quoteCoin": "USDT",
    "lotSizeFilter": {"basePrecision": "0.001", "minOrderAmt": "1"},
    "priceFilter": {"tickSize": "0.01"},
}  # fmt: skip


def row(kind, fields):
    return Reader().row(kind, json.dumps(fields).encode(), "test")


def linear_facts(**fields):
    ticker = {"symbol": "SUSDT", "markPrice": "3", "lastPrice": "2.9", "fundingRate": "-0.0001"}
    return Facts(
        name="linear:SUSDT",
        listed=row(LinearInstrument, LINEAR),
        ticker=row(LinearTicker, ticker | {"nextFundingTime": "1700006400000"}),
        **fields,
    )


def test_the_smallest_order_meets_value_quantity_and_step():
    facts = linear_facts()  # 5 USDT at 3 is 1.67: the next step is 1.7
    assert least_order(facts) == (Decimal("1.7"), Decimal("5.1"))
    assert capital_step(facts) == Decimal("0.3")


def test_the_smallest_spot_order_is_counted_at_the_last_price():
    ticker = row(SpotTicker, {"symbol": "SUSDT", "lastPrice": "40"})
    facts = Facts(name="spot:SUSDT", listed=row(SpotInstrument, PAIR), ticker=ticker)
    assert least_order(facts) == (Decimal("0.025"), Decimal("1.000"))


def test_without_a_price_no_smallest_order_is_made_up():
    facts = Facts(name="spot:SUSDT", listed=row(SpotInstrument, PAIR), missing={"ticker": "10001"})
    assert (least_order(facts), capital_step(facts)) == (None, None)
    assert document(facts)["least_order"] is None
    assert "ticker" in page(facts)


def test_the_page_shows_funding_limits_fees_and_tiers():
    tiers = [
        row(
            RiskTier,
            {"id": at, "symbol": "SUSDT", "riskLimitValue": "1000", "maintenanceMargin": "0.01",
             "initialMargin": "0.02", "maxLeverage": "50"},
        )
        for at in range(7)
    ]  # fmt: skip
    limit = row(PriceLimit, {"symbol": "SUSDT", "buyLmt": "3.3", "sellLmt": "2.7"})
    shown = page(linear_facts(tiers=tiers, limit=limit, taker=Decimal("0.00055")))
    for words in ("-0.01 %", "8 h", "2023-11-15 00:00 UTC", "3.3", "0.055 %", "and 2 more"):
        assert words in shown
    assert len(document(linear_facts(tiers=tiers))["risk_tiers"]) == 7


# ---- account ---------------------------------------------------------------------------------


def test_a_plan_shows_the_difference_and_changes_nothing(plimsoll, project, exchange):
    want(project, "leverage = 7")
    before = len(exchange.lines())
    ran = plimsoll("account", "setup", "--plan", "--project", project, "--json")
    assert ran.code == Exit.FINDINGS
    steps = {step["subject"]: step for step in ran.document["steps"]}
    leverage = steps["leverage BTCUSDT"]
    assert (leverage["want"], leverage["standing"]) == ("7", "to change")
    assert leverage["request"] == "POST /v5/position/set-leverage BTCUSDT 7"
    assert steps["position mode BTCUSDT"]["standing"] == "as wanted"
    made = [msgspec.to_builtins(line) for line in exchange.lines()[before:]]
    assert not [line for line in made if line.get("method") == "POST"]


def test_apply_changes_reads_again_and_is_done_the_second_time(plimsoll, project):
    want(project, 'leverage = 4\nmargin_mode = "cross"')
    words = ("account", "setup", "--apply", "--project", project, "--json")
    first = plimsoll(*words)
    made = {one["subject"]: one["text"] for one in first.document["made"]}
    assert made["leverage BTCUSDT"] == "done"
    steps = {step["subject"]: step for step in first.document["steps"]}
    assert steps["leverage BTCUSDT"] == {
        "subject": "leverage BTCUSDT", "have": "4", "want": "4", "standing": "as wanted",
        "request": "",
    }  # fmt: skip
    assert first.code == Exit.DONE
    again = plimsoll(*words)
    assert again.code == Exit.DONE
    assert "leverage BTCUSDT" not in {one["subject"] for one in again.document["made"]}


def test_the_page_has_both_what_was_done_and_what_is_so_now(plimsoll, project):
    want(project, "leverage = 9")
    ran = plimsoll("account", "setup", "--apply", "--project", project)
    assert "POST /v5/position/set-leverage BTCUSDT 9" in ran.out
    assert "read again:" in ran.out


def test_check_tells_rights_life_and_modes(plimsoll, project):
    ran = plimsoll("account", "check", "--project", project)
    for words in ("ContractTrade.Order", "2030-01-01", "unified", "one-way", "no address"):
        assert words in ran.out, ran.out + ran.err


def test_a_key_that_may_not_trade_is_refused_and_nothing_is_applied(plimsoll, project):
    want(project, "leverage = 3")
    (project / "secrets/key").write_text("ro-key\n")
    ran = plimsoll("account", "setup", "--apply", "--project", project, "--json")
    assert ran.code == Exit.UNHEALTHY
    assert ran.document["made"] == []


def test_a_key_of_another_environment_is_named_as_the_likely_cause(plimsoll, project):
    (project / "secrets/key").write_text("somebody-elses\n")
    ran = plimsoll("account", "check", "--project", project)
    assert ran.code == Exit.CREDENTIALS
    assert "10003" in ran.out
    assert "exactly one of mainnet, testnet and demo" in ran.out


def test_with_consent_the_other_environments_are_asked_for_the_key(
    plimsoll, project, exchange, monkeypatch
):
    monkeypatch.setattr(account, "other_homes", lambda here: {"testnet": exchange.url})
    ran = plimsoll("account", "check", "--probe", "--project", project)
    assert "testnet: knows this key" in ran.out
    (project / "secrets/key").write_text("somebody-elses\n")
    ran = plimsoll("account", "check", "--probe", "--project", project, "--json")
    assert "10003" in ran.document["homes"]["testnet"]


@pytest.mark.parametrize("words", [(), ("--plan", "--apply")])
def test_setup_is_either_a_plan_or_applied(plimsoll, root, words):
    ran = plimsoll("account", "setup", *words, "--project", root, "--json")
    assert ran.code == Exit.USAGE


def test_mainnet_is_changed_only_where_the_account_is_named(plimsoll, root):
    edit(root, 'environment = "simulator"\nurl = "var/sim/sim.json"', 'environment = "mainnet"')
    ran = plimsoll("account", "setup", "--apply", "--project", root, "--json")
    assert ran.code == Exit.REFUSED
    assert "--confirm-live demo" in ran.error["hint"]


def test_without_a_key_the_account_is_not_asked(plimsoll, project):
    path = project / "plimsoll.toml"
    lines = path.read_text().replace('mode = "live"', 'mode = "paper"').splitlines()
    kept = [line for line in lines if not line.startswith(("key =", "secret ="))]
    path.write_text("\n".join(kept))
    ran = plimsoll("account", "check", "--project", project, "--json")
    assert ran.code == Exit.CREDENTIALS
    ran = plimsoll("instrument", "spot:ETHUSDT", "--project", project, "--json")
    assert ran.document["fees"] == {"taker": None, "maker": None}


def test_what_is_wanted_follows_from_the_configuration(root):
    want(root, 'leverage = "2.5x"\nmargin_mode = "isolated"')
    found = wanted_of(load_project(root, environ={}))
    assert found.symbols == ("BTCUSDT", "ETHUSDT", "DOGEUSDT")
    assert found.categories == ("linear",)
    assert (found.margin_mode, found.leverage) == ("isolated", Decimal("2.5"))


@pytest.mark.parametrize("proxy", ["10.0.0.1:3128", "socks5://x", "http://"])
def test_a_proxy_is_an_address(plimsoll, root, proxy):
    edit(root, "[account]", f'proxy = "{proxy}"\n\n[account]')
    ran = plimsoll("config", "check", "--project", root, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert "venue.proxy" in ran.error["message"]
