"""Margin of paper instances: each is an account of its own, its capital and profit its equity.

An order that the margin does not carry is refused; an instance whose equity at mark has fallen to
its maintenance margin is liquidated: its orders end, its perpetuals are taken over at their
bankruptcy prices (nothing is left, nothing is owed), it is told and paused there, as one whose
position the venue liquidates (ORD-12, X24). What margin is stands in ``risk.margin``.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from plimsoll.core.engine.state import State
from plimsoll.core.matching.paper import PaperVenue
from plimsoll.core.model import (
    VENUE,
    Denied,
    Instrument,
    OrderState,
    OrderType,
    Position,
    Refusal,
    Side,
    TimeInForce,
    cash_text,
)
from plimsoll.core.portfolio import fee_of
from plimsoll.core.records import (
    IncidentRaised,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
    Paused,
    Record,
)
from plimsoll.core.risk import Candidate, Surroundings
from plimsoll.core.risk.margin import (
    Terms,
    bankruptcy_ticks,
    initial_units,
    maintenance_units,
    terms_of,
)
from plimsoll.core.settings import CoreSettings

LABEL: Final = "liquidation"
"""Of the order that closes a position, and the rule of its fill."""


SAFE: Final = 1 << 62
"""A mark that is never reached."""

NEAR: Final = 5
"""Marks within this part of the one of now are looked at first."""

FAR: Final = 1_000
"""No mark beyond so many times the one of now is looked at."""


class Held(NamedTuple):
    """A perpetual held on paper."""

    instrument: str
    lots: int
    """Signed."""
    mark_ticks: int
    maintenance_units: int


class Stand(NamedTuple):
    """How a paper instance stands, in quote cash units."""

    equity_units: int
    maintenance_units: int
    held: list[Held]

    @property
    def is_under(self) -> bool:
        """Return whether it is to be liquidated."""
        return bool(self.held) and self.equity_units <= self.maintenance_units


class Margining:
    """Looks after the margin of every paper instance that has a capital."""

    def __init__(self, state: State, settings: CoreSettings, paper: PaperVenue) -> None:
        """Share the engine's state."""
        self.state = state
        self.paper = paper
        self.leverage_ppm = settings.venue_leverage_ppm
        self.capitals: dict[str, int] = {}
        self.alone: dict[str, str] = {}
        """Instances that trade one instrument, with that."""
        self.levels: dict[str, tuple[tuple[int, int, int], int]] = {}
        """Of these: what is held and paid, and the mark at which it ends; 0 = at none."""
        self.sure: dict[str, tuple[tuple[int, int, int], int, int]] = {}
        """Of these: what is held and paid, and two marks between which it surely does not end."""
        self._terms: dict[str, tuple[Instrument, Terms]] = {}
        self.follow(settings)

    def follow(self, settings: CoreSettings) -> None:
        """Look after the instances that run now."""
        self.capitals = {
            one.name: one.capital
            for one in settings.strategies
            if one.capital and self.state.is_paper(one.name)
        }
        self.alone = {
            one.name: one.instruments[0] for one in settings.strategies if len(one.instruments) == 1
        }
        self.levels.clear()
        self.sure.clear()

    def stand(self, owner: str, name: str = "", mark_ticks: int = 0) -> Stand | None:
        """Return how an instance stands, where the mark of ``name`` is another one than now.

        None where it holds no perpetual, or something that has had no price yet.
        """
        state = self.state
        equity, total, found = self.capitals[owner], 0, []
        for (holder, other), held in state.ledger.positions.items():
            if holder != owner:
                continue
            equity += held.realised_units - held.fee_units - held.funding_units
            if not held.qty_units:
                continue
            ticks = mark_ticks if other == name else state.markets[other].newest_ticks(state.ts_ns)
            if not ticks:
                return None
            equity += state.ledger.unrealised(owner, other, ticks)
            instrument = state.instruments[other]
            lots = 0 if instrument.is_spot else state.ledger.qty_lots(owner, other)
            if lots:
                sign = 1 if lots > 0 else -1
                value = instrument.notional_units(ticks, abs(lots))
                margin = maintenance_units(self._terms_of(instrument), value, sign)
                total += margin
                found.append(Held(other, lots, ticks, margin))
        return Stand(equity, total, found) if found else None

    def look(self, owners: "list[str] | None" = None) -> Iterator[Record]:
        """Liquidate the instances whose margin is used up."""
        for owner in self.capitals if owners is None else owners:
            if owner in self.capitals and not self._is_sound(owner):
                found = self.stand(owner)
                if found is not None and found.is_under:
                    yield from self.liquidate(owner, found)

    def _is_sound(self, owner: str) -> bool:
        """Return whether an instance is worth twice what it holds: no margin is more than that.

        Hot. Of who trades several instruments it is not asked.
        """
        name = self.alone.get(owner)
        if name is None:
            return False
        state = self.state
        held = state.ledger.positions.get((owner, name))
        if held is None or not held.qty_units:
            return True
        ticks, listed = state.markets[name].newest_ticks(state.ts_ns), state.instruments[name]
        worth = held.qty_units * ticks * listed.cash_per_tick_lot // listed.base_units_per_lot
        firm = self.capitals[owner] + held.realised_units - held.fee_units - held.funding_units
        return firm + worth - held.cost_units > 2 * abs(worth)

    def level_ticks(self, owner: str, name: str, from_ticks: int, to_ticks: int) -> int:
        """Return the first mark on a way at which an instance is liquidated, 0 = at none.

        Whoever is liquidated at one price is so at every worse one: the way is halved.
        """
        if owner not in self.capitals or not self._is_under(owner, name, to_ticks):
            return 0
        safe, under = from_ticks, to_ticks
        if self._is_under(owner, name, safe):
            return from_ticks
        while abs(under - safe) > 1:
            middle = (safe + under) // 2
            if self._is_under(owner, name, middle):
                under = middle
            else:
                safe = middle
        return under

    def may_end(self, owner: str, name: str, mark_ticks: int) -> bool:
        """Return whether an instance would be liquidated at a mark (hot: once a bar).

        Of one that trades nothing else the level only moves with its position.
        """
        if owner not in self.capitals:
            return False
        if owner not in self.alone:
            return self._is_under(owner, name, mark_ticks)
        held = self.state.ledger.position(owner, name)
        now = _account_of(held)
        kept, level = self.levels.get(owner, ((0, 0, 0), 0))
        if kept != now:
            is_long = held.qty_units > 0
            level = self.level_ticks(owner, name, mark_ticks, 1 if is_long else FAR * mark_ticks)
            self.levels[owner] = now, level
        if level and level == mark_ticks:  # found under from the first: a better mark may be, too
            del self.levels[owner]
            return True
        return bool(level) and ((mark_ticks <= level) is (held.qty_units > 0))

    def bounds(self, owner: str, name: str, mark_ticks: int) -> tuple[int, int]:
        """Return two marks between which an instance is surely not liquidated; may be nowhere.

        Where what else it holds has a say, nothing is sure.
        """
        if owner not in self.capitals:
            return 0, SAFE
        if owner not in self.alone:
            return SAFE, 0
        held = self.state.ledger.position(owner, name)
        now = _account_of(held)
        kept, least, most = self.sure.get(owner, ((0, 0, 0), SAFE, 0))
        if kept != now or not least < mark_ticks < most:
            least, most = self._sure(owner, name, mark_ticks, is_long=held.qty_units > 0)
            self.sure[owner] = now, least, most
        return least, most

    def _sure(self, owner: str, name: str, mark_ticks: int, *, is_long: bool) -> tuple[int, int]:
        """Return bounds that are near but quickly known, else those of the level itself."""
        near = mark_ticks - mark_ticks // NEAR if is_long else mark_ticks + mark_ticks // NEAR
        if not self._is_under(owner, name, near):
            return (near, SAFE) if is_long else (0, near)
        level = self.level_ticks(owner, name, mark_ticks, near)
        if level == mark_ticks:  # under already: what comes is for the bar to say
            return SAFE, 0
        return (level, SAFE) if is_long else (0, level)

    def liquidate(self, owner: str, found: Stand) -> Iterator[Record]:
        """End the orders of an instance, close its perpetuals, tell it and pause it there."""
        state = self.state
        for order in [one for one in state.orders.working.values() if one.owner == owner]:
            self.paper.withdraw(order)
            yield PaperReported(
                *state.stamp(),
                order.id,
                OrderState.CANCELED,
                order.price_ticks,
                order.qty_lots,
                "cancelled before a liquidation",
            )
        equity, margin = found.equity_units, found.maintenance_units
        for held in found.held:
            part = equity * held.maintenance_units // margin
            equity, margin = equity - part, margin - held.maintenance_units
            yield from self._close(owner, held, part)
            yield from self._tell(owner, held, found)

    def denial(self, order: Candidate, around: Surroundings) -> Denied | None:
        """Return why the margin of a paper instance does not carry an order that adds risk."""
        owner = order.owner
        if owner not in self.capitals or around.held_lots * -order.side.sign >= order.qty_lots:
            return None  # what closes needs none
        needed, free = self._needed(order, around), self._balance(owner)
        if needed <= free:
            return None
        quote = order.instrument.quote
        return Denied(
            Refusal.INITIAL_MARGIN,
            f"{cash_text(needed)} {quote} of margin would be needed, {owner} has "
            f"{cash_text(max(0, free))}: capital and profit; a smaller order, or more capital",
        )

    # ---- inside ----

    def _terms_of(self, instrument: Instrument) -> Terms:
        """Return what margin is counted with; a changed instrument is another object (hot)."""
        found = self._terms.get(instrument.name)
        if found is None or found[0] is not instrument:
            found = instrument, terms_of(instrument, self.leverage_ppm)
            self._terms[instrument.name] = found
        return found[1]

    def _is_under(self, owner: str, name: str, mark_ticks: int) -> bool:
        found = self.stand(owner, name, mark_ticks)
        return found is not None and found.is_under

    def _balance(self, owner: str) -> int:
        """Return capital and profit at the newest prices."""
        state = self.state
        total = self.capitals[owner]
        for (holder, name), held in state.ledger.positions.items():
            if holder == owner:
                ticks = state.markets[name].newest_ticks(state.ts_ns)
                total += held.realised_units - held.fee_units - held.funding_units
                total += state.ledger.unrealised(owner, name, ticks)
        return total

    def _needed(self, order: Candidate, around: Surroundings) -> int:
        """Return the margin of everything held and asked for, at the worse side of each."""
        state, scope = self.state, order.scope
        instrument, name = order.instrument, order.instrument.name
        price = max(order.price_ticks, around.reference_ticks)
        added = order.qty_lots - order.replaces_lots
        worst = added + state.exposure.reach_lots(scope, name, around.held_lots, order.side)
        total = self._margin(name, price, worst, order.side.sign)
        fee, _ = fee_of(instrument, order.side, price, max(0, added), is_maker=False)
        if not instrument.is_spot:
            total += fee
        for other in state.instruments:
            if other != name:
                held = state.held_lots(scope, other)
                lots = state.exposure.worst_lots(scope, other, held)
                if lots:
                    ticks = state.markets[other].newest_ticks(state.ts_ns)
                    total += self._margin(other, ticks, lots, 1 if held >= 0 else -1)
        return total

    def _margin(self, name: str, price_ticks: int, lots: int, sign: int) -> int:
        """Return what a position asks for: coins of a spot pair are paid whole."""
        instrument = self.state.instruments[name]
        value = instrument.notional_units(price_ticks, max(0, lots))
        if instrument.is_spot:
            return value
        return initial_units(self._terms_of(instrument), value, sign)

    def _close(self, owner: str, held: Held, equity_units: int) -> Iterator[Record]:
        state, instrument = self.state, self.state.instruments[held.instrument]
        terms = self._terms_of(instrument)
        price = bankruptcy_ticks(instrument, terms, held.lots, held.mark_ticks, equity_units)
        side, lots = Side.SELL if held.lots > 0 else Side.BUY, abs(held.lots)
        order_id = state.ids.peek()
        yield PaperOrderIntended(
            *state.stamp(),
            order_id,
            owner,
            instrument.name,
            side,
            OrderType.MARKET,
            TimeInForce.IOC,
            price,
            lots,
            reduce_only=True,
            label=LABEL,
        )
        yield PaperReported(*state.stamp(), order_id, OrderState.OPEN, price, lots, LABEL)
        fee_units, coin = fee_of(instrument, side, price, lots, is_maker=False)
        stamp = state.stamp()
        yield PaperFilled(
            *stamp,
            order_id,
            f"paper-{stamp[0]}",
            price,
            lots,
            fee_units,
            coin,
            is_maker=False,
            rule=LABEL,
        )

    def _tell(self, owner: str, held: Held, found: Stand) -> Iterator[Record]:
        state, name = self.state, held.instrument
        instrument = state.instruments[name]
        text = (
            f"{owner}: {instrument.qty_text(held.lots)} liquidated on paper at mark "
            f"{instrument.price_text(held.mark_ticks)}: equity {cash_text(found.equity_units)} "
            f"is at its maintenance margin {cash_text(found.maintenance_units)}"
        )
        if (owner, name) not in state.safety.pauses:
            yield Paused(*state.stamp(), owner, name, text, VENUE)
        yield IncidentRaised(*state.stamp(), "position_liquidated", name, text)


def _account_of(held: Position) -> tuple[int, int, int]:
    """Return what of a position moves its level: lots, cost, and what was realised and paid."""
    paid = held.realised_units - held.fee_units - held.funding_units
    return held.qty_units, held.cost_units, paid
