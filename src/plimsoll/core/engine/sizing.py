"""Sizes for strategies: the wish meets limits and filters of this moment (``risk.sizing``)."""

from collections.abc import Mapping

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.state import State
from plimsoll.core.model import Denied, Refusal
from plimsoll.core.risk import Candidate
from plimsoll.core.risk.sizing import (
    Room,
    fitted,
    fixed_lots,
    percent_lots,
    room_of,
    volatility_lots,
)
from plimsoll.core.strategy import Desk, SizeRequest


class Sizing:
    """Answers ``Strategy.size``."""

    def __init__(self, state: State, placer: Placer, desks: Mapping[str, Desk]) -> None:
        """Share the engine's state."""
        self.state = state
        self.placer = placer
        self.desks = desks

    def lots(self, request: SizeRequest) -> int | Denied:
        """Return the lots an order may have now, or why it may have none."""
        state, name = self.state, request.instrument
        price_ticks = state.markets[name].reference_ticks(state.ts_ns)
        if not price_ticks:
            return Denied(Refusal.NO_REFERENCE, f"{name} has no reference price")
        wanted = self._wanted(request, price_ticks)
        if isinstance(wanted, Denied):
            return wanted
        instrument = state.instruments[name]
        return fitted(instrument, wanted, self._room(request), price_ticks)

    def _wanted(self, request: SizeRequest, price_ticks: int) -> int | Denied:
        instrument = self.state.instruments[request.instrument]
        capital = self.desks[request.owner].capital_units
        if request.qty is not None:
            return fixed_lots(instrument, request.qty)
        if request.percent is not None:
            return percent_lots(instrument, capital, request.percent, price_ticks)
        return volatility_lots(
            instrument, capital, request.target_ppm, request.closes, request.span_ns, price_ticks
        )

    def _room(self, request: SizeRequest) -> Room:
        placer, desk = self.placer, self.desks[request.owner]
        scope = desk.name if self.state.is_paper(desk.name) else ""
        instrument = self.state.instruments[request.instrument]
        order = Candidate(scope, instrument, request.side, 0, 0, reduce_only=False)
        around = placer.surveying.around(desk, order)
        state, collar = self.state, placer.settings.collar_ppm
        return room_of(order, around, state.exposure, state.losses, state.own_losses, collar)
