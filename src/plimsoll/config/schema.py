"""The keys of a configuration, their types and defaults. Unknown keys are refused everywhere."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from plimsoll.config import units
from plimsoll.config.books import ACCOUNT_NAME, ACCOUNT_WORDS, DEFAULT_ACCOUNT, DEFAULT_VENUE
from plimsoll.core.model import OUTSIDE, Mode, cash_text, check_tag
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, Timing

_RESERVED: Final = OUTSIDE | {"account"}
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,31}")
_INSTRUMENT: Final = re.compile(r"(linear|spot):[A-Z0-9]{2,30}")
_SOURCE: Final = re.compile(r"([^:]+\.py|[A-Za-z_][\w.]*):[A-Za-z_]\w*")
_TIMING: Final = Timing()
_CORE: Final = CoreSettings(account="", tag="")
_BREAKERS: Final = BreakerSettings()


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or text in _RESERVED:
        raise ValueError("1 to 32 letters, digits, dashes or underscores, a letter first")
    return text


def _account(text: str) -> str:
    if not ACCOUNT_NAME.fullmatch(text):
        raise ValueError(ACCOUNT_WORDS)
    return text


def _tag(text: str) -> str:
    try:
        return check_tag(text)
    except ValueError:
        raise ValueError("1 to 8 letters or digits, a letter first") from None


def _instrument(text: str) -> str:
    if not _INSTRUMENT.fullmatch(text):
        raise ValueError('an instrument such as "linear:BTCUSDT" or "spot:BTCUSDT"')
    return text


def _source(text: str) -> str:
    if not _SOURCE.fullmatch(text):
        raise ValueError('a class such as "strategies/ema.py:EmaCross" or "package.module:Class"')
    return text


def _reference(text: str) -> str:
    scheme, _, target = text.partition(":")
    if text and (scheme not in ("file", "env") or not target):
        raise ValueError('a reference, "file:PATH" or "env:NAME"; the key itself never stands here')
    return text


def _breaker(text: str) -> str:
    if text not in BREAKERS:
        raise ValueError(f"one of {', '.join(BREAKERS)}")
    return text


def _proxy(text: str) -> str:
    scheme, _, place = text.partition("://")
    if text and (scheme not in ("http", "https") or not place):
        raise ValueError('an address such as "http://10.0.0.1:3128"')
    return text


def _dcp(window_ns: int) -> int:
    seconds, rest = divmod(window_ns, 10**9)
    if window_ns and (rest or not 3 <= seconds <= 300):
        raise ValueError("whole seconds from 3 s to 300 s")
    return window_ns


Duration = Annotated[int, BeforeValidator(units.duration_ns)]
Fraction = Annotated[int, BeforeValidator(units.fraction_ppm)]
Multiple = Annotated[int, BeforeValidator(units.multiple_ppm)]
Cash = Annotated[int, BeforeValidator(units.cash)]
Quantity = Annotated[int, BeforeValidator(units.quantity)]
Bytes = Annotated[int, BeforeValidator(units.byte_count)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Reference = Annotated[str, AfterValidator(_reference)]


class Section(BaseModel):
    """A table of the file: its keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Venue(Section):
    """``[venue]``: where orders go."""

    kind: Literal["bybit"] = Field(default="bybit", description="The venue.")
    environment: Literal["mainnet", "demo", "testnet", "simulator"] = Field(
        default=DEFAULT_VENUE, description="Which of the venue's environments."
    )
    region: str = Field(default="global", description="Regional site of a mainnet account.")
    url: str = Field(
        default="",
        description="Simulator only: `host:port` on this machine, or the path of the `sim.json` it "
        "wrote. Empty: `var/sim/sim.json`.",
    )
    proxy: Annotated[str, AfterValidator(_proxy)] = Field(
        default="",
        description="HTTP proxy the venue is asked through, by REST and by sockets, such as "
        "`http://10.0.0.1:3128`.",
    )
    redundant: tuple[Literal["orderbook", "publicTrade", "tickers", "kline"], ...] = Field(
        default=(),
        description="Public streams carried by two connections at once, so that the loss of one "
        "is not felt: any of `orderbook`, `publicTrade`, `tickers`, `kline`.",
        examples=[["orderbook"]],
    )


