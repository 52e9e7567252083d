"""The trading process: inbox, log before send, gateway, timers; and reading what it wrote.

In: frames, answers, commands, signals to stop. Out: a journal, requests at the venue.
The simulator and the command line may import it; it imports no web framework, pandas or ORM.
"""

from plimsoll.engine.process import serve
from plimsoll.engine.replay import ReplayReport, prove, sessions
from plimsoll.engine.replica import Replica
from plimsoll.engine.settings import EngineSettings

__all__ = ["EngineSettings", "ReplayReport", "Replica", "prove", "serve", "sessions"]
