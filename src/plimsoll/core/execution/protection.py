"""What protects positions at the venue: what is wished, what was asked for, what it shows.

Theory: the stop-loss and take-profit of a position are levels, not orders. The venue keeps them
with the position, whatever its size, and ends them with it. So what is wished is compared with what
the position shows, and set again until both agree: setting a level twice is harmless, and a lost
answer needs no proof of absence. One request about a position is on its way at a time, and one with
another content waits until an unanswered one can no longer take effect: none overtakes the other.
"""

from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import Regrid, Side
from plimsoll.core.records import (
    OrderIntended,
    PositionReported,
    ProtectionAnswered,
    ProtectionIntended,
    ProtectionWished,
)

FIRST_NS: Final = 500_000_000
MOST_NS: Final = 30_000_000_000
"""Pauses between requests that do not bring the level about: doubled from the first to the most."""

SETTLE_NS: Final = 500_000_000
"""After an execution, how long the position's message may take to show what its order carried."""

_EXITS: Final = ("TakeProfit", "StopLoss", "TrailingStop", "TrailingProfit")
_SPOT_EXITS: Final = frozenset({"tpslOrder", "OcoOrder", "BidirectionalTpslOrder"})


def protects(create_type: str, stop_type: str) -> bool:
    """Return whether the venue made an order to close a position (Bybit v5 docs, enum)."""
    made_for = create_type.removeprefix("CreateBy").removeprefix("Partial")
    kind = stop_type.removeprefix("Partial")
    return made_for in _EXITS or kind in _EXITS or stop_type in _SPOT_EXITS


class Level(NamedTuple):
    """Stop-loss and take-profit in ticks, 0 = none."""

    stop_ticks: int
    take_ticks: int


class Wish(NamedTuple):
    """The level an instance wants for a position of this side."""

    side: Side
    level: Level


NO_LEVEL: Final = Level(0, 0)


class Protection(msgspec.Struct):
    """How the account's position in one perpetual is protected at the venue."""

    owner: str = ""
    """Who asked last."""
    asked: Level = NO_LEVEL
    """What was asked for last, by a request or by an order that enters."""
    shown: Level = NO_LEVEL
    """What the venue's newest statement of the position shows."""
    shown_ms: int = 0
    sent_ns: int = 0
    """When the unanswered request left; 0 = none."""
    unsure_ns: int = 0
    """When the newest request ended without a clear answer."""
    next_ns: int = 0
    """The same level is not asked for again before this."""
    tries: int = 0
    refusal: str = ""
    """Why the venue did not take the level asked for last."""
    moved_ns: int = 0
    """When the position last changed."""

    @property
    def is_ours(self) -> bool:
        """Return whether everything shown was asked for by us; else a person set it."""
        return self.shown.stop_ticks in (0, self.asked.stop_ticks) and (
            self.shown.take_ticks in (0, self.asked.take_ticks)
        )