class Account(Section):
    """``[account]``: whose orders they are. One engine serves one account."""

    name: Annotated[str, AfterValidator(_account)] = Field(
        default=DEFAULT_ACCOUNT, description="Name of the account; its logs and its lease carry it."
    )
    tag: Annotated[str, AfterValidator(_tag)] = Field(
        description="Begins every client order id: 1 to 8 letters or digits. Never change it while "
        "orders are open."
    )
    key: Reference = Field(default="", description="API key, as `file:PATH` or `env:NAME`.")
    secret: Reference = Field(
        default="", description="API secret, as `file:PATH` (mode 600) or `env:NAME`."
    )
    dedicated: bool = Field(
        default=False, description="Nothing else trades on the account: every order in it is ours."
    )
    first_start: Literal["observe", "adopt_foreign"] = Field(
        default="observe",
        description="A position that is there before the first start is foreign. `observe`: live "
        "instances take no new risk on its instrument until `plimsoll adopt` decides; "
        "`adopt_foreign`: they trade beside it.",
    )
    margin_mode: Literal["keep", "cross", "isolated"] = Field(
        default="keep", description="What `plimsoll account setup` sets; the engine takes either."
    )
    dcp: Annotated[int, BeforeValidator(units.duration_ns), AfterValidator(_dcp)] = Field(
        default=0,
        description="Window of the venue's disconnect protection, 3 s to 300 s; it cancels "
        "everything, protection too, when the engine's connection is gone for so long. 0: off. "
        "Only where the venue has opened it for the account.",
        examples=["10 s"],
    )
    leverage: Multiple = Field(
        default=0,
        description="What `plimsoll account setup` sets for each contract; 0 leaves it. It bounds "
        "nothing: `limits.leverage` does.",
        examples=[3],
    )


class Journal(Section):
    """``[journal]``: how the logs are kept."""

    sync: Literal["kernel", "disk"] = Field(
        default="kernel",
        description="`kernel` survives kill -9, the disk follows within 5 ms; `disk` waits for the "
        "disk before each send.",
    )
    market_keep: Bytes = Field(
        default=10_000_000_000,
        description="Market data kept, compressed, the oldest dropped first.",
        examples=["10 GB"],
    )
    market_keep_time: Duration = Field(
        default=48 * 3_600_000_000_000,
        description="Market data older than this is dropped, however little there is.",
        examples=["48 h"],
    )


class LimitKeys(Section):
    """``[limits]``: pre-trade limits (RSK-4). One left out is zero: nothing passes it."""

    price_distance: Fraction = Field(
        default=0,
        description="Worst distance of an order's price from the reference.",
        examples=["2 %"],
    )
    order_notional: Cash = Field(
        default=0, description="Value of one order.", examples=["500 USDT"]
    )
    orders_per_second: Count = Field(default=0, description="Creates and amends in any second.")
    orders_per_day: Count = Field(
        default=0, description="Creates and amends between two 00:00 UTC."
    )
    open_orders: Count = Field(default=0, description="Orders working at the same time.")
    position_notional: Cash = Field(
        default=0,
        description="Worst-case value of one instrument, everything in flight counted.",
        examples=["2_000 USDT"],
    )
    exposure: Cash = Field(
        default=0, description="Worst-case value over all instruments.", examples=["5_000 USDT"]
    )
    daily_loss: Cash = Field(
        default=0,
        description="Loss since 00:00 UTC after which no risk is added.",
        examples=["100 USDT"],
    )
    drawdown: Fraction = Field(
        default=0,
        description="Fall from the highest equity after which no risk is added.",
        examples=["5 %"],
    )
    leverage: Multiple = Field(
        default=0, description="Worst-case exposure over equity.", examples=[2]
    )


