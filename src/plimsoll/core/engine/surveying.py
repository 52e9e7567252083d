"""What an order meets: who asks, prices, positions, what else is in flight, money that is free."""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

import msgspec

from plimsoll.core.engine.state import State
from plimsoll.core.feed import StreamName
from plimsoll.core.model import Denied, Instrument, Side
from plimsoll.core.risk import Candidate, Surroundings
from plimsoll.core.settings import NO_LIMIT, CoreSettings

PPM: Final = 1_000_000


class Asker(Protocol):
    """Whoever asks for an order: an instance's desk, or a hand."""

    @property
    def name(self) -> str:
        """Return the owner of what is asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the instruments it trades: its own limits count over them."""

    @property
    def streams(self) -> tuple[StreamName, ...]:
        """Return the streams it lives on besides book and ticker."""

    def unready(self, *, reduces: bool) -> Denied | None:
        """Return why it may not ask now."""

    def acted(self, now_ns: int, *action: object) -> None:
        """Hear that an order or amend of it passed every check."""


class Hand(NamedTuple):
    """A person, or what a person set going: it asks in an owner's name and is always ready."""

    name: str
    names: tuple[str, ...] = ()
    streams: tuple[StreamName, ...] = ()

    def unready(self, *, reduces: bool) -> Denied | None:
        """Return nothing: only the gate stands in its way."""

    def acted(self, now_ns: int, *action: object) -> None:
        """Forget it: a person may repeat himself."""


class Surveying:
    """Looks at everything an order would come into."""

    def __init__(self, state: State, settings: CoreSettings) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings

    def around(self, desk: Asker, candidate: Candidate) -> Surroundings:
        """Return what an order meets."""
        state = self.state
        name = candidate.instrument.name
        scope = candidate.scope
        market, held = state.markets[name], state.held_lots(scope, name)
        bounds = state.limits.bounds(desk.name, name, desk.names, scope)
        around = Surroundings(
            market,
            market.reference_ticks(state.ts_ns),
            held,
            self._worst_elsewhere(scope, name, state.instruments),
            self._opposite_best(candidate),
            self.free_lots(desk.name, name) if candidate.instrument.is_spot else 0,
            bounds,
            state.ts_ns,
            desk.streams,
        )
        return self._with_more(around, desk, candidate) if bounds.needs_more else around

    def free_lots(self, owner: str, name: str) -> int:
        """Return the lots of base coin this owner may still sell on spot."""
        going = sum(
            order.leaves_lots
            for order in self.state.orders.of_owner(owner, name)
            if order.side is Side.SELL
        )
        going += sum(
            order.leaves_lots
            for order in self.state.orders.lagging(owner, name)
            if order.side is Side.SELL and not order.is_working
        )
        return self.state.ledger.qty_lots(owner, name) - going

    def _with_more(self, around: Surroundings, desk: Asker, candidate: Candidate) -> Surroundings:
        """Add what only some limits look at."""
        state, bounds = self.state, around.bounds
        limits, scope, name = bounds.account, candidate.scope, candidate.instrument.name
        return msgspec.structs.replace(
            around,
            worst_owned=self._worst_elsewhere(scope, name, desk.names) if bounds.needs_owned else 0,
            net_elsewhere=self._net_elsewhere(candidate, state.instruments)
            if limits.net_exposure < NO_LIMIT
            else 0,
            net_owned=self._net_elsewhere(candidate, desk.names) if bounds.needs_net else 0,
            free_units=self._free_units(candidate.instrument) if limits.free_balance >= 0 else 0,
        )

    def _worst_elsewhere(self, scope: str, name: str, among: Iterable[str]) -> int:
        state = self.state
        total = 0
        for other in among:
            if other == name:
                continue
            worst = state.exposure.worst_lots(scope, other, state.held_lots(scope, other))
            if worst:
                total += state.instruments[other].notional_units(self._collared(other), worst)
        return total

    def _net_elsewhere(self, candidate: Candidate, among: Iterable[str]) -> int:
        """Return what other instruments may come to on the candidate's side, signed by it."""
        state, scope = self.state, candidate.scope
        total = 0
        for other in among:
            if other == candidate.instrument.name:
                continue
            instrument = state.instruments[other]
            held = state.held_lots(scope, other)
            lots = state.exposure.net_lots(scope, other, held, candidate.side)
            if lots:
                total += instrument.notional_units(self._collared(other), lots)
        return total

    def _free_units(self, instrument: Instrument) -> int:
        """Return what an order may use: the quote coin not offered yet, or what the venue says.

        What the venue's statement does not know yet is taken off: orders made since.
        """
        state = self.state
        if instrument.is_spot:
            offered = sum(
                other.notional_units(self._collared(name), state.exposure.buys.get(("", name), 0))
                for name, other in state.instruments.items()
                if other.is_spot and other.quote == instrument.quote
            )
            return state.ledger.cash.get(instrument.quote, 0) - offered
        leverage = self.settings.venue_leverage_ppm or PPM
        newer = sum(
            state.instruments[order.instrument].notional_units(order.price_ticks, order.leaves_lots)
            for order in state.orders.working.values()
            if order.touched_ns > state.health.ts_ns
            and not (order.is_paper or order.reduce_only)
            and not state.instruments[order.instrument].is_spot
        )
        return state.health.available_units - newer * PPM // leverage

    def _collared(self, name: str) -> int:
        reference = self.state.markets[name].newest_ticks(self.state.ts_ns)
        return reference + reference * self.settings.collar_ppm // PPM

    def _opposite_best(self, candidate: Candidate) -> int:
        """Return the best price of own resting orders on the other side, 0 = none."""
        other = candidate.side.opposite
        name = candidate.instrument.name
        if not self.state.exposure.sides.get((candidate.scope, name, other)):
            return 0
        prices = [
            price
            for order in self.state.orders.on_instrument.get(name, {}).values()
            if order.side is other and (order.owner if order.is_paper else "") == candidate.scope
            for price in (order.price_ticks, order.amend_price_ticks)
            if price and not order.is_waiting  # it is not in the book yet
        ]
        if not prices:
            return 0
        return min(prices) if candidate.side is Side.BUY else max(prices)
