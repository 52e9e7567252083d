"""``stats``: returns, drawdown, round trips and execution of strategy instances, from the log."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from plimsoll.cli import text
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json
from plimsoll.cli.tracking import tracks_of, wanted
from plimsoll.config.books import load_books
from plimsoll.core.model import day_text
from plimsoll.core.portfolio.statistics import METRICS, Measure, Unit
from plimsoll.track import Read, Track


def stats(strategy: str, project: str, env: str, *, json: bool) -> Exit:
    """Print every metric of each instance, or of one.

    Raises:
        Failure: there is no log, it is damaged, or there is no such instance.
    """
    found = tracks_of(load_books(Path(project), env))
    tracks = wanted(found, strategy)
    if json:
        print_json(
            {
                "records": found.records,
                "last_seq": found.last_seq,
                "last_ns": found.last_ns,
                "strategies": [_document(found, track) for track in tracks],
            }
        )
    else:
        parts = ["\n".join(_lines(found, track)) for track in tracks]
        print("\n\n".join(parts) or "no strategy instance has run")
    return Exit.DONE


def head_of(track: Track) -> dict[str, Any]:
    """Return whose record it is, and from when, for JSON."""
    return {
        "strategy": track.settings.name,
        "mode": str(track.settings.mode),
        "capital": text.exact(track.capital_units),
        "source": track.settings.source,
        "source_hash": track.settings.source_hash,
        "params": track.settings.params,
        "since_ns": track.since_ns,
        "since_seq": track.since_seq,
        "because": track.why,
        "first_seq": track.first_seq,
        "last_seq": track.last_seq,
    }


def title_of(found: Read, track: Track) -> str:
    """Return the same for people."""
    name = track.settings.name
    earlier = found.tracks.earlier.get(name, 0)
    more = f"; {earlier} earlier record{'s' if earlier > 1 else ''} not counted" if earlier else ""
    return (
        f"{name}  {track.settings.mode}  capital {text.money(track.capital_units)}  "
        f"since {text.moment(track.since_ns)} UTC ({track.why}{more})"
    )


def _document(found: Read, track: Track) -> dict[str, Any]:
    measures = _measures(found, track)
    days = [{"day": day_text(row.day), "return": row.gain} for row in track.rows]
    return {
        **head_of(track),
        "metrics": {name: _metric(name, one) for name, one in measures.items()},
        "days": days,
    }


def _metric(name: str, one: Measure) -> dict[str, Any]:
    unit = METRICS[name].unit
    value = text.exact(int(one.value)) if unit is Unit.CASH and one.value is not None else one.value
    found: dict[str, Any] = {"value": value, "unit": str(unit), "n": one.n}
    return found | ({"reason": one.missing} if one.missing else {})


def _measures(found: Read, track: Track) -> dict[str, Measure]:
    return track.counted(found.tracks.requests_of(track)).measures()


def _lines(found: Read, track: Track) -> list[str]:
    measures = _measures(found, track)
    rows = [
        (METRICS[name].label, _shown(name, one), str(one.n), one.missing)
        for name, one in measures.items()
        if name not in _FOLDED
    ]
    place = next(nth for nth, row in enumerate(rows) if row[0] == METRICS["sharpe"].label)
    low, high = measures["sharpe_low"], measures["sharpe_high"]
    if low.value is not None and high.value is not None:
        shown = f"{low.value:.2f} .. {high.value:.2f}"
        rows.insert(place + 1, ("  95 % interval", shown, str(low.n), ""))
    return [
        title_of(found, track),
        text.table(("metric", ">value", ">n", ""), rows, indent="  "),
        "  returns are of strategy capital, days are UTC, flat ones included; exposure is at cost",
    ]


def _shown(name: str, one: Measure) -> str:
    return "-" if one.value is None else _WRITTEN[METRICS[name].unit](one.value)


def _span(ns: float) -> str:
    seconds = ns / 1e9
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:.1f} d"
    return f"{seconds / 3_600:.1f} h" if seconds >= 2 * 3_600 else f"{seconds:.0f} s"


_FOLDED: Final = frozenset({"sharpe_low", "sharpe_high"})

_WRITTEN: Final[Mapping[Unit, Callable[[float], str]]] = {
    Unit.SHARE: lambda value: f"{value:.2%}",
    Unit.RATIO: lambda value: f"{value:.2f}",
    Unit.TIMES: lambda value: f"{value:.2f} x",
    Unit.CASH: lambda value: text.money(int(value)),
    Unit.NS: _span,
    Unit.COUNT: lambda value: f"{value:,.0f}",
}
