"""The guard beside the engine: it cancels what can add risk when the engine does not live (RSK-11).

In: beats of the trading loop, what the venue lists. Out: cancels, reduce-only orders, and nothing
else; a log of its own. ``cli`` starts it; it imports no engine, and no engine imports it.
"""

from plimsoll.watchdog.clearing import Clearing
from plimsoll.watchdog.hands import Hands
from plimsoll.watchdog.outcome import Outcome
from plimsoll.watchdog.plan import Plan, Reach, plan_of
from plimsoll.watchdog.process import Watchdog
from plimsoll.watchdog.settings import WatchdogSettings

__all__ = [
    "Clearing",
    "Hands",
    "Outcome",
    "Plan",
    "Reach",
    "Watchdog",
    "WatchdogSettings",
    "plan_of",
]
