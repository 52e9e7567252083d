"""One instrument's matching book: own orders resting among *external* (market) liquidity.

Theory of operation. Each price holds the external quantity last displayed there plus own orders in
time order. ``ahead_lots`` of a resting order is the external quantity still in front of it:

* it joins behind a share of what is displayed: all of it, unless ``queue_ppm`` says less;
* a print at its price takes what is ahead first, exactly, and then the order;
* a level that shrinks to less than ``ahead_lots`` caps it: until then the decrease is taken to be
  cancellations from behind, the reading least favourable to us;
* a print through its price fills it whole, whatever the printed quantity.

Where the queue decided a fill, and not the data, the fill says so (``rule``).

Prints do not change displayed quantities: the market's own next level update does. External
quantity taken by an own order is gone until that level is set again.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import Side, TimeInForce

WHOLE_QUEUE: Final = 1_000_000
"""Behind everything that is displayed, in parts per million of it."""


class Fill(NamedTuple):
    """One match of an own order. ``counter`` is the other own order's key, "" for the market.

    ``rule`` is what decided it where the data does not: ``queue``, else "".
    """

    key: str
    price_ticks: int
    qty_lots: int
    is_maker: bool
    counter: str
    rule: str = ""


QUEUE: Final = "queue"
"""A print at an order's own price, after what stood ahead of it is reckoned to be gone."""


class Outcome(msgspec.Struct):
    """What became of a submitted or amended order.

    ``end`` is "" where the rest works in the book, "filled", or why the rest was cancelled:
    "post_only", "ioc", "fok", "self_match". ``leaves_lots`` is the unfilled rest either way.
    ``removed`` are own makers that self-match prevention took out of the book, in the order they
    were met; ``met`` is the own maker that ended the order itself.
    """

    fills: list[Fill]
    leaves_lots: int
    end: str
    removed: list[str] = []
    met: str = ""


class Resting(msgspec.Struct):
    """An own order in the book; ``ahead_lots`` is the external quantity still in front of it."""

    key: str
    side: Side
    price_ticks: int
    leaves_lots: int
    ahead_lots: int
    tif: TimeInForce
    owner: str
    smp: bool
    smp_maker: bool = False


_BUY: Final = Side.BUY  # hot: read through its class it costs ten times a global
_SELL: Final = Side.SELL
_POST_ONLY: Final = TimeInForce.POST_ONLY
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK


