"""The page of the metrics of execution."""

from generating.page import made_from, page
from plimsoll.core.execution.quality import METRICS as QUALITY
from plimsoll.core.execution.quality.middles import KEPT
from plimsoll.core.execution.quality.waiting import MOST_WAITING


def quality_page() -> str:
    """Return every metric of execution."""
    lines = [
        "# Execution quality",
        "",
        *made_from("src/plimsoll/core/execution/quality/catalogue.py"),
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
    return page(lines)
