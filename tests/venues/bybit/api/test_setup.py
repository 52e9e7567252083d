import asyncio
from decimal import Decimal

import pytest

from plimsoll.venues.bybit import CredentialsRefused
from plimsoll.venues.bybit.api import BybitClient, CallFailed
from plimsoll.venues.bybit.api.homes import homes_of, other_homes
from plimsoll.venues.bybit.api.setup import (
    Standing,
    Wanted,
    apply,
    pending,
    read_state,
    steps_of,
)

KEY, INFO, SETTINGS = "/v5/user/query-api", "/v5/account/info", "/v5/account/user-setting-config"
POSITIONS, DCP = "/v5/position/list", "/v5/account/query-dcp-info"
MODE, LEVERAGE = "/v5/position/switch-mode", "/v5/position/set-leverage"
MARGIN, ACTION = "/v5/account/set-margin-mode", "/v5/account/set-limit-px-action"
WANTED = Wanted(
    symbols=("BTCUSDT",), categories=("linear", "spot"), margin_mode="cross", leverage=Decimal(3)
)
RIGHTS = {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"]}


def account(fake, *, mode="REGULAR_MARGIN", positions=(), settings=None, key=None, unified=6):
    told = {"permissions": RIGHTS, "ips": ["10.0.0.1"], "uta": 1, "deadlineDay": 80}
    fake.reply(KEY, told | (key or {}))
    fake.reply(INFO, {"marginMode": mode, "unifiedMarginStatus": unified})
    if settings is None:
        fake.reply(SETTINGS, code=10017)
    else:
        fake.reply(SETTINGS, settings)
    fake.reply(DCP, {"dcpInfos": []})
    rows = [{"symbol": "BTCUSDT", "size": "0", "positionIdx": idx, "leverage": leverage}
            for idx, leverage in positions]  # fmt: skip
    fake.reply(POSITIONS, {"list": rows})


RIGHT = {"positions": [(0, "3")], "settings": {"lpaSpot": False, "lpaPerp": False}}
WRONG = {
    "mode": "ISOLATED_MARGIN",
    "positions": [(1, "10"), (2, "5")],
    "settings": {"lpaSpot": False, "lpaPerp": True},
}


def planned(client, wanted=WANTED, **fields):
    async def scenario(found, fake):
        steps = steps_of(await read_state(found, wanted), wanted)
        return steps, [request.method for request, _ in fake.requests]

    return client(lambda fake: account(fake, **fields), scenario)


def standings(steps):
    return {step.subject: step.standing for step in steps}


def test_an_account_that_is_right_has_nothing_to_change(client):
    steps, methods = planned(client, **RIGHT)
    assert pending(steps) == []
    assert set(standings(steps).values()) == {Standing.SO}
    assert set(methods) == {"GET"}


def test_a_plan_names_each_difference_and_its_request_and_changes_nothing(client):
    steps, methods = planned(client, **WRONG)
    assert [(step.subject, step.have, step.want, step.request) for step in pending(steps)] == [
        ("margin mode", "isolated", "cross", "POST /v5/account/set-margin-mode REGULAR_MARGIN"),
        ("position mode BTCUSDT", "hedge", "one-way",
         "POST /v5/position/switch-mode BTCUSDT mode 0"),
        ("leverage BTCUSDT", "10, 5", "3", "POST /v5/position/set-leverage BTCUSDT 3"),
        ("prices beyond the limit, linear", "moved to it", "refused",
         "POST /v5/account/set-limit-px-action linear modifyEnable false"),
    ]  # fmt: skip
    assert set(methods) == {"GET"}


def test_what_the_configuration_leaves_open_is_left(client):
    steps, _ = planned(
        client, wanted=Wanted(symbols=("BTCUSDT",)), **RIGHT | {"mode": "ISOLATED_MARGIN"}
    )
    assert pending(steps) == []


def test_portfolio_margin_is_refused_unless_another_mode_is_wanted(client):
    steps, _ = planned(client, wanted=Wanted(), mode="PORTFOLIO_MARGIN")
    assert standings(steps)["margin mode"] is Standing.REFUSED
    steps, _ = planned(client, wanted=Wanted(margin_mode="cross"), mode="PORTFOLIO_MARGIN")
    assert standings(steps)["margin mode"] is Standing.CHANGE


def test_a_setting_the_venue_does_not_tell_is_set_without_looking(client):
    steps, _ = planned(client, positions=[(0, "3")])
    found = standings(steps)
    assert found["prices beyond the limit, spot"] is Standing.UNREADABLE
    assert found["price adjustment"] is Standing.UNREADABLE
    assert [step.subject for step in pending(steps)] == [
        "prices beyond the limit, linear",
        "prices beyond the limit, spot",
    ]


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"key": {"permissions": RIGHTS | {"Wallet": ["Withdraw"]}}}, "key"),
        ({"key": {"readOnly": 1}}, "key"),
        ({"unified": 1}, "account"),
    ],
)
def test_what_no_request_can_change_is_refused(client, fields, subject):
    steps, _ = planned(client, **RIGHT | fields)
    assert Standing.REFUSED in {step.standing for step in steps if step.subject == subject}