class InstrumentLimits(Section):
    """``[limits.instrument."NAME"]``: of one instrument, all live instances together."""

    price_distance: Fraction = Field(
        default=0, description="Worst distance of an order's price.", examples=["1 %"]
    )
    order_notional: Cash = Field(
        default=0, description="Value of one order.", examples=["200 USDT"]
    )
    order_qty: Quantity = Field(
        default=0, description="Quantity of one order, in base coin.", examples=["0.05 BTC"]
    )
    orders_per_second: Count = Field(default=0, description="Creates and amends in any second.")
    orders_per_day: Count = Field(
        default=0, description="Creates and amends between two 00:00 UTC."
    )
    open_orders: Count = Field(default=0, description="Orders working at the same time.")
    position_notional: Cash = Field(
        default=0,
        description="Worst-case value, everything in flight counted.",
        examples=["1_000 USDT"],
    )


class InstanceLimits(LimitKeys):
    """``[limits.strategy.NAME]``: of one instance, measured on what is its own."""

    net_exposure: Cash | None = Field(
        default=None,
        description="Worst-case value of longs less shorts over all instruments, either way.",
        examples=["3_000 USDT"],
    )


class Limits(InstanceLimits):
    """``[limits]``: of the account; those of instances and instruments narrow them."""

    margin: Fraction | None = Field(
        default=None,
        description="Initial margin rate of the account from which on no risk is added.",
        examples=["40 %"],
    )
    free_balance: Cash | None = Field(
        default=None,
        description="What must stay free after an order: of the account's available balance in "
        "USD, on spot of the quote coin. An order on a contract is taken to need its value over "
        "`account.leverage`.",
        examples=["100 USDT"],
    )
    strategy: dict[str, InstanceLimits] = Field(
        default={}, description="Limits by instance; a key left out narrows nothing."
    )
    instrument: dict[Annotated[str, AfterValidator(_instrument)], InstrumentLimits] = Field(
        default={}, description="Limits by instrument; a key left out narrows nothing."
    )


class BreakerKeys(Section):
    """``[breakers]``: when the circuit breakers trip. All are on. Losses are ``[limits]``."""

    off: tuple[Annotated[str, AfterValidator(_breaker)], ...] = Field(
        default=(), description="Breakers that never trip.", examples=[["spread"]]
    )
    losing_streak: Count = Field(
        default=_BREAKERS.losing_streak, description="Round trips lost in a row; 0 = any number."
    )
    reject_rate: Fraction = Field(
        default=_BREAKERS.reject_ppm,
        description="Part of an instance's newest 50 requests that may be rejected.",
    )
    reject_least: Count = Field(
        default=_BREAKERS.reject_least, description="Requests before that part says something."
    )
    slippage: Fraction = Field(
        default=_BREAKERS.slippage_ppm,
        description="Mean cost of the newest 20 fills of market orders; half of "
        "`execution.max_slippage` by default.",
    )
    volatility: Multiple = Field(
        default=_BREAKERS.volatility_ppm,
        description="Move within a minute, in multiples of the instrument's usual one ...",
    )
    volatility_floor: Fraction = Field(
        default=_BREAKERS.volatility_floor_ppm, description="... and at least this."
    )
    spread: Multiple = Field(
        default=_BREAKERS.spread_ppm, description="Spread, in multiples of the usual one ..."
    )
    spread_floor: Fraction = Field(
        default=_BREAKERS.spread_floor_ppm, description="... and at least this."
    )
    stale_data: Duration = Field(
        default=_BREAKERS.stale_ns,
        description="A market that was LIVE and is not, for this long.",
    )
    error_rate: Fraction = Field(
        default=_BREAKERS.error_ppm,
        description="Part of one group's requests of a minute that may go without an answer.",
    )
    error_least: Count = Field(
        default=_BREAKERS.error_least, description="Requests before that part says something."
    )
    unknown_orders: Count = Field(
        default=_BREAKERS.unknown_orders,
        description="Orders UNKNOWN at the same time; 0 = any number.",
    )
    rate_closures: Count = Field(
        default=_BREAKERS.rate_closures,
        description="Times a minute the venue may close a group for its rate; 0 = any number.",
    )
    margin: Fraction = Field(
        default=_BREAKERS.margin_entries_ppm,
        description="Maintenance margin rate that stops entries; 0 = none.",
    )
    margin_high: Fraction = Field(
        default=_BREAKERS.margin_cancel_ppm, description="The one that cancels them; 0 = none."
    )
    margin_critical: Fraction = Field(
        default=_BREAKERS.margin_reduce_ppm,
        description="The one at which a person must reduce; 0 = none.",
    )
    cool_down: Duration = Field(
        default=_BREAKERS.cool_down_ns, description="After it an instance's breaker arms itself."
    )
    cool_downs: Count = Field(
        default=_BREAKERS.cool_downs,
        description="Cool-downs a UTC day; after one more trip a person arms it.",
    )
    calm: Duration = Field(
        default=_BREAKERS.calm_ns, description="After so long a calm a market's arms itself."
    )
    clean: Duration = Field(
        default=_BREAKERS.clean_ns, description="After so long without an error the venue's does."
    )


