"""Write the reference pages that follow from the code: states, records, refusals, metrics, codes.

``python docs/generate.py`` writes them, ``python docs/generate.py --check`` compares and exits 1
with the difference where one is stale. The words of a name stand here or in its docstring; a name
without words stops the generator, so that nothing new stays undocumented.
"""

import ast
import difflib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from plimsoll.cli.exits import Exit
from plimsoll.core import records
from plimsoll.core.engine import Core
from plimsoll.core.execution.lifecycle import CONTRADICTIONS, LIFECYCLE, Evidence
from plimsoll.core.execution.quality import METRICS as QUALITY
from plimsoll.core.execution.quality.middles import KEPT
from plimsoll.core.execution.quality.waiting import MOST_WAITING
from plimsoll.core.feed import Cause
from plimsoll.core.feed.trust import CAUSE_WORDS, CONTENT_CAUSES
from plimsoll.core.model import TERMINAL, OrderState, Refusal
from plimsoll.core.portfolio.statistics import METRICS, Unit
from plimsoll.core.records.stored import STORED
from plimsoll.core.risk.breakers import BREAKERS, Effect, Rearm
from plimsoll.engine.metering import Meter
from plimsoll.observe import BOUNDS_US
from plimsoll.simulator.faults.catalogue import NETWORK, REQUESTS, STREAMS, VENUE, Kind
from plimsoll.venues.bybit import BybitSettings, Clock
from plimsoll.venues.bybit.api import ENDPOINTS
from plimsoll.venues.bybit.api.endpoint import GROUPS, Endpoint
from plimsoll.venues.bybit.ports import Inbox
from plimsoll.venues.bybit.venue import BybitVenue

REFERENCE: Final = Path(__file__).resolve().parent / "reference"


class Undocumented(Exception):
    """The code has a name that no page explains."""


