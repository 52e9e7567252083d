from typing import Any

import pytest

from plimsoll.venues.bybit.account import Weight, check_account, check_key
from plimsoll.venues.bybit.errors import VenueUnreachable

KEY: dict[str, Any] = {
    "readOnly": 0,
    "permissions": {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": []},
    "ips": ["10.0.0.1"],
    "uta": 1,
    "deadlineDay": 80,
}
ACCOUNT: dict[str, Any] = {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 5}


@pytest.fixture
def check(rest, linear):
    """Return the codes found for a key, an account and position rows."""

    def run(key=KEY, account=ACCOUNT, rows=({"positionIdx": 0},), code=0):
        def prepare(fake):
            fake.reply("/v5/user/query-api", key, code=code)
            fake.reply("/v5/account/info", account)
            fake.reply("/v5/position/list", {"list": list(rows), "nextPageCursor": ""})

        async def scenario(client, fake):
            return await check_key(client) + await check_account(client, [linear])

        found = rest(prepare, scenario)
        return {finding.code: finding.weight for finding in found}

    return run


def test_a_trading_key_of_a_unified_account_is_fine(check):
    assert check() == {}


@pytest.mark.parametrize(
    "right", [("Wallet", "Withdraw"), ("Wallet", "AccountTransfer"), ("Earn", "Earn")]
)
def test_a_key_that_may_do_more_is_refused(check, right):
    group, name = right
    key = KEY | {"permissions": KEY["permissions"] | {group: [name]}}
    assert check(key) == {"key-rights": Weight.KEY}


def test_a_key_that_cannot_trade_is_refused(check):
    assert check(KEY | {"readOnly": 1}) == {"key-cannot-trade": Weight.KEY}
    assert check(KEY | {"permissions": {}}) == {"key-cannot-trade": Weight.KEY}


def test_a_refused_key_is_named(check):
    assert check(code=10003) == {"key-refused": Weight.KEY}


def test_a_venue_in_trouble_says_nothing_about_the_key(check):
    with pytest.raises(VenueUnreachable):
        check(code=10016)


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ({"marginMode": "PORTFOLIO_MARGIN"}, "margin-mode"),
        ({"unifiedMarginStatus": 1}, "not-unified"),
    ],
)
def test_unsupported_accounts_are_refused(check, account, code):
    assert check(account=ACCOUNT | account) == {code: Weight.ACCOUNT}


def test_hedge_mode_is_refused(check):
    for first, second in ((1, 2), ("1", "2")):
        rows = ({"positionIdx": first}, {"positionIdx": second})
        assert check(rows=rows) == {"hedge-mode": Weight.ACCOUNT}


def test_keys_that_will_fail_some_day_are_warned_of(check):
    found = check(KEY | {"ips": ["*"], "deadlineDay": 9})
    assert found == {"key-unbound": Weight.WARNING, "key-expires": Weight.WARNING}
