"""What a class may declare, what a configuration may say, and the words for the rest."""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal

import pytest

from plimsoll.core.settings import CoreSettings, StrategySettings, from_text, to_text
from plimsoll.core.strategy import Parameter, Strategy, param, parameters_of, state
from plimsoll.core.strategy.parameters import read_values


class Side(StrEnum):
    LONG = "long"
    SHORT = "short"


class Tuned(Strategy):
    bars = {"1m": 5}  # noqa: RUF012
    fast: int = 10
    ratio: float = 0.5
    word: str = "x"
    on: bool = True
    slow: int = param(20, ge=2, le=500, hot=True, help="Bars of the slow average.")
    step: Decimal = param(Decimal("0.01"), ge=Decimal("0.001"))
    how: Literal["maker", "taker"] = "maker"
    level: Literal[1, 2] = 1
    side: Side = Side.LONG
    weights: tuple[float, ...] = param((0.5, 0.5), ge=0, le=1)
    pair: tuple[int, int] = (1, 2)
    names: list[str] = param(["a"], choices=["a", "b"])
    count: int = state(0)
    seen: dict[str, int] = state({"a": 1})
    table: ClassVar[dict[str, int]] = {}
    _hidden: int = 3


DECLARED = parameters_of(Tuned)


def test_parameters_are_the_annotated_attributes_and_no_states():
    assert list(DECLARED) == [
        "fast", "ratio", "word", "on", "slow", "step", "how", "level", "side", "weights", "pair",
        "names",
    ]  # fmt: skip
    assert DECLARED["fast"] == Parameter("fast", int, 10)
    assert DECLARED["slow"] == Parameter(
        "slow", int, 20, 2, 500, (), True, "Bars of the slow average."
    )
    assert DECLARED["how"].choices == ("maker", "taker")
    assert DECLARED["side"].choices == (Side.LONG, Side.SHORT)


def test_an_instance_that_nobody_configured_has_the_defaults():
    plain = Tuned()
    assert (plain.slow, plain.weights, plain.step) == (20, (0.5, 0.5), Decimal("0.01"))
    assert Tuned.slow == 20
    plain.slow = 30
    assert (plain.slow, Tuned().slow) == (30, 20)
    plain.names.append("b")
    assert Tuned().names == ["a"]


def test_a_subclass_adds_and_changes_defaults():
    class Child(Tuned):
        fast: int = 20
        slow: int = param(3, ge=1)
        third: int = 30

    found = parameters_of(Child)
    assert (found["fast"].default, found["third"].default) == (20, 30)
    assert (found["slow"].default, found["slow"].ge, found["slow"].le) == (3, 1, None)


def test_a_subclass_that_only_gives_another_default_keeps_the_bounds():
    class Child(Tuned):
        slow = 40

    class Again(Tuned):
        slow: int = 1

    class Wrong(Tuned):
        slow = 1

    found = parameters_of(Child)["slow"]
    assert (found.default, found.ge, found.le, found.hot) == (40, 2, 500, True)
    assert parameters_of(Again)["slow"] == Parameter("slow", int, 1)
    with pytest.raises(TypeError, match="its default 1 is not a whole number from 2 up to 500"):
        parameters_of(Wrong)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"fast": 3, "ratio": 2}, {"fast": 3, "ratio": 2.0}),
        ({"step": "0.005"}, {"step": Decimal("0.005")}),
        ({"step": 0.1}, {"step": Decimal("0.1")}),
        ({"step": 1}, {"step": Decimal(1)}),
        ({"how": "taker", "level": 2}, {"how": "taker", "level": 2}),
        ({"side": "short"}, {"side": Side.SHORT}),
        ({"weights": [0, 1, 0.5]}, {"weights": (0.0, 1.0, 0.5)}),
        ({"pair": [3, 4], "names": ["b", "a"]}, {"pair": (3, 4), "names": ["b", "a"]}),
        ({"slow": 2}, {"slow": 2}),
        ({"slow": 500}, {"slow": 500}),
    ],
)
def test_what_a_configuration_says_becomes_what_the_class_has(given, expected):
    found, wrong = read_values("Tuned", DECLARED, given)
    assert wrong == []
    for name, value in expected.items():
        assert found[name] == value
        assert type(found[name]) is type(value)
    assert found.keys() == DECLARED.keys()


