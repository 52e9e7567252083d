"""Circuit breakers inside ``decide``: what trips, what it cancels, what is armed again by itself.

Windows live as long as a session and begin empty; what is in force is made from the records
(``Trips``), so that a restart finds it. It never places an order.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.state import State
from plimsoll.core.model import DAY_NS, FOREIGN, Order, OrderState, TimeInForce, epoch_of, is_own
from plimsoll.core.records import (
    ExecutionReported,
    IncidentRaised,
    OperatorCommand,
    OrderReported,
    OutcomeLost,
    PositionReported,
    QueryAnswered,
    RateMeasured,
    Record,
    RequestAnswered,
    Reset,
    Tripped,
)
from plimsoll.core.risk import group_of
from plimsoll.core.risk.breakers import BREAKERS, Effect, Finding, Rearm, Trip
from plimsoll.core.risk.breakers.conduct import Conduct, pair, streaks_lost
from plimsoll.core.risk.breakers.losses import account_losses, own_losses
from plimsoll.core.risk.breakers.markets import Watch
from plimsoll.core.risk.breakers.trips import touched
from plimsoll.core.risk.breakers.venue import Answers, margin, unknown_orders
from plimsoll.core.risk.limits import ACCOUNT
from plimsoll.core.settings import CoreSettings

ENGINE: Final = "engine"
"""Actor of what is armed again by itself."""

LOOK_NS: Final = 1_000_000_000
FLIP_NS: Final = 2_000_000_000
"""A position stream may run ahead of the executions for this long."""

_OF_VENUE: Final = (
    "error_rate",
    "rate_pressure",
    "unknown_orders",
    "margin",
    "margin_high",
    "margin_critical",
    "borrowing",
    "position_flip",
)
_OF_MARKETS: Final = ("volatility", "spread", "stale_data")

_ASKED: Final = frozenset({"create", "amend"})
_NOBODYS: Final = frozenset({FOREIGN, "venue"})
"""Owners of what nobody here asked for."""

_FILL_KINDS: Final = frozenset({"Trade", "AdlTrade", "BustTrade"})


class Breaking:
    """Looks at what breakers measure, and at those in force."""

    def __init__(self, state: State, settings: CoreSettings, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings.breakers
        self.placer = placer
        self.answers = Answers()
        self.conducts: dict[tuple[str, str], Conduct] = {}
        self.watches: dict[str, Watch] = {}
        self.bad_ns: dict[tuple[str, str], int] = {}
        """When a breaker in force last found what it trips on."""
        self.flipped: dict[str, int] = {}
        """Instruments whose position has the other sign at the venue, since when."""
        self.crossed: dict[str, tuple[int, int, str]] = {}
        """Instruments a reduce-only order carried across zero: when, the sign now, its id."""
        self.intruders: set[str] = set()
        """Orders of our tag that were told of."""
        self.off: Final = frozenset(self.settings.off)
        self.looks_at_losses = not self.off.issuperset(("daily_loss", "drawdown"))
        self.looks_at_streaks = "losing_streak" not in self.off
        self.looks_at_venue = not self.off.issuperset(_OF_VENUE)
        self.looks_at_markets = not self.off.issuperset(_OF_MARKETS)
        """Whether anything of the kind may trip."""
        self.is_clean = True
        """Whether the newest look found nothing."""
        self.looked_ns = 0
        self.began_ns = state.ts_ns

    # ---- what happens ----

    def on_answer(self, answer: RequestAnswered) -> Iterator[Record]:
        """Count the end of a request, for its group and for its instance."""
        order = self.state.orders.find(answer.client_order_id)
        if order is None:
            return
        group = group_of(answer.action, order.instrument)
        self.answers.note(group, answer.ts_ns, is_error=answer.outcome == "unknown")
        if answer.action in _ASKED and answer.outcome in ("accepted", "refused"):
            yield from self._requested(order, is_rejected=answer.outcome == "refused")

    def on_lost(self, lost: OutcomeLost) -> None:
        """Count a request that was never answered."""
        order = self.state.orders.find(lost.client_order_id)
        if order is not None:
            group = group_of(lost.action, order.instrument)
            self.answers.note(group, lost.ts_ns, is_error=True)

    def on_query(self, answer: QueryAnswered) -> None:
        """Count the end of a query."""
        self.answers.note("query", answer.ts_ns, is_error=not answer.is_ok)

    def on_rate(self, measured: RateMeasured) -> None:
        """Count a group that the venue closed."""
        if measured.closed_until_ms:
            self.answers.close(measured.group, measured.ts_ns)

    def on_report(self, report: OrderReported) -> Iterator[Record]:
        """Look whether the venue rejected an order, or lists one that says it is ours."""
        state = self.state
        order = state.orders.of_venue(report.client_order_id, report.venue_order_id)
        if order is None:
            return
        if report.status is OrderState.REJECTED:
            if any(one is order for one, _ in state.news):  # told once, however often reported
                yield from self._requested(order, is_rejected=True, is_late=True)
        elif order.owner == FOREIGN and is_own(order.id, state.orders.tag):
            yield from self._intruded(order)

    def on_execution(self, record: ExecutionReported, *, is_new: bool) -> Iterator[Record]:
        """Look at an execution that has just been booked."""
        state = self.state
        order = state.orders.of_venue(record.client_order_id, record.venue_order_id)
        if not is_new or order is None or record.kind not in _FILL_KINDS:
            return
        name = record.instrument
        if order.owner in _NOBODYS and self._is_traded(name):
            text = (
                f"{record.kind} {record.execution_id} of order {order.id}, which nobody here made"
            )
            yield from self._found([Finding("unasked_fill", name, 1, 0, text)])
        if order.reduce_only and state.held_lots("", name) * record.side.sign > 0:
            self.crossed[name] = record.ts_ns, record.side.sign, order.id
        arrival = self.placer.arrivals.get(order.id)
        if arrival:
            conduct = self._conduct(order)
            conduct.on_fill(record.side.sign, record.price_ticks, arrival, record.qty_lots)
            yield from self._found(conduct.findings(pair(order.owner, name), self.settings))

    def on_position(self, record: PositionReported) -> None:
        """Note a position whose sign is the other one than ours."""
        ours = self.state.held_lots("", record.instrument)
        if ours * record.qty_lots < 0:
            self.flipped.setdefault(record.instrument, record.ts_ns)
        else:
            self.flipped.pop(record.instrument, None)

    # ---- time ----

    def on_time(self) -> Iterator[Record]:
        """Once a second: look at everything, cancel what should be gone, arm what may be armed."""
        state = self.state
        if state.ts_ns - self.looked_ns < LOOK_NS or state.safety.is_stopping:
            return
        self.looked_ns = state.ts_ns
        findings = list(self._findings())
        self.is_clean = not findings
        yield from self._found(findings)
        for trip in list(state.trips.active.values()):
            yield from self._cancel(trip)
            yield from self._rearm(trip)

    @property
    def is_curious(self) -> bool:
        """Return whether a look may find something where no order works and no profit changed."""
        is_watching = self.looks_at_markets or self.looks_at_venue or self.looks_at_streaks
        return is_watching or not self.is_clean or (self.looks_at_losses and self.has_lost())

    def has_lost(self) -> bool:
        """Return whether an instance lost too much; nothing is live where this is asked."""
        state = self.state
        if not state.limits.instances and not state.losses.is_known:
            return False
        found = own_losses(state.own_losses, state.limits.capitals, state.limits)
        return state.losses.is_known or next(found, None) is not None

    def on_idle(self) -> None:
        """Note that it was looked."""
        if self.state.ts_ns - self.looked_ns >= LOOK_NS:
            self.looked_ns = self.state.ts_ns

    # ---- what a person says ----

    def reset(self, command: OperatorCommand) -> Iterator[Record]:
        """Arm a breaker again where its rule leaves that to a person."""
        args = json.loads(command.args or "{}")
        breaker, scope = str(args.get("breaker", "")), str(args.get("scope", ""))
        if not self.state.trips.why_not_reset(breaker, scope, self.state.ts_ns):
            reason = str(args.get("reason", "")) or command.cmd
            yield Reset(*self.state.stamp(), breaker, scope, command.actor, reason)

    # ---- inside ----

    def _findings(self) -> Iterator[Finding]:
        state, settings = self.state, self.settings
        if self.looks_at_losses:
            yield from account_losses(state.losses, state.limits)
            yield from own_losses(state.own_losses, state.limits.capitals, state.limits)
        if self.looks_at_streaks:
            yield from streaks_lost(state.streaks, settings)
        if self.looks_at_venue:
            yield from self._of_venue()
        if self.looks_at_markets:
            yield from self._of_markets()
        if self.looks_at_venue:
            yield from self._flips()

    def _of_venue(self) -> Iterator[Finding]:
        state, settings = self.state, self.settings
        yield from self.answers.findings(state.ts_ns, settings)
        unknown = sum(
            order.state is OrderState.UNKNOWN and not order.is_paper
            for order in state.orders.working.values()
        )
        yield from unknown_orders(unknown, settings)
        if state.health.is_known(state.ts_ns):
            yield from margin(state.health, settings)

    def _of_markets(self) -> Iterator[Finding]:
        state, settings = self.state, self.settings
        for name, market in state.markets.items():
            watch = self.watches.get(name)
            if watch is None:
                watch = self.watches[name] = Watch(name)
            yield from watch.look(market, state.ts_ns, settings)

    def _flips(self) -> Iterator[Finding]:
        """Look again at positions that had the wrong sign: what was missing has come by now."""
        state = self.state
        for name, since_ns in self.flipped.items():
            if state.ts_ns - since_ns > FLIP_NS:
                text = "the venue's position has the other sign than ours"
                yield Finding("position_flip", name, 1, 0, text)
        for name, (since_ns, sign, number) in list(self.crossed.items()):
            if state.ts_ns - since_ns > FLIP_NS and state.safety.is_reconciled:
                del self.crossed[name]
                if state.held_lots("", name) * sign > 0:
                    text = f"reduce-only order {number} carried the position across zero"
                    yield Finding("position_flip", name, 1, 0, text)

    def _found(self, findings: Iterable[Finding]) -> Iterator[Record]:
        """Put in force what is found and not in force yet."""
        state = self.state
        for found in findings:
            key = found.breaker, found.scope
            if found.breaker in self.off:
                continue
            self.bad_ns[key] = state.ts_ns
            if key in state.trips.active:
                continue
            self._forget(found)
            rule = BREAKERS[found.breaker]
            yield Tripped(
                *state.stamp(),
                found.breaker,
                found.scope,
                rule.effect,
                self._until_ns(rule.rearm, key),
                found.text,
                found.measured,
                found.limit,
            )
            yield IncidentRaised(
                *state.stamp(), "breaker", found.scope, f"{found.breaker}: {found.text}"
            )
            yield from self._cancel(state.trips.active[key])

    def _until_ns(self, rearm: Rearm, key: tuple[str, str]) -> int:
        now_ns, settings = self.state.ts_ns, self.settings
        if rearm is Rearm.NEXT_DAY:
            return (now_ns // DAY_NS + 1) * DAY_NS
        if rearm is Rearm.COOL_DOWN:
            is_patient = self.state.trips.today(*key, now_ns) < settings.cool_downs
            return now_ns + settings.cool_down_ns if is_patient else 0
        if rearm is Rearm.PERSON:
            return 0
        return now_ns + (settings.calm_ns if rearm is Rearm.CALM else settings.clean_ns)

    def _rearm(self, trip: Trip) -> Iterator[Record]:
        """Arm a breaker again whose time has come and whose cause is gone."""
        now_ns, settings = self.state.ts_ns, self.settings
        rearm, reason = BREAKERS[trip.breaker].rearm, ""
        key = trip.breaker, trip.scope
        if self._is_blind(trip):
            self.bad_ns[key] = now_ns
        bad_ns = self.bad_ns.setdefault(key, now_ns)  # after a restart it counts from here
        if rearm is Rearm.COOL_DOWN and trip.until_ns and now_ns >= trip.until_ns:
            reason = "cooled down"
        elif rearm is Rearm.CALM and now_ns - bad_ns >= settings.calm_ns:
            reason = f"calm for {settings.calm_ns // 1_000_000_000} s"
        elif rearm is Rearm.CLEAN and now_ns - self._bad_ns(trip, bad_ns) >= settings.clean_ns:
            reason = f"clean for {settings.clean_ns // 1_000_000_000} s"
        if reason:
            yield Reset(*self.state.stamp(), trip.breaker, trip.scope, ENGINE, reason)

    def _is_blind(self, trip: Trip) -> bool:
        """Return whether nothing is known now of what the breaker measures."""
        if trip.breaker in ("margin", "borrowing"):
            return not self.state.health.is_known(self.state.ts_ns)
        market = self.state.markets.get(trip.scope)
        return market is not None and market.doubt(self.state.ts_ns) is not None

    def _bad_ns(self, trip: Trip, bad_ns: int) -> int:
        """Return when the cause was last seen; of what is counted over a minute, its newest."""
        last = {"error_rate": self.answers.error_ns, "rate_pressure": self.answers.closed_ns}
        return max(last[trip.breaker], self.began_ns) if trip.breaker in last else bad_ns

    def _cancel(self, trip: Trip) -> Iterator[Record]:
        """Cancel what can add risk in the scope, again each second until it is gone."""
        if trip.effect != Effect.NO_ENTRIES:
            reason = f"breaker {trip.breaker} of {trip.scope}"
            for order in touched(trip.effect, trip.scope, self.state.orders.working.values()):
                yield from self.placer.cancel(order, reason)

    def _requested(
        self, order: Order, *, is_rejected: bool, is_late: bool = False
    ) -> Iterator[Record]:
        """Note the end of an instance's request; ``is_late``: it had been accepted before."""
        if order.owner not in self.placer.routes or order.tif is TimeInForce.POST_ONLY:
            return  # a post-only order that would match is refused: that is its normal life
        conduct = self._conduct(order)
        conduct.on_request(is_rejected=is_rejected, is_late=is_late)
        scope = pair(order.owner, order.instrument)
        if is_rejected:
            yield from self._found(conduct.findings(scope, self.settings))

    def _conduct(self, order: Order) -> Conduct:
        return self.conducts.setdefault((order.owner, order.instrument), Conduct())

    def _forget(self, found: Finding) -> None:
        owner, _, instrument = found.scope.partition("/")
        conduct = self.conducts.get((owner, instrument))
        if conduct is not None:
            conduct.forget(found.breaker)

    def _is_traded(self, instrument: str) -> bool:
        """Return whether a live instance trades an instrument."""
        state = self.state
        return any(
            instrument in one.instruments and not state.is_paper(one.name)
            for one in (state.settings.strategies if state.settings else ())
        )

    def _intruded(self, order: Order) -> Iterator[Record]:
        if order.id in self.intruders:
            return
        self.intruders.add(order.id)
        epoch, own = epoch_of(order.id), self.state.epoch
        text = f"order {order.id} of epoch {epoch} carries our tag; our log, epoch {own}, has none"
        yield from self._found([Finding("unknown_epoch", ACCOUNT, epoch, own, text)])
