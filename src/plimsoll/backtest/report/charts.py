"""Places of the charts: title, legend, buttons, a summary; the page's script draws into them."""

from collections.abc import Sequence
from html import escape
from typing import Final

from plimsoll.backtest.report import words
from plimsoll.backtest.report.markup import number
from plimsoll.backtest.results import OwnerResult, Results

_KEYS: Final = (
    ("back", "\N{LEFTWARDS ARROW}", "earlier"),
    ("on", "\N{RIGHTWARDS ARROW}", "later"),
    ("in", "+", "closer"),
    ("out", "\N{MINUS SIGN}", "farther"),
    ("all", "All", "everything"),
)
_HINT: Final = (
    "Point or tap to read the chart; drag with a mouse to zoom, double-click for all. "
    "Keys: arrows, +, -, 0 for all."
)
_WINDOWS: Final = (30, 90, 180)
_LINES: Final = {
    "line": '<path class="line" d="M0 5H22"/>',
    "hold": '<path class="hold" d="M0 5H22"/>',
    "fall": '<path class="fall" d="M0 1H22V9H0z"/>',
    "held": '<path class="held" d="M0 1H22V9H0z"/>',
    "span": '<path class="span" d="M0 0H22V10H0z"/>',
    "buy": '<path class="buy" d="M11 1l4.5 8h-9z"/>',
    "sell": '<path class="sell" d="M11 9l4.5 -8h-9z"/>',
}


def equity(place: int, owner: OwnerResult, results: Results) -> str:
    """Return the chart of equity, drawdown and exposure, beside holding."""
    legend = [("line", "equity")]
    if any(name in results.benchmark for name in owner.instruments):
        legend.append(("hold", f"hold {', '.join(owner.instruments)} with the same capital"))
    legend += [("fall", "drawdown"), ("held", "exposure")]
    curve = owner.curve
    if not curve.ts_ns:
        return _chart("equity", place, "Equity, drawdown, exposure", legend, "", is_empty=True)
    told = (
        f"Equity went from {words.money(curve.equity[0])} to {words.money(curve.equity[-1])}, "
        f"lowest {words.money(min(curve.equity))}, highest {words.money(max(curve.equity))}; "
        f"the largest drawdown was {words.percent(max(curve.drawdown))}."
    )
    return _chart("equity", place, "Equity, drawdown, exposure", legend, told)


def sharpe(place: int, owner: OwnerResult) -> str:
    """Return the chart of the Sharpe ratio over rolling windows."""
    told = (
        f"Of the whole: {words.stat(owner, 'sharpe')}, 95 % interval "
        f"{words.interval(owner) or words.DASH}, {words.sample(owner, 'sharpe') or 'no'} days. "
        "A window shorter than 30 days says nothing."
    )
    reason = words.why_not(owner, "sharpe")
    if reason:
        told = f"The Sharpe ratio has no value: {reason}."
    fit = [days for days in _WINDOWS if days <= len(owner.daily)]
    chosen = max((days for days in fit if days <= 90), default=_WINDOWS[0])
    options = "".join(
        f'<option value="{days}"{" selected" if days == chosen else ""}>{days} days</option>'
        for days in _WINDOWS
    )
    choice = f"<label>Window<select>{options}</select></label>"
    legend = [("line", "Sharpe, a year"), ("span", "95 % interval")]
    return _chart("sharpe", place, "Rolling Sharpe", legend, told, choice, is_empty=not fit)


def trades(place: int, number_: int, owner: OwnerResult, shown: int) -> str:
    """Return the chart of an owner's fills on the price of one instrument."""
    name = owner.instruments[number_]
    kept = min(shown, len(owner.fills))
    part = sum(fill.instrument == name for fill in owner.fills[len(owner.fills) - kept :])
    told = f"{part:,} fills"
    if owner.fills_total > kept:
        told = f"{part:,} of the newest {kept:,} fills; there were {owner.fills_total:,}"
    legend = [("buy", "buy"), ("sell", "sell")]
    return _chart("trades", place, f"Trades on {name}", legend, f"{told}.", instrument=number_)


def _chart(
    kind: str,
    place: int,
    title: str,
    legend: Sequence[tuple[str, str]],
    told: str,
    choice: str = "",
    *,
    instrument: int = 0,
    is_empty: bool = False,
) -> str:
    head = f"<h3>{escape(title)}</h3>"
    if is_empty:
        told = number(told) or "Nothing was measured."
        return f'<div class="card chart">{head}<p>{told}</p></div>'
    buttons = "".join(
        f'<button type="button" data-act="{act}" title="{word}">'
        f'<span aria-hidden="true">{sign}</span><span class="unseen">{word}</span></button>'
        for act, sign, word in _KEYS
    )
    named = f'role="group" aria-label="{escape(title)}: move and zoom"'
    lines = "".join(_legend(line, word) for line, word in legend)
    return (
        f'<div class="card chart" data-chart="{kind}" data-owner="{place}" '
        f'data-instrument="{instrument}">'
        f'<div class="bar">{head}{choice}<div class="keys" {named}>{buttons}</div></div>'
        f'<p class="muted">{number(told)}</p><div class="legend">{lines}</div>'
        f'<output aria-live="off">{escape(_HINT)}</output>'
        f'<div class="plot" role="group" tabindex="0" aria-label="{escape(title)}, chart. '
        'Left and right arrow move along it, plus and minus zoom, 0 shows all."></div></div>'
    )


def _legend(line: str, word: str) -> str:
    """Return what a line means; holding may be switched off, it can dwarf everything else."""
    inner = f'<svg viewBox="0 0 22 10" aria-hidden="true">{_LINES[line]}</svg>{escape(word)}'
    if line == "hold":
        return f'<button type="button" data-layer="hold" aria-pressed="true">{inner}</button>'
    return f"<span>{inner}</span>"
