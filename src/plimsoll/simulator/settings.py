"""What can be chosen about a simulated exchange; every value has a default."""

from typing import Final

import msgspec

EXTRA_MOST: Final = 999
DEFAULT_BALANCES: Final = {"USDT": "100000", "BTC": "1", "ETH": "10"}


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account and its API key. ``balances`` are coin to decimal text at the start."""

    key: str = "sim-key"
    secret: str = "sim-secret"  # noqa: S105 - opens an account with invented money
    uid: int = 1001
    balances: dict[str, str] = msgspec.field(default_factory=lambda: dict(DEFAULT_BALANCES))
    read_only: bool = False
    expired: bool = False
    """Answer everything signed by this key with 33004."""


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
    lose_ack: float = 0.0
    """Probability that an order is created and its answer never sent."""
    drop_connections_every_s: float = 0.0
    """Mean time between drops of one socket, chosen by the seed; 0 = never."""
    queue: bool = True
    """Resting orders join behind the displayed quantity."""
    price_limit_linear: tuple[str, str] = ("0.01", "0.02")
    """Ratios X and Y of the venue's price limit formula (Bybit v5 docs, price-limit)."""
    price_limit_spot: tuple[str, str] = ("0.005", "0.01")

    def __post_init__(self) -> None:
        """Refuse values no run can have.

        Raises:
            ValueError: naming the setting, what was found and what is allowed.
        """
        for name, value, allowed in (
            ("market", self.market, ("prices", "calibrated", "arrivals")),
            ("push_periods", self.push_periods, ("venue", "none")),
            ("limits", self.limits, ("venue", "off")),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, found {value!r}")
        if self.market == "arrivals" and not self.data:
            raise ValueError("market 'arrivals' needs data: the path of a recording")
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port must be from 0 (any free one) to 65535, found {self.port}")
        if not 0 <= self.extra_symbols <= EXTRA_MOST:
            raise ValueError(
                f"extra_symbols must be from 0 to {EXTRA_MOST}, found {self.extra_symbols}"
            )
        if not self.burst > 0:
            raise ValueError(f"burst must be above 0, found {self.burst}")
        for begin, length, factor in self.bursts:
            if begin < 0 or length <= 0 or factor <= 0:
                raise ValueError(
                    "bursts are (seconds after the start, seconds long, factor): not negative, "
                    f"then above 0, found {(begin, length, factor)}"
                )
        if not self.speed > 0:
            raise ValueError(f"speed must be above 0, found {self.speed}")
        if not 0 <= self.lose_ack <= 1:
            raise ValueError(f"lose_ack is a probability from 0 to 1, found {self.lose_ack}")
        if len({account.key for account in self.accounts}) != len(self.accounts):
            raise ValueError("accounts: each needs a key of its own")
