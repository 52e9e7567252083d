"""The page of the statistics of an account or an instance."""

from collections.abc import Mapping
from typing import Final

from generating.page import made_from, one_line, page, words_of
from plimsoll.core.portfolio.statistics import METRICS, Unit


def statistics_page() -> str:
    """Return the catalogue of statistics."""
    lines = [
        "# Statistics",
        "",
        *made_from("src/plimsoll/core/portfolio/statistics/catalogue.py"),
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
        unit = words_of(_UNITS, one.unit, "unit")
        cells = (f"`{one.name}`", one.label, one.formula, unit, one.sample, str(one.least))
        lines.append(f"| {' | '.join(map(one_line, (*cells, one.undefined or '-')))} |")
    return page(lines)


_UNITS: Final[Mapping[str, str]] = {
    Unit.SHARE: "share",
    Unit.RATIO: "ratio",
    Unit.TIMES: "times capital",
    Unit.CASH: "quote",
    Unit.NS: "time",
    Unit.COUNT: "count",
}
