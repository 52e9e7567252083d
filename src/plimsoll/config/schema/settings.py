"""A whole configuration, and those of its tables that have few keys."""

from typing import Final, Literal

from pydantic import Field

from plimsoll.config.schema.account import Account, Venue
from plimsoll.config.schema.breakers import BreakerKeys
from plimsoll.config.schema.execution import Execution
from plimsoll.config.schema.kinds import Bytes, Duration, Reference, Section
from plimsoll.config.schema.limits import Limits
from plimsoll.config.schema.strategy import StrategyEntry


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


class Operator(Section):
    """``[operator]``: the person behind the engine."""

    passphrase: Reference = Field(
        default="",
        description="Hash of the passphrase that raises a limit while the engine runs, as "
        "`file:PATH` (mode 600) or `env:NAME`; `plimsoll operator passphrase` makes it. Empty: no "
        "limit can be raised.",
        examples=["file:secrets/operator"],
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
