"""The settings the core runs with: recorded as an input, so that a replay needs only the log.

Money is cash units (1e-8 of the quote coin), fractions are parts per million.
"""

from typing import Final

import msgspec

from plimsoll.core.model import Mode, strategy_of

NO_LIMIT: Final = 1 << 62
"""Nothing is narrower here than one level above: an instance's or instrument's limit left out, and
those of the account that the venue holds anyway."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Pre-trade limits (RSK-4). A limit left out is zero: nothing passes it.

    The last four stand beside what the venue itself refuses: left out, they narrow nothing.
    """

    price_distance_ppm: int = 0
    """Largest distance of an order's price from the reference price, against us."""
    order_notional: int = 0
    orders_per_second: int = 0
    orders_per_day: int = 0
    open_orders: int = 0
    position_notional: int = 0
    """Worst-case value of one instrument, everything in flight counted."""
    exposure: int = 0
    """Worst-case value over all instruments."""
    daily_loss: int = 0
    drawdown_ppm: int = 0
    leverage_ppm: int = 0
    """Worst-case exposure over equity, 1_000_000 = once."""
    order_units: int = NO_LIMIT
    """Quantity of one order in cash units of the base coin; of an instrument only."""
    net_exposure: int = NO_LIMIT
    """Worst-case value of longs less shorts over all instruments, either way round."""
    margin_ppm: int = NO_LIMIT
    """The account's initial margin rate from which on no risk is added."""
    free_balance: int = -1
    """What must stay free after an order, in USD or the quote coin on spot; -1 = not looked at."""


class BreakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When the circuit breakers take effect (trading.md 8); the losses are ``Limits``."""

    off: tuple[str, ...] = ()
    """Names of breakers that never trip."""
    losing_streak: int = 10
    """Round trips lost in a row."""
    reject_ppm: int = 200_000
    reject_least: int = 20
    """Requests of the window before their rate says something; the window has 50."""
    slippage_ppm: int = 1_000
    """Mean cost of the newest 20 fills of market orders against the price at the decision."""
    volatility_ppm: int = 10_000_000
    """A move in a minute, in multiples of the instrument's usual one ..."""
    volatility_floor_ppm: int = 10_000
    """... and never below this part of the price."""
    spread_ppm: int = 10_000_000
    spread_floor_ppm: int = 2_000
    stale_ns: int = 10_000_000_000
    """A market that was LIVE and is not, for this long."""
    error_ppm: int = 500_000
    error_least: int = 10
    """Requests of one group in a minute before their rate says something."""
    unknown_orders: int = 3
    rate_closures: int = 3
    """Times a minute the venue may say "too many requests"."""
    margin_entries_ppm: int = 500_000
    margin_cancel_ppm: int = 700_000
    margin_reduce_ppm: int = 850_000
    cool_down_ns: int = 1_800_000_000_000
    cool_downs: int = 2
    """Cool-downs a UTC day; after one more a person re-arms."""
    calm_ns: int = 300_000_000_000
    clean_ns: int = 60_000_000_000


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy instance."""

    name: str
    source: str
    """Where the class is: ``package.module:Class`` or ``path/to/file.py:Class``."""
    source_hash: str = ""
    """SHA-256 of the strategy's file when the session started."""
    instruments: tuple[str, ...] = ()
    mode: Mode = Mode.PAPER
    capital: int = 0
    live_capital: int = 0
    """What its live instance may think it has, 0 = ``capital``."""
    demotion: str = "run_off"
    """What becomes of its live book when its stage is taken from it: a policy of a switch."""
    params: dict[str, str | int | float | bool | list[str | int | float | bool]] = {}
    frames: dict[str, str] = {}
    """Time frames made in the place of declared ones: ``{"1s": "1m"}`` gives it minutes."""
    limits: Limits | None = None
    """Limits of this instance, measured on what is its own; None = only the account's."""


class BarRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a market is made of bars alone, for paper orders in a backtest (trading.md 6)."""

    span_ns: int = 60_000_000_000
    """Length of the bars."""
    half_spread_ppm: int = 50
    """From the price of the bar to the best price of each side."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long the core waits for what. Nanoseconds; defaults are the product's."""

    answer_ns: int = 5_000_000_000
    """A request unanswered for this long is UNKNOWN."""
    confirm_ns: int = 3_000_000_000
    """An accepted order the stream has not confirmed is asked for after this."""
    recv_window_ms: int = 2_000
    absence_margin_ms: int = 11_000
    """After the receive window: 1 s for the venue's future side and 10 s for late listings."""
    absence_gap_ns: int = 1_000_000_000
    """Least time between two of the three empty queries."""
    sweep_ns: int = 15_000_000_000
    """Period of the comparison of orders, executions, positions and wallet with the venue."""
    cash_ns: int = 3_600_000_000_000
    """Period of reading the transaction log; a wallet that differs has it read at once."""
    beat_ns: int = 250_000_000
    """Period of the core's own look at timeouts, losses and silence."""
    checkpoint_ns: int = 60_000_000_000
    bar_grace_ns: int = 250_000_000
    silent_ns: int = 3_500_000_000
    """No silence of a stream below this is too long; above it, what its own gaps teach (MKT-2)."""
    silent_cap_ns: int = 15_000_000_000
    """Least silence of book or ticker that is too long even where nothing else moves."""
    late_ms: int = 2_000
    """A stream whose newest event is older than this by the venue's clock is SUSPECT."""
    doubt_ns: int = 10_000_000_000
    """A market that is not LIVE for this long is an incident (MKT-3)."""
    lag_ms: int = 250
    """Book events older than this, beyond the clock's uncertainty, mean that we lag (MKT-5)."""
    coalesce_ns: int = 100_000_000
    """While we lag, strategies hear the book of an instrument at most this often."""
    paper_latency_ns: int = 10_000_000
    paper_queue_ppm: int = 1_000_000
    """Part of the displayed quantity a resting paper order joins behind."""
    funding_lag_ns: int = 60_000_000_000
    """Paper asks for a funding nobody here heard of so long after it, and again after as long; 0 =
    nobody can be asked, and nothing is owed."""
    stop_ns: int = 8_000_000_000
    """A stop waits this long for orders to end before it reports what is still working: longer than
    an answer is waited for, so that a cancel nobody answers is asked about and sent again."""
    overlap_ms: int = 60_000
    """Executions are fetched from this long before the cursor: pages may lag."""


class CoreSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what the core does."""

    account: str
    tag: str
    strategies: tuple[StrategySettings, ...] = ()
    limits: Limits = Limits()
    timing: Timing = Timing()
    max_slippage_ppm: int = 2_000
    """Band of a market order around the arrival price."""
    collar_ppm: int = 10_000
    """Orders are valued at the worse of their price and the reference price with this on top."""
    repeat_max: int = 200
    """A strategy whose requests were denied this often within ``repeat_ns`` is stopped (RSK-8)."""
    same_action_max: int = 200
    """And so is one that placed or amended exactly the same more often than this in that time."""
    repeat_ns: int = 60_000_000_000
    venue_orders_per_second: int = 10
    """What one group of requests (creates, amends, cancels of a category) is assumed to take until
    the venue's first answer says it (X11)."""
    strays: str = "cancel"
    """Orders under our tag that should not live (never known, or shown absent): ``cancel`` those
    that can add risk, or ``keep`` them. Both are told and block."""
    unusual: str = "tell"
    """What follows from unusual activity of an instance: ``tell``, or ``pause`` it as well."""
    end_policy: str = "cancel"
    """At a stop: ``cancel`` orders that can add risk, ``keep`` them, or ``flatten`` as well."""
    dedicated: bool = False
    """The account is nobody else's: a halt may reach foreign orders and positions (RSK-10)."""
    clock_max_uncertainty_ns: int = 500_000_000
    """No new risk while the venue's time is known less exactly than this (RSK-14)."""
    seed: int = 1
    first_start: str = "observe"
    """What becomes of a foreign position at the first start: ``observe`` until a person decides, or
    ``adopt_foreign``: counted, and traded beside."""
    wallet_difference_ppm: int = 1_000
    """An unexplained wallet difference above this part of equity stops new risk (ACC-7) ..."""
    wallet_patience_ns: int = 300_000_000_000
    """... after this long."""
    gap_price_ppm: int = 200
    """How far live fills may be from what paper would have given, in parts of the price ..."""
    gap_filled_ppm: int = 100_000
    """... and the share of orders filled, for paper results to be believed."""
    cash_slack_units: int = 0
    """What one booked change may differ from the venue's by rounding, in cash units (ACC-4)."""
    instrument_limits: dict[str, Limits] = {}
    """Limits of single instruments, all instances together."""
    breakers: BreakerSettings = BreakerSettings()
    by_bars: BarRules | None = None
    """Markets are known by bars alone: a backtest. None = by books, prints and tickers."""
    venue_leverage_ppm: int = 0
    """What the account's contracts are set to, for what an order needs; 0 = not told: once."""


def with_code(settings: CoreSettings, strategy: str, source_hash: str) -> CoreSettings:
    """Return the settings with a strategy's code replaced, in each of its books."""
    strategies = tuple(
        msgspec.structs.replace(one, source_hash=source_hash)
        if strategy_of(one.name) == strategy
        else one
        for one in settings.strategies
    )
    return msgspec.structs.replace(settings, strategies=strategies)


def to_text(settings: CoreSettings) -> str:
    """Return the settings as the JSON text of a ``Configured`` record."""
    return msgspec.json.encode(settings).decode()


def from_text(text: str) -> CoreSettings:
    """Return the settings of a ``Configured`` record.

    Raises:
        msgspec.ValidationError: written by another build with other fields.
    """
    return msgspec.json.decode(text, type=CoreSettings)
