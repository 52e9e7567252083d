"""Arguments that several commands take."""

from typing import Final

from plimsoll.cli.arguments import Argument

REASON: Final = Argument("--reason", "why, for the log", default="", metavar="TEXT")
SCOPES: Final = "a strategy, an instrument, or STRATEGY/INSTRUMENT"
PLAN: Final = Argument("--plan", "show what it would touch; change nothing", is_flag=True)
