"""What the one check of an order costs: the gate alone, and all that is gathered for it.

``gate``: ``Gate.check`` of an order that passes. ``around``: the same with what the order meets
looked up first, as the placer does for each order. The reference is one addition of a notional.

    python -m benchmarks.gate_check [--full]
"""

import time
from collections.abc import Callable

from benchmarks.report import Result, Size, middle, run
from tests.properties.driver import ETH, PERP, Driver, one_strategy, settings_of

from plimsoll.core.model import Side
from plimsoll.core.risk import Candidate

ROUNDS = {Size.TINY: (1, 100), Size.SMALL: (7, 20_000), Size.FULL: (15, 100_000)}
"""Rounds, and checks in each of them."""


def measure(size: Size) -> Result:
    """Measure every contestant in turns."""
    rounds, count = ROUNDS[size]
    contestants = _contestants(count)
    spent: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, check_all in contestants.items():
            begin = time.process_time_ns()
            check_all()
            spent[name].append((time.process_time_ns() - begin) / count)
    return Result(
        "check one order",
        ("best ns", "median ns"),
        {name: (min(times), middle(times)) for name, times in spent.items()},
        {"around to notional": min(spent["around"]) / min(spent["notional"])},
    )


def _contestants(count: int) -> dict[str, Callable[[], None]]:
    names = (PERP, ETH)
    driver = Driver(settings_of(one_strategy(instruments=names))).live(*names)
    driver.open_order()
    placer, desk = driver.core.trader.placer, driver.core.trader.desks["s"]
    instrument = driver.core.state.instruments[PERP]
    order = Candidate("", instrument, Side.BUY, 490_000, 10, False)
    found = placer.surveying.around(desk, order)
    assert placer.gate.check(order, found) is None

    def gate() -> None:
        check = placer.gate.check
        for _ in range(count):
            check(order, found)

    def around() -> None:
        check = placer._check
        for _ in range(count):
            check(desk, order, 490_000)

    def notional() -> None:
        total = 0
        for price in range(count):
            total += instrument.notional_units(price, 10)

    return {"notional": notional, "gate": gate, "around": around}


if __name__ == "__main__":
    run("check an order against every limit", [measure])
