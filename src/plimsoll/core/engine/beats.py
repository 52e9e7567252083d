"""The beats of the safety half: when the next one is due, and the calm ones, taken in one go.

Theory: between two bars that nothing waits for only prices change. Whatever else a beat asks (does
an order work, has anybody a timer, is a breaker looking at markets) has the answer it had at the
beat before, so it is asked once a stretch. What is left of a beat is to measure the profit of who
holds something, to see that no market has fallen silent, and that nobody has lost too much. This
does just that, without records: what ``TimerFired`` at each of them would do.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from plimsoll.core.engine.breaking import LOOK_NS
from plimsoll.core.engine.facts import NEVER
from plimsoll.core.engine.halting import CANCEL_NS
from plimsoll.core.engine.keeper import Keeper
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.feed import BarMarket, Market
from plimsoll.core.model import DAY_NS
from plimsoll.core.records import ProfitMeasured, Record, TimerFired
from plimsoll.core.risk import OwnLosses
from plimsoll.core.settings import Timing
from plimsoll.core.strategy.turns import Turns


class _Held(NamedTuple):
    """What is held of one instrument: its worth follows from the market's price."""

    market: Market
    by_mark: bool
    """Whether its price is the mark; else it is asked for."""
    units: int
    """Signed base units, times quote cash units per tick and lot."""
    per_lot: int
    cost_units: int


class _Books(NamedTuple):
    """What an instance has made for sure, and what it holds."""

    own: OwnLosses
    firm_units: int
    held: tuple[_Held, ...]


class Beats:
    """When the safety half looks."""

    def __init__(
        self, state: State, trader: Trader, keeper: Keeper, turns: Turns, timing: Timing
    ) -> None:
        """Begin a session: the first beat comes after ``beat_ns``, with a checkpoint."""
        self.state = state
        self.trader = trader
        self.keeper = keeper
        self.turns = turns
        self.timing: Final = timing
        self.next_ns = state.ts_ns + timing.beat_ns
        self.checkpoint_ns = self.next_ns
        self.is_open = False
        """Whether the newest beat is not over: profits are measured, and somebody has to look."""
        self._is_asked = False
        """Whether it is known if a stretch is calm."""
        self._books: tuple[_Books, ...] | None = None
        """Of every instance, None where beats are not calm."""
        self._sound_ns = 0
        """Until then no market has been silent for too long; it may be longer."""
        self._looks_at_losses = False
        self._passed = self._measured = 0
        """Beats and measured profits of the stretch that are not counted yet."""

    def is_idle(self, now_ns: int) -> bool:
        """Return whether the beat of now is one at which nobody waits for it."""
        is_beat = self.next_ns <= now_ns < self.checkpoint_ns
        return is_beat and self.trader.is_idle and self.keeper.is_idle

    def passed(self) -> None:
        """Take note of a beat."""
        self.next_ns = self.state.ts_ns + self.timing.beat_ns

    def is_checkpoint(self) -> bool:
        """Return whether instances are to be saved with this beat; the next time later."""
        if self.state.ts_ns < self.checkpoint_ns:
            return False
        self.checkpoint_ns = self.state.ts_ns + self.timing.checkpoint_ns
        return True

    def pass_idle(self, follow: Callable[[Iterable[Record]], None]) -> None:
        """Let a beat begin that is idle and not calm; ``follow`` applies the profits measured."""
        state, measuring = self.state, self.keeper.measuring
        state.seq = state.cause = state.seq + 1
        state.ts_ns = max(self.next_ns, state.ts_ns)
        state.count(TimerFired, 1)
        self.turns.nth = 0
        self.passed()
        news = measuring.news()
        if news:
            follow(measuring.tell(news))

    def begin(self) -> None:
        """Begin a stretch: whatever happened before may have changed the answers."""
        self._is_asked = False

    def end(self) -> None:
        """End it: count what has passed."""
        self.state.count(TimerFired, self._passed)
        self.state.count(ProfitMeasured, self._measured)
        self._passed = self._measured = 0

    def pass_calm(self, until_ns: int) -> int:
        """Let the calm beats up to a time happen (hot).

        Returns:
            When the next one is due; 0 where it is not calm, or the newest ``is_open``.
        """
        if not self._is_asked:
            self._is_asked, self._books = True, self._asked()
        books = self._books
        if books is None:
            return 0
        state, keeper, beat_ns = self.state, self.keeper, self.timing.beat_ns
        halting, breaking = keeper.halting, keeper.breaking
        while self.next_ns <= until_ns:
            now_ns = max(state.ts_ns, self.next_ns)
            if now_ns >= self.checkpoint_ns or (now_ns > self._sound_ns and self._doubts(now_ns)):
                return 0
            state.seq = state.cause = state.seq + 1
            state.ts_ns = now_ns
            self.next_ns = now_ns + beat_ns
            self.turns.nth = 0
            self._passed += 1
            day, is_measured = now_ns // DAY_NS, False
            for own, profit, held in books:
                for market, by_mark, units, per_lot, cost_units in held:
                    if by_mark:
                        ticks = int(market.mark * market.scale + 0.5)
                    else:
                        ticks = market.newest_ticks(now_ns)
                    profit += units * ticks // per_lot - cost_units
                if profit != own.profit or day != own.day:
                    own.measure(profit, now_ns)
                    state.seq += 1
                    self._measured += 1
                    is_measured = True
            if now_ns - halting.cancelled_ns >= CANCEL_NS:
                halting.cancelled_ns = now_ns
            if is_measured and self._looks_at_losses and breaking.has_lost():
                self.is_open = True
                return 0
            if now_ns - breaking.looked_ns >= LOOK_NS:
                breaking.looked_ns = now_ns
        return self.next_ns

    # ---- inside ----

    def _asked(self) -> tuple[_Books, ...] | None:
        """Return the books of all instances, None where a beat asks for more than prices."""
        state, keeper = self.state, self.keeper
        if (
            not self.trader.is_idle
            or not keeper.is_idle
            or state.behind_ns != NEVER
            or keeper.breaking.is_curious
            or keeper.doubting.since_ns
            or state.doubts
            or not keeper.noticing.finds_nothing()
        ):
            return None
        self._looks_at_losses = keeper.breaking.looks_at_losses and bool(state.limits.instances)
        found = [self._books_of(owner) for owner in keeper.measuring.owners()]
        books = tuple(one for one in found if one is not None)
        return books if len(books) == len(found) else None

    def _books_of(self, owner: str) -> _Books | None:
        """Return the books of an instance, None where it was never measured or has no price."""
        state, firm_units, held = self.state, 0, []
        own = state.own_losses.get(owner)
        for (holder, name), position in state.ledger.positions.items():
            if holder != owner:
                continue
            firm_units += position.realised_units - position.fee_units - position.funding_units
            if not position.qty_units:
                continue
            market, listed = state.markets.get(name), state.ledger.instruments[name]
            if market is None or not market.newest_ticks(state.ts_ns):
                return None
            units, per_lot = position.qty_units, listed.base_units_per_lot
            worth = units * listed.cash_per_tick_lot, per_lot
            held.append(_Held(market, not listed.is_spot, *worth, position.cost_units))
        return None if own is None else _Books(own, firm_units, tuple(held))

    def _doubts(self, now_ns: int) -> bool:
        """Return whether a market is doubted now; else note until when none will be."""
        self._sound_ns = NEVER
        for market in self.state.markets.values():
            if not isinstance(market, BarMarket) or market.doubt(now_ns) is not None:
                self._sound_ns = 0
                return True
            self._sound_ns = min(self._sound_ns, market.silent_ns)
        return False
