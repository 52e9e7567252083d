"""What can be chosen about a simulated exchange; every value has a default."""

from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

DEFAULT_BALANCES: Final = {"USDT": "100000", "BTC": "1", "ETH": "10"}


DEFAULT_PERMISSIONS: Final = {
    "ContractTrade": ("Order", "Position"),
    "Spot": ("SpotTrade",),
    "Derivatives": ("DerivativesTrade",),
}


def _check_word(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, found {value!r}")


def _check_number(name: str, text: str, low: Decimal | int, high: Decimal | int) -> None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not (value.is_finite() and low <= value <= high):
        raise ValueError(f"{name} must be a number from {low} to {high}, found {text!r}")


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account and its API key. ``balances`` are coin to decimal text at the start."""

    key: str = "sim-key"
    secret: str = "sim-secret"  # noqa: S105 - opens an account with invented money
    uid: int = 1001
    balances: dict[str, str] = msgspec.field(default_factory=lambda: dict(DEFAULT_BALANCES))
    read_only: bool = False
    expired: bool = False
    """Answer everything signed by this key with 33004."""
    revoked: bool = False
    """Answer everything signed by this key with 10003."""
    expires_ms: int = 0
    """Unix ms from which the key is expired; 0 = never."""
    deadline_day: int = 90
    """What ``query-api`` says about a key that is bound to no address and has no ``expires_ms``."""
    permissions: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: dict(DEFAULT_PERMISSIONS)
    )
    ips: tuple[str, ...] = ("*",)
    """Addresses the key works from; "*" = any. Others are answered with 10010."""
    account_type: str = "unified"
    """"unified" or "classic"; a classic account can only be asked what it is."""
    margin_mode: str = "REGULAR_MARGIN"
    """"REGULAR_MARGIN" (cross), "ISOLATED_MARGIN" or "PORTFOLIO_MARGIN" (counted like cross)."""
    position_mode: str = "one-way"
    """"one-way" or "hedge"; a hedge account shows two rows a symbol and cannot trade linear."""
    fees: dict[str, tuple[str, str]] = {}
    """Taker and maker rate by category instead of the instrument's own; a rebate is negative."""

    def __post_init__(self) -> None:
        """Refuse values no account can have.

        Raises:
            ValueError: naming the setting, what was found and what is allowed.
        """
        modes = ("REGULAR_MARGIN", "ISOLATED_MARGIN", "PORTFOLIO_MARGIN")
        for name, value, allowed in (
            ("account_type", self.account_type, ("unified", "classic")),
            ("margin_mode", self.margin_mode, modes),
            ("position_mode", self.position_mode, ("one-way", "hedge")),
        ):
            _check_word(name, value, allowed)
        for category, rates in self.fees.items():
            _check_word("fees", category, ("linear", "spot"))
            for rate in rates:
                _check_number(f"fees of {category}", rate, -1, 1)
        for coin, amount in self.balances.items():
            _check_number(f"balance of {coin}", amount, 0, 10**15)


class SimSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one run; see ``docs/reference/simulator.md``."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any free port; the bound one is reported."""
    seed: int = 1
    market: str = "prices"
    """"prices" (bars, from a file or generated) or "arrivals" (a recorded book replayed)."""
    data: str = ""
    """Bar file or recording; "" generates bars."""
    instrument: str = "linear:BTCUSDT"
    """The instrument that follows ``data``; the others are generated."""
    speed: float = 1.0
    """Multiplies the market's path only; stamps stay wall time."""
    history_bars: int = 240
    """Bars served as the past by the kline endpoint."""
    limits: str = "venue"
    """"venue" counts requests as the venue does, "off" does not."""
    accounts: tuple[AccountSettings, ...] = (AccountSettings(),)
    directory: str = ""
    """Where ``sim.json`` and ``record.jsonl`` go; "" writes no ``sim.json``."""
    record: str = ""
    """Path of the record; "" means ``directory``/record.jsonl, or memory only without one."""
    ack_delay_ms: float = 0.0
    stream_delay_ms: float = 1.0
    lose_ack: float = 0.0
    """Probability that an order is created and its answer never sent."""
    drop_connections_every_s: float = 0.0
    """Mean time between drops of one socket, chosen by the seed; 0 = never."""
    queue: bool = True
    """Resting orders join behind the displayed quantity."""
    price_limit_linear: tuple[str, str] = ("0.01", "0.02")
    """Ratios X and Y of the venue's price limit formula (Bybit v5 docs, price-limit)."""
    price_limit_spot: tuple[str, str] = ("0.005", "0.01")
    funding_interval_min: dict[str, float] = {}
    """Minutes between funding payments by instrument; 480 where it is not named."""
    funding_rates: dict[str, str] = {}
    """A fixed rate by instrument instead of the computed one."""
    session_interval_min: float = 480
    """Minutes between session settlements of USDC perpetuals."""
    collateral_ratios: dict[str, str] = {}
    """Share of a coin that counts as margin, where it is not the usual one."""
    insurance_fund: str = "1000000"
    """What the fund holds of each settle coin; what it cannot pay, winners do (ADL)."""
    liquidation_step: str = "0.25"
    """Share of a position in the lowest risk tier that one step of a liquidation closes."""

    def __post_init__(self) -> None:
        """Refuse values no run can have.

        Raises:
            ValueError: naming the setting, what was found and what is allowed.
        """
        for name, value, allowed in (
            ("market", self.market, ("prices", "arrivals")),
            ("limits", self.limits, ("venue", "off")),
        ):
            _check_word(name, value, allowed)
        if self.market == "arrivals" and not self.data:
            raise ValueError("market 'arrivals' needs data: the path of a recording")
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port must be from 0 (any free one) to 65535, found {self.port}")
        if not self.speed > 0:
            raise ValueError(f"speed must be above 0, found {self.speed}")
        if not 0 <= self.lose_ack <= 1:
            raise ValueError(f"lose_ack is a probability from 0 to 1, found {self.lose_ack}")
        for name, minutes in (
            *self.funding_interval_min.items(),
            ("session_interval_min", self.session_interval_min),
        ):
            if not minutes >= 1 / 60:
                raise ValueError(f"{name}: an interval is a second or longer, found {minutes} min")
        for name, rate in self.funding_rates.items():
            _check_number(f"funding_rates of {name}", rate, -1, 1)
        for coin, ratio in self.collateral_ratios.items():
            _check_number(f"collateral_ratios of {coin}", ratio, 0, 1)
        _check_number("liquidation_step", self.liquidation_step, Decimal("0.001"), 1)
        _check_number("insurance_fund", self.insurance_fund, 0, 10**15)
        if len({account.uid for account in self.accounts}) != len(self.accounts):
            raise ValueError("accounts: each needs a uid of its own")
        if len({account.key for account in self.accounts}) != len(self.accounts):
            raise ValueError("accounts: each needs a key of its own")
