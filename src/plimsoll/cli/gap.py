"""``gap``: what live orders got, less what paper would have given them, from the logs."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from plimsoll.cli import text
from plimsoll.cli.books import damage_told, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.measuring import Measurer, Read, epoch_of, must_be_there, session_text
from plimsoll.cli.output import print_json
from plimsoll.config import units
from plimsoll.config.books import Books, load_books
from plimsoll.core.execution.shadow import (
    MEASURED,
    Bound,
    Cell,
    Estimate,
    Gap,
    Judged,
    Key,
    Kind,
    Model,
    QueueShare,
    Shadow,
    bound_of,
    gap_of,
    judged,
    merged,
    queue_share_of,
)

EVERY_S: Final = 5.0
_CONFIGURED: Final = "configured"
_MEASURED: Final = "measured"


class Asked(NamedTuple):
    """What of the gap is wanted."""

    session: str
    strategy: str
    instrument: str

    def of(self, shadow: Shadow) -> dict[Key, Cell]:
        """Return the cells that are meant."""
        return {
            key: cell
            for key, cell in shadow.cells.items()
            if self.strategy in ("", key.owner) and self.instrument in ("", key.instrument)
        }


def gap(
    project: str,
    env: str,
    *,
    json: bool,
    strategy: str,
    instrument: str,
    session: str,
    latency: str,
    queue: str,
    follow: bool,
) -> Exit:
    """Print the gap of each instance in each instrument; with ``follow`` until Ctrl-C.

    Raises:
        Failure: there is no such session, instance or instrument, a setting makes no sense, or the
            log is damaged.
    """
    model = _model(latency, queue)
    books = load_books(Path(project), env)
    asked = Asked(session, strategy, instrument)
    show = _show_document if json else _show_lines
    for read in _reads(books, model, session, follow=follow):
        if not follow:
            shadow = read.measure
            shadow.settle()
            must_be_there("strategy", strategy, [key.owner for key in shadow.cells])
            must_be_there("instrument", instrument, [key.instrument for key in shadow.cells])
        show(read, asked)
    return Exit.DONE


# ---- what was asked for ----


def _model(latency: str, queue: str) -> Model:
    latency_ns: int | None = None
    if latency == _MEASURED:
        latency_ns = MEASURED
    elif latency != _CONFIGURED:
        latency_ns = _setting("--latency", latency, units.duration_ns)
    queue_ppm = None if queue == _CONFIGURED else _setting("--queue", queue, units.fraction_ppm)
    return Model(latency_ns, queue_ppm)


def _setting(option: str, value: str, read: Callable[[object], int]) -> int:
    try:
        return read(float(value) if value.replace(".", "", 1).isdecimal() else value)
    except ValueError as error:
        raise Failure(
            Exit.USAGE,
            "usage",
            f"{option}: expected {error}, found {value!r}",
            f"`{_CONFIGURED}` is what the session ran with",
        ) from error


def _reads(books: Books, model: Model, session: str, *, follow: bool) -> Iterator[Read[Shadow]]:
    folder = journal_of(books)
    with damage_told(books):
        measurer = Measurer(folder, Shadow(model), epoch_of(folder, session))
        for read in measurer.watch():
            yield read
            if not follow:
                return
            time.sleep(EVERY_S)


# ---- JSON ----


def _show_document(read: Read[Shadow], asked: Asked) -> None:
    shadow = read.measure
    cells = asked.of(shadow)
    bound = bound_of(shadow.settings)
    timing = shadow.settings.timing
    rows = [
        {"strategy": key.owner, "instrument": key.instrument, "kind": str(key.kind)}
        | _figures(gap_of(cell))
        | {"queue_share": _queue(queue_share_of(cell))}
        | {"working": shadow.unjudged.get(key, 0)}
        for key, cell in sorted(cells.items())
    ]
    print_json(
        {
            "session": asked.session,
            "records": read.records,
            "from_ns": read.first_ns,
            "to_ns": read.last_ns,
            "market_from_seq": read.market_from,
            "configured": {
                "paper_latency_ms": timing.paper_latency_ns / 1e6,
                "paper_queue": timing.paper_queue_ppm / 1e6,
            },
            "bound": {"price_bps": bound.price_bps, "filled": bound.filled, "least": bound.least},
            "not_found_on_the_tape": shadow.missing_prints,
            "beyond": shadow.beyond,
            "gap": rows,
            "verdicts": [
                {
                    "strategy": one.owner,
                    "instrument": one.instrument,
                    "verdict": str(one.verdict),
                    "reason": one.reason,
                }
                | _figures(one.gap)
                for one in judged(cells, bound)
            ],
        }
    )


def _figures(found: Gap) -> dict[str, Any]:
    return {
        "orders": found.orders,
        "compared": found.compared,
        "left_out": found.voids,
        "bias_bps": found.bias_bps,
        "worth": text.exact(found.worth_units),
    } | {name: _estimate(getattr(found, name)) for name in _ESTIMATES}


def _queue(found: QueueShare) -> dict[str, Any]:
    tried = [{"share": share, "filled": _estimate(one)} for share, one in found.differences]
    return _estimate(found.share) | {"reason": found.reason, "tried": tried}


def _estimate(one: Estimate) -> dict[str, Any]:
    return {"n": one.n, "value": one.value, "low": one.low, "high": one.high}


# ---- for people ----


def _show_lines(read: Read[Shadow], asked: Asked) -> None:
    print("\n".join(_lines(read, asked)), flush=True)


def _lines(read: Read[Shadow], asked: Asked) -> list[str]:
    shadow = read.measure
    timing = shadow.settings.timing
    span = f"{text.moment(read.first_ns)} to {text.moment(read.last_ns)} UTC"
    lines = [
        f"{session_text(asked.session)}, {read.records:,} records, {span}",
        f"configured: paper_latency {_ms(timing.paper_latency_ns / 1e6)}, "
        f"paper_queue {timing.paper_queue_ppm / 10_000:g} %{_instead(shadow.model)}",
    ]
    cells = asked.of(shadow)
    if not cells:
        return [*lines, "no live order was sent"]
    bound = bound_of(shadow.settings)
    for one in judged(cells, bound):
        lines += ["", f"{one.owner}  {one.instrument}  {_verdict(one)}"]
        kinds = {key: cell for key, cell in sorted(cells.items()) if _is_of(key, one)}
        for key, cell in kinds.items():
            lines += _table(key, cell, shadow.unjudged.get(key, 0))
        lines += _advice(shadow, kinds)
    return lines + _notes(shadow, bound, read)


def _is_of(key: Key, one: Judged) -> bool:
    return (key.owner, key.instrument) == (one.owner, one.instrument)


def _verdict(one: Judged) -> str:
    return f"{one.verdict}: {one.reason}" if one.reason else f"{one.verdict} its bound"


def _instead(model: Model) -> str:
    tried = []
    if model.latency_ns is not None:
        measured = model.latency_ns == MEASURED
        tried.append(f"latency {_MEASURED if measured else _ms(model.latency_ns / 1e6)}")
    if model.queue_ppm is not None:
        tried.append(f"queue {model.queue_ppm / 10_000:g} %")
    return f"; measured with {', '.join(tried)}" if tried else ""


def _table(key: Key, cell: Cell, working: int) -> list[str]:
    found = gap_of(cell)
    out = [f"{count} left out: {reason}" for reason, count in sorted(found.voids.items())]
    out += [f"{working} not over"] if working else []
    head = f"  {_MEANT[key.kind]}: {found.orders} sent, {found.compared} compared"
    rows = [
        (title, _value(estimate, write), _interval(estimate, write), str(estimate.n))
        for title, name, write in _ROWS
        if (estimate := getattr(found, name)).n
    ]
    if found.bias_bps is not None:
        worth = f"of {text.money(found.worth_units)} traded"
        rows.insert(1, ("bias", _bps(found.bias_bps), worth, ""))
    titles = ("live less paper", ">value", "95 % interval", ">n")
    return [", ".join([head, *out]), *([text.table(titles, rows, indent="    ")] if rows else [])]


def _value(one: Estimate, write: Callable[[float], str]) -> str:
    return "-" if one.value is None else write(one.value)


def _interval(one: Estimate, write: Callable[[float], str]) -> str:
    if one.low is None or one.high is None:
        return "needs n 2"
    return f"{write(one.low)} to {write(one.high)}"


def _advice(shadow: Shadow, kinds: Mapping[Key, Cell]) -> list[str]:
    """Return which settings would agree with what was measured."""
    timing = shadow.settings.timing
    lines = []
    latency = gap_of(merged(kinds.values())).latency_ms
    if latency.value is not None:
        now_ms = timing.paper_latency_ns / 1e6
        told = f"  latency: {_value(latency, _ms)} ({_interval(latency, _ms)}, n {latency.n})"
        ask = f'paper_latency = "{max(1, round(latency.value))} ms"'
        lines.append(f"{told}; {_what_to_do(latency, now_ms, ask)}")
    resting = [cell for key, cell in kinds.items() if key.kind is Kind.RESTS]
    if resting:
        found = queue_share_of(merged(resting))
        share, now = found.share, timing.paper_queue_ppm / 1e6
        if share.value is None or found.reason:
            lines.append(f"  queue share: {found.reason}")
        else:
            told = f"  queue share: {_value(share, _part)} ({_interval(share, _part)}, n {share.n})"
            ask = f"paper_queue = {share.value:.2f}"
            lines.append(f"{told}; {_what_to_do(share, now, ask)}")
    return lines


def _what_to_do(found: Estimate, now: float, ask: str) -> str:
    if found.low is not None and found.high is not None and found.low <= now <= found.high:
        return "what is configured agrees"
    return f"agrees with [execution] {ask}"


def _notes(shadow: Shadow, bound: Bound, read: Read[Shadow]) -> list[str]:
    lines = [
        "",
        "positive: live costs more, comes later, is filled more often. Inside: price within "
        f"{bound.price_bps:g} bps and filled within {bound.filled:.0%}, whole intervals, "
        f"{bound.least} orders or more",
    ]
    if shadow.missing_prints:
        lines.append(f"{shadow.missing_prints} executions of ours were found on no tape")
    if shadow.beyond:
        lines.append(f"{shadow.beyond} orders were beyond what is compared at one time")
    if read.market_from:
        lines.append(f"market data before seq {read.market_from} are gone (journal.market_keep)")
    return lines


def _bps(value: float) -> str:
    return f"{round(value, 2) or 0.0:+.2f} bps"


def _seconds(value: float) -> str:
    return f"{round(value, 3) or 0.0:+.3f} s"


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _points(value: float) -> str:
    return f"{round(value, 3) or 0.0:+.1%}"


def _part(value: float) -> str:
    return f"{value:.2f}"


def _ms(value: float) -> str:
    return f"{value:.1f} ms"


_MEANT: Final = {Kind.TAKES: "orders that take", Kind.RESTS: "orders that may rest"}
_ROWS: Final[tuple[tuple[str, str, Callable[[float], str]], ...]] = (
    ("price", "price_bps", _bps),
    ("first fill", "first_s", _seconds),
    ("complete", "complete_s", _seconds),
    ("filled", "filled", _points),
    ("  live", "filled_live", _percent),
    ("  paper", "filled_paper", _percent),
    ("quantity", "quantity", _points),
)
_ESTIMATES: Final[Iterable[str]] = (*(name for _, name, _ in _ROWS), "latency_ms")