class Protections:
    """Wishes by owner and instrument, and what stands at the venue by instrument."""

    def __init__(self) -> None:
        """Start with none."""
        self.wishes: dict[tuple[str, str], Wish] = {}
        self.at_venue: dict[str, Protection] = {}

    def of(self, instrument: str) -> Protection:
        """Return the protection of an instrument's position, a new one where there is none."""
        found = self.at_venue.get(instrument)
        if found is None:
            found = self.at_venue[instrument] = Protection()
        return found

    def wished(self, record: ProtectionWished) -> None:
        """Take what an instance wants from now on."""
        level = Level(record.stop_ticks, record.take_ticks)
        self.wishes[record.owner, record.instrument] = Wish(record.side, level)

    def entering(self, record: OrderIntended) -> None:
        """Note what an order that enters carries."""
        if record.stop_ticks or record.take_ticks:
            self._ask(record.instrument, record.owner, record.stop_ticks, record.take_ticks)

    def intended(self, record: ProtectionIntended) -> None:
        """Note a request that leaves now."""
        found = self._ask(record.instrument, record.owner, record.stop_ticks, record.take_ticks)
        found.sent_ns = record.ts_ns
        found.tries += 1

    def answered(self, record: ProtectionAnswered) -> None:
        """Take the venue's answer; only its position's next statement shows the level."""
        found = self.of(record.instrument)
        found.refusal = record.text or str(record.code) if record.outcome == "refused" else ""
        if record.outcome == "unknown":
            found.unsure_ns = record.ts_ns
        self._wait(found, record.ts_ns)

    def lost(self, instrument: str, ts_ns: int) -> None:
        """Note that no answer will come."""
        found = self.of(instrument)
        found.unsure_ns = ts_ns
        self._wait(found, ts_ns)

    def refused(self, instrument: str, ts_ns: int) -> None:
        """Note that our gateway wrote not a byte."""
        self._wait(self.of(instrument), ts_ns)

    def moved(self, instrument: str, ts_ns: int) -> None:
        """Note an execution."""
        found = self.at_venue.get(instrument)
        if found is not None:
            found.moved_ns = ts_ns

    def handed(self, instrument: str, from_owner: str, to_owner: str) -> None:
        """Let what the venue makes to protect a position be of whom it belongs to now."""
        found = self.at_venue.get(instrument)
        if found is not None and found.owner == from_owner:
            found.owner = to_owner

    def stated(self, record: PositionReported) -> None:
        """Take the venue's statement of the position, unless a newer one is known."""
        found = self.of(record.instrument)
        if record.updated_ms < found.shown_ms:
            return
        if record.raw:  # a row left out of an answer has no time of the venue's
            found.shown_ms = record.updated_ms
        found.shown = Level(record.stop_ticks, record.take_ticks)
        if found.shown == found.asked:
            found.tries = found.next_ns = 0
            found.refusal = ""

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count the levels of an instrument in its new ticks."""
        for key, wish in list(self.wishes.items()):
            if key[1] == instrument:
                self.wishes[key] = Wish(wish.side, _moved(wish.level, regrid))
        found = self.at_venue.get(instrument)
        if found is not None:
            found.asked, found.shown = _moved(found.asked, regrid), _moved(found.shown, regrid)

    def restart(self, ts_ns: int) -> None:
        """Begin a session: what was on its way is answered to nobody."""
        for found in self.at_venue.values():
            if found.sent_ns:
                found.unsure_ns = ts_ns
            found.sent_ns = found.tries = found.next_ns = 0

    def _ask(self, instrument: str, owner: str, stop_ticks: int, take_ticks: int) -> Protection:
        found = self.of(instrument)
        level = Level(stop_ticks, take_ticks)
        if level != found.asked:
            found.tries = found.next_ns = 0
            found.refusal = ""
        found.owner, found.asked = owner, level
        return found

    def _wait(self, found: Protection, ts_ns: int) -> None:
        found.sent_ns = 0
        found.next_ns = ts_ns + min(MOST_NS, FIRST_NS << min(found.tries, 8))


def _moved(level: Level, regrid: Regrid) -> Level:
    return Level(level.stop_ticks * regrid.tick, level.take_ticks * regrid.tick)


def wanted(wish: Wish | None, held_lots: int) -> Level | None:
    """Return the level a position should have, ``None`` where nothing was said about it."""
    if wish is None or held_lots * wish.side.sign <= 0:
        return None
    return wish.level


def next_level(
    found: Protection,
    level: Level,
    side: Side,
    now_ns: int,
    late_ns: int,
    *,
    may_loosen: bool,
) -> Level | None:
    """Return the level to ask for now, ``None`` while there is nothing to ask.

    Args:
        found: What stands at the venue.
        level: What is wanted for the position.
        side: Of the position.
        now_ns: Time.
        late_ns: How long a request without a clear answer may still take effect.
        may_loosen: Whether a protection may be taken back or moved away.
    """
    if level == found.shown or found.sent_ns:
        return None
    if level == NO_LEVEL and not found.is_ours:
        return None  # set by a person on a position nobody here wanted protected
    if not may_loosen and is_looser(level, found.shown, side):
        return None
    if level == found.asked:
        waits_ns = max(found.next_ns, found.moved_ns + SETTLE_NS)
    else:
        waits_ns = found.unsure_ns + late_ns if found.unsure_ns else 0
    return level if now_ns >= waits_ns else None


def is_looser(level: Level, shown: Level, side: Side) -> bool:
    """Return whether a level protects less against loss than the one shown."""
    if not shown.stop_ticks:
        return False
    return not level.stop_ticks or (level.stop_ticks - shown.stop_ticks) * side.sign < 0
