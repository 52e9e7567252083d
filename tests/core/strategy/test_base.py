"""What a strategy class declares and keeps: parameters, states, indicators, random numbers."""

import math
from typing import Any

from plimsoll.core.strategy import state
from plimsoll.core.strategy.indicators import Ema, Sma
from plimsoll.core.strategy.random_stream import RandomStream


def test_each_instance_starts_with_its_own_copy_of_a_state():
    declared: Any = state([1])
    first, second = declared.fresh(), declared.fresh()
    first.append(2)
    assert second == [1]


def test_ema_follows_its_definition():
    values = [10.0, 11.0, 9.0, 12.0]
    ema, expected = Ema(3), values[0]
    ema.update(values[0])
    for value in values[1:]:
        expected += (value - expected) / 2
        ema.update(value)
    assert math.isclose(ema.value, expected)
    assert ema.is_ready
    assert not Ema(5, 1.0, 4).is_ready


def test_sma_is_the_mean_of_its_window():
    sma = Sma(3)
    assert sma.value == 0.0
    for value in (1.0, 2.0, 3.0, 7.0):
        sma.update(value)
    assert (sma.value, sma.is_ready) == (4.0, True)
    assert not Sma(3).is_ready


def test_the_random_stream_is_the_published_one_and_goes_on_from_its_word():
    stream = RandomStream(1234567)
    # First values of SplitMix64 for this seed, as published with the algorithm.
    assert [stream.next_word() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    again = RandomStream(0)
    again.word = stream.word
    assert again.next_word() == stream.next_word()
    assert all(0 <= RandomStream(seed).random() < 1 for seed in range(100))
    assert {RandomStream(seed).below(3) for seed in range(50)} == {0, 1, 2}
