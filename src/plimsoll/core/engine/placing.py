"""From a request to a decision: the one path every order of a strategy takes through the gate."""

from collections import OrderedDict
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.engine.margining import Margining
from plimsoll.core.engine.state import State
from plimsoll.core.engine.surveying import PPM, Asker, Hand, Surveying
from plimsoll.core.matching.paper import PaperVenue
from plimsoll.core.model import (
    FOREIGN,
    MANUAL,
    Denied,
    Instrument,
    Mode,
    Order,
    OrderType,
    Refusal,
    Side,
)
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    OrderDenied,
    OrderIntended,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperOrderIntended,
    Record,
)
from plimsoll.core.risk import LIVE_SCOPE, Candidate, Gate, Lane, group_of
from plimsoll.core.settings import CoreSettings
from plimsoll.core.strategy import AmendRequest, PlaceRequest

ARRIVALS_KEPT: Final = 1_000
_MARKET: Final = OrderType.MARKET  # hot: read through their classes they cost 15 times a global
_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_IOC: Final = Tif.IOC


class Route(StrEnum):
    """Where an order's requests go: to the gateway, or into the core's own matching."""

    LIVE = "live"
    PAPER = "paper"


LIVE_ROUTE: Final = Route.LIVE
PAPER_ROUTE: Final = Route.PAPER  # hot: read through its class it costs ten times a global


class Trigger(NamedTuple):
    """What a conditional order waits for, as the records have it."""

    ticks: int
    rises: bool
    by: str


MARK: Final = "mark"
LAST: Final = "last"
NO_TRIGGER: Final = Trigger(0, False, "")


