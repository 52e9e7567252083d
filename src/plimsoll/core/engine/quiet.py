"""Quiet bars: final bars of a backtest that nothing waits for, taken in one go.

Theory: a bar is quiet when no order, stop or trigger waits for prices of its instrument, it uses
nobody's margin up, no funding, mark price, timer or beat comes before it, and everything that
follows from earlier inputs is done. All that ``apply`` and ``decide`` do with it then is to move
the market, to close bars, to feed indicators and to call ``on_bar``. This does just that, without
records and generators. As soon as a callback asks for anything, the bar ends as ``decide`` would
end it: with the generator of what follows.

Whether a bar is quiet follows from the same questions that ``Core.awaits``, ``Core.wake_ns`` and
``Core.decide`` ask; a test runs both ways and compares everything (``tests/backtest/test_quiet``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from plimsoll.core.engine.core import Core
from plimsoll.core.engine.facts import NEVER
from plimsoll.core.engine.trader import Trader
from plimsoll.core.feed import Bar, BarMaker, BarMarket
from plimsoll.core.records import BarChanged, BarWalked, Record
from plimsoll.core.strategy import Desk
from plimsoll.core.strategy.desk import Fed

_MS: Final = 1_000_000

Row = tuple[int, float, float, float, float, float]
"""A bar: beginning in Unix ms, open, high, low, close, volume."""

Placed = tuple[int, Row]
"""A bar and the place of its instrument."""


class _Hearer(NamedTuple):
    """One time frame of one instance."""

    desk: Desk
    maker: BarMaker
    fed: Fed
    is_whole: bool


class _Lane(NamedTuple):
    """One instrument: its market, and who hears its bars."""

    market: BarMarket
    desks: tuple[Desk, ...]
    hearers: tuple[_Hearer, ...]


class QuietBars:
    """Takes the bars of a core by bars as far as they are quiet."""

    def __init__(self, core: Core, names: Sequence[str], after_ns: int) -> None:
        """Begin; ``after_ns``: from the beginning of a bar until it is heard of."""
        self.core = core
        self.names = tuple(names)
        self.after_ns = after_ns
        self.news_ms: list[int] = [NEVER] * len(self.names)
        """Of each instrument: from there on more is known of it, and no bar is quiet."""
        self._lanes: list[_Lane | None] = []
        self._group_ms = -1
        """Bars that began then are over, all of them, and are being heard."""
        self._of: tuple[Desk, ...] = ()

    def take(  # noqa: C901 - hot: no calls inside
        self,
        bars: Sequence[Placed],
        at: int,
        end: int,
        note: Callable[[tuple[int, Row, int]], None],
        follow: Callable[[Iterable[Record]], None],
    ) -> tuple[int, Iterable[Record] | None]:
        """Take bars from ``at`` on, before ``end``, until one is not quiet.

        Args:
            bars: Instruments by place, and rows.
            at: The first.
            end: Behind the last.
            note: Hears of each bar that led to nothing: place, row, time.
            follow: Applies what beats between the bars decide.

        Returns:
            The place of the first bar that was not taken; or that of the newest, which was, with
            what follows from it.
        """
        core, (place, row) = self.core, bars[at]
        if row[0] >= self.news_ms[place]:  # with mark prices that is every bar
            return at, None
        until_ns = core.quiet_until_ns()
        if not until_ns:
            return at, None
        trader, state, turns, after_ns = core.trader, core.state, core.turns, self.after_ns
        beats, lanes = core.beats, self._lanes_of(trader)
        news_ms, by_bars = self.news_ms, trader.by_bars
        assert by_bars is not None
        is_many = len(lanes) > 1
        following: Iterator[Record] | None = None
        known: list[_Lane | None] = [None] * len(lanes)
        bounds = [(0.0, 0.0)] * len(lanes)
        number = at
        while number < end:
            place, row = bars[number]
            start_ms, first, high, low, last, volume = row
            is_new = is_many and start_ms != self._group_ms
            if is_new and self._stirs(bars, number):
                break
            start_ns = start_ms * _MS
            ts_ns = start_ns + after_ns
            lane = known[place]
            if lane is None:
                lane = lanes[place]
                if lane is None or core.awaits(self.names[place]):
                    break
                known[place] = lane
                bounds[place] = by_bars.bounds(lane.market)
            if ts_ns < state.ts_ns or start_ms >= news_ms[place]:
                break
            least, most = bounds[place]
            is_far = (least < low and high < most) or is_many  # of many it has been asked
            if not is_far and by_bars.is_in_danger(lane.market, low, high):
                break
            if ts_ns >= until_ns:
                until_ns = beats.pass_calm(ts_ns) or core.pass_beats(ts_ns, follow)
                if ts_ns >= until_ns:
                    break
            if is_new and not self._walk(bars, number, ts_ns, known, bounds):
                break
            state.seq = state.cause = state.seq + 1
            state.ts_ns = ts_ns
            market, desks, hearers = lane
            market.messages += 1
            market.heard_ns = market.last_ns = market.mark_ns = ts_ns
            market.last = market.mark = market.unread = last
            market.fault = None
            turns.nth = 0
            for desk, maker, fed, is_whole in hearers:
                if not is_whole or maker.open_bar or (start_ns - maker.offset_ns) % maker.span:
                    following = self._heard(desk, maker.on_row(*row), hearers, maker, row)
                    if following is not None:
                        break
                    continue
                bar = maker.whole(start_ns, first, high, low, last, volume)
                if bar is None:
                    continue
                for update in fed.closes:
                    update(last)
                for take in fed.bars:
                    take(bar)
                if desk.is_started and not desk.stop_reason:
                    # As ``Trader.heard`` does it.
                    on_bar = desk.strategy.on_bar
                    desk.now_ns = ts_ns
                    turns.serial += 1
                    turns.nth += 1
                    try:
                        turns.is_inside = True
                        on_bar(bar)
                        turns.is_inside = False
                    except BaseException as error:
                        following = trader.calling.failed(desk, on_bar, error)
                    else:
                        if not desk.requests:
                            continue
                        following = trader.calling.carry_out(desk)
                    following = self._go_on(following, hearers, maker, row)
                    break
            is_over = following is not None
            for desk in desks:
                if desk.wish_changed:
                    is_over = True
                elif desk.timers:
                    until_ns = core.quiet_until_ns()
            if is_over:
                beats.end()
                state.count(BarChanged, number + 1 - at)
                return number, core.followed(following)
            note((place, row, ts_ns))
            number += 1
        beats.end()
        state.count(BarChanged, number - at)
        return number, None

    # ---- inside ----

    def _stirs(self, bars: Sequence[Placed], number: int) -> bool:
        """Return whether anything waits for one of the bars that close together."""
        start_ms, core = bars[number][1][0], self.core
        for place, row in islice(bars, number, None):
            if row[0] != start_ms:
                break
            if self._lanes[place] is None or start_ms >= self.news_ms[place]:
                return True
            if core.awaits(self.names[place]):
                return True
        return False

    def _walk(
        self,
        bars: Sequence[Placed],
        number: int,
        ts_ns: int,
        known: list[_Lane | None],
        bounds: list[tuple[float, float]],
    ) -> bool:
        """Let all bars that close together be over, as ``BarWalked`` does it, before one is heard.

        Returns:
            False at the first that would use somebody's margin up.
        """
        by_bars, state, start_ms = self.core.trader.by_bars, self.core.state, bars[number][1][0]
        for place, row in islice(bars, number, None):
            if row[0] != start_ms:
                break
            lane = self._lanes[place]
            if lane is not None and lane.market.walked_ms > start_ms:
                continue  # a bar that comes twice
            if lane is None or by_bars is None:
                return False
            if known[place] is None:
                known[place], bounds[place] = lane, by_bars.bounds(lane.market)
            (least, most), high, low = bounds[place], row[2], row[3]
            is_far = least < low and high < most
            if not is_far and by_bars.is_in_danger(lane.market, low, high):
                return False
            state.seq = state.cause = state.seq + 1
            state.ts_ns = ts_ns
            state.count(BarWalked, 1)
            end_ms, market = start_ms + lane.market.span_ms, lane.market
            market.on_walk(
                BarWalked(state.seq, ts_ns, 1, 0, self.names[place], start_ms, end_ms, *row[1:5])
            )
        self._group_ms = start_ms
        return True

    def _heard(
        self,
        desk: Desk,
        closed: list[Bar],
        hearers: tuple[_Hearer, ...],
        maker: BarMaker,
        row: Row,
    ) -> Iterator[Record] | None:
        """Let an instance hear bars of a longer frame; return what follows, None where nothing."""
        trader = self.core.trader
        for nth, bar in enumerate(closed, start=1):
            desk.feed_bar(bar)
            if not desk.is_started or desk.stop_reason:
                continue
            following = trader.calling.heard(desk, desk.strategy.on_bar, bar)
            if following is not None:
                left = (trader.calling.hear_bar(desk, other) for other in closed[nth:])
                following = chain(following, chain.from_iterable(left))
                return self._go_on(following, hearers, maker, row)
        return None

    def _go_on(
        self,
        following: Iterator[Record],
        hearers: tuple[_Hearer, ...],
        heard: BarMaker,
        row: Row,
    ) -> Iterator[Record]:
        """Yield what follows from a callback, then let those behind it hear the bar."""
        yield from following
        is_behind = False
        for desk, maker, _, _ in hearers:
            for bar in maker.on_row(*row) if is_behind else ():
                yield from self.core.trader.calling.hear_bar(desk, bar)
            is_behind = is_behind or maker is heard

    def _lanes_of(self, trader: Trader) -> list[_Lane | None]:
        """Return who hears the bars of each instrument."""
        if self._of is not trader.roster.everybody:
            self._of = trader.roster.everybody
            self._lanes = [self._lane(trader, name) for name in self.names]
        return self._lanes

    def _lane(self, trader: Trader, name: str) -> _Lane | None:
        market, desks = (
            self.core.markets.get(name),
            tuple(trader.roster.on(name)),
        )
        if not isinstance(market, BarMarket):
            return None
        hearers = (
            _Hearer(desk, maker, desk.fed[key], maker.is_whole)
            for desk in desks
            for key, maker in desk.makers.items()
            if key[0] == name and not maker.is_own
        )
        return _Lane(market, desks, tuple(hearers))
