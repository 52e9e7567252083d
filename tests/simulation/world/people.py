"""What a person does about modes: switches at random, and clears what stands in the way of it."""

from collections.abc import Callable
from typing import Any, Final

from plimsoll.core.engine import Core
from plimsoll.core.model import MANUAL

Give = Callable[..., None]
"""Gives a command: its word, then what it says."""

_DOWN: Final = ("run_off", "run_off", "flatten", "flatten", "hand_over")
_UP: Final[tuple[dict[str, Any], ...]] = (
    {"mode": "live", "evidence": "d1ce"},
    {"mode": "hybrid", "evidence": "d1ce"},
    {"mode": "live", "override": True, "capital": 2_000 * 10**8},
    {"mode": "hybrid", "override": True, "capital": 500 * 10**8},
    {"mode": "live"},
    {"mode": "hybrid"},
)


def switch(core: Core, number: int, give: Give) -> None:
    """Switch one strategy to what the number says, down as often as up."""
    names = list(core.state.modes.standings)
    if not names:
        return
    number, which = divmod(number, len(names))
    number, is_down = divmod(number, 2)
    name = names[which]
    if is_down:
        give("mode", strategy=name, mode="paper", policy=_DOWN[number % len(_DOWN)], reason="test")
        return
    if core.safety.is_halted:
        give("resume", reason="switching")
    close_by_hand(core, give)
    give("mode", strategy=name, reason="test", **_UP[number % len(_UP)])


def close_by_hand(core: Core, give: Give) -> None:
    """Close what was handed over: nothing goes live beside it."""
    for owner, name in list(core.ledger.positions):
        if owner == MANUAL and core.ledger.qty_lots(owner, name):
            give("close", instrument=name, strategy=MANUAL, reason="handed over")
