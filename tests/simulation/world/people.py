"""What a person does about modes and stages: switches, promotes and takes back at random."""

from collections.abc import Callable
from typing import Any, Final

from plimsoll.core.engine import Core
from plimsoll.core.model import MANUAL

Give = Callable[..., None]
"""Gives a command: its word, then what it says."""

_DOWN: Final = ("run_off", "run_off", "flatten", "flatten", "hand_over")
_UP: Final[tuple[dict[str, Any], ...]] = (
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
        number, falls = divmod(number, 3)
        if not falls and core.state.standing(name).stage.is_promoted:
            give("stage", strategy=name, stage="paper", reason="taken back")
            return
        give("mode", strategy=name, mode="paper", policy=_DOWN[number % len(_DOWN)], reason="test")
        return
    if core.safety.is_halted:
        give("resume", reason="switching")
    close_by_hand(core, give)
    number, which = divmod(number, len(_UP) + 2)
    if which < len(_UP):
        give("mode", strategy=name, reason="test", **_UP[which])
        return
    if not core.state.standing(name).stage.is_promoted:
        capital = (500 + number % 2_000) * 10**8
        args = {"stage": "candidate", "evidence": f"{number:064x}", "capital": capital}
        give("stage", strategy=name, reason="test", **args)
    mode = ("live", "hybrid")[which - len(_UP)]
    evidence = core.state.standing(name).evidence
    give("mode", strategy=name, mode=mode, evidence=evidence, reason="test")


def close_by_hand(core: Core, give: Give) -> None:
    """Close what was handed over: nothing goes live beside it."""
    for owner, name in list(core.ledger.positions):
        if owner == MANUAL and core.ledger.qty_lots(owner, name):
            give("close", instrument=name, strategy=MANUAL, reason="handed over")