class Operator(Section):
    """``[operator]``: the person behind the engine."""

    passphrase: Reference = Field(
        default="",
        description="Hash of the passphrase that raises a limit while the engine runs, as "
        "`file:PATH` (mode 600) or `env:NAME`; `plimsoll operator passphrase` makes it. Empty: no "
        "limit can be raised.",
        examples=["file:secrets/operator"],
    )


class StrategyEntry(Section):
    """``[[strategy]]``: one instance."""

    name: Annotated[str, AfterValidator(_name)] = Field(description="Name of the instance.")
    class_: Annotated[str, AfterValidator(_source)] = Field(
        alias="class",
        description='`"strategies/FILE.py:Class"` or `"package.module:Class"`.',
    )
    instruments: tuple[Annotated[str, AfterValidator(_instrument)], ...] = Field(
        default=(),
        description="What it trades; empty: what the class names.",
        examples=[["linear:BTCUSDT"]],
    )
    mode: Mode = Field(
        default=Mode.PAPER,
        description="`paper` (matched inside the engine), `live` (sent to the venue), or `hybrid`: "
        "two instances, NAME live with `live_capital` and NAME.paper on paper with `capital`. "
        "`plimsoll mode set` changes it in a running engine, and what was set there holds until "
        "this key is edited to something lower.",
    )
    capital: Cash = Field(
        default=0, description="What the instance may think it has.", examples=["10_000 USDT"]
    )
    live_capital: Cash = Field(
        default=0,
        description="What the live instance of a hybrid may think it has, and that of a strategy "
        "on paper once it goes live; 0: `capital`, and not possible with `hybrid`.",
        examples=["500 USDT"],
    )
    demotion: Literal["run_off", "flatten", "hand_over"] = Field(
        default="run_off",
        description="What becomes of its live book when its stage is taken from it (a safety stop, "
        "or `plimsoll graduate move`): it runs off, is closed in slices, or is yours.",
    )
    params: dict[str, Any] = Field(
        default={}, description="Values for the class's parameters.", examples=[{"fast": 10}]
    )


