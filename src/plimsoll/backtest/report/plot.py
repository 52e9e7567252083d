"""A curve in a terminal: columns of block characters with an axis."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from plimsoll.backtest.report import words

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_STEPS: Final = 8


def columns(ts_ns: Sequence[int], values: Sequence[float], width: int) -> list[float]:
    """Return the newest value at the end of each of ``width`` equal stretches of time."""
    first, last = ts_ns[0], ts_ns[-1]
    ends = (first + (last - first) * (number + 1) // width for number in range(width))
    return [values[bisect_right(ts_ns, end) - 1] for end in ends]


def spark(values: Sequence[float]) -> str:
    """Return values as one line of blocks, the lowest as the lowest block."""
    low, high = min(values), max(values)
    if high <= low:
        return _BLOCKS[4] * len(values)
    return "".join(_BLOCKS[1 + round((value - low) / (high - low) * 7)] for value in values)


def plot(ts_ns: Sequence[int], values: Sequence[float], width: int, height: int) -> list[str]:
    """Return the lines of a picture: an axis of money on the left, dates below.

    Args:
        ts_ns: Times in order, not empty.
        values: One for each.
        width: Of the whole picture in characters.
        height: Of the curve in lines.
    """
    low, high = min(values), max(values)
    labels = {0: words.money(high), height - 1: words.money(low)}
    margin = max(map(len, labels.values()))
    wide = max(8, width - margin - 2)
    reach = high - low or 1.0
    filled = [
        1 + round((value - low) / reach * (height * _STEPS - 1))
        for value in columns(ts_ns, values, wide)
    ]
    lines = []
    for row in range(height):
        floor = (height - 1 - row) * _STEPS
        cells = "".join(_BLOCKS[min(_STEPS, max(0, one - floor))] for one in filled)
        lines.append(f"{labels.get(row, ''):>{margin}} {'┤' if row in labels else '│'}{cells}")
    began, ended = words.day(ts_ns[0]), words.day(ts_ns[-1])
    lines.append(" " * (margin + 2) + began + ended.rjust(max(1, wide - len(began))))
    return lines
