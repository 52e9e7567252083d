"""Flattens carried out: every position of a scope closed in slices, then a person chooses (RSK-10).

Each slice goes through the placer and the gate like every order, in the name of the owner whose
position it closes. What stands in the log is that a flatten began and that it ended; what is left
to do follows from the books, so that a restart goes on with it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.reach import Holding, holdings, is_cancelled, is_closed
from plimsoll.core.engine.state import State
from plimsoll.core.execution.flatten import (
    FLATTEN_LABEL,
    LIMIT_NS,
    Slice,
    Wait,
    closing_side,
    plan_slice,
    slippage_units,
)
from plimsoll.core.feed import Market
from plimsoll.core.model import Order, OrderType, Scope, cash_text, scope_of
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.portfolio import fee_of
from plimsoll.core.records import (
    FlattenBegun,
    FlattenEnded,
    IncidentRaised,
    OrderDenied,
    Record,
)
from plimsoll.core.strategy import PlaceRequest

RETRY_NS: Final = 1_000_000_000
"""A slice that was refused, or came to nothing, is tried again after this."""

STOP_ID: Final = "stop-"
"""Begins the id of the flatten that a session's end asks for."""


class _Course(NamedTuple):
    """A flatten of this session: how long it may go on."""

    until_ns: int
    scope: Scope


