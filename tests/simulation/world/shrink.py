"""Makes a failing run small: whole faults, acts, turns of strategies and choices go, one after the
other, as long as the same violation is found (DST-7, Q17)."""

import re
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from tests.simulation.world.scenario import Scenario
from tests.simulation.world.world import Mutate, Outcome, run

_Item = TypeVar("_Item")
_WORDS: Final = re.compile(r"[^a-z ]+")
_KIND_WORDS: Final = 6


def kind_of(violation: str) -> str:
    """Return what makes two violations the same: their first words, without ids and numbers."""
    words = re.sub(r"\S*\d\S*", " ", violation.lower())
    return " ".join(_WORDS.sub(" ", words).split()[:_KIND_WORDS])


class Shrinker:
    """Tries smaller scenarios until nothing more can go, or its processor time is over."""

    def __init__(
        self, failed: Outcome, *, seconds: float = 60.0, mutate: Mutate | None = None
    ) -> None:
        """Begin with a run that failed."""
        self.best = failed
        self.runs = 0
        self._kind = kind_of(failed.violation)
        self._mutate = mutate
        self._until_s = time.process_time() + seconds

    def shrink(self) -> Outcome:
        """Return the smallest failing run found."""
        for step in (
            self._shorten,
            self._drop_instruments,
            self._drop_asks,
            self._drop_acts,
            self._mute_turns,
            self._mute_labels,
            self._calm_down,
            self._mute_choices,
            self._drop_asks,
            self._drop_acts,
            self._mute_turns,
            self._shorten,
        ):
            step()
        return self.best

    # ---- steps -------------------------------------------------------------------------------

    def _shorten(self) -> None:
        for share in (0.25, 0.5, 0.75):
            chaos_s = round(self.best.scenario.chaos_s * share, 1)
            if chaos_s > 2 and self._try(chaos_s=chaos_s):
                break
        if self.best.at_s < self.best.scenario.chaos_s - 1:
            self._try(chaos_s=round(self.best.at_s + 0.5, 1))

    def _drop_instruments(self) -> None:
        scenario = self.best.scenario
        if scenario.owners > 1:
            self._try(owners=1)
        if len(scenario.instruments) > 1:
            for name in scenario.instruments:
                if self._try(instruments=(name,)):
                    return

    def _drop_asks(self) -> None:
        places = list(range(len(self.best.scenario.asks)))
        on = [place for place in places if place not in self.best.scenario.off]

        def holds(kept: list[int]) -> bool:
            return self._try(off=[place for place in places if place not in kept])

        fewer(on, holds)

    def _drop_acts(self) -> None:
        fewer(list(self.best.scenario.acts), lambda kept: self._try(acts=kept))

    def _mute_turns(self) -> None:
        count = len(self.best.scenario.instruments) * self.best.scenario.owners
        for number in range(count):
            name = f"s{number}"
            most = self.best.turns.get(name, 0)
            spans = _spans_on(self.best.scenario.muted_turns.get(name, ""), most)

            def holds(kept: list[int], name: str = name, most: int = most) -> bool:
                muted = self.best.scenario.muted_turns | {name: _spans_off(kept, most)}
                return self._try(muted_turns=muted)

            fewer(spans, holds)

    def _mute_labels(self) -> None:
        muted = list(self.best.scenario.muted)
        labels = [label for label in self.best.harmful if label not in muted]

        def holds(kept: list[str]) -> bool:
            return self._try(muted=[*muted, *(one for one in labels if one not in kept)])

        fewer(labels, holds)

    def _mute_choices(self) -> None:
        for label, counts in list(self.best.harmful.items()):
            muted = list(self.best.scenario.muted)

            def holds(
                kept: list[int],
                label: str = label,
                counts: list[int] = counts,
                muted: list[str] = muted,
            ) -> bool:
                gone = [one for one in counts if one not in kept]
                return self._try(muted=[*muted, *(f"{label}@{one}" for one in gone)])

            fewer(list(counts), holds, least=max(1, len(counts) // _PARTS_MOST))

    def _calm_down(self) -> None:
        for changes in ({"absurd": 0}, {"volatile": 1.0}, {"pulse_ms": 200}, {"sync": "kernel"}):
            name, value = next(iter(changes.items()))
            if getattr(self.best.scenario, name) != value:
                self._try(**changes)

    # ---- inside ------------------------------------------------------------------------------

    def _try(self, **changes: Any) -> bool:
        """Run a changed scenario; keep it where it fails in the same way."""
        if time.process_time() > self._until_s:
            return False
        scenario: Scenario = msgspec.structs.replace(self.best.scenario, **changes)
        self.runs += 1
        outcome = run(scenario, mutate=self._mutate)
        if kind_of(outcome.violation) != self._kind:
            return False
        self.best = outcome
        return True


_PARTS_MOST: Final = 32
"""Into so many parts the choices under one label are cut: one by one they would take the time."""


def fewer(items: list[_Item], holds: Callable[[list[_Item]], bool], least: int = 1) -> list[_Item]:
    """Return a list from which no part can be left out while ``holds``.

    Halves are tried first, then smaller parts, down to ``least`` items.
    """
    if items and holds([]):
        return []
    size = (len(items) + 1) // 2
    while size >= least and len(items) > 1:
        at = 0
        while at < len(items):
            rest = items[:at] + items[at + size :]
            if rest and holds(rest):
                items = rest
            else:
                at += size
        size //= 2
    return items


def _spans_on(muted: str, most: int) -> list[int]:
    """Return the turns that are taken."""
    off: set[int] = set()
    for span in muted.split(","):
        if span:
            first, last = map(int, span.split("-"))
            off |= set(range(first, min(last, most) + 1))
    return [turn for turn in range(1, most + 1) if turn not in off]


def _spans_off(kept: list[int], most: int) -> str:
    """Return the turns left out as text."""
    spans, before = [], 0
    for turn in [*sorted(kept), most + 1_000_000]:
        if turn > before + 1:
            spans.append(f"{before + 1}-{turn - 1}")
        before = turn
    return ",".join(spans)
