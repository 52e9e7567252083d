"""Examples over real books: each fill is one that the recording allows, read by other code.

The recordings are outside the repository; without them these tests are skipped, visibly.
"""

from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from benchmarks import real_input

from plimsoll.backtest.results import FillRow
from plimsoll.data.files import lines_of


class Best(NamedTuple):
    """Best prices from one update on."""

    ts_ns: int
    bid: float
    ask: float


class Print(NamedTuple):
    """A trade of the recorded venue."""

    ts_ns: int
    price: float
    is_sold: bool
    """Whether its taker sold."""


class Read:
    """A recording, gone through in the plainest way."""

    def __init__(self, path: Path) -> None:
        self.book: dict[str, dict[float, float]] = {"b": {}, "a": {}}
        self.bests: list[Best] = []
        self.prints: list[Print] = []
        before: list[dict[str, Any]] = []
        last = None
        for line in lines_of(path):
            stamp, _, text = line.partition(b" ")
            ts_ns, said = int(stamp), msgspec.json.decode(text)
            if "lastUpdateId" in said:
                last = said["lastUpdateId"]
                self.change(ts_ns, {"b": said["bids"], "a": said["asks"]})
                for one in before:
                    if one["u"] > last:
                        self.change(ts_ns, one)
                continue
            one = said["data"]
            if one.get("e") == "depthUpdate":
                if last is None:
                    before.append(one)
                elif one["u"] > last:
                    self.change(ts_ns, one)
            elif one.get("e") == "trade" and one.get("X", "MARKET") == "MARKET":
                self.prints.append(Print(ts_ns, float(one["p"]), one["m"]))

    def change(self, ts_ns: int, one: dict[str, Any]) -> None:
        for key, side in self.book.items():
            for price, qty in one[key]:
                side[float(price)] = float(qty)
                if not float(qty):
                    del side[float(price)]
        self.bests.append(Best(ts_ns, max(self.book["b"]), min(self.book["a"])))

    def allows(self, fill: FillRow) -> bool:
        """Return whether a fill has its reason in the recording, just then."""
        best = self.bests[bisect_right(self.bests, fill.ts_ns, key=lambda one: one.ts_ns) - 1]
        if not fill.is_maker:  # so small that the best level holds it
            return fill.price == (best.ask if fill.side > 0 else best.bid)
        moment = slice(
            bisect_left(self.prints, fill.ts_ns, key=lambda one: one.ts_ns),
            bisect_right(self.prints, fill.ts_ns, key=lambda one: one.ts_ns),
        )
        prints, sign = self.prints[moment], fill.side
        if fill.rule == "queue":
            return any(one.price == fill.price and one.is_sold == (sign > 0) for one in prints)
        is_through = any((fill.price - one.price) * sign > 0 for one in prints)
        return is_through or (best.ask <= fill.price if sign > 0 else best.bid >= fill.price)


@pytest.mark.parametrize("start", ["binance_usdm_", "binance_coinm_", "binance_spot_BTCUSDT_depth"])
def test_each_fill_has_its_reason_in_the_recording(shared_data, tmp_path, start):
    found = real_input.markets(shared_data)
    market = next(one for name, one in found.items() if name.startswith(start))
    read = Read(market.files[0])
    for example in real_input.SINGLE:
        owner = real_input.done(example, market, tmp_path)[0].owners[0]
        assert owner.fills_total == len(owner.fills) > 10
        assert [one for one in owner.fills if not read.allows(one)] == [], example.source
        moved = [
            msgspec.structs.replace(one, price=round(one.price - one.side * 20, 2))
            for one in owner.fills
        ]
        assert sum(map(read.allows, moved)) < len(moved) / 10, "it can tell"