class Flattening:
    """All flattens under way."""

    def __init__(self, state: State, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.placer = placer
        self._courses: dict[str, _Course] = {}
        self._not_before_ns: dict[tuple[str, str], int] = {}
        self._waits: dict[tuple[str, str], str] = {}

    @property
    def is_open(self) -> bool:
        """Return whether a flatten is under way."""
        return bool(self.state.flattens)

    def begin(
        self, name: str, scope: Scope, actor: str, reason: str, *, is_dedicated: bool = False
    ) -> Iterator[Record]:
        """Start closing what a scope holds; its halt stands already."""
        state = self.state
        held = holdings(state, scope, is_dedicated=is_dedicated)
        references = {one.instrument: self._reference(one.instrument) for one in held}
        yield FlattenBegun(
            *state.stamp(), name, scope.text, actor, reason, is_dedicated, references
        )
        yield from self.on_time()

    def on_begin(self) -> Iterator[Record]:
        """Tell of flattens that belonged to the end of another session."""
        for begun in list(self.state.flattens.values()):
            if begun.id.startswith(STOP_ID):
                yield from self._end(begun, "given_up", "the session broke off before it was done")

    def on_end(self) -> Iterator[Record]:
        """End what the end policy asked for; a person's flatten goes on in the next session."""
        for begun in list(self.state.flattens.values()):
            if begun.id.startswith(STOP_ID):
                yield from self._end(begun, "left", "the session ends")

    def give_up(self, scope: Scope, why: str, *, name: str = "") -> Iterator[Record]:
        """End the flattens of a scope as they are, where it is named the one of that id."""
        for begun in list(self.state.flattens.values()):
            if begun.scope == scope.text and name in ("", begun.id):
                yield from self._end(begun, "given_up", why)

    def on_time(self) -> Iterator[Record]:
        """Take the next step of every flatten."""
        for begun in list(self.state.flattens.values()):
            yield from self._step(begun)

    # ---- inside ----

    def _step(self, begun: FlattenBegun) -> Iterator[Record]:
        state = self.state
        course = self._courses.get(begun.id)
        if course is None:
            course = _Course(state.ts_ns + LIMIT_NS, scope_of(begun.scope))
            self._courses[begun.id] = course
        is_over = state.ts_ns >= course.until_ns
        open_ = []
        for held in holdings(state, course.scope, is_dedicated=begun.is_dedicated):
            if self._is_flying(held):
                open_.append(held)
            elif not is_closed(state, held):
                open_.append(held)
                if not is_over:
                    yield from self._clear(held)
                    yield from self._close(begun, held)
        coming = self._coming(begun, course.scope)
        if not open_ and not coming and not self._closing_of(begun):
            yield from self._end(begun, "flat", "")
        elif is_over:
            yield from self._end(begun, "left", coming)

    def _close(self, begun: FlattenBegun, held: Holding) -> Iterator[Record]:
        """Send the next slice of one position, or note why not."""
        state, key = self.state, (held.owner, held.instrument)
        if not self._may_act(held.owner):
            self._waits[key] = "the books are not compared with the venue's"
            return
        if state.ts_ns < self._not_before_ns.get(key, 0):
            return
        market = state.markets[held.instrument]
        plan = plan_slice(
            state.instruments[held.instrument],
            held.lots,
            market.newest_ticks(state.ts_ns),
            _rows(market, held, state.ts_ns),
            self._closing(held),
            is_alone=self._is_alone(held),
        )
        if isinstance(plan, Wait):
            self._waits[key] = plan.why
            return
        self._waits.pop(key, None)
        for decision in self.placer.place(
            self.placer.hand_of(held.owner), _request(begun, held, plan)
        ):
            yield decision
            if isinstance(decision, OrderDenied):
                self._waits[key] = decision.text
        self._not_before_ns[key] = state.ts_ns + (RETRY_NS if key in self._waits else 0)

    def _clear(self, held: Holding) -> Iterator[Record]:
        """Cancel exits that rest: the venue counts them, and refuses what reduces beyond (110017).

        Those that wait for their trigger protect until the position is gone.
        """
        side = closing_side(held.lots)
        for order in list(self.state.orders.of_owner(held.owner, held.instrument)):
            is_exit = order.side is side and not order.is_untriggered
            if is_exit and not order.label.startswith(FLATTEN_LABEL):
                yield from self.placer.cancel(order, "its position is being flattened")

    def _may_act(self, owner: str) -> bool:
        safety = self.state.safety
        return self.state.is_paper(owner) or safety.is_reconciled

    def _is_alone(self, held: Holding) -> bool:
        state = self.state
        return state.held_lots("", held.instrument) == held.lots

    def _closing(self, held: Holding) -> list[Order]:
        own = self.state.orders.of_owner(held.owner, held.instrument)
        return [order for order in own if order.label.startswith(FLATTEN_LABEL)]

    def _closing_of(self, begun: FlattenBegun) -> bool:
        label = FLATTEN_LABEL + begun.id
        return any(order.label == label for order in self.state.orders.working.values())

    def _is_flying(self, held: Holding) -> bool:
        """Return whether executions are on their way: the position is not what it seems."""
        return bool(self.state.orders.lagging(held.owner, held.instrument))

    def _coming(self, begun: FlattenBegun, scope: Scope) -> str:
        """Return in words what may still open a position: cancels under way, fills not booked.

        An order that crossed with its cancel is filled a moment after everything was flat.
        """
        orders, waiting = self.state.orders, self.placer.waiting
        found = [
            order.id
            for order in (*orders.working.values(), *orders.behind.values())
            if is_cancelled(order, scope, is_dedicated=begun.is_dedicated)
            and (order.cancels or order.id in waiting or not order.is_working)
        ]
        return f"how they end is not known: {', '.join(found[:5])}" if found else ""

    def _reference(self, name: str) -> int:
        return self.state.markets[name].newest_ticks(self.state.ts_ns)

    def _end(self, begun: FlattenBegun, outcome: str, why: str) -> Iterator[Record]:
        state, scope = self.state, scope_of(begun.scope)
        self._courses.pop(begun.id, None)
        held = holdings(state, scope, is_dedicated=begun.is_dedicated)
        text = "; ".join(part for part in (why, self._left(held), self._cost(begun)) if part)
        yield FlattenEnded(*state.stamp(), begun.id, outcome, text)
        if outcome != "flat":
            yield IncidentRaised(*state.stamp(), "not_flat", scope.words, text)
        yield from self._tidy(scope, held)

    def _tidy(self, scope: Scope, held: list[Holding]) -> Iterator[Record]:
        """Cancel the protection of positions that are gone (RSK-10)."""
        still = {(one.owner, one.instrument) for one in held if not is_closed(self.state, one)}
        for order in list(self.state.orders.working.values()):
            is_inside = scope.covers(order.owner, order.instrument) and order.is_protective
            is_lone = (order.owner, order.instrument) not in still
            if is_inside and is_lone and not order.label.startswith(FLATTEN_LABEL):
                yield from self.placer.cancel(order, "its position was flattened")

    def _left(self, held: list[Holding]) -> str:
        """Return what is still held, in words: dust apart from what a person must look at."""
        state, parts = self.state, []
        for one in held:
            qty = state.instruments[one.instrument].qty_text(one.lots)
            if is_closed(state, one):
                parts.append(f"{one.owner} keeps {qty} {one.instrument} as dust")
            else:
                why = self._waits.get((one.owner, one.instrument), "time is over")
                parts.append(f"{one.owner} still holds {qty} {one.instrument}: {why}")
        return "; ".join(parts)

    def _cost(self, begun: FlattenBegun) -> str:
        """Return what the slices cost against the prices of the start, and their fees."""
        state, label = self.state, FLATTEN_LABEL + begun.id
        cost = fees = filled = 0
        for order in (*state.orders.working.values(), *state.orders.closed.values()):
            instrument = state.instruments.get(order.instrument)
            if order.label != label or not order.filled_lots or instrument is None:
                continue
            filled += 1
            reference = begun.references.get(order.instrument, 0)
            cost += slippage_units(instrument, order, reference) if reference else 0
            average = order.filled_notional // order.filled_lots
            fee, _ = fee_of(instrument, order.side, average, order.filled_lots, is_maker=False)
            fees += fee
        if not filled:
            return ""
        return f"cost {cash_text(cost)} against the start, fees about {cash_text(fees)}"


def _rows(market: Market, held: Holding, now_ns: int) -> list[tuple[float, float]] | None:
    if market.book_doubt(now_ns) is not None:
        return None
    bids, asks = market.book.rows()
    return bids if held.lots > 0 else asks


def _request(begun: FlattenBegun, held: Holding, plan: Slice) -> PlaceRequest:
    return PlaceRequest(
        held.instrument,
        plan.side,
        OrderType.LIMIT,
        Tif.IOC,
        plan.price_ticks,
        plan.qty_lots,
        reduce_only=True,
        label=FLATTEN_LABEL + begun.id,
        handle=None,
    )
