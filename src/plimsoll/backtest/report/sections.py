"""The parts of the page about one owner."""

from html import escape
from itertools import groupby
from typing import Final

from plimsoll.backtest.report import charts, markup, words
from plimsoll.backtest.report.packed import fills_shown
from plimsoll.backtest.results import EXECUTION, FillRow, OwnerResult, Results, TripRow
from plimsoll.core.portfolio.statistics import METRICS

ROWS: Final = 50
"""Newest fills and round trips of an owner shown in tables."""

ALL_ROWS: Final = 200
"""Of all owners together."""

_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_STEPS: Final = ((0.05, 3), (0.01, 2), (0.0, 1))
"""From which size on a month's return has which shade."""


def owner_section(place: int, owner: OwnerResult, results: Results) -> str:
    """Return everything about one instance."""
    rows = min(ROWS, ALL_ROWS // (2 * len(results.owners)))
    parts = [
        _title(place, owner),
        _tiles(place, owner),
        charts.equity(place, owner, results),
        markup.card("Monthly returns", _months(owner)),
        charts.sharpe(place, owner),
    ]
    priced = {series.instrument for series in results.prices if series.ts_ns}
    parts += [
        charts.trades(place, number, owner, fills_shown(results))
        for number, name in enumerate(owner.instruments)
        if name in priced
    ]
    parts += [
        '<div class="beside">',
        markup.card("Execution", _execution(owner)),
        markup.card("Parameters", _parameters(owner)),
        "</div>",
        markup.card("Refused at once", _refused(owner)) if owner.refused else "",
        markup.card("Every statistic", _statistics(owner)),
        markup.card("Rows", _trips(owner, rows) + _fills(owner, rows)),
    ]
    return f'<section id="owner-{place}" aria-labelledby="title-{place}">{"".join(parts)}</section>'


def _title(place: int, owner: OwnerResult) -> str:
    change = owner.final_equity - owner.capital
    came = f"{words.money(owner.capital)} became {words.money(owner.final_equity)}, "
    return (
        f'<div class="title"><h2 id="title-{place}">{escape(owner.owner)}</h2>'
        f"<code>{escape(owner.class_name)}</code>"
        f'<span class="muted">{escape(", ".join(owner.instruments))}</span></div>'
        f"<p>{markup.number(came)}{markup.signed(words.money(change, signed=True), change)}</p>"
    )


def _tiles(place: int, owner: OwnerResult) -> str:
    tiles = "".join(_tile(place, owner, name) for name in words.TILES)
    return f'<dl class="tiles">{tiles}</dl>'


def _tile(place: int, owner: OwnerResult, name: str) -> str:
    metric = METRICS[name]
    value = owner.stats.get(name)
    text = words.stat(owner, name)
    shown = markup.signed(text, value) if name in words.SIGNED else markup.number(text)
    below = [words.why_not(owner, name) or words.sample(owner, name)]
    if name == "sharpe" and words.interval(owner):
        below.insert(0, f"95 %: {words.interval(owner)}")
    least = f" Needs {metric.least} {metric.sample}." if metric.least > 1 else ""
    tip = f"{metric.formula[0].upper()}{metric.formula[1:]}.{least}"
    tip_id = f"tip-{place}-{name}"
    return (
        f'<div class="tile"><dt><button type="button" class="term" aria-describedby="{tip_id}">'
        f"{escape(metric.label)}</button>"
        f'<span class="tip" role="tooltip" id="{tip_id}">{escape(tip)}</span></dt>'
        f'<dd><span class="value">{shown}</span>'
        f"<small>{markup.number(', '.join(filter(None, below)))}</small></dd></div>"
    )


def _months(owner: OwnerResult) -> str:
    if not owner.monthly:
        return "<p>No day has ended.</p>"
    rows = []
    for year, months in groupby(owner.monthly.items(), lambda one: one[0][:4]):
        gains = dict(months)
        cells = [_heat(gains.get(f"{year}-{month:02d}")) for month in range(1, 13)]
        grown = 1.0
        for gain in gains.values():
            grown *= 1 + gain
        rows.append(
            f'<tr><th scope="row">{year}</th>{"".join(cells)}{_heat(grown - 1, "year")}</tr>'
        )
    heads = "".join(f'<th scope="col">{month}</th>' for month in (*_MONTHS, "Year"))
    return markup.scroll(
        f"Monthly returns of {owner.owner}",
        '<table class="heat"><caption>Per cent, days linked; a dash: no data</caption>'
        f'<thead><tr><th scope="col">Year</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def _heat(gain: float | None, kind: str = "") -> str:
    if gain is None:
        return f'<td class="{kind}">{words.DASH}</td>'
    shade = next((shade for least, shade in _STEPS if abs(gain) > least), 0)
    text = words.percent(gain, signed=True).removesuffix(" %")
    names = f"{kind} {'g' if gain > 0 else 'l'}{shade}".strip()
    return f'<td class="{names}">{markup.number(text)}</td>'


def _execution(owner: OwnerResult) -> str:
    names = [*EXECUTION, *(name for name in owner.execution if name not in EXECUTION)]
    rows = [
        (
            escape(EXECUTION.get(name, name.replace("_", " "))),
            markup.number(words.execution(name, owner.execution[name])),
        )
        for name in names
        if name in owner.execution
    ]
    share = owner.execution.get("rule_share")
    bar = ""
    if isinstance(share, int | float):
        wide = min(100.0, max(0.0, share * 100))
        bar = (
            f"<p>{words.percent(share)} of the fills were decided by a rule of the model, "
            f"{words.percent(1 - share)} by what was recorded.</p>"
            f'<svg class="share" role="img" viewBox="0 0 100 4" preserveAspectRatio="none" '
            f'width="100%" height="14" aria-label="{words.percent(share)} decided by a rule">'
            f'<rect class="chosen" width="100" height="4"/>'
            f'<rect class="buy" width="{wide:.2f}" height="4"/></svg>'
        )
    return bar + markup.table(("measure", ">value"), rows, kind="stacked")


def _refused(owner: OwnerResult) -> str:
    rows = [tuple(map(escape, words.refused(row))) for row in owner.refused]
    caption = "What the strategy asked for wrongly, or at the wrong time: it was told at once"
    made = markup.table(words.REFUSED, rows, caption=caption)
    return markup.scroll(f"Refused at once to {owner.owner}", made)


def _parameters(owner: OwnerResult) -> str:
    if not owner.params:
        return "<p>None.</p>"
    rows = ((name, str(value)) for name, value in owner.params.items())
    return markup.pairs(rows, ("parameter", "value"))


def _statistics(owner: OwnerResult) -> str:
    rows = []
    for name, metric in METRICS.items():
        reason = words.why_not(owner, name)
        value = markup.number(words.stat(owner, name))
        if reason:
            value = f'{value} <span class="reason">{escape(reason)}</span>'
        rows.append((escape(metric.label), value, markup.number(words.sample(owner, name))))
    half = (len(rows) + 1) // 2
    titles = ("statistic", ">value", ">sample")
    tables = (markup.table(titles, some) for some in (rows[:half], rows[half:]))
    return f'<div class="beside">{"".join(f"<div>{one}</div>" for one in tables)}</div>'


def catalogue() -> str:
    """Return the formula of every statistic, once for all owners."""
    rows = [
        (
            escape(metric.label),
            f'<span class="long">{escape(metric.formula)}</span>',
            escape(f"{metric.least} {metric.sample}"),
        )
        for metric in METRICS.values()
    ]
    return markup.folded("Formulas", markup.table(("statistic", "formula", "least"), rows))


def _trips(owner: OwnerResult, most: int) -> str:
    if not owner.trips:
        return "<p>No round trip has ended.</p>"
    titles = ("closed", "instrument", "side", ">qty", ">entry", ">exit", ">held", ">profit")
    rows = map(_trip, reversed(owner.trips[-most:]))
    title = _newest("round trips", min(most, len(owner.trips)), owner.trips_total)
    made = markup.table(titles, rows, caption="Net of fees and funding; newest first")
    return markup.folded(title, markup.scroll(f"Round trips of {owner.owner}", made))


def _trip(trip: TripRow) -> tuple[str, ...]:
    return (
        words.moment(trip.closed_ns),
        escape(trip.instrument),
        "Long" if trip.side > 0 else "Short",
        words.price(trip.qty),
        words.price(trip.entry),
        words.price(trip.exit),
        words.span((trip.closed_ns - trip.opened_ns) / 1e9),
        markup.signed(words.money(trip.profit, signed=True), trip.profit),
    )


def _fills(owner: OwnerResult, most: int) -> str:
    if not owner.fills:
        return "<p>Nothing was filled.</p>"
    titles = ("time", "instrument", "side", ">qty", ">price", ">fee", "as", "decided by")
    rows = map(_fill, reversed(owner.fills[-most:]))
    title = _newest("fills", min(most, len(owner.fills)), owner.fills_total)
    made = markup.table(titles, rows, caption="Newest first")
    return markup.folded(title, markup.scroll(f"Fills of {owner.owner}", made))


def _fill(fill: FillRow) -> tuple[str, ...]:
    return (
        words.moment(fill.ts_ns),
        escape(fill.instrument),
        "Buy" if fill.side > 0 else "Sell",
        words.price(fill.qty),
        words.price(fill.price),
        markup.number(words.number(fill.fee, 4)),
        "maker" if fill.is_maker else "taker",
        f"rule: {escape(fill.rule)}" if fill.rule else "the recording",
    )


def _newest(what: str, shown: int, total: int) -> str:
    return f"{total:,} {what}" if shown >= total else f"Newest {shown} of {total:,} {what}"