class Placer:
    """Asks the gate and makes the decision records of orders."""

    def __init__(self, state: State, settings: CoreSettings, paper: PaperVenue) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.paper = paper
        self.gate = Gate(
            settings,
            state.safety,
            state.exposure,
            state.losses,
            state.pacings,
            state.rates,
            state.trips,
            state.own_losses,
            state.health,
        )
        self.margining = Margining(state, settings, paper)
        self.surveying = Surveying(state, settings)
        self.arrivals: OrderedDict[str, int] = OrderedDict()
        """Best opposite price, in ticks, when a market order was decided: newest ones by id."""
        self.waiting: dict[str, str] = {}
        """Cancels the venue's rate has no room for yet: order id to reason, oldest first."""
        self.routes = {MANUAL: LIVE_ROUTE}
        self.reroute()

    def reroute(self) -> None:
        """Know the instances that run now, and the live books of those that do not.

        The one place that reads an instance's mode: a paper order has no other way than into the
        core's own matching, a live order none but to the gateway. No instance ever changes its own.
        """
        modes, settings = self.state.modes, self.state.settings or self.settings
        for strategy in modes.standings:
            self.routes.setdefault(modes.live_book(strategy), LIVE_ROUTE)
        for one in settings.strategies:
            self.routes[one.name] = PAPER_ROUTE if one.mode is Mode.PAPER else LIVE_ROUTE

    def hand_of(self, owner: str) -> Hand:
        """Return a hand that asks in an owner's name, under the owner's limits."""
        settings = self.state.settings or self.settings
        for one in settings.strategies:
            if one.name == owner:
                return Hand(owner, tuple(one.instruments))
        return Hand(owner)

    def place(self, desk: Asker, request: PlaceRequest) -> Iterator[Record]:
        """Decide about a new order: intended or denied."""
        state = self.state
        instrument = state.instruments.get(request.instrument)
        if instrument is None:
            return
        if desk.name in state.safety.restrained:
            request = self._reducing(desk.name, instrument, request)
        price_ticks, tif = request.price_ticks, request.tif
        trigger_ticks = request.trigger_ticks
        if request.order_type is _MARKET:
            band = self._band(instrument, request.side, trigger_ticks)
            price_ticks, tif = _no_worse(band, request.price_ticks, request.side), _IOC
        route = self._route(desk.name)
        # Spot knows no reduce-only: what is sold is limited by what is held (RSK-3).
        reduce_only = request.reduce_only and not instrument.is_spot
        candidate = Candidate(
            desk.name if route is PAPER_ROUTE else "",
            instrument,
            request.side,
            price_ticks,
            request.qty_lots,
            reduce_only,
            owner=desk.name,
            reduces=request.reduce_only,
            trigger_ticks=trigger_ticks,
        )
        denied = (
            self._check(desk, candidate, price_ticks)
            or self._ahead(instrument, trigger_ticks)
            or _levels(request, price_ticks)
        )
        if denied is not None:
            if request.handle is not None:
                request.handle.refusal = denied
            yield OrderDenied(
                *state.stamp(),
                desk.name,
                instrument.name,
                request.side,
                price_ticks,
                request.qty_lots,
                denied.code,
                denied.text,
                denied.detail,
                request.label,
            )
            return
        order_id = state.ids.peek()
        terms = (
            *state.stamp(),
            order_id,
            desk.name,
            instrument.name,
            request.side,
            request.order_type,
            tif,
            price_ticks,
            request.qty_lots,
            reduce_only,
            request.label,
        )
        trigger = NO_TRIGGER
        if trigger_ticks:
            rises = trigger_ticks > self._watched(instrument)
            trigger = Trigger(trigger_ticks, rises, LAST if instrument.is_spot else MARK)
        if route is PAPER_ROUTE:
            yield PaperOrderIntended(*terms, *trigger)
        else:
            on_perpetual = not instrument.is_spot
            yield OrderIntended(
                *terms,
                stop_ticks=request.stop_ticks if on_perpetual else 0,
                take_ticks=request.take_ticks if on_perpetual else 0,
                trigger_ticks=trigger.ticks,
                trigger_rises=trigger.rises,
                trigger_by=trigger.by,
                close_on_trigger=reduce_only and bool(trigger_ticks),
            )
        acted = (instrument.name, request.side, price_ticks, request.qty_lots)
        desk.acted(state.ts_ns, "place", *acted)
        if request.order_type is _MARKET:
            self._arrived(order_id, instrument, request.side)
        if request.handle is not None:
            request.handle.order = state.orders.find(order_id)
        if route is PAPER_ROUTE:
            terms_now = (price_ticks, request.qty_lots, state.ts_ns)
            self.paper.ask(order_id, "place", *terms_now, trigger_ticks)

    def amend(self, desk: Asker, request: AmendRequest) -> Iterator[Record]:
        """Decide about new terms; they pass the same checks as a new order.

        Terms that are the order's own are not sent: the venue would refuse them (10001).
        """
        state, order = self.state, request.order
        if not order.is_working or order.is_busy or _is_unchanged(order, request):
            return
        instrument = state.instruments[order.instrument]
        candidate = Candidate(
            desk.name if order.is_paper else "",
            instrument,
            order.side,
            request.price_ticks,
            request.qty_lots - order.filled_lots,
            order.reduce_only,
            replaces_lots=order.leaves_lots,
            owner=desk.name,
            trigger_ticks=(request.trigger_ticks or order.trigger_ticks) if order.is_waiting else 0,
        )
        denied = self._check(desk, candidate, request.price_ticks)
        if denied is not None:
            yield OrderDenied(
                *state.stamp(),
                desk.name,
                instrument.name,
                order.side,
                request.price_ticks,
                request.qty_lots,
                denied.code,
                denied.text,
                denied.detail,
            )
            return
        terms = (
            *state.stamp(),
            order.id,
            request.price_ticks,
            request.qty_lots,
            request.trigger_ticks,
        )
        if not order.is_paper:
            yield AmendIntended(*terms)
        else:
            yield PaperAmendIntended(*terms)
            wanted = (request.price_ticks, request.qty_lots, state.ts_ns, request.trigger_ticks)
            self.paper.ask(order.id, "amend", *wanted)
        acted = (order.instrument, order.side, request.price_ticks, request.qty_lots)
        desk.acted(state.ts_ns, "amend", *acted)

    def cancel(self, order: Order, reason: str) -> Iterator[Record]:
        """Decide about the end of an order: always allowed, once at a time, at the venue's rate.

        What the rate has no room for waits, and leaves with ``release``.
        """
        if not order.is_working or order.cancel_pending:
            return
        if not order.is_paper and not self.may_cancel(order):
            self.waiting.setdefault(order.id, reason)
            return
        if order.is_paper:
            yield PaperCancelIntended(*self.state.stamp(), order.id, reason)
            self.paper.ask(order.id, "cancel", 0, 0, self.state.ts_ns)
        else:
            is_ours = order.owner != FOREIGN and order.id != order.venue_id
            venue_id = "" if is_ours else order.venue_id
            yield CancelIntended(*self.state.stamp(), order.id, reason, venue_id, _list_of(order))

    def release(self) -> Iterator[Record]:
        """Send the cancels that waited for the venue's rate, as far as it has room now."""
        for order_id, reason in list(self.waiting.items()):
            order = self.state.orders.find(order_id)
            if order is None or not order.is_working or order.cancel_pending:
                del self.waiting[order_id]
            elif self.may_cancel(order):
                del self.waiting[order_id]
                yield from self.cancel(order, reason)

    def may_cancel(self, order: Order) -> bool:
        """Return whether the venue's rate has room for a cancel of this live order now."""
        state = self.state
        group = group_of("cancel", order.instrument)
        venue_ms = (state.ts_ns + state.safety.clock_offset_ns) // 1_000_000
        if state.rates.is_closed(group, venue_ms):
            return False
        quota = state.rates.quota(group, Lane.SAFE, self.settings.venue_orders_per_second)
        return state.pacings[LIVE_SCOPE].in_group(group, state.ts_ns) < quota

    # ---- inside ----

    def _reducing(self, owner: str, instrument: Instrument, request: PlaceRequest) -> PlaceRequest:
        """Return what of a restrained book's order makes its position smaller; else all of it.

        What does not is refused by the gate like under a pause.
        """
        held = self.state.ledger.qty_lots(owner, instrument.name)
        if held * request.side.sign >= 0:
            return request
        return msgspec.structs.replace(
            request,
            qty_lots=min(request.qty_lots, abs(held)),
            reduce_only=True,
            stop_ticks=0,
            take_ticks=0,
        )

    def _route(self, owner: str) -> Route:
        """Return the way of an owner's orders; one no longer configured keeps the one it had."""
        found = self.routes.get(owner)
        if found is None:
            return PAPER_ROUTE if self.state.is_paper(owner) else LIVE_ROUTE
        return found

    def _check(self, desk: Asker, candidate: Candidate, price_ticks: int) -> Denied | None:
        unready = desk.unready(reduces=candidate.reduce_only) or self._held_back(candidate)
        if unready is not None:
            return unready
        if not price_ticks:
            name = candidate.instrument.name
            doubt = self.state.markets[name].book_doubt(self.state.ts_ns)
            if doubt is not None:
                return Denied(Refusal.DATA_NOT_LIVE, f"{name} {doubt.text}", doubt.cause)
            return Denied(Refusal.DATA_NOT_LIVE, f"{name} has no price to trade at")
        around = self.surveying.around(desk, candidate)
        denied = self.gate.check(candidate, around)
        if denied is None and candidate.scope:
            denied = _beyond(candidate, around.market.index, price_ticks)
        if denied is None and candidate.scope and not (candidate.reduces or candidate.reduce_only):
            denied = self.margining.denial(candidate, around)
        return denied

    def _held_back(self, candidate: Candidate) -> Denied | None:
        """Return why entries wait here for a person, or for money to be explained."""
        instrument, safety = candidate.instrument, self.state.safety
        if candidate.reduce_only or (instrument.is_spot and candidate.side is _SELL):
            return None
        if candidate.scope != LIVE_SCOPE:
            return None
        name = instrument.name
        if name in safety.observed:
            text = f"{name} is observed: {safety.observed[name]}; `adopt {name}`"
            return Denied(Refusal.OBSERVED, text)
        if safety.wallet_doubt:
            return Denied(Refusal.UNEXPLAINED_CASH, safety.wallet_doubt)
        return None

    def _arrived(self, order_id: str, instrument: Instrument, side: Side) -> None:
        market = self.state.markets[instrument.name]
        self.arrivals[order_id] = market.ask_ticks if side is _BUY else market.bid_ticks
        if len(self.arrivals) > ARRIVALS_KEPT:
            self.arrivals.popitem(last=False)

    def _band(self, instrument: Instrument, side: Side, trigger_ticks: int) -> int:
        """Return the limit of a market order: best opposite price and the slippage band.

        One that waits has its band around the price it waits for.
        """
        market = self.state.markets[instrument.name]
        best = market.ask_ticks if side is _BUY else market.bid_ticks
        if market.fault is not None or not best:
            return 0
        best = trigger_ticks or best
        slack = best * self.settings.max_slippage_ppm // PPM
        worst = best + slack if side is _BUY else max(1, best - slack)
        return instrument.on_price_step(worst, up=side is not _BUY)

    def _watched(self, instrument: Instrument) -> int:
        """Return the price that triggers: mark on perpetuals, last on spot; 0 = not known."""
        market = self.state.markets[instrument.name]
        price = market.last if instrument.is_spot else market.mark
        return int(price * market.scale + 0.5)

    def _ahead(self, instrument: Instrument, trigger_ticks: int) -> Denied | None:
        """Refuse a trigger of which nobody can say from where the market will come."""
        if not trigger_ticks:
            return None
        now_ticks = self._watched(instrument)
        if not now_ticks:
            return Denied(Refusal.NO_REFERENCE, f"{instrument.name} has no price to trigger at")
        if trigger_ticks == now_ticks:
            text = f"trigger {instrument.price_text(trigger_ticks)} is the price of now"
            return Denied(Refusal.WRONG_SIDE, text)
        return None


