"""Bars made step by step against bars computed from the whole tape."""

from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.core.feed import BarMaker, span_ns
from plimsoll.core.records import BarChanged, PublicTraded

NAME = "linear:BTCUSDT"
START_MS = 1_750_000_020_000
PRINTS = st.lists(
    st.tuples(st.integers(0, 4_000), st.integers(1, 99).map(float), st.integers(1, 9).map(float)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150)
@given(gaps=PRINTS, frame=st.sampled_from(["1s", "5s", "15s"]), cuts=st.sets(st.integers(0, 40)))
def test_own_bars_are_those_of_the_whole_tape(gaps, frame, cuts):
    tape, at = [], START_MS
    for gap, price, qty in gaps:
        at += gap
        tape.append((price, qty, True, at))
    maker, made = BarMaker(NAME, frame, 10_000), []
    for index, row in enumerate(tape):
        made += maker.on_public_trade(PublicTraded(1, 1, 1, 0, NAME, [row], 0))
        if index in cuts:
            made += maker.close_until(row[3] * 1_000_000)
    span = span_ns(frame) // 1_000_000
    made += maker.close_until((at // span + 1) * span * 1_000_000)

    expected, close = [], 0.0
    for start in range(START_MS // span * span, at + 1, span):
        rows = [row for row in tape if start <= row[3] < start + span]
        if start < tape[0][3] // span * span:
            continue
        prices = [row[0] for row in rows] or [close]
        close = prices[-1]
        total = sum(row[1] for row in rows)
        expected.append((start, prices[0], max(prices), min(prices), close, total))
    assert [
        (bar.start_ns // 1_000_000, bar.open, bar.high, bar.low, bar.close, bar.volume)
        for bar in made
    ] == expected
    assert list(maker.window) == made


@settings(max_examples=100)
@given(
    present=st.lists(st.booleans(), min_size=1, max_size=60),
    frame=st.sampled_from(["1m", "5m", "15m"]),
    doubled=st.booleans(),
)
def test_longer_frames_are_the_minutes_inside_them(present, frame, doubled):
    maker, made, minutes = BarMaker(NAME, frame, 10_000), [], []
    begin = START_MS // 900_000 * 900_000
    for index, is_there in enumerate(present):
        if not is_there:
            continue
        price = float(index + 1)
        row = (begin + index * 60_000, price, price + 2, price - 1, price + 1, 1.5)
        minutes.append(row)
        made += maker.on_minute(BarChanged(1, 1, 1, 0, NAME, *row, True, 0))
        if doubled and frame == "1m":
            made += maker.on_minute(BarChanged(1, 1, 1, 0, NAME, *row, True, 0))
    span = span_ns(frame) // 1_000_000
    expected = []
    for start in sorted({row[0] // span * span for row in minutes}):
        inside = [row for row in minutes if start <= row[0] < start + span]
        if inside[0] is minutes[0] and inside[0][0] > start:
            continue  # the first one, begun in its middle
        is_closed = inside[-1][0] + 60_000 == start + span or inside[-1] is not minutes[-1]
        if is_closed:
            expected.append(
                (
                    start,
                    inside[0][1],
                    max(row[2] for row in inside),
                    min(row[3] for row in inside),
                    inside[-1][4],
                    sum(row[5] for row in inside),
                )
            )
    assert [
        (bar.start_ns // 1_000_000, bar.open, bar.high, bar.low, bar.close, bar.volume)
        for bar in made
    ] == expected