class MatchingBook:
    """Price-time priority over one instrument, in integer ticks and lots."""

    def __init__(self, *, queue_ppm: int = WHOLE_QUEUE) -> None:
        """Start empty; resting orders join behind ``queue_ppm`` of the displayed quantity."""
        self._queue_ppm = queue_ppm
        self._halves = {_BUY: _Half(_BUY), _SELL: _Half(_SELL)}
        self._resting: dict[str, Resting] = {}

    def set_level(self, side: Side, price_ticks: int, qty_lots: int) -> list[Fill]:
        """Set the external quantity at a price (0 deletes it) and return the fills it causes.

        Own orders crossed by the level fill as makers at their own price, at most ``qty_lots``
        in total; what they take is no longer displayed.

        Raises:
            ValueError: a negative quantity or a price that is not positive.
        """
        if qty_lots < 0 or price_ticks <= 0:
            raise ValueError(f"level needs price > 0 and qty >= 0, found {price_ticks}, {qty_lots}")
        other = self._halves[side.opposite]
        fills: list[Fill] = []
        if qty_lots and other.own_ranks:
            qty_lots, fills = self._cross(other, price_ticks, qty_lots)
        self._halves[side].set_external(price_ticks, qty_lots)
        return fills

    def set_levels(self, side: Side, rows: Iterable[tuple[int, int]]) -> list[Fill]:
        """Set the external quantities of several prices of a side and return the fills.

        The same as ``set_level`` for each in turn; where no own order is near, much cheaper.

        Raises:
            ValueError: a negative quantity or a price that is not positive.
        """
        half, other = self._halves[side], self._halves[side.opposite]
        levels, ranks, sign, depleted = half.levels, half.ranks, half.sign, half.depleted
        is_alone = not other.own_ranks
        fills: list[Fill] = []
        for price, qty in rows:
            if qty < 0 or price <= 0:
                raise ValueError(f"level needs price > 0 and qty >= 0, found {price}, {qty}")
            if depleted:
                depleted.discard(price)
            level = levels.get(price)
            is_near = not is_alone and qty and other.reaches(price)
            if is_near or (level is not None and level.own):
                fills += self.set_level(side, price, qty)
            elif level is None:
                if qty:
                    levels[price] = _Level(qty, [])
                    insort(ranks, price * sign)
            elif qty:
                level.external = qty
            else:
                del levels[price]
                del ranks[bisect_left(ranks, price * sign)]
        return fills

    def replace(
        self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]
    ) -> list[Fill]:
        """Replace all external levels (a snapshot) and return the fills they cause."""
        if not self._resting:
            self._halves[_BUY].renew(bids)
            self._halves[_SELL].renew(asks)
            return []
        wanted = {_BUY: dict(bids), _SELL: dict(asks)}
        for side, half in self._halves.items():
            half.depleted.clear()
            for price in half.external_prices():
                if price not in wanted[side]:
                    half.set_external(price, 0)
        fills: list[Fill] = []
        for side, levels in wanted.items():
            for price, qty in levels.items():
                fills += self.set_level(side, price, qty)
        return fills

    def public_trade(self, taker: Side, price_ticks: int, qty_lots: int) -> list[Fill]:
        """Apply a print of the outside market and return the own orders it fills."""
        half = self._halves[taker.opposite]
        if not half.own_ranks:
            return []
        fills: list[Fill] = []
        for price in half.own_until(price_ticks):
            level = half.levels[price]
            left = qty_lots
            for order in list(level.own):
                if price != price_ticks:
                    take = order.leaves_lots
                else:
                    take = min(order.leaves_lots, max(0, left - order.ahead_lots))
                    order.ahead_lots -= min(order.ahead_lots, left)
                    left -= take
                if take:
                    rule = QUEUE if price == price_ticks and self._queue_ppm else ""
                    fills.append(self._fill(order, take, "", rule))
        return fills

    def submit(
        self,
        key: str,
        side: Side,
        price_ticks: int,
        qty_lots: int,
        tif: TimeInForce,
        owner: str = "",
        *,
        smp: bool = False,
        smp_maker: bool = False,
    ) -> Outcome:
        """Match a new order and rest what may rest.

        Args:
            key: Unique among resting orders.
            side: Direction of the order.
            price_ticks: Limit; nothing worse is taken.
            qty_lots: Quantity, positive.
            tif: GTC and POST_ONLY may rest, IOC and FOK may not.
            owner: Whose order it is, for ``smp``.
            smp: Cancel the rest on meeting a resting order of the same owner (CancelTaker).
            smp_maker: Take that resting order out of the book instead (CancelMaker), or, with
                ``smp``, as well (CancelBoth).

        Raises:
            ValueError: the key rests already, or price or quantity is not positive.
        """
        if key in self._resting or price_ticks <= 0 or qty_lots <= 0:
            raise ValueError(f"order {key!r}: needs a new key, price > 0 and qty > 0")
        order = Resting(key, side, price_ticks, qty_lots, 0, tif, owner, smp, smp_maker)
        crosses = next(self._halves[side.opposite].until(price_ticks), None) is not None
        if crosses and tif is _POST_ONLY:
            return Outcome([], qty_lots, "post_only")
        if tif is _FOK and self._available(order) < qty_lots:
            return Outcome([], qty_lots, "fok")
        done = Outcome([], qty_lots, "")
        if crosses:
            self._take(order, done)
        done.leaves_lots = order.leaves_lots
        if order.leaves_lots == 0:
            done.end = "filled"
        elif done.met:
            done.end = "self_match"
        elif tif in (_IOC, _FOK):
            done.end = tif.value
        else:
            self._rest(order)
        return done

    def cancel(self, key: str) -> int | None:
        """Take an order out and return its unfilled lots, ``None`` if it does not rest here."""
        order = self._resting.pop(key, None)
        if order is None:
            return None
        self._halves[order.side].remove(order)
        return order.leaves_lots

    def amend(self, key: str, price_ticks: int, leaves_lots: int) -> Outcome | None:
        """Change price or unfilled quantity of a resting order; ``None`` if it does not rest.

        The place in the queue is kept only where the price stays and the quantity does not grow;
        otherwise the order is matched again like a new one.

        Raises:
            ValueError: price or quantity is not positive.
        """
        if price_ticks <= 0 or leaves_lots <= 0:
            raise ValueError(f"amend of {key!r}: price and quantity must be positive")
        order = self._resting.get(key)
        if order is None:
            return None
        if price_ticks == order.price_ticks and leaves_lots <= order.leaves_lots:
            order.leaves_lots = leaves_lots
            return Outcome([], leaves_lots, "")
        self.cancel(key)
        return self.submit(
            key,
            order.side,
            price_ticks,
            leaves_lots,
            order.tif,
            order.owner,
            smp=order.smp,
            smp_maker=order.smp_maker,
        )

    def best(self, side: Side) -> int | None:
        """Return the best price, external or own, ``None`` where the side is empty."""
        half = self._halves[side]
        return half.price(half.ranks[0]) if half.ranks else None

    def levels(self, side: Side, depth: int) -> list[tuple[int, int]]:
        """Return the best ``depth`` levels as (price_ticks, qty_lots), own orders included."""
        half = self._halves[side]
        sign, levels = half.sign, half.levels
        if not half.own_ranks:
            return [(rank * sign, levels[rank * sign].external) for rank in half.ranks[:depth]]
        return [(rank * sign, levels[rank * sign].total()) for rank in half.ranks[:depth]]

    @property
    def is_idle(self) -> bool:
        """Return whether it holds nothing but what the market shows: no own order, no gap of one.

        A book made anew from the market's levels would be the same.
        """
        halves = self._halves
        return not (self._resting or halves[_BUY].depleted or halves[_SELL].depleted)

    def has_own(self, side: Side) -> bool:
        """Return whether own orders rest on a side."""
        return bool(self._halves[side].own_ranks)

    def quantities(self, side: Side, prices: Iterable[int]) -> list[tuple[int, int]]:
        """Return (price_ticks, qty_lots) of prices, own orders included; 0 where nothing is."""
        find = self._halves[side].levels.get
        return [
            (price, level.total() if (level := find(price)) is not None else 0) for price in prices
        ]

    def displayed(self, side: Side, price_ticks: int) -> int:
        """Return the external quantity at a price, own orders left out."""
        level = self._halves[side].levels.get(price_ticks)
        return level.external if level is not None else 0

    def ahead_at(self, side: Side, price_ticks: int) -> list[Resting]:
        """Return the own orders at a price that have external quantity in front of them."""
        level = self._halves[side].levels.get(price_ticks)
        return [order for order in level.own if order.ahead_lots] if level is not None else []

    def price_at(self, side: Side, place: int) -> int | None:
        """Return the price of a place counted from the best (0), ``None`` behind the last."""
        half = self._halves[side]
        return half.ranks[place] * half.sign if place < len(half.ranks) else None

    def prices_between(self, side: Side, better: int | None, worst: int | None) -> list[int]:
        """Return the prices worse than ``better`` down to ``worst`` itself, best first.

        ``None`` leaves that end open.
        """
        half = self._halves[side]
        first = 0 if better is None else bisect_right(half.ranks, better * half.sign)
        last = len(half.ranks) if worst is None else bisect_right(half.ranks, worst * half.sign)
        return [rank * half.sign for rank in half.ranks[first:last]]

    def resting(self) -> Iterable[Resting]:
        """Return the own orders in the book, oldest first; read, do not change them."""
        return self._resting.values()

    def _cross(self, half: "_Half", price_ticks: int, qty_lots: int) -> tuple[int, list[Fill]]:
        fills: list[Fill] = []
        for price in half.own_until(price_ticks):
            for order in list(half.levels[price].own):
                take = min(order.leaves_lots, qty_lots)
                if take:
                    fills.append(self._fill(order, take, ""))
                    qty_lots -= take
        return qty_lots, fills

    def _take(self, order: Resting, done: Outcome) -> None:
        half = self._halves[order.side.opposite]
        for price in list(half.until(order.price_ticks)):
            self._take_level(order, half, price, done)
            if order.leaves_lots == 0 or done.met:
                return

    def _take_level(self, taker: Resting, half: "_Half", price: int, done: Outcome) -> None:
        """Match the taker at one price in queue order, until it is filled or meets its owner."""
        level = half.levels[price]
        taken = 0
        for maker in list(level.own):
            taken += _take_external(taker, price, maker.ahead_lots - taken, done.fills)
            if taker.leaves_lots == 0:
                break
            if _is_self(taker, maker):
                self._prevent(taker, maker, done)
                if done.met:
                    break
                continue
            qty = min(taker.leaves_lots, maker.leaves_lots)
            taker.leaves_lots -= qty
            done.fills.append(Fill(taker.key, price, qty, False, maker.key))
            done.fills.append(self._fill(maker, qty, taker.key))
        if not done.met:
            taken += _take_external(taker, price, level.external - taken, done.fills)
        for maker in level.own:
            maker.ahead_lots = max(0, maker.ahead_lots - taken)
        half.set_external(price, level.external - taken)
        half.depleted.add(price)

    def _prevent(self, taker: Resting, maker: Resting, done: Outcome) -> None:
        if taker.smp_maker:
            self.cancel(maker.key)
            done.removed.append(maker.key)
        if taker.smp:
            done.met = maker.key

    def _available(self, taker: Resting) -> int:
        half = self._halves[taker.side.opposite]
        total = 0
        for price in half.until(taker.price_ticks):
            level = half.levels[price]
            blocker = next((maker for maker in level.own if _stops(taker, maker)), None)
            if blocker is not None:
                before = level.own[: level.own.index(blocker)]
                return total + blocker.ahead_lots + sum(maker.leaves_lots for maker in before)
            own = sum(maker.leaves_lots for maker in level.own if not _is_self(taker, maker))
            total += level.external + own
        return total

    def _rest(self, order: Resting) -> None:
        half = self._halves[order.side]
        level = half.level(order.price_ticks)
        order.ahead_lots = level.external * self._queue_ppm // WHOLE_QUEUE
        level.own.append(order)
        insort(half.own_ranks, order.price_ticks * half.sign)
        self._resting[order.key] = order

    def _fill(self, order: Resting, qty_lots: int, counter: str, rule: str = "") -> Fill:
        order.leaves_lots -= qty_lots
        if order.leaves_lots == 0:
            del self._resting[order.key]
            self._halves[order.side].remove(order)
        return Fill(order.key, order.price_ticks, qty_lots, True, counter, rule)


