"""How often graduation is wrong: synthetic strategies of known Sharpe on their way to real money.

    python -m benchmarks.graduation_trial                # the tables of the docs, some minutes
    python -m benchmarks.graduation_trial --paths 100    # a look

Every path is a strategy that makes ``TRIPS`` round trips a day. It goes through the product's own
screens, test and ramp: paper, candidate, live with more capital at each step, or out. Daily returns
are normal, fat-tailed (Student t with 4 degrees), autocorrelated (0.2 from day to day), calm and
wild by turns, or small gains with rare crashes. Seeded: the same numbers each time.
"""

import argparse
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from benchmarks.synthetic_returns import NOISES, Day, days_of

from plimsoll.core.execution.graduation import (
    DEFAULTS,
    PPB,
    SCREENS,
    Betting,
    Outside,
    Summary,
    expected_of,
    judged,
    passes,
    ramp_of,
)
from plimsoll.core.portfolio.statistics.moments import Z95, Moments

TRIPS: Final = 2
DAYS: Final = 1_460
SPREAD: Final = 0.01
"""Standard deviation of a day's return: 19 % a year."""

EQUITY: Final = 1_000_000 * 10**8
CAPITAL: Final = EQUITY // 2
OUTSIDE: Final = Outside(agreement=1.0, shadow_gap=0.0)
"""What is not about returns is taken as passed: only chance is tried here."""

_LEAST: Final = {
    name: next(need.needed for need in needs if need.name == "sharpe")
    for name, needs in SCREENS.items()
}

_DEEPEST: Final = next(need.needed for need in SCREENS["candidate"] if need.name == "drawdown")


class Path(NamedTuple):
    """What became of one strategy; days from its first day on paper, None = never."""

    candidate: int | None
    steps: tuple[int | None, ...]
    """When each live step of the ramp was reached; the last is proof."""
    ended: int | None
    cause: str
    result: float
    """Of all real money, as a share of account equity."""
    naive: int | None
    """When '50 round trips, 30 days, Sharpe 1' was passed."""
    naive_result: float
    """Had the whole capital followed at once, until the same drawdown."""


# ---- one life ----


class Tally:
    """The summary of some days, kept day by day; ``summary_of`` is its slow twin."""

    def __init__(self) -> None:
        """Begin with none."""
        self.moments = Moments()
        self.level = self.peak = 1.0
        self.fall = self.won = self.lost = 0.0
        self.trips = 0

    def add(self, day: Day) -> None:
        """Take a day."""
        self.moments.add(day.gain)
        self.level *= max(0.0, 1 + day.gain)
        self.peak = max(self.peak, self.level)
        self.fall = max(self.fall, 1 - self.level / self.peak)
        for trip in day.trips:
            self.trips += 1
            self.won += max(0.0, trip)
            self.lost += max(0.0, -trip)

    def summary(self) -> Summary:
        """Return what they come to."""
        moments = self.moments
        sharpe = moments.sharpe() if moments.count >= 30 else None
        error = moments.sharpe_error() if sharpe is not None else None
        return Summary(
            days=moments.count,
            mean=moments.mean,
            variance=moments.m2 / (moments.count - 1) if moments.count > 1 else 0.0,
            sharpe=sharpe,
            sharpe_low=None if sharpe is None or error is None else sharpe - Z95 * error,
            drawdown=self.fall,
            trips=self.trips,
            won_units=round(self.won * 10**12),
            lost_units=round(self.lost * 10**12),
            requests=100,
        )

    def meets(self, screen: str) -> bool:
        """Return whether a screen is passed."""
        moments = self.moments
        if moments.count < 30 or (moments.sharpe() or 0.0) < _LEAST[screen]:
            return False  # the same answer, sooner
        return passes(judged(screen, self.summary(), OUTSIDE))

    def is_plain(self) -> bool:
        """Return whether '50 round trips, 30 days, Sharpe 1' is passed."""
        moments = self.moments
        if moments.count < 30 or self.trips < 50:
            return False
        return (moments.sharpe() or 0.0) >= 1.0


