"""What protects each open position, for ``positions``: where its stop stands and how far it is."""

from typing import Final, NamedTuple

from plimsoll.core.engine import Core
from plimsoll.core.execution.protection import NO_LEVEL, Level

SESSION_ENDS: Final = "session ends"
"""Why every strategy is stopped when a session ends in order."""


class Shield(NamedTuple):
    """The protection of one position; ``where`` is ``venue``, ``engine`` or ``none``.

    ``distance`` is that of the stop from the newest price, as a share of it; None without either.
    """

    where: str
    level: Level
    distance: float | None


def shield_of(core: Core, owner: str, name: str) -> Shield:
    """Return what protects an owner's position, as the logs have it."""
    state = core.state
    held = state.ledger.qty_lots(owner, name)
    if state.keeps_at_venue(owner, name):
        found = state.protections.at_venue.get(name)
        if found is not None and found.shown != NO_LEVEL and held:
            return Shield("venue", found.shown, _distance(core, name, found.shown.stop_ticks))
    wish = state.protections.wishes.get((owner, name))
    is_watched = state.stopped.get(owner, SESSION_ENDS) == SESSION_ENDS
    if wish is None or wish.level == NO_LEVEL or held * wish.side.sign <= 0 or not is_watched:
        return Shield("none", NO_LEVEL, None)
    return Shield("engine", wish.level, _distance(core, name, wish.level.stop_ticks))


def _distance(core: Core, name: str, stop_ticks: int) -> float | None:
    market = core.markets.get(name)
    price = market.newest_ticks(core.ts_ns) if market is not None else 0
    return abs(price - stop_ticks) / price if price and stop_ticks else None
