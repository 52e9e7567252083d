"""``Core``: the two doors of the brain.

``apply(record)`` is total and strategy-free. ``decide(record)`` runs after the input was applied
and yields decisions; whoever drives it logs and applies each before asking for the next. Driving
it twice over the same records gives the same decisions, byte for byte.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from plimsoll.core.engine.beats import Beats
from plimsoll.core.engine.changing import Changing
from plimsoll.core.engine.facts import NEVER
from plimsoll.core.engine.hashing import books_hash, state_hash
from plimsoll.core.engine.roster import Load
from plimsoll.core.engine.session import Deciders, Session
from plimsoll.core.engine.state import State
from plimsoll.core.engine.trader import Trader
from plimsoll.core.engine.valuing import equity_of, unrealised
from plimsoll.core.execution import OrderStore
from plimsoll.core.feed import Market
from plimsoll.core.portfolio import Ledger
from plimsoll.core.records import (
    Configured,
    DifferenceFound,
    IncidentRaised,
    OrderIntended,
    Record,
)
from plimsoll.core.risk import Losses, Safety
from plimsoll.core.settings import CoreSettings
from plimsoll.core.strategy.turns import Turns


class Core:
    """The brain of one account. Without ``load`` it only applies: a replica."""

    def __init__(self, load: Load | None = None, state: State | None = None) -> None:
        """Start from a restored state or from nothing; ``load`` makes strategy objects."""
        self.state = state or State()
        self.turns = Turns()
        self._load = load
        self.session: Session | None = None
        """Who decides; ``None`` before ``Configured``."""
        self._is_shadow = False
        self.apply: Final = self.state.apply
        self._deciders: Deciders = {Configured: self._configured}

    # ---- what readers use ----

    @property
    def settings(self) -> CoreSettings | None:
        """Settings of the newest session."""
        return self.state.settings

    @property
    def orders(self) -> OrderStore:
        """All orders."""
        return self.state.orders

    @property
    def ledger(self) -> Ledger:
        """Positions and cash."""
        return self.state.ledger

    @property
    def safety(self) -> Safety:
        """Halts, blocks, links, readiness."""
        return self.state.safety

    @property
    def losses(self) -> Losses:
        """Equity, daily loss, drawdown of the live account."""
        return self.state.losses

    @property
    def markets(self) -> dict[str, Market]:
        """Markets by instrument name."""
        return self.state.markets

    @property
    def incidents(self) -> deque[IncidentRaised]:
        """Newest incidents."""
        return self.state.incidents

    @property
    def differences(self) -> deque[DifferenceFound]:
        """Newest differences to the venue."""
        return self.state.differences

    @property
    def epoch(self) -> int:
        """Epoch of the newest session."""
        return self.state.epoch

    @property
    def seq(self) -> int:
        """Seq of the newest record applied."""
        return self.state.seq

    @property
    def ts_ns(self) -> int:
        """Time of the newest record applied, Unix ns."""
        return self.state.ts_ns

    @property
    def is_ended(self) -> bool:
        """Whether the newest session ended cleanly."""
        return self.state.is_ended

    @property
    def open_ends(self) -> int:
        """Return how many orders are left of those that the end of the session waited for."""
        return len(self.session.keeper.halting.open_ends()) if self.session else 0

    @property
    def counts(self) -> dict[str, int]:
        """Records applied so far, by tag."""
        return self.state.counts

    def equity_of(self, owner: str) -> int:
        """Return an instance's equity in quote cash units."""
        return equity_of(self.state, owner)

    def unrealised(self, owner: str, instrument: str) -> int:
        """Return an open profit in quote cash units."""
        return unrealised(self.state, owner, instrument)

    def books_hash(self) -> str:
        """Return the hash of orders, positions and balances."""
        return books_hash(self.state)

    def state_hash(self) -> str:
        """Return the hash of everything; within one build."""
        return state_hash(self.state, self.saved() if self.session else {})

    # ---- the second door ----

    @property
    def wake_ns(self) -> int:
        """Time of the next ``TimerFired`` the core wants, 0 = none."""
        return self.session.wake_ns if self.session is not None else 0

    @property
    def changing(self) -> Changing | None:
        """Return who judges changes of instances; ``None`` before ``Configured``."""
        return self.session.changing if self.session is not None else None

    def awaits(self, instrument: str) -> bool:
        """Return whether a paper order, stop or trigger waits for prices here; by bars only (hot).

        A backtest says the open of a bar only where somebody waits for it.
        """
        by_bars = self.session.trader.by_bars if self.session is not None else None
        return by_bars is not None and by_bars.awaits(instrument)

    def attends(self, instrument: str) -> bool:
        """Return whether prices inside a bar matter: somebody holds, waits or has a timer.

        A backtest by finer bars passes the others by.
        """
        by_bars = self.session.trader.by_bars if self.session is not None else None
        if by_bars is None:
            return False
        return (
            by_bars.awaits(instrument)
            or by_bars.is_held(instrument)
            or any(desk.timers for desk in self.trader.desks.values())
        )

    def decide(self, record: Record) -> Iterable[Record]:
        """Yield what follows from an input that has just been applied.

        What a strategy says to a market input may be heard at once; what follows comes as a
        generator, or as nothing at all in the usual case (hot).
        """
        decider = self._deciders.get(type(record))
        if decider is None and self.session is None:
            return ()
        self.state.cause = record.seq
        self.turns.nth = 0
        following = decider(record) if decider is not None else None
        session = self.session
        assert session is not None
        if following is None and session.is_quiet():
            return ()
        return session.decided(following or iter(()))

    def practised(self) -> OrderIntended | None:
        """Return a decision about an order nobody wants, which goes nowhere (``Practising``)."""
        session = self.session
        if session is None or session.is_shadow or self.state.safety.is_stopping:
            return None
        return session.practising.order()

    # ---- what ``QuietBars`` asks ----

    @property
    def trader(self) -> Trader:
        """The strategies' half of ``decide``."""
        return self._with_session().trader

    @property
    def beats(self) -> Beats:
        """When the safety half looks at things."""
        return self._with_session().beats

    def quiet_until_ns(self) -> int:
        """Begin a quiet stretch: until when nothing happens by itself, 0 where something does."""
        session = self.session
        if session is None or not session.is_quiet() or self.turns.known:
            return 0
        session.beats.begin()
        return session.wake_ns or NEVER

    def pass_beats(self, until_ns: int, follow: Callable[[Iterable[Record]], None]) -> int:
        """Let the beats up to a time happen that find nobody waiting for them.

        Does what a ``TimerFired`` at each of them would do. ``follow`` applies what is decided.

        Returns:
            As ``quiet_until_ns``; 0 also where something else is due, or a beat that is no such.
        """
        state, session = self.state, self._with_session()
        beats = session.beats
        while True:
            if not beats.is_open and (next_ns := beats.pass_calm(until_ns)):
                return next_ns
            if not beats.is_open:
                due_ns = session.wake_ns
                if not due_ns or due_ns > until_ns:
                    return due_ns or NEVER
                if not beats.is_idle(max(due_ns, state.ts_ns)):
                    return 0
                beats.pass_idle(follow)
            beats.is_open = False
            following = session.keeper.on_told()
            if following is not None:
                follow(self.followed(following))
                if not session.is_quiet():
                    return 0
                beats.begin()

    def followed(self, following: Iterator[Record] | None) -> Iterable[Record]:
        """Return what is decided once a market input was heard, as ``decide`` does."""
        session, first = self._with_session(), None if following is None else next(following, None)
        if first is None and session.is_quiet():
            return ()
        if following is None or first is None:
            return session.decided(iter(()))
        return session.decided(chain((first,), following))

    # ---- a shadow ----

    def shadow(self, without: frozenset[str] = frozenset()) -> None:
        """Run the strategies from here on as the session before did, from its checkpoints.

        ``without``: instances that were cut off later; they would not return this time either.

        For working out their newest state: the recorded decisions are applied in the place of what
        ``decide`` yields. Only strategies run. What else decides (breakers, the venue of paper, the
        comparison of books) counts on its decisions being applied, and all of it is on record.
        """
        self._is_shadow = True
        session = self._begin()
        session.starting.waits = frozenset()
        trader = session.trader
        for desk in trader.desks.values():
            if desk.name in without:
                desk.stop_reason = "cut off"
            else:
                deque(trader.calling.start(desk), maxlen=0)

    def shadow_again(self, owner: str) -> None:
        """Go on with what a checkpoint says that has just been applied: it was so."""
        session = self._with_session()
        trader = session.trader
        deque(session.starting.follow_modes(), maxlen=0)
        if owner in trader.desks and not trader.desks[owner].is_stopped:
            trader.roster.renew(owner)
            deque(trader.calling.start(trader.desks[owner]), maxlen=0)

    def settled(self) -> Iterator[Record]:
        """Let a shadow's strategies hear what recorded decisions have brought about."""
        return self._with_session().decided(iter(()))

    def holds(self, owner: str, saved: bytes) -> bool:
        """Return whether an instance knows exactly what a checkpoint says."""
        desk = self.trader.desks.get(owner)
        return desk is not None and desk.is_started and not desk.is_stopped and desk.save() == saved

    def saved(self) -> dict[str, bytes]:
        """Return the state of every instance that is not stopped."""
        return self.trader.roster.saved()

    # ---- inside ----

    def _configured(self, _record: Configured) -> Iterator[Record] | None:
        session = self._begin()
        return None if session.is_shadow else session.keeper.take_over()

    def _begin(self) -> Session:
        """Make the deciding half from the settings and checkpoints applied so far."""
        state = self.state
        assert state.settings is not None
        assert self._load is not None
        state.news.clear()  # left by records applied without deciding
        state.taken.clear()
        state.moved.clear()
        session = Session(state, state.settings, self._load, self.turns, is_shadow=self._is_shadow)
        self.session = session
        self._deciders = session.deciders | {Configured: self._configured}
        return session

    def _with_session(self) -> Session:
        assert self.session is not None
        return self.session
