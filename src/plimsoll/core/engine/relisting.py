"""What follows when the venue changes an instrument while we trade it (X21, X22)."""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.facts import Relisted
from plimsoll.core.engine.inquiring import block
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.model import Instrument
from plimsoll.core.records import IncidentRaised, InstrumentListed, Record, Released

STATUS_REASON: Final = "the venue does not trade it: "


class Relisting:
    """Tells of changed filters and ended instruments, and counts wishes in the new steps."""

    def __init__(self, state: State, trader: Trader) -> None:
        """Share the engine's state and the instances."""
        self.state = state
        self.trader = trader
        self.told: set[tuple[str, int]] = set()
        """Instruments and delivery times a person was told of."""

    def on_listed(self, record: InstrumentListed) -> Iterator[Record]:
        """Follow a statement of an instrument's filters."""
        changed, self.state.relisted = self.state.relisted, None
        yield from self._status(record.instrument)
        if changed is not None:
            yield from self._changed(changed)

    # ---- inside ----

    def _changed(self, changed: Relisted) -> Iterator[Record]:
        state, new = self.state, changed.stated
        text = f"tick is {new.tick_size}, lot {new.lot_size}"
        if changed.trouble:
            yield IncidentRaised(*state.stamp(), "filters_changed", new.name, text)
            yield from block(state, new.name, f"its new steps cannot be counted: {changed.trouble}")
            return
        yield IncidentRaised(*state.stamp(), "filters_changed", new.name, f"{text} from now on")
        self.trader.regrid(new.name, changed.regrid)

    def _status(self, listed: Instrument) -> Iterator[Record]:
        state, name = self.state, listed.name
        held = state.safety.blocks.get(name, "")
        if listed.status != "Trading" and not held:
            yield from block(state, name, f"{STATUS_REASON}{listed.status}")
        elif listed.status == "Trading" and held.startswith(STATUS_REASON):
            yield Released(*state.stamp(), name)
        if listed.delivery_ms and (name, listed.delivery_ms) not in self.told:
            self.told.add((name, listed.delivery_ms))
            text = f"it ends at {listed.delivery_ms} (Unix ms); no new risk in the 24 h before"
            yield IncidentRaised(*state.stamp(), "delisting", name, text)