def main(arguments: Sequence[str]) -> int:
    """Write or check every page; return the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    try:
        pages = {REFERENCE / name: make() for name, make in PAGES.items()}
    except Undocumented as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not arguments:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [line for path, text in pages.items() for line in difference(path, text)]
    if stale:
        sys.stdout.writelines(stale)
        print("stale pages: run `python docs/generate.py` and commit the result", file=sys.stderr)
    return 1 if stale else 0


def difference(path: Path, wanted: str) -> Iterator[str]:
    """Yield the lines of a unified diff from the page as it is to the page as it should be."""
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    name = f"docs/reference/{path.name}"
    return difflib.unified_diff(
        found.splitlines(keepends=True), wanted.splitlines(keepends=True), name, f"{name} (new)"
    )


# ---- order states ------------------------------------------------------------------------


def states_page() -> str:
    """Return the life of an order as a diagram and a table."""
    lines = [
        "# The states of an order",
        "",
        *_made_from("src/plimsoll/core/execution/lifecycle.py"),
        "An order moves by evidence and by nothing else: what our gateway did, what the venue",
        "answered, what its streams and queries say. Passing time is not evidence; a timeout is",
        "recorded as *lost* and makes an order UNKNOWN, and only the venue ends UNKNOWN.",
        "",
        "| word | what it is evidence of |",
        "|---|---|",
        *(f"| {one} | {_words(_EVIDENCE, one, 'evidence')} |" for one in Evidence),
        "",
        "## Diagram",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *_edges(),
        "```",
        "",
        "## Table",
        "",
        "Evidence without an entry ranks below the state: it is recorded and ignored. **(!)**",
        "marks evidence that contradicts what was held for certain: it blocks the instrument,",
        "raises an incident, and may or may not move the order. States in *italics* are final:",
        "nothing more is sent for the order, except a cancel where an ABSENT one turns up live.",
        "",
        f"| state | {' | '.join(Evidence)} |",
        f"|---|{'---|' * len(Evidence)}",
        *(f"| {_state(one)} | {' | '.join(_cells(one))} |" for one in OrderState),
        "",
        "DENIED is the state of a request that a check refused: no order of it exists, see",
        "[refusals](refusals.md). *Amend pending* and *cancel pending* are flags beside the state;",
        "fills are legal while they are set, and exposure counts the larger of old and new terms.",
    ]
    return _page(lines)


_EVIDENCE: Final[Mapping[str, str]] = {
    Evidence.SENT: "the gateway wrote the create to a socket (`OrderSent`)",
    Evidence.SEND_REFUSED: "the gateway refused before a byte was written (`SendRefused`)",
    Evidence.ACCEPTED: "the venue accepted the create for processing (`RequestAnswered`)",
    Evidence.REFUSED: 'the venue answered with a code proven to mean "not done"',
    Evidence.LOST: "no answer, a broken link, a crash (`OutcomeLost`), or an unclear answer",
    Evidence.OPEN: "the venue reports it resting, or waiting for its trigger",
    Evidence.PARTIAL: "part of it was matched: by report or by a booked execution",
    Evidence.FILLED: "all of it was matched: by report or by booked executions",
    Evidence.CANCELED: "the venue reports it cancelled",
    Evidence.REJECTED: "the venue reports it rejected",
    Evidence.EXPIRED: "the venue reports it expired or deactivated",
    Evidence.ABSENT: "proof that it never came to live (`AbsenceShown`)",
}


def _edges() -> Iterator[str]:
    yield "    [*] --> INTENT: the record is in the log"
    for state, row in LIFECYCLE.items():
        together: dict[OrderState, list[str]] = {}
        for evidence, after in row.items():
            if after is not state:
                together.setdefault(after, []).append(str(evidence))
        for after, evidences in together.items():
            yield f"    {state.name} --> {after.name}: {', '.join(evidences)}"


def _cells(state: OrderState) -> Iterator[str]:
    for evidence in Evidence:
        after = LIFECYCLE[state].get(evidence)
        mark = " (!)" if evidence in CONTRADICTIONS.get(state, ()) else ""
        yield f"{after.name if after else ''}{mark}".strip()


def _state(state: OrderState) -> str:
    return f"*{state.name}*" if state in TERMINAL else f"**{state.name}**"


# ---- records -----------------------------------------------------------------------------


def records_page() -> str:
    """Return every record of the log with its fields."""
    told = _docstrings()
    lines = [
        "# The records of the log",
        "",
        *_made_from("src/plimsoll/core/records"),
        "One record is one line of `plimsoll journal tail`. Every record begins with four fields:",
        "",
        "| field | meaning |",
        "|---|---|",
        "| `seq` | position in the journal; orders everything over both logs |",
        "| `ts_ns` | Unix time at session start plus monotonic time elapsed; never steps |",
        "| `epoch` | number of the session; grows at every start |",
        "| `cause` | seq of the record that led to this one, 0 for none |",
        "",
        "Prices are ticks, quantities lots, money cash units (1e-8 coin); `core/model` converts.",
        "Records are stored as positional arrays with their tag in front. Fields are only ever",
        "appended, with defaults.",
        "",
    ]
    groups: tuple[tuple[str, str, Iterable[type[records.Record]]], ...] = (
        ("Inputs", "Facts from outside, in the **trading** log.", records.INPUTS),
        (
            "Market inputs",
            "Made from the raw public frames of the **market** log by the venue's pure parser, "
            "live and on replay alike; never stored in this form.",
            records.MARKET_INPUTS,
        ),
        (
            "Decisions",
            "What the core chose, in the **trading** log; a replay must make them again.",
            records.DECISIONS,
        ),
        ("Telemetry", "In the **market** log; the core ignores it.", (records.Telemetry,)),
    )
    for title, text, kinds in groups:
        lines += [f"## {title}", "", text, "", "| tag | record | fields | meaning |"]
        lines += ["|---|---|---|---|", *(_record_row(kind, told) for kind in kinds), ""]
    return _page(lines)


def _record_row(kind: type[records.Record], told: Mapping[str, str]) -> str:
    own = kind.__struct_fields__[len(records.Record.__struct_fields__) :]
    fields = " ".join(f"`{name}`" for name in own)
    meaning = _words(told, kind.__name__, "record")
    return f"| `{kind.__struct_config__.tag}` | {kind.__name__} | {fields} | {meaning} |"


def _docstrings() -> dict[str, str]:
    """Return the docstring of each record, those of its fields behind it, on one line."""
    told = {}
    modules = sorted({kind.__module__ for kind in (*STORED, *records.MARKET_INPUTS)})
    sources = [ast.parse(inspect.getsource(sys.modules[name])) for name in modules]
    for node in (node for source in sources for node in source.body):
        if not isinstance(node, ast.ClassDef):
            continue
        words = [ast.get_docstring(node) or ""]
        for field, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                note = _text_of(text)
                words += [f"`{field.target.id}`: {note}"] if note else []
        told[node.name] = _one_line(" ".join(words))
    return told


def _text_of(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""


# ---- refusals ----------------------------------------------------------------------------


def refusals_page() -> str:
    """Return every reason for which a request of a strategy is denied."""
    lines = [
        "# Why a request is refused",
        "",
        *_made_from("src/plimsoll/core/model/refusal.py"),
        "A refused request never leaves. Refusals by the gate stand in the log as `OrderDenied`",
        "with one of these codes and words that name what was found, the limit and its key;",
        "`plimsoll journal tail --type deny` shows them. Those a strategy's desk makes before the",
        "gate is asked (marked *desk*) are returned to the strategy at once, and counted by call",
        "and reason: `plimsoll status`, `why-not` and the report of a backtest show how many, when",
        "the first came, and its words; in the log they are `AskRefused`. The first check that",
        "fails answers. Reduce-only orders on a perpetual pass all checks but those marked",
        "*always*.",
        "",
        "| code | checked | what was found | what ends it |",
        "|---|---|---|---|",
    ]
    for one in Refusal:
        where, found, end = _row(_REFUSALS, one, "refusal")
        lines.append(f"| `{one}` | {where} | {found} | {end} |")
    lines += [
        "",
        "The book is always needed, on perpetuals the ticker (it carries the mark price), and of",
        "public trades and bars what the instance lives on. The `detail` of `data_not_live`:",
        "",
        "| detail | what was found | a new snapshot is asked for |",
        "|---|---|---|",
        *(f"| `{one}` | {CAUSE_WORDS[one]} | {_renewed(one)} |" for one in Cause),
        "",
        "A limit that the configuration leaves out is zero: with no `[limits]` at all every order",
        "that can add risk is refused. `net_exposure`, `margin`, `free_balance` and the limits of",
        "instances and instruments narrow nothing where they are left out. A key stands for all",
        "levels: the words of a refusal name the one that was met, such as",
        "`limits.strategy.ema.exposure`. More than 200 refusals in a minute stop the instance.",
    ]
    return _page(lines)


def _renewed(cause: Cause) -> str:
    if cause is Cause.SILENT:
        return "for the book"
    return "yes" if cause in CONTENT_CAUSES else "no"


_REFUSALS: Final[Mapping[str, tuple[str, str, str]]] = {
    Refusal.STOPPING: ("gate", "the session is stopping", "the next start"),
    Refusal.WRONG_SIDE: (
        "gate",
        "a trigger at the price of now, a stop that is no loss or a take that is no profit",
        "another price",
    ),
    Refusal.PROTECTION: (
        "venue",
        "the venue did not take the stop or take of a position; told by `on_refusal`",
        "another price; until then the engine's own stop acts",
    ),
    Refusal.EXECUTOR: (
        "desk",
        "an executor that cannot be, one beside a target or a target beside one, or a label of one",
        "as the words say",
    ),
    Refusal.STRATEGY_STOPPED: (
        "always",
        "the instance raised, repeated itself or the session ends",
        "the next start, once the cause is mended",
    ),
    Refusal.WARMING_UP: ("gate", "bars for its windows are still being fetched", "the last answer"),
    Refusal.UNKNOWN_INSTRUMENT: (
        "desk",
        "the instrument is not among those of the instance",
        "`instruments` in its `[[strategy]]` entry",
    ),
    Refusal.OFF_STEP: (
        "desk",
        "a price or quantity off the venue's step, or no number",
        "pass a float to have it rounded, or a multiple of the step",
    ),
    Refusal.BELOW_MINIMUM: (
        "always; desk for amends",
        "less than the venue's minimum quantity or value",
        "a larger quantity",
    ),
    Refusal.ABOVE_MAXIMUM: ("always", "more than the venue's maximum quantity", "smaller orders"),
    Refusal.NO_SUCH_ORDER: ("desk", "the order is over, or was never placed", "nothing: it is so"),
    Refusal.ORDER_BUSY: ("desk", "an earlier request about it is unanswered", "its answer"),
    Refusal.NO_SPACE: (
        "gate",
        "the disk under the journal is nearly full (5 % or 100 MB free)",
        "free some space; it goes on by itself",
    ),
    Refusal.HALTED: (
        "gate",
        "a halt of the account, the instance, the instrument or both is in force",
        "`plimsoll resume SCOPE`, as the words say",
    ),
    Refusal.RUN_OFF: (
        "gate, live only",
        "the strategy went to paper: its live book may only reduce until it is flat",
        "`plimsoll mode set NAME live`, once the live book is flat",
    ),
    Refusal.PAUSED: (
        "gate",
        "a pause of the account, the instance, the instrument or both is in force",
        "`plimsoll resume SCOPE`, as the words say",
    ),
    Refusal.OBSERVED: (
        "gate, live only",
        "a foreign position was there at the first start, and nobody has decided whose it is",
        "`plimsoll adopt`; see [an account that is not empty]"
        "(../how-to/start-on-an-account-that-is-not-empty.md)",
    ),
    Refusal.UNEXPLAINED_CASH: (
        "gate, live only",
        "the wallet has differed by more than `execution.wallet_difference` of equity for "
        "`execution.wallet_patience`, and no cause explains it",
        "the cause: it goes on by itself",
    ),
    Refusal.BLOCKED: (
        "gate",
        "the instrument is blocked",
        "see [release a blocked instrument](../how-to/release-a-blocked-instrument.md)",
    ),
    Refusal.NOT_RECONCILED: (
        "gate, live only",
        "our books have not been compared with the venue's since the private link came up, or the "
        "account's equity has not been measured yet",
        "the comparison, within seconds",
    ),
    Refusal.LINK_DOWN: ("gate, live only", "the private link is down", "its reconnect"),
    Refusal.DATA_NOT_LIVE: (
        "gate",
        "a stream the order depends on is not LIVE (see below), or there is no price to trade at",
        "good data: within a second or two of them",
    ),
    Refusal.CLOCK: (
        "gate, live only",
        "the venue's time is known less exactly than 500 ms",
        "a measurement with a faster round trip",
    ),
    Refusal.NO_REFERENCE: (
        "gate; desk for targets",
        "no mark price, live book or print younger than 5 s",
        "the next market data",
    ),
    Refusal.PRICE_DISTANCE: (
        "gate",
        "the price is further against us from the reference than `limits.price_distance`",
        "another price, or the limit",
    ),
    Refusal.ORDER_NOTIONAL: (
        "gate",
        "the order is worth more than `limits.order_notional`",
        "a smaller order, or the limit",
    ),
    Refusal.ORDER_QTY: (
        "gate",
        "the order is larger than the instrument's `order_qty`",
        "a smaller order, or the limit",
    ),
    Refusal.RATE: (
        "gate",
        "`limits.orders_per_second` creates and amends, or four fifths of the venue's own limit, "
        "left in the last second",
        "the next second",
    ),
    Refusal.DAY_RATE: ("gate", "`limits.orders_per_day` are used", "00:00 UTC, or the limit"),
    Refusal.OPEN_ORDERS: ("gate", "`limits.open_orders` are working", "the end of one"),
    Refusal.POSITION: (
        "gate",
        "the worst case in the instrument, everything in flight counted, would be worth more than "
        "`limits.position_notional`",
        "less in flight, or the limit",
    ),
    Refusal.EXPOSURE: (
        "gate",
        "the worst case over all instruments would exceed `limits.exposure`",
        "less in flight, or the limit",
    ),
    Refusal.NET_EXPOSURE: (
        "gate",
        "longs less shorts over all instruments would exceed `limits.net_exposure` in the worst "
        "case",
        "the other side, or the limit",
    ),
    Refusal.LEVERAGE: (
        "gate, live only",
        "worst-case exposure over equity would exceed `limits.leverage`",
        "less exposure, or the limit",
    ),
    Refusal.DAILY_LOSS: (
        "gate, live only",
        "equity has fallen by `limits.daily_loss` since 00:00 UTC",
        "00:00 UTC, equity regained, or the limit",
    ),
    Refusal.DRAWDOWN: (
        "gate, live only",
        "equity is `limits.drawdown` below its highest",
        "equity regained, or the limit",
    ),
    Refusal.MARGIN: (
        "gate, live only",
        "the account's initial margin rate has reached `limits.margin`",
        "a lower rate, or the limit",
    ),
    Refusal.FREE_BALANCE: (
        "gate, live only",
        "less than `limits.free_balance` would stay free after the order",
        "a smaller order, or the limit",
    ),
    Refusal.INITIAL_MARGIN: (
        "paper only",
        "capital and profit of the instance do not carry the margin of what it holds and asks for",
        "a smaller order, more `capital`, or a higher `account.leverage`",
    ),
    Refusal.BREAKER: (
        "gate",
        "a circuit breaker has tripped for the account, the instance, the instrument or both; "
        "`detail` is its name",
        "see [breakers](breakers.md)",
    ),
    Refusal.SELF_CROSS: (
        "gate",
        "it would cross our own resting order",
        "cancel that order, or another price",
    ),
    Refusal.NOT_HELD: (
        "gate, spot only",
        "the instance would sell more of the coin than it holds and has not already offered",
        "a smaller quantity",
    ),
}


# ---- breakers ----------------------------------------------------------------------------


def breakers_page() -> str:
    """Return every circuit breaker."""
    lines = [
        "# Circuit breakers",
        "",
        *_made_from("src/plimsoll/core/risk/breakers/table.py"),
        "A breaker looks at one thing and stops new risk in one scope. Orders that protect or",
        "reduce pass every breaker and are never cancelled by one. A trip and its end are records",
        "(`Tripped`, `Reset`), a trip an incident too: a restart finds them as they were. The",
        "account means what is live; an instrument's breakers hold for paper as well, its market",
        "is the same. `plimsoll breakers` shows what has tripped and what each would touch,",
        "`plimsoll breakers reset NAME SCOPE` arms one again. All are on; `breakers.off` names",
        "those that never trip.",
        "",
        "| breaker | measured on | scope | effect | armed again by | settings |",
        "|---|---|---|---|---|---|",
    ]
    for one in BREAKERS.values():
        keys = (key if "." in key else f"breakers.{key}" for key in one.keys)
        cells = (
            f"`{one.name}`",
            one.measures,
            "; ".join(one.scopes),
            _words(_EFFECTS, one.effect, "effect"),
            _words(_REARMS, one.rearm, "rule"),
            ", ".join(f"`{key}`" for key in keys) or "none",
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "What is measured over a window (`reject_rate`, `slippage`, the usual moves and spreads,",
        "errors of a minute) begins empty with each session; losses, streaks, trips and how often",
        "one tripped today do not. After a restart a calm or clean time is counted anew. A person",
        "who arms a drawdown accepts it: it is counted from there on.",
    ]
    return _page(lines)


_EFFECTS: Final[Mapping[str, str]] = {
    Effect.NO_ENTRIES: "no entries",
    Effect.CANCEL_ENTRIES: "no entries, entries cancelled, each second until they are gone",
    Effect.REDUCE: "as cancelled entries, and an incident: a person must reduce, nothing does so "
    "by itself",
}

_REARMS: Final[Mapping[str, str]] = {
    Rearm.PERSON: "a person",
    Rearm.NEXT_DAY: "a person, not before 00:00 UTC",
    Rearm.COOL_DOWN: "itself after `breakers.cool_down`, `breakers.cool_downs` times a UTC day, "
    "then a person",
    Rearm.CALM: "itself after `breakers.calm` without it; time in which nothing is known of what "
    "is measured does not count",
    Rearm.CLEAN: "itself after `breakers.clean` without it",
}


# ---- execution quality -------------------------------------------------------------------


def quality_page() -> str:
    """Return every metric of execution."""
    lines = [
        "# Execution quality",
        "",
        *_made_from("src/plimsoll/core/execution/quality/catalogue.py"),
        "`plimsoll quality` measures these from both logs, for each instance in each instrument,",
        "of paper and live orders apart, of market orders, limit orders and stops (conditional",
        "ones) apart. How to read them: [judge the execution](../how-to/judge-execution.md).",
        "",
        "A cost is positive where it is against us. *Side* is +1 for a purchase and -1 for a sale.",
        "A *middle* is half of best bid plus best ask of the book of depth 50, from its newest",
        "message that left it whole. Sums are exact (ticks, lots, units of 1e-8 quote coin); a",
        "quantile is over single values, right to a bucket's 12 %. A figure is not told below its",
        "least n; `--json` has null there, and a `reason`.",
        "",
        "| metric | unit | formula | n counts | least n |",
        "|---|---|---|---|---|",
    ]
    for one in QUALITY.values():
        least = ", ".join(f"{figure.name} {figure.least}" for figure in one.figures)
        cells = (f"`{one.name}`", one.unit, one.formula, one.sample, least)
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Which middle is *before a fill* and *some seconds later* the venue's own times say: of",
        "the execution, and of the match behind each book message. A fill on paper takes the time",
        "of the book message that made it, else the moment of its record. The middle of a time in",
        "which the book was not whole, its link down or the engine dead is not known; what needs",
        f"it is left out of n. The newest {KEPT:,} changes of each middle are remembered, and",
        f"{MOST_WAITING:,} fills of an instrument may wait for one.",
        "",
        "An order belongs to the instance that asked for it, also after a person moved it. The",
        "`slippage` [breaker](breakers.md) looks at the newest 20 market fills against the best",
        "price of the other side when they were decided, not against the middle; both take the",
        "cost of a fill from the same function.",
    ]
    return _page(lines)


# ---- metrics -----------------------------------------------------------------------------


def metrics_page() -> str:
    """Return every name of the engine's telemetry."""
    meter, core = Meter(), Core()
    venue_counters, venue_gauges = _venue_metrics()
    counters = sorted(meter.counters(core) | venue_counters)
    gauges = sorted({"journal_behind", "live.INSTRUMENT", *venue_gauges})
    lines = [
        "# Telemetry",
        "",
        *_made_from("src/plimsoll/engine/metering.py", "src/plimsoll/venues/bybit/venue.py"),
        "Once a second the engine writes one `Telemetry` record to its market log. Nothing else is",
        "measured and nothing is averaged. Counters and histograms are totals since the session",
        "started; gauges are the value at that moment.",
        "",
        "## Counters",
        "",
        *_metric_rows(
            (
                *counters,
                *("records.TAG", "LINK.messages", "LINK.bytes", "LINK.connects", "LINK.drops"),
                *("CONNECTION.NUMBER", "TOPIC.NUMBER"),
            )
        ),
        "",
        "## Gauges",
        "",
        *_metric_rows(
            (
                *gauges,
                *("LINK.up", "LINK.ping_ms", "LINK.last_message_ns", "LINK.unsent_bytes"),
                "limit_left/PATH",
            )
        ),
        "",
        "LINK is `private`, `trade`, `public.linear` or `public.spot`; CONNECTION is such as",
        "`public.linear#1`, TOPIC such as `public.linear#1/orderbook.50.BTCUSDT`. Those two come",
        "each tenth second.",
        "",
        "## Histograms",
        "",
        *_metric_rows((*sorted(meter.histograms()), *_STREAM_HISTOGRAMS)),
        "",
        "STREAM is a kind of market input and an instrument, such as `book.linear:BTCUSDT`; ACTION",
        "is `create`, `amend` or `cancel`.",
        "",
        "A histogram is bucket, count, bucket, count and so on, without empty buckets. Of the",
        f"{len(BOUNDS_US) + 1} buckets the upper bounds grow by about 12 % from {BOUNDS_US[0]} us",
        f"to {BOUNDS_US[-1] / 1e6:.0f} s; the last one takes what is above (`plimsoll.observe`:",
        "`BOUNDS_US`, `quantile`, `merged`).",
    ]
    return _page(lines)


