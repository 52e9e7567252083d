"""Track records: what each strategy instance did, day by day, read from the trading log.

In: every record of the trading log, in its order. Out: statistics on strategy capital, the days a
screen and the sequential test are fed with, the smallest order as a share of capital. ``cli`` may
import it; nothing that trades does.
"""

from plimsoll.track.follower import Tracks
from plimsoll.track.reading import Read, read
from plimsoll.track.record import Track

__all__ = ["Read", "Track", "Tracks", "read"]
