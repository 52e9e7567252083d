"""Balances, modes, fees, rights (Bybit v5 docs, account, user and asset pages)."""

from decimal import Decimal

import msgspec

from plimsoll.venues.bybit.api.words import AccountKind, MarginMode, Side, TransactionKind


class CoinBalance(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One coin of a wallet; margins are None in portfolio margin."""

    coin: str
    wallet_balance: Decimal
    equity: Decimal | None = None
    usd_value: Decimal | None = None
    locked: Decimal | None = None
    """Held by open spot orders."""

    order_margin: Decimal | None = msgspec.field(default=None, name="totalOrderIM")
    position_margin: Decimal | None = msgspec.field(default=None, name="totalPositionIM")
    maintenance_margin: Decimal | None = msgspec.field(default=None, name="totalPositionMM")
    unrealised_pnl: Decimal | None = None
    cum_realised_pnl: Decimal | None = None
    borrowed: Decimal | None = msgspec.field(default=None, name="borrowAmount")
    spot_borrow: Decimal | None = None
    accrued_interest: Decimal | None = None
    bonus: Decimal | None = None
    spot_hedging_qty: Decimal | None = None
    is_collateral: bool | None = msgspec.field(default=None, name="marginCollateral")
    """Taken as collateral by the venue."""

    is_collateral_on: bool | None = msgspec.field(default=None, name="collateralSwitch")
    """Offered as collateral by the user."""

    collateral_result: Decimal | None = msgspec.field(default=None, name="colRes")
    available_to_withdraw: Decimal | None = None
    available_to_borrow: Decimal | None = None


class Wallet(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An account's totals in USD and its coins; pushed, only coins that changed."""

    account_type: AccountKind = "UNIFIED"
    coins: tuple[CoinBalance, ...] = msgspec.field(name="coin")
    total_equity: Decimal | None = None
    total_wallet_balance: Decimal | None = None
    total_margin_balance: Decimal | None = None
    total_available_balance: Decimal | None = None
    total_unrealised: Decimal | None = msgspec.field(default=None, name="totalPerpUPL")
    total_initial_margin: Decimal | None = None
    total_maintenance_margin: Decimal | None = None
    initial_rate: Decimal | None = msgspec.field(default=None, name="accountIMRate")
    maintenance_rate: Decimal | None = msgspec.field(default=None, name="accountMMRate")

    def coin(self, name: str) -> CoinBalance | None:
        """Return the balance of a coin."""
        return next((one for one in self.coins if one.coin == name), None)


class AccountInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Modes of an account."""

    margin_mode: MarginMode
    unified_status: int = msgspec.field(name="unifiedMarginStatus")
    """3 and 4: unified 1.0, 5 and 6: unified 2.0."""

    is_master_trader: bool = False
    spot_hedging: str = msgspec.field(default="", name="spotHedgingStatus")
    updated_ms: int = msgspec.field(default=0, name="updatedTime")


class FeeRate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Fees of this account; a negative maker's rate is a rebate."""

    symbol: str
    taker: Decimal = msgspec.field(name="takerFeeRate")
    maker: Decimal = msgspec.field(name="makerFeeRate")
    base: str = msgspec.field(default="", name="baseCoin")


class Transaction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A movement of one coin: ``change`` = ``cash_flow`` + ``funding`` - ``fee``.

    ``funding`` is positive where it was received: the opposite of an execution's fee.
    """

    id: str = ""
    kind: TransactionKind = msgspec.field(name="type")
    sub_kind: str = msgspec.field(default="", name="transSubType")
    category: str = ""
    symbol: str = ""
    side: Side = ""
    currency: str
    booked_ms: int = msgspec.field(name="transactionTime")
    qty: Decimal | None = None
    size: Decimal | None = None
    price: Decimal | None = msgspec.field(default=None, name="tradePrice")
    funding: Decimal | None = None
    fee: Decimal | None = None
    fee_rate: Decimal | None = None
    cash_flow: Decimal | None = None
    change: Decimal | None = None
    cash_balance: Decimal | None = None
    bonus_change: Decimal | None = None
    execution_id: str = msgspec.field(default="", name="tradeId")
    venue_order_id: str = msgspec.field(default="", name="orderId")
    client_order_id: str = msgspec.field(default="", name="orderLinkId")
    extra_fees: str = ""


class DcpProduct(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Disconnect protection of one product."""

    product: str
    status: str = msgspec.field(name="dcpStatus")
    window_s: int = msgspec.field(default=0, name="timeWindow")


class DcpInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Disconnect protection; empty where the venue has not opened it for the account."""

    products: tuple[DcpProduct, ...] = msgspec.field(default=(), name="dcpInfos")


class SmpGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Group of accounts whose orders do not match each other; 0 is none."""

    group: int = msgspec.field(default=0, name="smpGroup")


class Collateral(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A coin as collateral, and what of it may be borrowed."""

    coin: str = msgspec.field(name="currency")
    hourly_borrow_rate: Decimal | None = None
    max_borrow: Decimal | None = msgspec.field(default=None, name="maxBorrowingAmount")
    free_borrow_limit: Decimal | None = msgspec.field(default=None, name="freeBorrowingLimit")
    free_borrow: Decimal | None = msgspec.field(default=None, name="freeBorrowAmount")
    borrowed: Decimal | None = msgspec.field(default=None, name="borrowAmount")
    other_borrowed: Decimal | None = msgspec.field(default=None, name="otherBorrowAmount")
    available_to_borrow: Decimal | None = None
    borrow_usage_rate: Decimal | None = None
    ratio: Decimal | None = msgspec.field(default=None, name="collateralRatio")
    borrowable: bool = False
    is_collateral: bool = msgspec.field(default=False, name="marginCollateral")
    is_collateral_on: bool = msgspec.field(default=False, name="collateralSwitch")


class UserSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Switches of an account.

    ``adjusts_spot`` and ``adjusts_linear`` tell whether a price beyond the limit is moved to it
    (true) or refused.
    """

    adjusts_spot: bool | None = msgspec.field(default=None, name="lpaSpot")
    adjusts_linear: bool | None = msgspec.field(default=None, name="lpaPerp")
    is_delta_on: bool | None = msgspec.field(default=None, name="deltaEnable")
    pays_spot_fees_in_mnt: bool | None = msgspec.field(default=None, name="smsef")
    pays_contract_fees_in_mnt: bool | None = msgspec.field(default=None, name="fmsef")


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a mode could not be set."""

    code: str = msgspec.field(default="", name="reasonCode")
    text: str = msgspec.field(default="", name="reasonMsg")


class MarginModeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a change of margin mode; reasons where it was refused."""

    reasons: tuple[Reason, ...] = ()


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a key may do, and until when."""

    id: str = ""
    note: str = ""
    api_key: str = ""
    read_only: bool = False
    permissions: dict[str, tuple[str, ...]] = {}
    addresses: tuple[str, ...] = msgspec.field(default=(), name="ips")
    """``*`` where it is bound to none."""

    kind: int = msgspec.field(default=0, name="type")
    """1 personal, 2 of a third party."""

    days_left: int | None = msgspec.field(default=None, name="deadlineDay")
    expires_at: str = msgspec.field(default="", name="expiredAt")
    created_at: str = ""
    is_unified: bool = msgspec.field(default=False, name="uta")
    user_id: str = msgspec.field(default="", name="userID")
    parent_uid: str = ""
    is_master: bool = False
    vip_level: str = ""
    maker_level: str = msgspec.field(default="", name="mktMakerLevel")
    rsa_public_key: str = ""
    kyc_level: str = ""
    kyc_region: str = ""


class Chain(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A coin on one chain."""

    chain: str
    chain_type: str = ""
    confirmation: int | None = None
    min_accuracy: int | None = None
    withdraw_fee: Decimal | None = None
    deposit_min: Decimal | None = None
    withdraw_min: Decimal | None = None
    takes_deposits: bool = msgspec.field(default=False, name="chainDeposit")
    gives_withdrawals: bool = msgspec.field(default=False, name="chainWithdraw")


class CoinInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A coin and its chains."""

    coin: str
    name: str = ""
    remain_amount: Decimal | None = None
    chains: tuple[Chain, ...] = ()


class CoinList(msgspec.Struct, frozen=True, kw_only=True):
    """The coins asked for."""

    rows: tuple[CoinInfo, ...] = ()