class Execution(Section):
    """``[execution]``: how orders are sent and looked after."""

    max_slippage: Fraction = Field(
        default=_CORE.max_slippage_ppm,
        description="Band of a market order around the price it was decided at.",
        examples=["0.2 %"],
    )
    answer_timeout: Duration = Field(
        default=_TIMING.answer_ns, description="A request unanswered for this long is UNKNOWN."
    )
    confirm_timeout: Duration = Field(
        default=_TIMING.confirm_ns,
        description="An accepted order the stream has not confirmed is asked for after this.",
    )
    absence_margin: Duration = Field(
        default=_TIMING.absence_margin_ms * 1_000_000,
        description="How long after the receive window an order may still appear at the venue.",
    )
    sweep: Duration = Field(
        default=_TIMING.sweep_ns,
        description="Period of the comparison of our books with the venue's.",
    )
    wallet_difference: Fraction = Field(
        default=_CORE.wallet_difference_ppm,
        description="Part of equity that may be missing in the wallet, or too much, without a "
        "cause; more of it stops new risk on the account ...",
        examples=["0.1 %"],
    )
    wallet_patience: Duration = Field(
        default=_CORE.wallet_patience_ns, description="... after it has lasted this long."
    )
    paper_latency: Duration = Field(
        default=_TIMING.paper_latency_ns, description="Delay of paper orders and their answers."
    )
    paper_queue: Fraction = Field(
        default=_TIMING.paper_queue_ppm,
        description="Part of the displayed quantity that a resting paper order joins behind.",
        examples=["75 %"],
    )
    gap_price: Fraction = Field(
        default=_CORE.gap_price_ppm,
        description="Paper fills count as near enough to live ones while their prices differ by "
        "less than this ...",
        examples=["0.02 %"],
    )
    gap_filled: Fraction = Field(
        default=_CORE.gap_filled_ppm,
        description="... and the share of orders filled by less than this; both ways.",
        examples=["10 %"],
    )
    callback_limit: Duration = Field(
        default=50_000_000,
        description="Processor time one callback of a strategy may take; one that takes more is "
        "cut off, what it asked for is dropped, and its instance is stopped.",
        examples=["50 ms"],
    )
    practice: Duration = Field(
        default=5_000_000,
        description="How often, behind a quiet frame, the way of an order is gone without an "
        "order, so that the next one finds it in the processor's caches; 0 = never.",
        examples=["5 ms"],
    )
    strays: Literal["cancel", "keep"] = Field(
        default="cancel",
        description="Orders under our tag that should not live (never known, or shown absent): "
        "`cancel` those that can add risk, or `keep` them. Both are told and block.",
    )
    unusual: Literal["tell", "pause"] = Field(
        default="tell",
        description="When an instance does what it never does (orders, values, fills, prices, "
        "changes of side, each against its own past): `tell` a person, or `pause` it as well.",
    )
    end_policy: Literal["cancel", "keep", "flatten"] = Field(
        default="cancel",
        description="At a stop: `cancel` orders that can add risk, `keep` them, or `flatten`: "
        "cancel them and close every position, within 5 s.",
    )
    seed: int = Field(
        default=_CORE.seed, ge=0, description="Seed of the strategies' random streams."
    )


class Watchdog(Section):
    """``[watchdog]``: the process that cancels when the engine does not live (RSK-11)."""

    key: Reference = Field(
        default="",
        description="API key of its own, as `file:PATH` or `env:NAME`. Required on mainnet; "
        "elsewhere the account's is used where there is none.",
    )
    secret: Reference = Field(
        default="", description="Its secret, as `file:PATH` (mode 600) or `env:NAME`."
    )
    patience: Duration = Field(
        default=5_000_000_000,
        ge=1_000_000_000,
        description="How long the trading loop may make no progress.",
    )
    restart: Duration = Field(
        default=15_000_000_000,
        ge=1_000_000_000,
        description="The same while a start or stop is announced.",
    )
    flatten: bool = Field(
        default=False,
        description="Close the positions of contracts too: reduce-only, inside 1 % around the "
        "mark price, for 30 s. Needs `account.dedicated`.",
    )


class Settings(Section):
    """A whole configuration."""

    venue: Venue = Venue()
    account: Account
    journal: Journal = Journal()
    limits: Limits = Limits()
    breakers: BreakerKeys = BreakerKeys()
    operator: Operator = Operator()
    strategy: tuple[StrategyEntry, ...] = ()
    execution: Execution = Execution()
    watchdog: Watchdog = Watchdog()


LATER: Final = {
    "alerts": "alerts come with a later release",
    "dashboard": "the dashboard comes with a later release",
    "deploy": "deployments come with a later release",
    "strategy.shared": "shared instruments come with a later release",
}
"""Keys of the design that this release does not have yet, and what to tell who uses them."""


def as_written(metadata: Iterable[object], value: object) -> object:
    """Return a value of a key in the words of the file: ``5 s`` and not its nanoseconds."""
    for item in metadata:
        if isinstance(item, BeforeValidator) and isinstance(value, int):
            words = _WORDS.get(item.func)
            return words(value) if words else value
    return value


_WORDS: Final[dict[object, Callable[[int], str]]] = {
    units.duration_ns: units.duration_text,
    units.fraction_ppm: units.fraction_text,
    units.multiple_ppm: units.multiple_text,
    units.cash: cash_text,
    units.quantity: cash_text,
    units.byte_count: units.byte_text,
}
