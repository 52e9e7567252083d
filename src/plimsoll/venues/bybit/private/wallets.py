"""Reads what the venue says of a wallet: the balance of each coin, and how the account stands."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from plimsoll.core.records import HealthMeasured, WalletReported
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import has_value, number, required, stored
from plimsoll.venues.bybit.private.fields import Figure, Word, cash_in
from plimsoll.venues.bybit.private.given import Origin, Stamp


class _Coin(msgspec.Struct, gc=False):
    coin: str
    walletBalance: Figure
    equity: Figure = ""
    usdValue: Figure = ""
    borrowAmount: Figure = ""
    spotBorrow: Figure = ""


class _Account(msgspec.Struct, gc=False):
    coin: list[msgspec.Raw]
    accountType: Word = "UNIFIED"
    totalEquity: Figure = ""
    totalAvailableBalance: Figure = ""
    accountIMRate: Figure = ""
    accountMMRate: Figure = ""


# strict=False: the venue sends integers and booleans as text now and then.
_account: Final = msgspec.json.Decoder(_Account, strict=False).decode
_coin: Final = msgspec.json.Decoder(_Coin, strict=False).decode

BORROWED_MOST: Final = 10**8
"""Cash units of USD a coin may be short of: dust of interest is no loan (1 USD)."""


def read_wallet(raw: bytes, stamp: Stamp, origin: Origin) -> Iterator[WalletReported]:
    """Yield the balance of each coin."""
    account = _account(raw)
    if (account.accountType or "UNIFIED") != "UNIFIED":
        return
    coins = [(_coin(text), bytes(text)) for text in account.coin]
    balances = [_balance(coin) for coin, _ in coins]
    for (item, text), units in zip(coins, balances, strict=True):
        seq, ts_ns, epoch, cause = stamp()
        yield WalletReported(
            seq,
            ts_ns,
            epoch,
            cause,
            coin=item.coin,
            balance_units=units,
            source=origin.source,
            query_id=origin.query_id,
            raw=text,
        )


def _balance(item: _Coin) -> int:
    what, field = f"wallet {item.coin}", "walletBalance"
    return cash_in(required(item.walletBalance, what, field), what, field)


def read_health(raw: bytes, stamp: Stamp, origin: Origin) -> Iterator[HealthMeasured]:
    """Yield how the account stands. Source: Bybit v5 docs, account/wallet-balance."""
    account, what = _account(raw), "account"
    if (account.accountType or "UNIFIED") != "UNIFIED":
        return
    owed = {coin.coin: _owed_units(coin) for coin in map(_coin, account.coin)}
    total = account.totalEquity
    equity = cash_in(total, what, "totalEquity") if has_value(total) else -1
    available = account.totalAvailableBalance
    free = cash_in(available, what, "totalAvailableBalance") if has_value(available) else -1
    rates = (
        _ppm(account.accountIMRate, "accountIMRate"),
        _ppm(account.accountMMRate, "accountMMRate"),
    )
    borrowed = {coin: units for coin, units in owed.items() if units > BORROWED_MOST}
    yield HealthMeasured(*stamp(), equity, free, *rates, borrowed, origin.source, origin.query_id)


def _owed_units(item: _Coin) -> int:
    """Return what a coin is short of in USD cash units: borrowed, or a negative balance.

    The price is that of the venue's own valuation; where it has none, any loan counts as too much.
    """
    what = f"wallet {item.coin}"
    balance = number(item.walletBalance, what, "walletBalance")
    loans = (
        number(item.borrowAmount, what, "borrowAmount"),
        number(item.spotBorrow, what, "spotBorrow"),
    )
    owed = max(*loans, -balance)
    if owed <= 0:
        return 0
    equity, value = number(item.equity, what, "equity"), number(item.usdValue, what, "usdValue")
    worth = owed * value / equity if equity and value else Decimal(2)
    return cash_in(abs(worth), what, "usdValue")


def _ppm(value: Figure, field: str) -> int:
    """Return a rate in parts per million, rounded up; -1 where the venue keeps none."""
    if not has_value(value):
        return -1
    scaled = number(value, "account", field) * 1_000_000
    try:
        return stored(int(scaled.to_integral_value(ROUND_CEILING)))
    except ValueError as error:
        raise ParseError(f"account: {field}: {error}") from error
