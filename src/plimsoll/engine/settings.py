"""What the engine process is started with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.venues.bybit import BybitSettings


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Everything outside the core's own settings is about where things are."""

    core: CoreSettings
    journal_dir: Path
    lease_dir: Path
    run_dir: Path
    """Control socket ``engine.sock`` and standing requests."""

    venue: BybitSettings
    load: Callable[[StrategySettings], Strategy]
    keep_code: Callable[[StrategySettings], None] = lambda _settings: None
    """Keeps a copy of an instance's code beside the journal, for replays."""
    renew: Callable[[StrategySettings], None] | None = None
    """Loads the code of an instance whose hash is new, so that ``load`` has it at hand; raises
    with words for a person where it will not do. ``None``: there is nothing to load."""
    sync: Literal["kernel", "disk"] = "kernel"
    market_keep_bytes: int = 10_000_000_000
    market_keep_s: float = 48 * 3600.0
    callback_limit_ns: int = 50_000_000
    """Processor time a callback of a strategy may take; 0 = no limit (P8)."""
    practice_ns: int = 5_000_000
    """How often the way of an order is gone without one (``Practice``); 0 = never."""
    use_uvloop: bool = True
    passphrase_hash: str = field(default="", repr=False)
    """Of the operator; empty: no limit is raised while it runs."""