class _Level(msgspec.Struct):
    external: int
    own: list[Resting]

    def total(self) -> int:
        if not self.own:
            return self.external
        return self.external + sum(order.leaves_lots for order in self.own)


class _Half:
    """One side: levels by price, and their ranks sorted best first (rank = price, bids negated)."""

    __slots__ = ("depleted", "levels", "own_ranks", "ranks", "sign")

    def __init__(self, side: Side) -> None:
        self.sign = -side.sign
        self.levels: dict[int, _Level] = {}
        self.ranks: list[int] = []
        self.own_ranks: list[int] = []
        """Of own orders, one entry each, best first."""
        self.depleted: set[int] = set()
        """Prices where own orders took something that the market has not set anew since."""

    def price(self, rank: int) -> int:
        return rank * self.sign

    def reaches(self, limit_ticks: int) -> bool:
        """Return whether a taker with this limit meets an own order here."""
        return bool(self.own_ranks) and self.own_ranks[0] <= limit_ticks * self.sign

    def own_until(self, limit_ticks: int) -> list[int]:
        """Return the prices of own orders that a taker with this limit reaches, best first."""
        reached = self.own_ranks[: bisect_right(self.own_ranks, limit_ticks * self.sign)]
        return [rank * self.sign for rank in dict.fromkeys(reached)]

    def until(self, limit_ticks: int) -> Iterator[int]:
        """Yield the prices a taker with this limit reaches, best first."""
        last = limit_ticks * self.sign
        for rank in self.ranks:
            if rank > last:
                return
            yield rank * self.sign

    def renew(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Hold these levels and no others; only where nothing of our own rests."""
        levels: dict[int, _Level] = {}
        for price, qty in wanted:
            if qty < 0 or price <= 0:
                raise ValueError(f"level needs price > 0 and qty >= 0, found {price}, {qty}")
            if qty:
                levels[price] = _Level(qty, [])
            else:
                levels.pop(price, None)
        self.levels = levels
        self.depleted.clear()
        self.ranks = sorted(price * self.sign for price in self.levels)

    def external_prices(self) -> list[int]:
        return [price for price, level in self.levels.items() if level.external]

    def level(self, price: int) -> _Level:
        found = self.levels.get(price)
        if found is None:
            found = self.levels[price] = _Level(0, [])
            insort(self.ranks, price * self.sign)
        return found

    def set_external(self, price: int, qty_lots: int) -> None:
        if self.depleted:
            self.depleted.discard(price)
        if qty_lots == 0 and price not in self.levels:
            return
        level = self.level(price)
        level.external = qty_lots
        for order in level.own:
            order.ahead_lots = min(order.ahead_lots, qty_lots)
        self._drop_if_empty(price, level)

    def remove(self, order: Resting) -> None:
        level = self.levels[order.price_ticks]
        level.own.remove(order)
        del self.own_ranks[bisect_left(self.own_ranks, order.price_ticks * self.sign)]
        self._drop_if_empty(order.price_ticks, level)

    def _drop_if_empty(self, price: int, level: _Level) -> None:
        if level.external == 0 and not level.own:
            del self.levels[price]
            del self.ranks[bisect_left(self.ranks, price * self.sign)]


def _take_external(taker: Resting, price: int, offered: int, fills: list[Fill]) -> int:
    qty = min(taker.leaves_lots, max(0, offered))
    if qty:
        taker.leaves_lots -= qty
        fills.append(Fill(taker.key, price, qty, False, ""))
    return qty


def _is_self(taker: Resting, maker: Resting) -> bool:
    return (taker.smp or taker.smp_maker) and taker.owner == maker.owner


def _stops(taker: Resting, maker: Resting) -> bool:
    return taker.smp and taker.owner == maker.owner