def _beyond(order: Candidate, index: float, price_ticks: int) -> Denied | None:
    """Refuse on paper what the venue's price limit would: a buy far above the index, a sale below.

    Source: Bybit v5 docs, price-limit.
    """
    instrument = order.instrument
    if not instrument.price_limit_ppm or not index or order.trigger_ticks:
        return None
    index_ticks = int(index * instrument.ticks_per_price + 0.5)
    away = (price_ticks - index_ticks) * order.side.sign
    if away * PPM <= index_ticks * instrument.price_limit_ppm:
        return None
    text = f"{away / index_ticks:.2%} beyond the index; the venue takes {instrument.price_limit}"
    return Denied(Refusal.PRICE_DISTANCE, text)


def _no_worse(band_ticks: int, worst_ticks: int, side: Side) -> int:
    """Return the limit of a market order that names its worst price, too."""
    if not band_ticks or not worst_ticks:
        return band_ticks
    return min(band_ticks, worst_ticks) if side is _BUY else max(band_ticks, worst_ticks)


def _levels(request: PlaceRequest, price_ticks: int) -> Denied | None:
    """Refuse a stop that is no loss and a take that is no profit: the venue would, too."""
    sign = request.side.sign
    for name, level, way in (("stop", request.stop_ticks, -1), ("take", request.take_ticks, 1)):
        if level and (level - price_ticks) * sign * way <= 0:
            text = f"{name} at {level} ticks is on the wrong side of the order's {price_ticks}"
            return Denied(Refusal.WRONG_SIDE, text)
    return None


def _is_unchanged(order: Order, request: AmendRequest) -> bool:
    return (
        request.price_ticks == order.price_ticks
        and request.qty_lots == order.qty_lots
        and request.trigger_ticks in (0, order.trigger_ticks)
    )


def _list_of(order: Order) -> str:
    """Return the venue's list an order stands in, empty for the plain one: spot has several."""
    if order.order_filter or not order.instrument.startswith("spot:"):
        return order.order_filter
    return "StopOrder" if order.is_waiting else ""
