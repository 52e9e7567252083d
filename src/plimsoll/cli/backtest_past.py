"""What a store knows of an instrument's past besides the bars a backtest is run on."""

from functools import partial
from pathlib import Path
from typing import Final

from plimsoll.backtest.plan import Series
from plimsoll.data import Store, read_bars, read_file, read_funding, series_of

Span = tuple[int, int]
"""From and until, Unix ms."""

_DAY_MS: Final = 86_400_000
"""How long before its beginning a run looks for the rate that was paid last."""


def with_past(one: Series, directory: Path, frame: str, span: Span) -> list[str]:
    """Give a perpetual the funding rates and mark bars its store has; return what is missing."""
    name, store = one.instrument.name, Store(directory)
    if one.instrument.is_spot:
        return []
    missing = []
    if store.files(series_of(name, "funding", "")):
        one.rates = partial(read_funding, directory, name, max(0, span[0] - _DAY_MS), span[1])
    else:
        missing.append(
            f"{name}: funding is not charged: no rates are stored; "
            f"`plimsoll data fetch {name} --kind funding` brings them"
        )
    if store.files(series_of(name, "mark", frame)):
        one.marks = partial(read_bars, directory, name, frame, *span, kind="mark")
    else:
        missing.append(
            f"{name}: stops look at the last price: no {frame} bars of the mark price are stored; "
            f"`plimsoll data fetch {name} --kind mark --bars {frame}` brings them"
        )
    return missing


def with_finer(one: Series, directory: Path, frame: str, file: str, span: Span) -> list[str]:
    """Give an instrument finer bars, from a file or the store; return what is missing."""
    name = one.instrument.name
    if file:
        path = Path(file)
        one.finer = partial(read_file, path, frame, instrument=name, from_ms=span[0], to_ms=span[1])
    elif Store(directory).files(series_of(name, "last", frame)):
        one.finer = partial(read_bars, directory, name, frame, *span)
    else:
        return [
            f"{name}: the rule decides inside a bar: no {frame} bars are stored for --intrabar; "
            f"`plimsoll data fetch {name} --bars {frame}` brings them"
        ]
    return []