_STREAM_HISTOGRAMS: Final = (
    "feed_latency_us.STREAM",
    "strategy_latency_us.STREAM",
    "decision_to_socket_us.ACTION.INSTRUMENT",
    "socket_to_answer_us.ACTION.INSTRUMENT",
    "answer_to_execution_us.INSTRUMENT",
)

_METRICS: Final[Mapping[str, str]] = {
    "background_tasks": "queries and REST requests under way",
    "books_coalesced": "order book messages no strategy heard, because while inputs lagged a newer "
    "state came; each was applied",
    "clock_offset_ms": "estimate of the venue's clock minus ours",
    "clock_uncertainty_ms": "how wrong that estimate may be",
    "feed_gaps": "order book messages that did not follow the one before",
    "feed_messages": "market messages received",
    "feed_outdated": "of these, messages or prints left out because a newer one had been there",
    "live.INSTRUMENT": "1 where every stream of the instrument is LIVE, else 0",
    "journal_behind": "records written and not yet known to be on disk",
    "limit_left/PATH": "what the venue's last answer said is left of the path's rate limit",
    "LINK.bytes": "bytes received on the link",
    "LINK.connects": "connections made",
    "LINK.last_message_ns": "Unix ns of the newest frame",
    "LINK.messages": "frames received",
    "LINK.drops": "connections lost",
    "LINK.unsent_bytes": "what waits for the sockets to take it",
    "CONNECTION.NUMBER": "`messages`, `bytes`, `connects`, `drops` of one connection; gauges "
    "`last_ns`, `ping_ns`",
    "TOPIC.NUMBER": "`messages`, `bytes`, `renewals` of one topic on one connection, and where two "
    "carry it `firsts`, `duplicates`, `held`, `gaps`; gauge `last_ns`",
    "LINK.ping_ms": "round trip of the last ping",
    "LINK.up": "1 while authenticated and subscribed",
    "loop_lag_us": "how late the one-second tick of the event loop was",
    "orders_sent": "creates, amends and cancels written by the venue's adapter",
    "parse_errors": "private messages that could not be read",
    "records.TAG": "records of this tag applied, those read at the start included",
    "requests_pending": "requests on the trade socket without an answer yet",
    "requests_sent": "creates, amends and cancels that left through the gateway",
    "rate_refusals": "creates, amends and cancels the venue refused for their rate",
    "rest_failures": "REST requests without a usable answer",
    "rest_waited_ms": "how long reads have waited for their turn in the rate budget, in all",
    "rest_requests": "REST requests made",
    "feed_latency_us.STREAM": "from the venue's stamp to our callback, clocks corrected; how far "
    "that may be wrong is `clock_uncertainty_ms`",
    "strategy_latency_us.STREAM": "from our callback to the strategies: logged, parsed, applied",
    "decision_to_socket_us.ACTION.INSTRUMENT": "from a decision to its bytes in the socket: "
    "logged, applied, checked once more, written",
    "socket_to_answer_us.ACTION.INSTRUMENT": "from the socket write to the venue's answer",
    "answer_to_execution_us.INSTRUMENT": "from the acceptance of an order to its first execution",
    "tick_to_order_us": "from the callback of a public frame to the socket write of an order",
    "troubles": "oddities at the venue's door, each a log line",
    "unlisted_items": "private messages about instruments that are not listed",
}


