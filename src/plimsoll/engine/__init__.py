"""The trading process: inbox, log before send, gateway, timers; and reading what it wrote.

In: frames, answers, commands, signals to stop. Out: a journal, requests at the venue.
The simulator and the command line may import it; it imports no web framework, pandas or ORM. The
process itself is ``engine.process.serve``: what only reads logs does not load the network.
"""

from plimsoll.engine.replay import ReplayReport, prove, sessions
from plimsoll.engine.replica import Replica

__all__ = ["ReplayReport", "Replica", "prove", "sessions"]
