"""What a fee is worth in the quote coin."""

import pytest
from tests.properties.driver import INSTRUMENTS, PERP, SPOT

from plimsoll.core.portfolio.fees import fee_in_quote

COIN = 10**8


@pytest.mark.parametrize(
    ("name", "units", "coin", "worth"),
    [
        (PERP, 7, "USDT", 7),
        (PERP, -7, "USDT", -7),
        (PERP, 7, "BTC", None),
        (SPOT, 7, "USDT", 7),
        (SPOT, COIN, "BTC", 50_000 * COIN),
        (SPOT, -COIN, "BTC", -50_000 * COIN),
        (SPOT, 7, "MNT", None),
    ],
)
def test_a_fee_is_worth_what_its_coin_is_worth_at_the_fill(name, units, coin, worth):
    assert fee_in_quote(INSTRUMENTS[name], units, coin, 5_000_000) == worth


def test_what_is_no_whole_unit_is_rounded_against_us():
    spot = INSTRUMENTS[SPOT]
    price = 5_000_001  # 50,000.01: a hundred-millionth of a coin is worth 50,000.01 units
    assert fee_in_quote(spot, 1, "BTC", price) == 50_001
    assert fee_in_quote(spot, -1, "BTC", price) == -50_000
