"""The account: balances, fees, movements, modes and what the key may do."""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from plimsoll.venues.bybit.api.account_rows import (
    AccountInfo,
    CoinInfo,
    CoinList,
    Collateral,
    DcpInfo,
    FeeRate,
    KeyInfo,
    MarginModeAnswer,
    SmpGroup,
    Transaction,
    UserSettings,
    Wallet,
)
from plimsoll.venues.bybit.api.caller import Caller, CallFailed, Change
from plimsoll.venues.bybit.api.endpoint import Done, Endpoint, Paging
from plimsoll.venues.bybit.api.market_rows import LinearInstrument, SpotInstrument
from plimsoll.venues.bybit.api.parameters import BadRequest, plain
from plimsoll.venues.bybit.errors import ParseError

MarginModeWord = Literal["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"]

WALLET: Final = Endpoint(
    name="account.wallet",
    path="/v5/account/wallet-balance",
    row=Wallet,
    page="account/wallet-balance",
    group="account-query",
    signed=True,
    is_list=True,
    key=("account_type",),
)
INFO: Final = Endpoint(
    name="account.info",
    path="/v5/account/info",
    row=AccountInfo,
    page="account/account-info",
    group="account-query",
    signed=True,
)
FEE_RATES: Final = Endpoint(
    name="account.fee_rates",
    path="/v5/account/fee-rate",
    row=FeeRate,
    page="account/fee-rate",
    group="account-rare",
    signed=True,
    is_list=True,
)
TRANSACTIONS: Final = Endpoint(
    name="account.transactions",
    path="/v5/account/transaction-log",
    row=Transaction,
    page="account/transaction-log",
    group="transactions",
    signed=True,
    is_list=True,
    paging=Paging.WEEKS,
    limit=50,
    time="booked_ms",
)
LINEAR_INSTRUMENTS: Final = Endpoint(
    name="account.linear_instruments",
    path="/v5/account/instruments-info",
    row=LinearInstrument,
    page="account/instrument",
    group="account-instruments",
    signed=True,
    is_list=True,
    paging=Paging.CURSOR,
    limit=200,
    key=("symbol",),
)
SPOT_INSTRUMENTS: Final = Endpoint(
    name="account.spot_instruments",
    path="/v5/account/instruments-info",
    row=SpotInstrument,
    page="account/instrument",
    group="account-instruments",
    signed=True,
    is_list=True,
    paging=Paging.CURSOR,
    limit=200,
    key=("symbol",),
)
DCP_INFO: Final = Endpoint(
    name="account.disconnect_cancel",
    path="/v5/account/query-dcp-info",
    row=DcpInfo,
    page="account/dcp-info",
    group="account-rare",
    signed=True,
)
SMP_GROUP: Final = Endpoint(
    name="account.smp_group",
    path="/v5/account/smp-group",
    row=SmpGroup,
    page="account/smp-group",
    group="account-rare",
    signed=True,
)
COLLATERAL: Final = Endpoint(
    name="account.collateral",
    path="/v5/account/collateral-info",
    row=Collateral,
    page="account/collateral-info",
    group="unlisted",
    signed=True,
    is_list=True,
)
USER_SETTINGS: Final = Endpoint(
    name="account.user_settings",
    path="/v5/account/user-setting-config",
    row=UserSettings,
    page="account/user-setting-config",
    group="unlisted",
    signed=True,
)
SET_MARGIN_MODE: Final = Endpoint(
    name="account.set_margin_mode",
    method="POST",
    path="/v5/account/set-margin-mode",
    row=MarginModeAnswer,
    page="account/set-margin-mode",
    group="account-rare",
    signed=True,
)
SET_PRICE_ADJUSTMENT: Final = Endpoint(
    name="account.set_price_adjustment",
    method="POST",
    path="/v5/account/set-limit-px-action",
    row=Done,
    page="account/set-price-limit",
    group="price-action",
    signed=True,
)
KEY: Final = Endpoint(
    name="account.key",
    path="/v5/user/query-api",
    row=KeyInfo,
    page="user/apikey-info",
    group="key",
    signed=True,
)
COINS: Final = Endpoint(
    name="account.coins",
    path="/v5/asset/coin/query-info",
    row=CoinList,
    page="asset/coin-info",
    group="unlisted",
    signed=True,
)
APPLY_DEMO_MONEY: Final = Endpoint(
    name="account.apply_demo_money",
    method="POST",
    path="/v5/account/demo-apply-money",
    row=Done,
    page="demo",
    group="unlisted",
    signed=True,
)

