"""The one check every order that can add risk passes (RSK-1..6). A missing limit is zero.

Order of checks: may anything be sent at all, is the order valid at the venue, is its price sane, is
there room in the limits: the account's here, those of its instance and instrument in ``narrow``.
The first that fails answers, with words that name the limit's key.
"""

from collections import defaultdict
from typing import Final

import msgspec

from plimsoll.core.feed import Market, StreamName
from plimsoll.core.model import Denied, Instrument, Refusal, Side, cash_text
from plimsoll.core.risk.breakers import Trips
from plimsoll.core.risk.exposure import LIVE_SCOPE, Exposure
from plimsoll.core.risk.health import Health
from plimsoll.core.risk.limits import Bounds
from plimsoll.core.risk.losses import Losses, OwnLosses
from plimsoll.core.risk.narrow import Asked, pace_denial, room_denial, working_denial
from plimsoll.core.risk.pacing import Lane, Pacing, VenueRates, group_of
from plimsoll.core.risk.safety import Safety
from plimsoll.core.risk.words import over
from plimsoll.core.settings import NO_LIMIT, CoreSettings, Limits

PPM: Final = 1_000_000
LAST_DAY_MS: Final = 86_400_000
"""No new risk so long before a delisting."""
_BUY: Final = Side.BUY  # hot: a member read through its class costs ten times a global


class Candidate(msgspec.Struct, frozen=True):
    """An order, or the new terms of one, that wants to be sent."""

    scope: str
    instrument: Instrument
    side: Side
    price_ticks: int
    qty_lots: int
    reduce_only: bool
    replaces_lots: int = 0
    """Leaves of the same order already counted in exposure (amend)."""
    owner: str = ""
    """Whose order it is: stops have scopes."""
    reduces: bool = False
    """Spot, which knows no reduce-only: a sale meant to make the holding smaller (RSK-3)."""
    trigger_ticks: int = 0
    """Of an order that waits for a price: what it costs is judged from there."""


class Surroundings(msgspec.Struct, frozen=True):
    """What the candidate meets: read-only views the engine owns."""

    market: Market
    reference_ticks: int
    """What risk is measured at, 0 = nothing to trust."""
    held_lots: int
    """Position of the candidate's scope in its instrument."""
    worst_elsewhere: int
    """Worst-case exposure over the other instruments of the scope, in quote cash units."""
    opposite_best_ticks: int
    """Best price of our own resting orders on the other side, 0 = none."""
    free_base_lots: int
    """Spot: lots of base coin that may be sold, everything in flight counted."""
    bounds: Bounds
    now_ns: int
    streams: tuple[StreamName, ...] = ()
    """Streams the asker lives on besides book and ticker."""
    worst_owned: int = 0
    """Worst-case exposure over the asker's own other instruments, where its limits want it."""
    net_elsewhere: int = 0
    """Worst-case net value of the other instruments to the order's side, where a limit wants it."""
    net_owned: int = 0
    """The same over the asker's own other instruments, where its limits want it."""
    free_units: int = 0
    """What the order may use, where ``free_balance`` wants it: USD, on spot quote coin."""