@pytest.mark.parametrize(
    ("given", "expected", "found", "hint"),
    [
        ({"fasst": 1}, "Tuned has no such parameter", "", "did you mean 'fast'?"),
        ({"zzzzz": 1}, "Tuned has no such parameter", "", "it has: fast, ratio"),
        ({"fast": "3"}, "expected a whole number", '"3"', ""),
        ({"fast": 3.0}, "expected a whole number", "3.0", ""),
        ({"fast": True}, "expected a whole number", "true", ""),
        ({"ratio": "1"}, "expected a number", '"1"', ""),
        ({"ratio": float("nan")}, "expected a number", "nan", ""),
        ({"ratio": float("inf")}, "expected a number", "inf", ""),
        ({"word": 1}, "expected text in quotes", "1", ""),
        ({"on": 1}, "expected true or false", "1", ""),
        ({"slow": 1}, "expected a whole number from 2 up to 500", "1", "Bars of the slow average."),
        ({"slow": 501}, "expected a whole number from 2 up to 500", "501", "Bars of"),
        ({"step": "x"}, "expected a number from 0.001", '"x"', ""),
        ({"step": "NaN"}, "expected a number from 0.001", '"NaN"', ""),
        ({"step": True}, "expected a number from 0.001", "true", ""),
        ({"how": "takr"}, 'expected one of "maker", "taker"', '"takr"', "did you mean 'taker'?"),
        ({"level": 3}, "expected one of 1, 2", "3", ""),
        ({"level": True}, "expected one of 1, 2", "true", ""),
        ({"side": "flat"}, 'expected one of "long", "short"', '"flat"', ""),
        ({"weights": 1}, "expected a list of numbers from 0 up to 1", "1", ""),
        ({"weights": [0.5, 1.5]}, "expected a list of numbers from 0 up to 1", "[0.5, 1.5]", ""),
        ({"pair": [1]}, "expected a list of 2 whole numbers", "[1]", ""),
        ({"names": ["c"]}, 'expected a list of values out of "a", "b"', '["c"]', ""),
        ({"names": "a"}, 'expected a list of values out of "a", "b"', '"a"', ""),
    ],
)  # fmt: skip
def test_what_will_not_do_is_told_with_what_would(given, expected, found, hint):
    _, (wrong,) = read_values("Tuned", DECLARED, given)
    assert (wrong.name, wrong.expected, wrong.found) == (next(iter(given)), expected, found)
    assert wrong.hint.startswith(hint)
    assert hint or not wrong.hint


def test_everything_that_is_wrong_is_told_at_once():
    _, wrong = read_values("Tuned", DECLARED, {"fast": "x", "slow": 0, "nix": 1})
    assert [one.name for one in wrong] == ["fast", "slow", "nix"]


def declared(**attributes: Any) -> type[Strategy]:
    kinds = {name: kind for name, (kind, _) in attributes.items()}
    values = {name: one for name, (_, one) in attributes.items() if one is not ...}
    return type("Odd", (Strategy,), {"__annotations__": kinds, **values})


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (declared(fast=(int, ...)), "Odd.fast: a parameter needs a default"),
        (declared(rows=(dict[str, int], {})), "Odd.rows: a parameter is bool, int, float, str"),
        (declared(rows=(list, [])), "Odd.rows: a parameter is bool"),
        (declared(rows=(tuple[int, str], (1, "a"))), "Odd.rows: a parameter is bool"),
        (declared(rows=(list[list[int]], [])), "Odd.rows: a parameter is bool"),
        (declared(fast=(int, "x")), 'Odd.fast: its default "x" is not a whole number'),
        (declared(fast=(int, param(1, ge=2))), "its default 1 is not a whole number from 2"),
        (declared(word=(str, param("x", ge=1))), "Odd.word: only numbers have bounds"),
        (declared(now=(int, 1)), "Odd.now: this is a word of every strategy"),
        (declared(size=(int, 1)), "Odd.size: this is a word of every strategy"),
        (declared(fast=("Nowhere", 1)), "Odd: an annotation cannot be read"),
        (type("Odd", (Strategy,), {"fast": param(1)}), "Odd.fast: a parameter needs a type"),
    ],
)
def test_a_class_that_cannot_be_configured_is_refused_with_the_reason(cls, words):
    with pytest.raises(TypeError, match=re.escape(words)):
        parameters_of(cls)


def test_parameters_are_recorded_with_the_session_as_the_configuration_had_them():
    params: Any = {"fast": 3, "weights": [0.5, 1.0], "step": "0.005", "how": "taker"}
    one = StrategySettings(name="a", source="m:C", params=params)
    core = CoreSettings(account="a", tag="t", strategies=(one,))
    assert from_text(to_text(core)).strategies[0].params == params