def lived(path: Iterator[Day], days: int = DAYS) -> Path:
    """Return what becomes of one strategy."""
    ramp = ramp_of(EQUITY, CAPITAL, 0).steps
    shares = [step.capital_units / EQUITY for step in ramp]
    paper, plain, live = Tally(), Tally(), Tally()
    test, held = Betting(DEFAULTS.day_loss), Betting(DEFAULTS.day_loss, sign=-1)
    recent: list[Day] = []
    candidate: int | None = None
    steps: list[int | None] = [None] * (len(ramp) - 1)
    step, ended, cause, result = 0, None, "", 0.0
    naive, naive_result, naive_level, floor = None, 0.0, 1.0, 1 - DEFAULTS.drawdown
    for nth in range(1, days + 1):
        if (ended is not None or _is_hopeless(candidate, paper)) and naive_level <= floor:
            break  # nothing changes any more
        day = next(path)
        if naive is None:
            plain.add(day)
            naive = nth if plain.is_plain() else None
        elif naive_level > floor:
            naive_result += day.gain * CAPITAL / EQUITY
            naive_level *= 1 + day.gain
            floor = max(floor, naive_level * (1 - DEFAULTS.drawdown))
        if ended is not None:
            continue
        if candidate is None:
            paper.add(day)
            if paper.meets("candidate"):
                candidate = nth
                held.level = expected_of(paper.summary()) / PPB
            continue
        result += day.gain * shares[step]
        live.add(day)
        test.add(day.gain)
        held.add(day.gain)
        recent = [*recent[1 - DEFAULTS.stay_days :], day]
        cause = _ends(live, test, held)
        if cause:
            ended = nth
            continue
        if step + 1 == len(ramp) or test.best < ramp[step + 1].evidence:
            continue
        is_met = live.meets("live") if step == 0 else _stays(recent)
        if is_met:
            step += 1
            steps[step - 1] = nth
            if step == 1:
                expected = expected_of(live.summary())
                held = Betting(DEFAULTS.day_loss, level=expected / PPB, sign=-1)
    return Path(candidate, tuple(steps), ended, cause, result, naive, naive_result)


def _is_hopeless(candidate: int | None, paper: Tally) -> bool:
    """Return whether a drawdown on paper is too deep for the screen, now and for ever."""
    return candidate is None and paper.fall > _DEEPEST


def _ends(live: Tally, test: Betting, held: Betting) -> str:
    if live.fall >= DEFAULTS.drawdown:
        return "drawdown"
    if test.is_over:
        return "day loss"
    return "expectation" if held.best >= 1 / DEFAULTS.review_alpha else ""


def _stays(days: Sequence[Day]) -> bool:
    tally = Tally()
    for day in days:
        tally.add(day)
    return tally.meets("stay")


# ---- many ----


