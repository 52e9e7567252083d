"""What can be chosen about a simulated exchange; every value has a default."""

from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from plimsoll.simulator.keys import check_public_key

EXTRA_MOST: Final = 999
_NOT_NEGATIVE: Final = (
    *("match_delay_ms", "cancel_delay_ms", "visibility_delay_ms", "history_delay_ms"),
    *("chaos_s", "ban_s", "socket_check_s", "drop_connections_every_s", "trade_sessions"),
)
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
    dcp: bool = False
    """The account may set disconnection protection."""
    public_key: str = ""
    """PEM text of an RSA public key, instead of the secret."""
    vip: int = 0
    """VIP level, for the limits of order operations."""

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
        if self.public_key:
            check_public_key(self.public_key)
        if self.vip < 0:
            raise ValueError(f"vip must be 0 or more, found {self.vip}")


class SimSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one run; see ``docs/reference/simulator.md``."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes any free port; the bound one is reported."""
    seed: int = 1
    market: str = "prices"
    """"prices" (bars, from a file or generated), "calibrated" (order flow as measured on
    recordings) or "arrivals" (a recorded book replayed)."""
    data: str = ""
    """Bar file or recording; "" generates bars."""
    instrument: str = "linear:BTCUSDT"
    """The instrument that follows ``data``; the others are generated."""
    speed: float = 1.0
    """Multiplies the market's path only; stamps stay wall time."""
    burst: float = 1.0
    """Multiplies the arrivals of the calibrated market."""
    bursts: tuple[tuple[float, float, float], ...] = ()
    """Planned bursts of the calibrated market: (seconds after the start, seconds long, factor)."""
    extra_symbols: int = 0
    """Further linear perpetuals SYM001USDT, SYM002USDT, ...: they move while watched."""
    push_periods: str = "venue"
    """"venue" gathers changes for 10 to 200 ms by depth; "none" makes each a frame of its own."""
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
    match_delay_ms: float = 0.0
    """Between the answer to a create or amend and its effect; later ones of an order queue up."""
    cancel_delay_ms: float = 0.0
    """Between the answer to a cancel and its effect."""
    visibility_delay_ms: float = 0.0
    """How long after its acceptance an order is missing from the answers to REST questions."""
    history_delay_ms: float = 0.0
    """How long closed orders and executions are missing from their histories."""
    lose_ack: float = 0.0
    """Short for the fault ``lose_ack`` with this rate, on creates."""
    drop_connections_every_s: float = 0.0
    """Short for the fault ``cut`` with this ``every_s``; 0 = never."""
    scenario: str = ""
    """Path of a scenario: faults at times, TOML or JSON."""
    faults: str = "asked"
    """"asked" or "drawn": the seed adds faults of its own for ``chaos_s``, then calm."""
    chaos_s: float = 60.0
    ban_s: float = 600.0
    """How long an address is banned that asked too often."""
    socket_check_s: float = 30.0
    """How often private and trade sockets are looked at for idleness."""
    trade_sessions: int = 100
    """Trade sockets one uid may have; the venue documents the refusal without a number."""
    fresh: bool = False
    """Ignore what an earlier run left in ``directory``."""
    queue: float = 1.0
    """Part of the displayed quantity that resting orders join behind; 0 = in front of it."""
    leaving_queue: bool = False
    """Who cancels stands anywhere in the queue, not only behind clients: they move up."""
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
        self._check_words()
        self._check_numbers()
        self._check_money()
        for begin, length, factor in self.bursts:
            if begin < 0 or length <= 0 or factor <= 0:
                raise ValueError(
                    "bursts are (seconds after the start, seconds long, factor): not negative, "
                    f"then above 0, found {(begin, length, factor)}"
                )
        if len({account.uid for account in self.accounts}) != len(self.accounts):
            raise ValueError("accounts: each needs a uid of its own")
        if len({account.key for account in self.accounts}) != len(self.accounts):
            raise ValueError("accounts: each needs a key of its own")

    def _check_words(self) -> None:
        for name, value, allowed in (
            ("market", self.market, ("prices", "calibrated", "arrivals")),
            ("push_periods", self.push_periods, ("venue", "none")),
            ("limits", self.limits, ("venue", "off")),
            ("faults", self.faults, ("asked", "drawn")),
        ):
            _check_word(name, value, allowed)
        if self.market == "arrivals" and not self.data:
            raise ValueError("market 'arrivals' needs data: the path of a recording")

    def _check_numbers(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port must be from 0 (any free one) to 65535, found {self.port}")
        if not 0 <= self.extra_symbols <= EXTRA_MOST:
            raise ValueError(
                f"extra_symbols must be from 0 to {EXTRA_MOST}, found {self.extra_symbols}"
            )
        if not 0 <= self.lose_ack <= 1:
            raise ValueError(f"lose_ack is a probability from 0 to 1, found {self.lose_ack}")
        if not 0 <= self.queue <= 1:
            raise ValueError(f"queue is a share from 0 to 1, found {self.queue}")
        for name in ("speed", "burst"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, found {getattr(self, name)}")
        for name in _NOT_NEGATIVE:
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must not be negative, found {getattr(self, name)}")

    def _check_money(self) -> None:
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
