"""The strategy of the world: busy, and wrong in every way a strategy can be wrong.

What it does is a function of seed, name and turn, and the turn is remembered over restarts: so a
replay does the same, and a turn that is muted changes no other.
"""

from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Signal, Strategy, param, state
from plimsoll.simulator.brain.numbers import drawn_fraction

ABSURD_SIZES: Final = (0, -1, 1e12, "1e-9", float("nan"), float("inf"))
ABSURD_PRICES: Final = (0, -5, 1e9, float("nan"), "0.00000001")


_TURNS: Final = (
    *("take", "take", "rest", "rest", "rest", "large", "close"),
    *("move", "move", "cancel", "cancel", "aim", "make", "make", "burst"),
)


class Nudge(Signal):
    """What somebody outside tells it to do."""

    turn: Literal["take", "rest", "close", "aim", "make", "burst"]
    times: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1


class Adversary(Strategy):
    """Takes, rests, moves, cancels, quotes and targets at random."""

    seed: int = 1
    every: int = param(4, ge=1, le=60, hot=True)
    """A turn is taken at about one book change in this many."""
    share: float = param(0.01, ge=0.001, le=0.1, hot=True)
    """Usual order as a share of the largest order the limits allow."""
    largest: float = 3000.0
    absurd: int = 0
    """Turns in a thousand that ask for nonsense."""
    conditional: int = 0
    """Turns in a thousand that ask for an order that waits for its price."""
    quiet_after_ms: int = 0
    """No turn from this Unix time on."""
    muted: str = ""
    """Turns left out: ``3-17,20-20``."""
    signal = Nudge
    kinds: ClassVar[tuple[str, ...]] = _TURNS
    turns = state(0)

    def on_signal(self, signal: Nudge) -> None:
        """Take a turn at once, whatever the book does."""
        name = self.instruments[0]
        self.turns += 1
        self.draws = 0
        middle = self.market(name).book.mid
        if middle and self.now // 1_000_000 < self.quiet_after_ms:
            for _ in range(signal.times):
                getattr(self, signal.turn)(name, middle)

    def on_start(self) -> None:
        """Begin with nothing resting that is known of."""
        self.resting: list[OrderHandle] = []
        self.spans = [tuple(map(int, one.split("-"))) for one in self.muted.split(",") if one]
        self.draws = 0

    def on_book(self, market: Market) -> None:
        """Take a turn now and then."""
        if self.now // 1_000_000 >= self.quiet_after_ms:
            return
        self.turns += 1
        self.draws = 0
        if self._drawn(self.every) or any(a <= self.turns <= b for a, b in self.spans):
            return
        name = market.instrument.name
        middle = market.book.mid
        if not middle:
            return
        if self._drawn(1000) < self.absurd:
            self._ask_nonsense(name, middle)
            return
        self.resting = [one for one in self.resting if one.is_working][-40:]
        if self.conditional and self._drawn(1000) < self.conditional:
            self.wait(name, middle)
            return
        getattr(self, self.kinds[self._drawn(len(self.kinds))])(name, middle)

    # ---- turns -------------------------------------------------------------------------------

    def take(self, name: str, middle: float) -> None:
        """Take at the market."""
        self._way(self._drawn(2))(name, self._qty(middle))

    def rest(self, name: str, middle: float) -> None:
        """Rest near the market, or cross it with a limit."""
        is_buy = self._drawn(2)
        away = (self._drawn(200) - 40) / 100_000
        price = middle * (1 - away if is_buy else 1 + away)
        tif = ("gtc", "gtc", "post_only", "ioc", "fok")[self._drawn(5)]
        self.resting.append(self._way(is_buy)(name, self._qty(middle), price, tif=tif))

    def large(self, name: str, middle: float) -> None:
        """Ask for as much as one order may be, to reach the limits."""
        is_buy = self._drawn(2)
        qty = self.largest * 0.95 / middle
        price = middle * (0.9995 if is_buy else 1.0005)
        self.resting.append(self._way(is_buy)(name, qty, price))

    def close(self, name: str, middle: float) -> None:
        """Reduce what is held, perhaps twice at once."""
        held = self.position(name).qty
        if held:
            for _ in range(1 + self._drawn(2)):
                self._way(held < 0)(name, abs(held), reduce_only=not name.startswith("spot"))

    def move(self, name: str, middle: float) -> None:
        """Amend a resting order: price, quantity, or both; twice in a row now and then."""
        for _ in range(1 + (self._drawn(4) == 0)):
            if self.resting:
                handle = self.resting[self._drawn(len(self.resting))]
                share = 1 + (self._drawn(200) - 100) / 100_000
                found: dict[str, Any] = {}
                if self._drawn(3):
                    found["price"] = middle * share
                if not found or self._drawn(2):
                    found["qty"] = self._qty(middle)
                handle.amend(**found)

    def cancel(self, name: str, middle: float) -> None:
        """Cancel a resting order, or all of them at once."""
        if self._drawn(5) == 0:
            for handle in self.resting:
                handle.cancel()
        elif self.resting:
            self.resting[self._drawn(len(self.resting))].cancel()

    def wait(self, name: str, middle: float) -> None:
        """Wait for a price: to enter with much, or to close what is held."""
        held = self.position(name).qty
        share = (self._drawn(400) - 200) / 100_000
        trigger = middle * (1 + share)
        if held and self._drawn(3):
            closes = not name.startswith("spot")
            self.resting.append(
                self._way(held < 0)(name, abs(held), trigger=trigger, reduce_only=closes)
            )
        else:
            qty = self.largest * 0.9 / middle
            self.resting.append(self._way(self._drawn(2))(name, qty, trigger=trigger))

    def aim(self, name: str, middle: float) -> None:
        """State a target."""
        share = self._drawn(3) - (0 if name.startswith("spot") else 1)
        self.target(name, notional=share * self.largest * 0.5)

    def make(self, name: str, middle: float) -> None:
        """Quote both sides, or withdraw."""
        if self._drawn(4) == 0:
            self.quote(name)
            return
        away = (1 + self._drawn(20)) / 100_000
        qty = self._qty(middle)
        self.quote(name, [(middle * (1 - away), qty)], [(middle * (1 + away), qty)])

    def burst(self, name: str, middle: float) -> None:
        """Ask for many orders at once."""
        for _ in range(8):
            self.rest(name, middle)

    # ---- inside ------------------------------------------------------------------------------

    def _ask_nonsense(self, name: str, middle: float) -> None:
        which = self._drawn(4)
        if which == 0:
            self.buy(name, ABSURD_SIZES[self._drawn(len(ABSURD_SIZES))])
        elif which == 1:
            self.sell(name, self._qty(middle), ABSURD_PRICES[self._drawn(len(ABSURD_PRICES))])
        elif which == 2:
            self.target(name, notional=1e15)
        else:
            self.quote(name, [(middle * 2, 1e9)], [(middle / 2, 1e9)])

    def _way(self, is_buy: object) -> Any:
        return self.buy if is_buy else self.sell

    def _qty(self, middle: float) -> float:
        return self.largest * self.share * (1 + self._drawn(10)) / middle

    def _drawn(self, n: int) -> int:
        self.draws += 1
        return int(drawn_fraction(self.seed, f"turn {self.turns}", self.draws) * n)


class Successor(Adversary):
    """Its next code: busy in another way, and it remembers more."""

    kinds: ClassVar[tuple[str, ...]] = ("make", "aim", "rest", "move", "cancel", "close", "take")
    starts = state(0)

    def on_start(self) -> None:
        """Count, and ask for something at once."""
        super().on_start()
        self.starts += 1
        name = self.instruments[0]
        middle = self.market(name).book.mid
        if middle and self.now // 1_000_000 < self.quiet_after_ms:
            self.rest(name, middle)
