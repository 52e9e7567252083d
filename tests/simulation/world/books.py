"""Whose book an order is in, and what that book may do: from the recorded switches alone.

It knows the rule and not the product's way of following it: a book is paper or live for ever.
"""

from decimal import Decimal
from typing import Final

from plimsoll.core.engine import Core, State
from plimsoll.core.model import MANUAL, OUTSIDE, Mode, Side
from plimsoll.core.records import LiveEnded, ModeSet
from plimsoll.core.settings import CoreSettings

_RUNNING: Final = ("live", "run_off", "flatten")
_DUST: Final = 25
"""Quote coin: what is left below it may be too little for any order."""


class Books:
    """The live books of all strategies, by the strategy's name."""

    def __init__(self, settings: CoreSettings) -> None:
        """Begin as the configuration says."""
        self.paper_orders: set[str] = set()
        self.stages: dict[str, str] = {}
        self._live: dict[str, str] = {}
        for one in settings.strategies:
            is_paper = one.mode is Mode.PAPER
            self.stages[one.name] = "none" if is_paper else "live"
            self._live[f"{one.name}.live" if is_paper else one.name] = one.name

    def is_live(self, owner: str) -> bool:
        """Return whether an owner is a live book."""
        return owner in self._live

    def why_not(self, owner: str, *, reduces: bool) -> str:
        """Return why an owner may mean no order for the venue, empty where it may."""
        if owner == MANUAL:
            return ""
        if owner not in self._live:
            return f"order of {owner}, which is no live book, was meant for the venue"
        stage = self.stages[self._live[owner]]
        if stage not in _RUNNING:
            return f"order of {owner}, whose live book is {stage}"
        if stage != "live" and not reduces:
            return f"order of {owner} adds risk, and its live book is {stage}"
        return ""

    def switched(self, record: ModeSet | LiveEnded) -> None:
        """Take a switch, or the end of a live instance."""
        stage = str(record.stage) if isinstance(record, ModeSet) else "none"
        self.stages[record.strategy] = stage

    def forgotten(self, state: State) -> str:
        """Return the strategies whose stage a restart does not know, in words."""
        if state.settings is None:
            return ""
        known = {one.strategy: str(one.stage) for one in state.modes.standings.values()}
        return ", ".join(
            f"{name} was {stage}, is {known.get(name)}"
            for name, stage in self.stages.items()
            if name in known and known[name] != stage
        )

    def take(self, state: State) -> None:
        """Take what is left after the disk lost the newest records with the power."""
        for one in state.modes.standings.values():
            self.stages[one.strategy] = str(one.stage)

    def orphan(self, core: Core) -> str:
        """Return a live position nobody looks after, in words; empty where there is none."""
        for owner, name in core.ledger.positions:
            lots = core.ledger.qty_lots(owner, name)
            if not lots or owner in OUTSIDE or owner in core.state.paper_owners:
                continue
            if any(
                one.owner == owner and one.instrument == name and one.side is Side.SELL
                for one in (*core.orders.working.values(), *core.orders.behind.values())
            ):
                continue  # a sale under way may take it: it is handed over when its fate is known
            stage = self.stages.get(self._live.get(owner, ""), "none")
            if stage in _RUNNING:
                continue
            instrument, market = core.ledger.instruments[name], core.markets[name]
            value = abs(lots) * instrument.lot * Decimal(market.last or market.mark or 0)
            if value > _DUST:
                return f"nobody looks after {lots} lots of {name} in {owner}, which is {stage}"
        return ""
