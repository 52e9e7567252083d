"""What the watchdog is started with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.watchdog.plan import Reach

LOG: Final = "watchdog"
"""Its log, in the account's journal folder."""


@dataclass(frozen=True, kw_only=True)
class WatchdogSettings:
    """Where things are, what is in reach, and how long the engine may be silent."""

    account: str
    tag: str
    reach: Reach
    journal_dir: Path
    run_dir: Path
    venue: BybitSettings
    leave_halt: Callable[[str], None]
    """Leaves the standing halt that an engine obeys when it comes back; may raise OSError."""

    patience_ns: int = 5_000_000_000
    restart_ns: int = 15_000_000_000
    flatten: bool = False
