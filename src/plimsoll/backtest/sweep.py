"""Many parameters over the same bars: what each came to, and what was best where it counts.

Pure: runs are handed in. The best of many is the luckiest of many; ``walk_forward`` says what the
best of one stretch did on the next, which nobody has chosen it by.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Final

import msgspec

from plimsoll.backtest.results import Results

Params = dict[str, str | int | float | bool]

MEASURES: Final = ("sharpe", "total_return", "calmar", "profit_factor")
"""What may be best, by the names of the catalogue; higher is better."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one set of parameters came to; figures None where they could not be measured."""

    params: Params
    total_return: float | None = None
    sharpe: float | None = None
    calmar: float | None = None
    profit_factor: float | None = None
    max_drawdown: float | None = None
    trips: int = 0
    hash: str = ""
    began_ns: int = 0
    ended_ns: int = 0
    failure: str = ""
    """Why there is no outcome."""
    warnings: list[str] = []
    """What has to be said of the data and the run."""

    def worth(self, measure: str) -> float:
        """Return what it is ranked by; what was not measured is worth less than anything."""
        value = getattr(self, measure)
        return float("-inf") if value is None else value


class Step(msgspec.Struct, frozen=True):
    """One step of a walk forward: the best of a stretch, and the same parameters on the next."""

    chosen: Outcome
    after: Outcome


def grid(values: Sequence[tuple[str, Sequence[str | int | float | bool]]]) -> list[Params]:
    """Return every combination of the values of each parameter, the last one moving fastest."""
    names = [name for name, _ in values]
    return [dict(zip(names, one, strict=True)) for one in product(*(some for _, some in values))]


def outcome_of(params: Params, results: Results) -> Outcome:
    """Return the outcome of one run, of its first instance."""
    owner = results.owners[0]

    def number(name: str) -> float | None:
        found = owner.stats.get(name)
        return float(found) if isinstance(found, int | float) else None

    return Outcome(
        params=params,
        total_return=number("total_return"),
        sharpe=number("sharpe"),
        calmar=number("calmar"),
        profit_factor=number("profit_factor"),
        max_drawdown=number("drawdown_max"),
        trips=owner.trips_total,
        hash=results.hash,
        began_ns=results.began_ns,
        ended_ns=results.ended_ns,
        warnings=results.warnings,
    )


def ranked(outcomes: Sequence[Outcome], measure: str) -> list[Outcome]:
    """Return the outcomes, best first; equals by their return, then as they were asked for."""
    return sorted(outcomes, key=lambda one: (-one.worth(measure), -one.worth("total_return")))


def compounded(steps: Sequence[Step]) -> float | None:
    """Return what the stretches nobody chose by came to, one after the other."""
    growth = 1.0
    for step in steps:
        if step.after.total_return is None:
            return None
        growth *= 1 + step.after.total_return
    return growth - 1


def stretches(began_ns: int, ended_ns: int, count: int) -> list[tuple[int, int]]:
    """Return so many stretches of time of one length, from the beginning to the end."""
    width = (ended_ns - began_ns) // count
    edges = [began_ns + number * width for number in range(count)] + [ended_ns]
    return list(pairwise(edges))


def walk_forward(
    began_ns: int,
    ended_ns: int,
    steps: int,
    measure: str,
    run_all: Callable[[int, int], list[Outcome]],
    run_one: Callable[[Params, int, int], Outcome],
) -> list[Step]:
    """Choose on each stretch and look at the next one.

    Args:
        began_ns: Of the data.
        ended_ns: Of the data.
        steps: How often.
        measure: What is best.
        run_all: Returns the outcome of every set of parameters between two times.
        run_one: Returns that of one.
    """
    found = []
    pieces = stretches(began_ns, ended_ns, steps + 1)
    for before, after in pairwise(pieces):
        chosen = ranked(run_all(*before), measure)[0]
        found.append(Step(chosen, run_one(chosen.params, *after)))
    return found
