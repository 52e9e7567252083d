"""Results as one HTML page: nothing is fetched, nothing is stored elsewhere, no library.

Styles, scripts and data stand in the page; a content policy with their hashes lets a browser run
these and nothing else. What a reader must know stands in the HTML itself; scripts draw the charts.
"""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Final

import msgspec

from plimsoll.backtest.report import markup, words
from plimsoll.backtest.report.packed import series_of
from plimsoll.backtest.report.sections import catalogue, owner_section
from plimsoll.backtest.results import OwnerResult, Results

_SCRIPTS: Final = ("data.js", "plot.js", "layers.js", "charts.js", "page.js")
_COLUMNS: Final = (
    "instance",
    ">capital",
    ">final equity",
    ">total return",
    ">Sharpe (95 %)",
    ">largest drawdown",
    ">round trips",
    ">profit factor",
)


def page(results: Results) -> str:
    """Return the whole document."""
    style = _asset("page.css")
    script = '"use strict";(() => {\n' + "\n".join(map(_asset, _SCRIPTS)) + "\n})();\n"
    policy = (
        f"default-src 'none'; style-src {_hash_of(style)}; script-src {_hash_of(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    names = ", ".join(owner.owner for owner in results.owners) or "no instance"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Backtest: {escape(names)}</title>",
            f"<style>{style}</style></head><body>",
            _head(results),
            _ways(results.owners),
            '<main id="main">',
            _warnings(results.warnings),
            _overview(results.owners) if len(results.owners) > 1 else "",
            *(owner_section(place, one, results) for place, one in enumerate(results.owners)),
            _made_of(results),
            "</main>",
            "<noscript><p>The charts need JavaScript; the tables do not.</p></noscript>",
            f'<script type="application/json" id="series">{_json(results)}</script>',
            f"<script>{script}</script></body></html>",
            "",
        ]
    )


def _head(results: Results) -> str:
    began, ended = words.day(results.began_ns), words.day(results.ended_ns)
    count = len(results.owners)
    instances = f"{count} instance{'s' * (count != 1)}"
    return (
        '<header><a class="skip" href="#main">To the results</a>'
        '<div class="band">Backtest: simulated fills on recorded markets, no money moved</div>'
        f'<div class="top"><div><h1>Backtest {began} to {ended}</h1>'
        f'<p class="muted">UTC. {instances}, {results.events:,} events in '
        f"{results.seconds:.1f} s. Money in the quote coin.</p></div>"
        '<div class="choices"><label>Theme<select id="theme"><option value="system">as the system'
        '</option><option value="light">light</option><option value="dark">dark</option></select>'
        '</label><label>Gain and loss<select id="pair"><option value="blue-orange">blue, orange'
        '</option><option value="green-red">green, red</option></select></label></div></div>'
        "</header>"
    )


def _ways(owners: Iterable[OwnerResult]) -> str:
    links = [(f"owner-{place}", one.owner) for place, one in enumerate(owners)]
    links.append(("made", "Assumptions and sources"))
    ways = "".join(f'<a href="#{place}">{escape(name)}</a>' for place, name in links)
    return f'<nav aria-label="Parts of the report">{ways}</nav>'


def _warnings(warnings: list[str]) -> str:
    if not warnings:
        return ""
    rows = "".join(f"<li>{escape(one)}</li>" for one in warnings)
    return (
        '<section class="card warnings" aria-labelledby="warnings"><h2 id="warnings">'
        f"{len(warnings)} warning{'s' * (len(warnings) > 1)}</h2><ul>{rows}</ul></section>"
    )


def _overview(owners: list[OwnerResult]) -> str:
    rows = [
        (
            f'<a href="#owner-{place}">{escape(one.owner)}</a>',
            words.money(one.capital),
            words.money(one.final_equity),
            markup.signed(words.stat(one, "total_return"), one.stats.get("total_return")),
            _sharpe(one),
            words.stat(one, "drawdown_max"),
            f"{one.trips_total:,}",
            words.stat(one, "profit_factor"),
        )
        for place, one in enumerate(owners)
    ]
    made = markup.table(_COLUMNS, rows, kind="stacked named")
    return f'<section aria-labelledby="all"><h2 id="all">All instances</h2>{made}</section>'


def _sharpe(owner: OwnerResult) -> str:
    reason = words.why_not(owner, "sharpe")
    shown = markup.number(words.stat(owner, "sharpe"))
    if reason:
        return f'{shown} <span class="reason">{escape(reason)}</span>'
    told = f"{words.interval(owner)}, {words.sample(owner, 'sharpe')}"
    return f'{shown} <span class="reason">{markup.number(told)}</span>'


def _made_of(results: Results) -> str:
    assumed = markup.pairs(
        (results.assumptions or {"none": "was named"}).items(), ("assumption", "in this run")
    )
    sources = "".join(f"<li>{escape(one)}</li>" for one in results.source) or "<li>none named</li>"
    made = [
        ("version", results.version),
        ("seed", str(results.seed)),
        ("from", f"{words.moment(results.began_ns)} UTC"),
        ("to", f"{words.moment(results.ended_ns)} UTC"),
        ("hash of the results", results.hash or words.DASH),
    ]
    return (
        '<section id="made" aria-labelledby="made-title">'
        '<h2 id="made-title">Assumptions and sources</h2><div class="beside">'
        f"{markup.card('Assumptions', assumed)}"
        f"{markup.card('Data', f'<ul>{sources}</ul>')}"
        f"{markup.card('This run', markup.pairs(made, ('what', 'value')))}</div>"
        f"{markup.card('What the statistics mean', catalogue())}</section>"
    )


def _json(results: Results) -> str:
    """Return the series as JSON that no browser can take for the end of its element."""
    text = msgspec.json.encode(series_of(results)).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    text = (files("plimsoll.backtest.report") / "assets" / name).read_text(encoding="utf-8")
    assert "</" not in text, f"{name} would end its element"
    return text


def _hash_of(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
