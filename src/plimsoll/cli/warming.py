"""What instances warm up with at a start: what the store has of it, told in a line each."""

from array import array
from dataclasses import replace
from typing import Any, Final, NamedTuple

import msgspec

from plimsoll.cli.books import wall_ns
from plimsoll.cli.data.fetch import PRICES_OF
from plimsoll.config.project import Project
from plimsoll.core.feed import BarMaker
from plimsoll.data.frames import moment
from plimsoll.data.warming import Kept, kept
from plimsoll.engine.settings import EngineSettings
from plimsoll.venues.bybit.warming import FIELDS

MINUTE_NS: Final = 60_000_000_000
MINUTE_MS: Final = 60_000
SLACK: Final = 3
"""Minutes asked for beyond what the bar windows need: the newest may still be open."""

PAGE: Final = 1_000
PAGE_S: Final = 0.25
"""A page of the venue takes about so long."""


class WarmUp(NamedTuple):
    """What an instrument's bar windows need, and what is stored of it."""

    instrument: str
    minutes: int
    stored: int
    until_ms: int
    """End of the newest stored one."""
    why: str
    """Why nothing stored is used; empty where there is nothing, or it is used."""

    @property
    def words(self) -> str:
        """Return the line that is told at a start, empty where there is nothing to tell."""
        pages = -(-(self.minutes - self.stored) // PAGE)
        asked = f"{pages} page{'s' * (pages != 1)}, some {max(1, round(pages * PAGE_S))} s"
        head = f"warm-up of {self.instrument}: {self.minutes:,} minutes"
        if self.stored:
            return (
                f"{head}, {self.stored:,} of them stored here, the newest of "
                f"{moment(self.until_ms - MINUTE_MS)}; the venue is asked for the others ({asked}) "
                "and whether it agrees"
            )
        if self.why:
            return f"{head} from the venue ({asked}); what is stored here is not used: {self.why}"
        if self.minutes > PAGE:
            return (
                f"{head} from the venue ({asked}); `plimsoll data fetch {self.instrument} --from "
                "DATE` keeps them here"
            )
        return ""


def with_stored(project: Project, settings: EngineSettings) -> tuple[EngineSettings, list[WarmUp]]:
    """Return the settings with what the project's store has of the minutes to begin with."""
    wanted = wanted_minutes(settings)
    now_ms = wall_ns() // 1_000_000
    since = {name: now_ms - minutes * MINUTE_MS for name, minutes in wanted.items()}
    large = {name: at for name, at in since.items() if wanted[name] > PAGE}
    found = kept(project.root / "data", large)
    environment = project.settings.venue.environment
    rows, told = {}, []
    for name, minutes in wanted.items():
        one = found.get(name)
        why = _against(one, PRICES_OF.get(environment, environment)) if one is not None else ""
        numbers = array("d")
        if one is not None and not why:
            numbers.frombytes(one.rows)
            rows[name] = numbers
        until_ms = int(numbers[-FIELDS]) + MINUTE_MS if numbers else 0
        told.append(WarmUp(name, minutes, len(numbers) // FIELDS, until_ms, why))
    venue = msgspec.structs.replace(settings.venue, stored=rows)
    return replace(settings, venue=venue), told


def wanted_minutes(settings: EngineSettings) -> dict[str, int]:
    """Return how many minutes each instrument's bar windows need, as the engine asks for them."""
    found: dict[str, int] = {}
    for entry in settings.core.strategies:
        strategy = settings.load(entry)
        for frame, keep in strategy.bars.items():
            maker = BarMaker("", frame, keep, entry.frames.get(frame, ""))
            if maker.is_own:
                continue
            minutes = maker.span * (maker.window.maxlen or 0) // MINUTE_NS + SLACK
            for name in entry.instruments or strategy.instruments:
                found[name] = max(found.get(name, 0), minutes)
    return found


def document(one: WarmUp) -> dict[str, Any]:
    """Return a line's facts."""
    return {"event": "warm-up", **one._asdict()}


def _against(one: Kept, environment: str) -> str:
    if one.why:
        return one.why
    if one.environment and one.environment != environment:
        return f"it is of {one.environment}, and this trades on {environment}"
    if not one.rows:
        return "nothing of that time is there" + f", {one.unsound} unsound" * bool(one.unsound)
    return ""