class Trial(NamedTuple):
    """Many strategies of one kind."""

    noise: str
    sharpe: float
    spread: float
    paths: list[Path]

    def share(self, reached: Callable[[Path], int | None], within: int = DAYS) -> float:
        """Return the share that came somewhere within some days."""
        found = sum((day := reached(path)) is not None and day <= within for path in self.paths)
        return found / len(self.paths)

    def days(self, reached: Callable[[Path], int | None], q: float) -> int | None:
        """Return the day by which a share of all had come there; None: fewer ever did."""
        found = sorted(day for path in self.paths if (day := reached(path)) is not None)
        place = math.ceil(q * len(self.paths)) - 1
        return found[place] if place < len(found) else None

    def cost(self, result: Callable[[Path], float]) -> tuple[float, float, float]:
        """Return mean result, mean loss (gains as 0) and the loss that one in 100 exceeds."""
        found = sorted(map(result, self.paths))
        loss = sum(max(0.0, -one) for one in found) / len(found)
        return sum(found) / len(found), loss, max(0.0, -found[len(found) // 100])


def trial(
    noise: str,
    sharpe: float,
    paths: int,
    *,
    spread: float = SPREAD,
    days: int = DAYS,
    seed: int = 1,
) -> Trial:
    """Return what became of many strategies of one kind."""
    source = NOISES[noise]
    return Trial(
        noise,
        sharpe,
        spread,
        [
            lived(
                days_of(
                    source, sharpe, spread, random.Random(f"{noise} {sharpe} {spread} {seed} {nth}")
                ),
                days,
            )
            for nth in range(paths)
        ],
    )


def proven(path: Path) -> int | None:
    """Return when a strategy was proven."""
    return path.steps[-1]


_HEAD: Final = (
    "| returns | true Sharpe | candidate | live | step 2 | **proven** | ended by drawdown / "
    "a day / expectation | "
    "days to candidate | to live | to proof | mean result | mean loss | 1 in 100 loses |"
)


def row_of(one: Trial) -> str:
    """Return one line of the table."""
    stages: list[Callable[[Path], int | None]] = [
        lambda path: path.candidate,
        lambda path: path.steps[0],
        lambda path: path.steps[1],
        proven,
    ]
    mean, loss, worst = one.cost(lambda path: path.result)
    cells = [
        one.noise + (f", {one.spread:.0%} a day" if one.spread != SPREAD else ""),
        f"{one.sharpe:g}",
        *(f"{one.share(stage):.1%}" for stage in stages),
        _causes(one),
        *(_quantiles(one, stages[nth]) for nth in (0, 1, 3)),
        f"{mean:+.2%}",
        f"{loss:.2%}",
        f"{worst:.2%}",
    ]
    return "| " + " | ".join(cells) + " |"


def _quantiles(one: Trial, stage: Callable[[Path], int | None]) -> str:
    return " / ".join("-" if (day := one.days(stage, q)) is None else str(day) for q in (0.5, 0.9))


def _causes(one: Trial) -> str:
    counts = [
        sum(path.cause == cause for path in one.paths)
        for cause in ("drawdown", "day loss", "expectation")
    ]
    return " / ".join(f"{count / len(one.paths):.1%}" for count in counts)


def screened_row(one: Trial) -> str:
    """Return one line of the same table for the whole screen from paper to candidate."""
    shares = [one.share(lambda path: path.candidate, within) for within in (30, 90, 180, DAYS)]
    cells = ["candidate", f"{one.sharpe:g}", *(f"{share:.1%}" for share in shares)]
    return "| " + " | ".join([*cells, "", "", ""]) + " |"


def plain_row(one: Trial) -> str:
    """Return one line of the table of the screen alone."""
    found = [one.share(lambda path: path.naive, within) for within in (30, 90, 180, DAYS)]
    mean, loss, worst = one.cost(lambda path: path.naive_result)
    cells = ["Sharpe 1", f"{one.sharpe:g}", *(f"{share:.1%}" for share in found)]
    return "| " + " | ".join([*cells, f"{mean:+.2%}", f"{loss:.2%}", f"{worst:.2%}"]) + " |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kinds = [(noise, SPREAD) for noise in NOISES] + [("normal", 2 * SPREAD)]
    print(f"{options.paths:,} strategies a row, {DAYS:,} days, {TRIPS} round trips a day\n")
    print(_HEAD)
    print("|---" * (_HEAD.count("|") - 1) + "|")
    trials = []
    for noise, spread in kinds:
        for sharpe in (0.0, 1.0, 2.0, 3.0):
            one = trial(noise, sharpe, options.paths, spread=spread, seed=options.seed)
            trials.append(one)
            print(row_of(one), flush=True)
    print("\nscreens alone; money: the whole capital at once after the first of them\n")
    head = (
        "| screen | true Sharpe | passes on day 30 | by day 90 | by day 180 | "
        f"by day {DAYS:,} | mean result | mean loss | 1 in 100 loses |"
    )
    print(head)
    print("|---" * (head.count("|") - 1) + "|")
    plain = [one for one in trials if one.noise == "normal" and one.spread == SPREAD]
    print("\n".join([*map(plain_row, plain), *map(screened_row, plain)]))


if __name__ == "__main__":
    main()
