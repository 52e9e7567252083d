"""Rows that are sound one by one and wrong together."""

import pytest
from tests.data.conftest import DAY_MS, MINUTE_MS, MINUTES, bar, bars

from plimsoll.data import BadRows, Fault, NotRecognised, import_file, read_file, series_of


@pytest.mark.parametrize(("minutes", "word"), [(3, "3m"), (5, "5m"), (60, "1h"), (1440, "1d")])
def test_bars_of_a_longer_frame_are_no_minutes_with_holes(store, given, minutes, word):
    path = given(bars(10, step_ms=minutes * MINUTE_MS))
    with pytest.raises(NotRecognised, match=f"found bars of {word}") as refused:
        import_file(store, path, MINUTES)
    assert refused.value.how == f"say so: --bars {word}"
    assert not store.files(MINUTES)
    with pytest.raises(NotRecognised):
        list(read_file(path, "1m"))
    import_file(store, path, series_of("linear:BTCUSDT", "last", word))


def test_the_bar_under_way_is_refused_or_left_out(store, given):
    path, now_ms = given(bars(10)), DAY_MS + 10 * MINUTE_MS - 1
    with pytest.raises(BadRows, match="1 under_way"):
        import_file(store, path, MINUTES, now_ms=now_ms)
    with pytest.raises(BadRows, match="1 under_way"):
        list(read_file(path, "1m", now_ms=now_ms))
    done = import_file(store, path, MINUTES, now_ms=now_ms, drop=[Fault.UNDER_WAY])
    assert (done.rows, len(done.dropped)) == (9, 1)
    assert import_file(store, path, MINUTES, now_ms=now_ms + 1).rows == 10


def test_minutes_with_holes_are_minutes(store, given):
    sparse = [bar(DAY_MS + place * 7 * MINUTE_MS) for place in range(30)]
    import_file(store, given(sparse), MINUTES)  # no frame has seven minutes
    uneven = [bar(DAY_MS + 5 * MINUTE_MS * place + MINUTE_MS * (place == 7)) for place in range(20)]
    import_file(store, given(uneven, "other.csv"), MINUTES, is_replacing=True)
    few = bars(9, start_ms=2 * DAY_MS, step_ms=5 * MINUTE_MS)
    import_file(store, given(few, "few.csv"), MINUTES, is_replacing=True)