class Gate:
    """Checks candidates against settings, safety, exposure and losses."""

    def __init__(
        self,
        settings: CoreSettings,
        safety: Safety,
        exposure: Exposure,
        losses: Losses,
        pacings: defaultdict[str, Pacing],
        rates: VenueRates,
        trips: Trips,
        own: dict[str, OwnLosses],
        health: Health,
    ) -> None:
        """Share the engine's own state objects; the gate changes none of them."""
        self.trips = trips
        self.own = own
        self.health = health
        self.settings = settings
        self.safety = safety
        self.exposure = exposure
        self.losses = losses
        self.pacings = pacings
        self.rates = rates

    def check(self, order: Candidate, around: Surroundings) -> Denied | None:
        """Return why the order may not be sent, None when it may."""
        denied = self._valid(order)
        if denied is not None:
            return denied
        if order.reduce_only and not order.instrument.is_spot:
            return self._storms(order, around)  # RSK-3: protection can be placed in every state
        if order.reduces and order.instrument.is_spot and order.side is not _BUY:
            return self._sold(order, around)
        return (
            self._allowed(order, around)
            or self._priced(order, around)
            or self._paced(order, around)
            or self._within_limits(order, around)
        )

    def reasons(self, order: Candidate, around: Surroundings) -> list[Denied]:
        """Return what each stage of the check says against an order that adds risk."""
        stages = (self._allowed, self._priced, self._paced, self._within_limits)
        found = [self._valid(order), *(stage(order, around) for stage in stages)]
        return [denied for denied in found if denied is not None]

    # ---- may anything be sent ----

    def _allowed(self, order: Candidate, around: Surroundings) -> Denied | None:
        safety = self.safety
        name = order.instrument.name
        if safety.is_stopping:
            return Denied(Refusal.STOPPING, "the session is stopping")
        stand = safety.stand(order.owner, name)
        if stand is not None:
            return stand
        if safety.is_space_low and order.scope == LIVE_SCOPE:
            return Denied(Refusal.NO_SPACE, "the disk under the journal is nearly full: free some")
        if name in safety.blocks:
            return Denied(Refusal.BLOCKED, f"{name} is blocked: {safety.blocks[name]}")
        if self.trips.active:
            denied = self._tripped(order, around)
            if denied is not None:
                return denied
        unsure = self._unsure(order)
        if unsure is not None:
            return unsure
        ended = self._ended(order.instrument, around.now_ns)
        if ended:
            return Denied(Refusal.BLOCKED, f"{name} {ended}")
        doubt = around.market.doubt(around.now_ns, around.streams)
        if doubt is not None:
            return Denied(Refusal.DATA_NOT_LIVE, f"{name} {doubt.text}", doubt.cause)
        return None

    def _unsure(self, order: Candidate) -> Denied | None:
        """Return why the live account is not known well enough for an order of it."""
        safety = self.safety
        if order.scope != LIVE_SCOPE:
            return None
        if not safety.links.get("private"):
            return Denied(Refusal.LINK_DOWN, "the private link is down")
        if not safety.is_reconciled:
            return Denied(Refusal.NOT_RECONCILED, "the books are not yet equal to the venue's")
        if safety.clock_uncertainty_ns > self.settings.clock_max_uncertainty_ns:
            return Denied(Refusal.CLOCK, "the venue's time is not known exactly enough")
        return None

    def _sold(self, order: Candidate, around: Surroundings) -> Denied | None:
        """Let own coins be sold in every state in which it is known how many there are."""
        return self._unsure(order) or _held(order, around) or self._storms(order, around)

    def _ended(self, listed: Instrument, now_ns: int) -> str:
        """Return how the venue ends an instrument, empty where it does not (X21)."""
        if listed.status != "Trading":
            return f"is not traded: {listed.status}"
        if listed.delivery_ms:
            left_ms = listed.delivery_ms - (now_ns + self.safety.clock_offset_ns) // 1_000_000
            if left_ms < LAST_DAY_MS:
                return f"is delisted in {max(0, left_ms) // 60_000} minutes"
        return ""

    def _tripped(self, order: Candidate, around: Surroundings) -> Denied | None:
        is_paper = order.scope != LIVE_SCOPE
        owner, name = around.bounds.owner, order.instrument.name
        trip = self.trips.against(owner, name, is_paper=is_paper)
        if trip is None:
            return None
        text = f"the breaker {trip.breaker} of {trip.scope} has tripped: {trip.text}"
        return Denied(Refusal.BREAKER, text, trip.breaker)

    # ---- is it an order the venue takes ----

    def _valid(self, order: Candidate) -> Denied | None:
        instrument = order.instrument
        if order.qty_lots < instrument.min_lots:
            return Denied(
                Refusal.BELOW_MINIMUM,
                f"{instrument.name}: quantity {instrument.qty_text(order.qty_lots)} is under the "
                f"minimum {instrument.qty_text(instrument.min_lots)}",
            )
        if instrument.max_lots and order.qty_lots > instrument.max_lots:
            return Denied(
                Refusal.ABOVE_MAXIMUM,
                f"{instrument.name}: quantity {instrument.qty_text(order.qty_lots)} is over the "
                f"maximum {instrument.max_qty}",
            )
        is_off = order.price_ticks % instrument.price_step or (
            not order.replaces_lots and order.qty_lots % instrument.qty_step
        )
        if is_off:
            return Denied(
                Refusal.OFF_STEP,
                f"{instrument.name}: {instrument.qty_text(order.qty_lots)} at "
                f"{instrument.price_text(order.price_ticks)} is off the venue's new steps",
            )
        value = instrument.notional_units(order.price_ticks, order.qty_lots)
        if value < instrument.min_notional_units and not order.reduce_only:
            return Denied(
                Refusal.BELOW_MINIMUM,
                f"{instrument.name}: value {cash_text(value)} {instrument.quote} is under the "
                f"venue's minimum {instrument.min_notional}; raise the quantity",
            )
        return None

    # ---- is the price sane ----

    def _priced(self, order: Candidate, around: Surroundings) -> Denied | None:
        if not around.reference_ticks:
            return Denied(Refusal.NO_REFERENCE, f"{order.instrument.name} has no reference price")
        reference = order.trigger_ticks or around.reference_ticks
        # Only the side that costs us: a buy above, a sell below the reference.
        distance = (order.price_ticks - reference) * order.side.sign
        bounds = around.bounds
        if distance * PPM > bounds.price_distance_ppm * reference:
            return Denied(
                Refusal.PRICE_DISTANCE,
                f"price {order.instrument.price_text(order.price_ticks)} is "
                f"{distance / reference:.2%} worse than the reference; "
                f"{bounds.words['price_distance']} is {bounds.price_distance_ppm / PPM:.2%}",
            )
        crossing = around.opposite_best_ticks
        if (
            crossing
            and not order.trigger_ticks
            and (crossing - order.price_ticks) * order.side.sign <= 0
        ):
            return Denied(
                Refusal.SELF_CROSS,
                f"it would cross our own order at {order.instrument.price_text(crossing)}",
            )
        return None

    def _storms(self, order: Candidate, around: Surroundings) -> Denied | None:
        """Keep reductions, which pass everything else, inside the venue's own rate."""
        return self._venue_takes(order, around, Lane.SAFE)

    def _venue_takes(self, order: Candidate, around: Surroundings, lane: Lane) -> Denied | None:
        action = "amend" if order.replaces_lots else "create"
        group = group_of(action, order.instrument.name)
        venue_ms = (around.now_ns + self.safety.clock_offset_ns) // 1_000_000
        if order.scope == LIVE_SCOPE and self.rates.is_closed(group, venue_ms):
            return Denied(Refusal.RATE, f"the venue asked us to wait with {action}s")
        quota = self.rates.quota(group, lane, self.settings.venue_orders_per_second)
        if self.pacings[order.scope].in_group(group, around.now_ns) < quota:
            return None
        kept = "; a fifth is kept for cancels and reductions" if lane is Lane.NEW else ""
        return Denied(
            Refusal.RATE, f"our part of the venue's rate is {quota} {action}s a second{kept}"
        )

    def _paced(self, order: Candidate, around: Surroundings) -> Denied | None:
        limits = around.bounds.account
        pacing = self.pacings[order.scope]
        sent = pacing.in_last_second(around.now_ns)
        if sent >= limits.orders_per_second:
            return Denied(
                Refusal.RATE, f"limits.orders_per_second is {limits.orders_per_second}, all used"
            )
        denied = self._venue_takes(order, around, Lane.NEW)
        if denied is not None:
            return denied
        if pacing.on_day(around.now_ns) >= limits.orders_per_day:
            return Denied(
                Refusal.DAY_RATE, f"limits.orders_per_day is {limits.orders_per_day}, all used"
            )
        if not order.replaces_lots and (
            self.exposure.open_orders.get(order.scope, 0) >= limits.open_orders
        ):
            return Denied(
                Refusal.OPEN_ORDERS, f"limits.open_orders is {limits.open_orders}, all open"
            )
        for level in around.bounds.narrow:
            denied = pace_denial(level, self.pacings[level.pace], around.now_ns)
            if denied is None and not order.replaces_lots:
                denied = working_denial(level, order.scope, self.exposure)
            if denied is not None:
                return denied
        return None

    # ---- is there room ----

    def _within_limits(self, order: Candidate, around: Surroundings) -> Denied | None:
        instrument, bounds = order.instrument, around.bounds
        limits, reference = bounds.account, max(around.reference_ticks, order.trigger_ticks)
        collared = reference + reference * self.settings.collar_ppm // PPM
        price = max(order.price_ticks, collared)
        value = instrument.notional_units(price, order.qty_lots)
        if value > bounds.order_notional:
            key = bounds.words["order_notional"]
            return over(key, Refusal.ORDER_NOTIONAL, value, bounds.order_notional)
        units = order.qty_lots * instrument.base_units_per_lot
        if units > bounds.order_units:
            return over(bounds.words["order_qty"], Refusal.ORDER_QTY, units, bounds.order_units)
        if instrument.is_spot and order.side is not _BUY:
            return _held(order, around)
        added = order.qty_lots - order.replaces_lots
        # Only its own side: an order cannot worsen the other one.
        worst = added + self.exposure.reach_lots(
            order.scope, instrument.name, around.held_lots, order.side
        )
        at_risk = instrument.notional_units(price, worst)
        if at_risk > limits.position_notional:
            key = "limits.position_notional"
            return over(key, Refusal.POSITION, at_risk, limits.position_notional)
        total = at_risk + around.worst_elsewhere
        if total > limits.exposure:
            return over("limits.exposure", Refusal.EXPOSURE, total, limits.exposure)
        net = 0
        if bounds.needs_net or limits.net_exposure < NO_LIMIT:
            lots = self.exposure.net_lots(
                order.scope, instrument.name, around.held_lots, order.side
            )
            net = instrument.notional_units(price, added + lots)
            whole = net + around.net_elsewhere
            if whole > limits.net_exposure:
                return over("limits.net_exposure", Refusal.NET_EXPOSURE, whole, limits.net_exposure)
        denied = self._affordable(order, total, around)
        if denied is None and bounds.narrow:
            net += around.net_owned
            asked = Asked(at_risk, around.worst_owned, net, self.losses.equity)
            for level in bounds.narrow:
                denied = denied or room_denial(level, asked, self.own)
        return denied

    def _affordable(self, order: Candidate, total: int, around: Surroundings) -> Denied | None:
        losses, limits = self.losses, around.bounds.account
        if order.scope != LIVE_SCOPE:
            return None
        if not losses.is_known:
            return Denied(Refusal.NOT_RECONCILED, "the account's equity is not measured yet")
        if total * PPM > limits.leverage_ppm * max(losses.equity, 0):
            return Denied(
                Refusal.LEVERAGE,
                f"exposure {cash_text(total)} over equity {cash_text(losses.equity)} is above "
                f"limits.leverage {limits.leverage_ppm / PPM:g}",
            )
        if losses.lost_today >= limits.daily_loss:
            key = "limits.daily_loss"
            return over(key, Refusal.DAILY_LOSS, losses.lost_today, limits.daily_loss)
        if losses.drawdown_ppm >= limits.drawdown_ppm:
            return Denied(
                Refusal.DRAWDOWN,
                f"drawdown {losses.drawdown_ppm / PPM:.2%} has reached limits.drawdown "
                f"{limits.drawdown_ppm / PPM:.2%}",
            )
        if limits.margin_ppm < NO_LIMIT or limits.free_balance >= 0:
            return self._in_health(order, around, limits)
        return None

    def _in_health(self, order: Candidate, around: Surroundings, limits: Limits) -> Denied | None:
        """Look at the margin rate and at what would stay free after the order."""
        health = self.health
        if not health.is_known(around.now_ns):
            return Denied(Refusal.NOT_RECONCILED, "the account's margin is not measured yet")
        if limits.margin_ppm < NO_LIMIT and health.initial_ppm < 0:
            text = "the venue states no initial margin rate here, so limits.margin cannot be held"
            return Denied(Refusal.MARGIN, text)
        if health.initial_ppm >= limits.margin_ppm:
            return Denied(
                Refusal.MARGIN,
                f"the initial margin rate {health.initial_ppm / PPM:.2%} has reached limits.margin "
                f"{limits.margin_ppm / PPM:.2%}",
            )
        if limits.free_balance < 0:
            return None
        value = order.instrument.notional_units(
            order.price_ticks, order.qty_lots - order.replaces_lots
        )
        leverage = PPM if order.instrument.is_spot else self.settings.venue_leverage_ppm or PPM
        left = around.free_units - value * PPM // leverage
        if left < limits.free_balance:
            return Denied(
                Refusal.FREE_BALANCE,
                f"{cash_text(left)} would stay free, limits.free_balance is "
                f"{cash_text(limits.free_balance)}",
            )
        return None


def _held(order: Candidate, around: Surroundings) -> Denied | None:
    """Return why more would be sold on spot than is held."""
    instrument = order.instrument
    if order.qty_lots - order.replaces_lots <= around.free_base_lots:
        return None
    return Denied(
        Refusal.NOT_HELD,
        f"{instrument.name}: {instrument.qty_text(max(0, around.free_base_lots))} "
        f"{instrument.base} may be sold; spot never sells what is not held",
    )