def test_the_life_of_the_key_is_shown_and_its_near_end_warned_of(client):
    steps, _ = planned(client, **RIGHT | {"key": {"deadlineDay": 5, "expiredAt": "2030-01-01"}})
    life = next(step for step in steps if step.subject == "key life")
    assert life.have == "until 2030-01-01, 5 days"
    assert Standing.WARNING in {step.standing for step in steps}


def test_each_request_is_made_and_a_refused_one_hides_nothing(client):
    async def scenario(found, fake):
        steps = steps_of(await read_state(found, WANTED), WANTED)
        made = await apply(found, steps)
        posts = [request.path for request, _ in fake.requests if request.method == "POST"]
        return [(one.subject, one.is_done, one.text) for one in made], posts

    def prepare(fake):
        account(fake, **WRONG)
        fake.reply(MARGIN, {"reasons": []})
        fake.reply(MODE, code=110024)
        fake.reply(LEVERAGE, code=110043)
        fake.reply(ACTION, status=502, text="")

    made, posts = client(prepare, scenario)
    assert posts == [MARGIN, MODE, LEVERAGE, ACTION]
    assert made == [
        ("margin mode", True, "done"),
        ("position mode BTCUSDT", False, "refused 110024: m"),
        ("leverage BTCUSDT", True, "was so already"),
        ("prices beyond the limit, linear", False,
         "broken 502: ; whether it was done is not known: read again"),
    ]  # fmt: skip


def test_a_venue_that_falls_silent_while_reading_is_no_plan(client):
    async def scenario(found, fake):
        with pytest.raises(CallFailed):
            await read_state(found, WANTED)

    def prepare(fake):
        account(fake, **RIGHT)
        fake.answers[INFO] = [(502, "")]

    client(prepare, scenario)


def test_without_a_key_there_is_no_account(client):
    async def scenario(found, fake):
        with pytest.raises(CredentialsRefused):
            await read_state(found, WANTED)
        for call in (found.account.info, found.account.wallet, found.orders.open):
            with pytest.raises(CredentialsRefused, match="needs a key"):
                await (call("spot") if call == found.orders.open else call())
        return fake.requests

    assert client(lambda fake: None, scenario, key="") == []


def test_the_other_environments_are_asked_read_only_for_a_key(client, clock):
    async def scenario(found, fake):
        fake.requests.clear()
        addresses = {"testnet": fake.url, "demo": fake.url}
        homes = await homes_of(found.rest.settings, clock, addresses)
        return homes, [request.method for request, _ in fake.requests]

    def prepare(fake):
        fake.reply(KEY, code=10003)
        fake.reply(KEY, {"uta": 1})

    homes, methods = client(prepare, scenario)
    assert homes == {"testnet": "refused 10003: m", "demo": ""}
    assert set(methods) == {"GET"}
    assert other_homes("testnet").keys() == {"mainnet", "demo"}


def test_requests_go_through_the_proxy(clock, fake_rest):
    """A proxy is asked for the whole address: the prepared answers serve as one."""

    async def main():
        fake = fake_rest()
        fake.reply("/v5/market/time", {"timeNano": str(clock.now_ns())})
        fake.reply("/v5/market/price-limit", {"symbol": "S", "buyLmt": "2", "sellLmt": "1"})
        async with fake.serving():
            settings = fake.settings(rest_url="http://venue.invalid", proxy=fake.url)
            async with BybitClient(settings, clock) as found:
                limit = await found.market.price_limit("linear", "S")
        return limit.lowest_ask, fake.requests[-1][0].headers["Host"]

    assert asyncio.run(main()) == (Decimal(1), "venue.invalid")
