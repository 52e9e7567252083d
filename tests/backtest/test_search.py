"""A search chooses where it was told to, learns, and asks for the same wherever it runs."""

import math
from decimal import Decimal
from typing import Literal

import pytest

from plimsoll.backtest.proposing import Learner
from plimsoll.backtest.search import ROUND, search
from plimsoll.backtest.space import Choice, Dimension, Range, dimension_of
from plimsoll.backtest.sweep import Outcome, ranked
from plimsoll.cli.backtest_options import value_of
from plimsoll.core.strategy import Strategy, param
from plimsoll.core.strategy.base import parameters_of


class Tuned(Strategy):
    fast: int = param(5, ge=2, le=50)
    slow: int = param(20, ge=2)
    stop: float = 1.0
    lots: Decimal = param(Decimal(1), ge=0, le=10)
    side: Literal["long", "short"] = "long"
    is_on: bool = True
    weights: tuple[float, ...] = (0.5, 0.5)


DECLARED = parameters_of(Tuned)
PLANE: list[Dimension] = [
    Range("x", 0, 100, 1, True),
    Range("y", -1, 1, 0, False),
    Choice("z", ("a", "b")),
]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("fast", Range("fast", 2, 50, 1, True)),
        ("fast=5..20", Range("fast", 5, 20, 1, True)),
        ("fast=5..20..5", Range("fast", 5, 20, 5, True)),
        ("stop=0.5..3", Range("stop", 0.5, 3, 0, False)),
        ("stop=1..3..0.5", Range("stop", 1, 3, 0.5, False)),
        ("lots", Range("lots", 0, 10, 0, False)),
        ("side", Choice("side", ("long", "short"))),
        ("side = long", Choice("side", ("long",))),
        ("fast=5|10", Choice("fast", (5, 10))),
        ("is_on", Choice("is_on", (False, True))),
    ],
)
def test_words_become_what_may_be_chosen(words, found):
    assert dimension_of(words, DECLARED, value_of) == found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("fst=1..2", "did you mean 'fast'"),
        ("slow", "one bound only"),
        ("stop", "no bounds"),
        ("fast=1..20", "2"),
        ("fast=5..60", "50"),
        ("fast=20..5", "low end below"),
        ("fast=5..20..0.5", "whole numbers"),
        ("fast=5..20..-1", "above 0"),
        ("fast=5..", "LOW..HIGH"),
        ("fast=5..20..1..1", "LOW..HIGH"),
        ("fast=true..9", "LOW..HIGH"),
        ("side=1..2", "no number"),
        ("side=up|down", "long"),
        ("fast=5.5|6", "whole number"),
        ("weights=1..2", "several values"),
    ],
)
def test_words_that_mean_nothing_are_explained(words, told):
    with pytest.raises(ValueError, match=told):
        dimension_of(words, DECLARED, value_of)


def hill(params) -> Outcome:
    """Highest at x = 70, y = 0.5, z = b."""
    away = ((params["x"] - 70) / 100) ** 2 + (params["y"] - 0.5) ** 2 + (params["z"] == "a")
    return Outcome(params=params, sharpe=-away)


def climbed(trials, seed=1, worth=hill):
    asked = []

    def run_all(sets):
        asked.append(list(sets))
        return [worth(one) for one in sets]

    return search(Learner(PLANE, "sharpe", seed), trials, run_all), asked


def test_a_search_asks_for_the_same_with_the_same_seed_and_for_others_with_another():
    first, again, other = climbed(40), climbed(40), climbed(40, seed=2)
    assert first == again
    assert first[1] != other[1]
    assert len(first[1][0]) == ROUND


def test_a_search_learns():
    found, _ = climbed(120)
    tries = [-one.worth("sharpe") for one in found]
    assert min(tries) < 0.02
    assert sum(tries[-30:]) / 30 < sum(tries[:30]) / 30 / 2
    assert ranked(found, "sharpe")[0].params["z"] == "b"


def test_what_could_not_be_measured_is_no_example_of_anything():
    def worth(params):
        if params["x"] < 50:
            return Outcome(params=params, failure="x must be above 50")
        return hill(params)

    found, _ = climbed(60, worth=worth)
    assert any(one.failure for one in found)
    assert ranked(found, "sharpe")[0].worth("sharpe") > -0.2
    assert all(math.isinf(one.worth("sharpe")) for one in found if one.failure)


def test_nothing_is_run_twice_where_there_is_little_to_choose():
    runs = []

    def run_all(sets):
        runs.extend(sets)
        return [Outcome(params=one, sharpe=float(one["n"])) for one in sets]

    found = search(Learner([Choice("n", (1, 2, 3))], "sharpe", 1), 30, run_all)
    assert len(runs) == len(found) == 3
