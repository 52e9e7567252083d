"""The numbers a journal is run with."""

from typing import Literal

import msgspec

MIB = 1 << 20


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds, fractions of the file system.

    ``sync = "disk"`` makes `Journal.before_send` wait for the disk; ``"kernel"`` leaves forcing to
    the background thread (reliability.md ORD-4).
    """

    sync: Literal["kernel", "disk"] = "kernel"
    trading_segment_bytes: int = 16 * MIB
    market_segment_bytes: int = 32 * MIB
    market_keep_bytes: int = 10_000 * MIB
    market_keep_s: float = 48 * 3600.0
    """Market data older than this is dropped as well, a whole segment at a time."""
    market_pack: bool = True
    """Compress finished segments of the market log."""
    trading_force_s: float = 0.002
    """Pause between two looks at the trading log: pause + one force stays below 5 ms."""
    market_force_s: float = 0.2
    warn_free_fraction: float = 0.10
    warn_free_bytes: int = 200 * MIB
    low_free_fraction: float = 0.05
    low_free_bytes: int = 100 * MIB
