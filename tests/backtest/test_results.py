"""Results are plain JSON both ways, and the same run has the same hash."""

import msgspec
import pytest

from plimsoll.backtest.results import (
    Curve,
    FillRow,
    OwnerResult,
    Results,
    TripRow,
    decoded,
    encoded,
    sealed,
)


def results(**changed) -> Results:
    fill = FillRow(1, "ema", "linear:BTCUSDT", 1, 100.0, 0.5, 0.01, False, 99.9, "open")
    trip = TripRow("ema", "linear:BTCUSDT", 1, 2, 1, 0.5, 100.0, 101.0, 0.4, 0.1, 0.0)
    owner = OwnerResult(
        owner="ema",
        class_name="strategies.ema:EmaCross",
        params={"fast": 5, "name": "<b>"},
        instruments=["linear:BTCUSDT"],
        capital=1000.0,
        final_equity=1000.4,
        curve=Curve([1, 2], [1000.0, 1000.4], [0.0, 0.0], [0.05, 0.0]),
        fills=[fill],
        fills_total=1,
        trips=[trip],
        trips_total=1,
        monthly={"2024-01": 0.0004},
        daily=[("2024-01-01", 0.0004)],
        stats={"sharpe": None},
        stats_missing={"sharpe": "1 of 30 days"},
    )
    plain = Results(
        version="1",
        began_ns=1,
        ended_ns=2,
        source=["bars"],
        seed=7,
        assumptions={"latency": "10 ms"},
        warnings=[],
        events=2,
        seconds=0.5,
        owners=[owner],
        prices=[],
    )
    return msgspec.structs.replace(plain, **changed)


def test_json_and_back_is_the_same() -> None:
    assert decoded(encoded(results())) == results()


def test_what_is_not_results_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(b'{"version": 1}')


def test_the_hash_is_of_everything_but_the_time_a_run_took() -> None:
    one = sealed(results())
    assert len(one.hash) == 64
    assert sealed(one).hash == one.hash == sealed(results(seconds=9.0)).hash
    assert sealed(results(seed=8)).hash != one.hash


def test_the_hash_does_not_depend_on_the_order_in_which_names_were_filled_in() -> None:
    one = results(assumptions={"latency": "10 ms", "spread": "1 tick"})
    other = results(assumptions={"spread": "1 tick", "latency": "10 ms"})
    assert sealed(one).hash == sealed(other).hash
