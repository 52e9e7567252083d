"""The core put together: ``apply`` changes state, ``decide`` runs strategies, execution and risk.

In: records in log order. Out: decisions, hashes, snapshots. The engine process, replay, backtests
and every replica drive it; nothing in core imports it.
"""

from plimsoll.core.engine.core import Core
from plimsoll.core.engine.hashing import books_hash, state_hash
from plimsoll.core.engine.quiet import QuietBars
from plimsoll.core.engine.roster import Load
from plimsoll.core.engine.snapshot import restore, snapshot
from plimsoll.core.engine.state import State

__all__ = ["Core", "Load", "QuietBars", "State", "books_hash", "restore", "snapshot", "state_hash"]