ENDPOINTS: Final = (
    WALLET,
    INFO,
    FEE_RATES,
    TRANSACTIONS,
    LINEAR_INSTRUMENTS,
    SPOT_INSTRUMENTS,
    DCP_INFO,
    SMP_GROUP,
    COLLATERAL,
    USER_SETTINGS,
    SET_MARGIN_MODE,
    SET_PRICE_ADJUSTMENT,
    KEY,
    COINS,
    APPLY_DEMO_MONEY,
)


class AccountApi:
    """The account of the key; each method raises ``CallFailed`` or ``ParseError``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def wallet(self, coins: tuple[str, ...] = ()) -> Wallet:
        """Return the unified account's totals and coins, all or those named.

        Raises:
            ParseError: the answer holds no account.
        """
        params = {"accountType": "UNIFIED", "coin": ",".join(coins)}
        found = await self._caller.rows(WALLET, params)
        if not found:
            raise ParseError(f"{WALLET.path}: expected one account, found none")
        return found[0]

    async def info(self) -> AccountInfo:
        """Return margin mode and kind of the account."""
        return await self._caller.one(INFO, {})

    async def fee_rates(self, category: str, symbol: str = "") -> list[FeeRate]:
        """Return the fees of this account; demo has none (10001)."""
        return await self._caller.rows(FEE_RATES, {"category": category, "symbol": symbol})

    async def transactions(
        self,
        since_ms: int = 0,
        until_ms: int = 0,
        *,
        category: str = "",
        currency: str = "",
        kind: str = "",
    ) -> list[Transaction]:
        """Return movements of coins, oldest first, by default of the last 24 hours."""
        params = {"accountType": "UNIFIED", "category": category, "currency": currency}
        return await self._caller.rows(TRANSACTIONS, {**params, "type": kind}, since_ms, until_ms)

    async def linear_instruments(self, symbol: str = "") -> list[LinearInstrument]:
        """Return the contracts this account may trade."""
        return await self._caller.rows(LINEAR_INSTRUMENTS, {"category": "linear", "symbol": symbol})

    async def spot_instruments(self, symbol: str = "") -> list[SpotInstrument]:
        """Return the pairs this account may trade."""
        return await self._caller.rows(SPOT_INSTRUMENTS, {"category": "spot", "symbol": symbol})

    async def disconnect_cancel(self) -> DcpInfo:
        """Return the disconnect protection by product; empty where the account has none."""
        return await self._caller.one(DCP_INFO, {})

    async def smp_group(self) -> SmpGroup:
        """Return the group for the prevention of self-matches."""
        return await self._caller.one(SMP_GROUP, {})

    async def collateral(self, coin: str = "") -> list[Collateral]:
        """Return coins as collateral."""
        return await self._caller.rows(COLLATERAL, {"currency": coin})

    async def user_settings(self) -> UserSettings:
        """Return the switches of the account."""
        return await self._caller.one(USER_SETTINGS, {})

    async def set_margin_mode(self, mode: MarginModeWord) -> Change:
        """Set the margin mode of the whole account.

        Raises:
            CallFailed: refused; its text holds the venue's reasons.
        """
        answer = await self._caller.post(SET_MARGIN_MODE, {"setMarginMode": mode})
        if answer.is_ok:
            return Change(is_changed=True)
        reasons = self._reasons(answer.result)
        text = f"{answer.text}: {reasons}" if reasons else answer.text
        raise CallFailed(SET_MARGIN_MODE.path, msgspec.structs.replace(answer, text=text))

    async def set_price_adjustment(self, category: str, *, is_on: bool) -> Change:
        """Have prices beyond the limit moved to it (True) or refused."""
        body = {"category": category, "modifyEnable": is_on}
        return await self._caller.change(SET_PRICE_ADJUSTMENT, body)

    async def key(self) -> KeyInfo:
        """Return what the key may do, and until when."""
        return await self._caller.one(KEY, {})

    async def coins(self, coin: str = "") -> tuple[CoinInfo, ...]:
        """Return coins and their chains."""
        return (await self._caller.one(COINS, {"coin": coin})).rows

    async def apply_demo_money(self, coin: str, amount: Decimal, *, is_taken: bool = False) -> None:
        """Ask for money on a demo account, or give some back; once a minute.

        Raises:
            BadRequest: the amount is not above zero.
            CallFailed: refused.
        """
        if not (amount.is_finite() and amount > 0):
            raise BadRequest(f"expected an amount above zero, found {amount}")
        money = [{"coin": coin, "amountStr": plain(amount)}]
        body = {"adjustType": int(is_taken), "utaDemoApplyMoney": money}
        await self._caller.done(APPLY_DEMO_MONEY, body)

    def _reasons(self, result: bytes) -> str:
        try:
            found = self._caller.reader.row(MarginModeAnswer, result, SET_MARGIN_MODE.path)
        except ParseError:
            return ""
        return "; ".join(f"{one.code} {one.text}".strip() for one in found.reasons)