def _metric_rows(names: Iterable[str]) -> list[str]:
    rows = [f"| `{name}` | {_words(_METRICS, name, 'metric')} |" for name in names]
    return ["| name | meaning |", "|---|---|", *rows]


class _NoClock:
    def now_ns(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        return 0


class _NoInbox:
    def stamp(self) -> tuple[int, int, int, int]:
        return 0, 0, 0, 0

    def put(self, record: records.Record) -> None:
        """Take nothing: no link is opened."""

    def frame(self, link: int, raw: bytes, received_ns: int) -> None:
        """Take nothing: no link is opened."""

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Take nothing: no link is opened."""


def _venue_metrics() -> tuple[dict[str, int], dict[str, float]]:
    """Return the metrics of a venue that was never connected."""
    settings = BybitSettings(rest_url="", public_url="", private_url="", trade_url="")
    inbox: Inbox = _NoInbox()
    clock: Clock = _NoClock()
    return BybitVenue(settings, inbox, clock).metrics()


# ---- exit codes --------------------------------------------------------------------------


def exits_page() -> str:
    """Return the exit codes."""
    lines = [
        "# Exit codes",
        "",
        *_made_from("src/plimsoll/cli/exits.py"),
        "They never change their meaning. Result on stdout, talk on stderr; with `--json` an error",
        'is one line `{"error": {"code", "message", "hint"}}` on stderr.',
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {one.value} | {one.meaning} |" for one in Exit),
        "",
        "A backtest or a replay in which a callback of a strategy does not return ends with 8 and",
        "names it, with file and line; a sweep goes on with its other runs, and ends with 3 where",
        "all of them failed.",
        "",
        "## When the engine does not start",
        "",
        "| found | code |",
        "|---|---|",
        "| an instrument that does not exist, does not trade or cannot be counted exactly | 3 |",
        "| a key the venue does not accept, or one that may do more or less than trade | 5 |",
        "| no usable answer from the venue | 6 |",
        "| an account that is not Unified, not one-way, or in portfolio margin | 7 |",
        "| the lease is held by another process, or the epoch file cannot be trusted | 7 |",
        "| a damaged journal, one of another account, format, release or a later epoch | 7 |",
        "",
        "## What `plimsoll venue probe` ends with",
        "",
        "| found | code |",
        "|---|---|",
        "| every row equal, or unknown with its reason | 0 |",
        "| a row that differs | 9 |",
        "| an order or position of the probe that is still at the venue | 4 |",
        "| mainnet, an account that is not flat, or not in a mode the engine trades in | 7 |",
        "| another environment than the configuration's | 3 |",
        "| Ctrl-C or SIGTERM, after everything was taken back | 130, 143 |",
    ]
    return _page(lines)


# ---- statistics --------------------------------------------------------------------------


def statistics_page() -> str:
    """Return the catalogue of statistics."""
    lines = [
        "# Statistics",
        "",
        *_made_from("src/plimsoll/core/portfolio/statistics/catalogue.py"),
        "What is computed of an account or of one instance of a strategy, event by event, from",
        "samples of its equity and from its executions. Cash that comes or goes is no return:",
        "growth is linked over the stretches between flows, so that neither a deposit nor a",
        "withdrawal moves a return, a drawdown or the loss of a day. A day's return is of equity;",
        "of an instance in the log (`plimsoll stats`) it is its profit on strategy capital, at the",
        "capital of its time. Days are UTC. A day ends with",
        "the first sample at or after its end, days nobody saw are flat, and the last one counts",
        "as far as it was seen.",
        "",
        "A metric with fewer than *least* of its sample has no value and says so: *12 of 30 days*.",
        "The last column says why else one may have none. Everything is computed a second time,",
        "all at once, by `tests/properties/test_statistics.py`, and compared with",
        "`empyrical-reloaded` there.",
        "",
        "| metric | called | formula | unit | sample | least | no value where |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in METRICS.values():
        unit = _words(_UNITS, one.unit, "unit")
        cells = (f"`{one.name}`", one.label, one.formula, unit, one.sample, str(one.least))
        lines.append(f"| {' | '.join(map(_one_line, (*cells, one.undefined or '-')))} |")
    return _page(lines)


_UNITS: Final[Mapping[str, str]] = {
    Unit.SHARE: "share",
    Unit.RATIO: "ratio",
    Unit.TIMES: "times capital",
    Unit.CASH: "quote",
    Unit.NS: "time",
    Unit.COUNT: "count",
}


# ---- the Bybit client --------------------------------------------------------------------


def client_page() -> str:
    """Return every endpoint of the typed client and every row it reads."""
    rows = {endpoint.row: None for endpoint in ENDPOINTS}
    for kind in list(rows):
        rows.update(dict.fromkeys(_inner_rows(kind)))
    lines = [
        "# The Bybit client",
        "",
        *_made_from("src/plimsoll/venues/bybit/api/client.py"),
        "`BybitClient` asks every endpoint of Bybit v5 that trading spot and linear contracts",
        "needs. The engine does not use it: it has a narrower way of its own that writes the same",
        "bytes for the same order. Amounts are exact decimals, times Unix milliseconds; a list is",
        "whole or an error, oldest first where its rows have a time, each row once.",
        "",
        "```python",
        "async with BybitClient(settings, clock) as client:",
        '    tiers = await client.market.risk_tiers("BTCUSDT")',
        "    order = OrderRequest(",
        '        category="linear", symbol="BTCUSDT", side="Buy", qty=Decimal("0.01"), '
        'price=Decimal("30000")',
        "    )",
        "    answer = await client.orders.create(order)",
        "```",
        "",
        "An order request ends in an `OrderAnswer` (`accepted`, `refused`, `gone`, `unknown`),",
        "never in an exception, and is never sent twice. Everything else raises `CallFailed` with",
        "the venue's code, or `ParseError` with endpoint, row and field. A setting that is so",
        "already is success. Words the venue's pages do not list are kept and counted in",
        "`BybitClient.strange_words`; fields without a row's name are passed over.",
        "",
        "## Endpoints",
        "",
        "Per second: linear, spot; a dash where only the limit of the address holds.",
        "",
        "| method | request | key | per second | pages | gives |",
        "|---|---|---|---|---|---|",
        *map(_endpoint_row, ENDPOINTS),
        "",
        "## Rows",
        "",
        "A field with a dash behind it must be there; one with a word stands for itself when the",
        "venue says nothing (an empty text, null, or no such field).",
    ]
    for kind in sorted(rows, key=lambda one: one.__name__):
        lines += _row_section(kind)
    return _page(lines)


def _endpoint_row(endpoint: Endpoint[Any]) -> str:
    limits = GROUPS[endpoint.group]
    per_second = ", ".join(str(limit or "-") for limit in limits)
    gives = f"`{endpoint.row.__name__}`" + (" each" if endpoint.is_list else "")
    request = f"{endpoint.method} `{endpoint.path}`"
    signed = "yes" if endpoint.signed else ""
    return (
        f"| `{endpoint.name}` | {request} | {signed} | {per_second} | {endpoint.paging} | {gives} |"
    )


def _row_section(kind: type[msgspec.Struct]) -> Iterator[str]:
    fields = msgspec.structs.fields(kind)
    if not fields:
        return
    is_list = kind.__struct_config__.array_like
    yield from ("", f"### {kind.__name__}", "", _first_line(kind), "")
    yield f"| field | {'column' if is_list else 'venue'} | kind | without a value |"
    yield "|---|---|---|---|"
    for place, field in enumerate(fields, 1):
        wire = str(place) if is_list else f"`{field.encode_name}`"
        yield f"| `{field.name}` | {wire} | {_kind_of(field.type)} | {_default_of(field)} |"


def _first_line(kind: type[msgspec.Struct]) -> str:
    return _one_line((kind.__doc__ or "").partition("\n\n")[0])


def _default_of(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "-"
    if field.default is None:
        return "none"
    is_said = isinstance(field.default, str | int | Decimal) and field.default != ""
    return str(field.default).lower() if is_said else "empty"


def _kind_of(kind: object) -> str:
    """Return the kind of a field in words."""
    if get_origin(kind) is Annotated:
        return str(get_args(kind)[1].name)
    arguments = [one for one in get_args(kind) if one is not type(None)]
    if get_origin(kind) is tuple:
        return f"list of {_kind_of(arguments[0])}"
    if get_origin(kind) is dict:
        return f"{_kind_of(arguments[1])} by name"
    if arguments:
        return _kind_of(arguments[0])
    name = str(getattr(kind, "__name__", kind))
    return _KINDS.get(name, f"`{name}`")


_KINDS: Final = {"Decimal": "number", "int": "whole number", "bool": "truth", "str": "text"}


def _inner_rows(kind: object) -> Iterator[type[msgspec.Struct]]:
    """Yield the rows inside a row, however deep."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        for part in get_args(kind):
            yield from _inner_rows(part)
        return
    yield kind
    for field in msgspec.structs.fields(kind):
        yield from _inner_rows(field.type)


# ---- faults of the simulated exchange ----------------------------------------------------


def faults_page() -> str:
    """Return the catalogue of faults: what each does, how to ask for it, what a client sees."""
    lines = [
        "# Faults of the simulated exchange",
        "",
        *_made_from("src/plimsoll/simulator/faults/catalogue.py"),
        "How to ask for one, by scenario, seed or live:",
        "[the simulated exchange](simulator.md#faults). Each entry is asked for and seen from",
        "outside by `tests/simulator/faults/test_catalogue.py`. *each*: on each message it",
        "reaches, with probability `rate`. *while*: as long as it lasts, on the share `rate` of",
        "what it reaches. *once*: at its beginning, and every `every_s` seconds where that is",
        "given. *Narrowed by*: the keys that choose whom it reaches; without them it reaches all.",
    ]
    for title, kinds in (
        ("The network", NETWORK),
        ("Requests and answers", REQUESTS),
        ("Streams and books", STREAMS),
        ("The venue and people", VENUE),
    ):
        lines += ["", f"## {title}", ""]
        lines += ["| fault | requirement | when | does | a client sees | ask with | narrowed by |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_fault_row(kind) for kind in kinds]
    return _page(lines)


def _fault_row(kind: Kind) -> str:
    asked = [f"`magnitude` = {kind.magnitude:g} {kind.unit}"] if kind.unit else []
    asked += [f"`code` = {kind.code}"] if kind.code else []
    asked += [f"`values.{name}`" for name in kind.values]
    cells = (
        f"`{kind.name}`",
        kind.requirement,
        kind.manner.value,
        kind.does,
        kind.sees,
        ", ".join(asked),
        ", ".join(f"`{name}`" for name in kind.scope),
    )
    return f"| {' | '.join(_one_line(cell) for cell in cells)} |"


# ---- words -------------------------------------------------------------------------------


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "states.md": states_page,
    "records.md": records_page,
    "refusals.md": refusals_page,
    "breakers.md": breakers_page,
    "execution-quality.md": quality_page,
    "metrics.md": metrics_page,
    "statistics.md": statistics_page,
    "exit-codes.md": exits_page,
    "bybit-client.md": client_page,
    "simulator-faults.md": faults_page,
}


def _made_from(*sources: str) -> list[str]:
    names = " and ".join(f"[`{name}`](../../{name})" for name in sources)
    return [f"Made by `docs/generate.py` from {names}; do not edit.", ""]


def _words(table: Mapping[str, str], name: str, what: str) -> str:
    found = table.get(name, "")
    if not found:
        raise Undocumented(f"{what} {name!r} has no words: give it some in docs/generate.py")
    return found


def _row(table: Mapping[str, tuple[str, str, str]], name: str, what: str) -> tuple[str, str, str]:
    if name not in table:
        raise Undocumented(f"{what} {name!r} has no words: give it some in docs/generate.py")
    return table[name]


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def _page(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
