"""The picture of the demo: what matters fits every terminal, and no number is cut."""

from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from plimsoll.cli.demo.fills import FillLine
from plimsoll.cli.demo.fitting import fit, flow, width_of
from plimsoll.cli.demo.view import Picture, draw
from plimsoll.cli.rows import Rows
from plimsoll.core.engine import Core
from plimsoll.core.model import IdMaker, Instrument, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    IncidentRaised,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OrderIntended,
    OrderReported,
)

NAMES = ("BTCUSDT", "ETHUSDT", "DOGEUSDT")
SIZES = [(80, 24), (100, 30), (120, 40), (120, 30), (200, 50), (60, 20)]


def core() -> Core:
    found, seq = Core(), 0

    def put(kind, *fields):
        nonlocal seq
        seq += 1
        found.apply(kind(seq, 10**18 + seq, 1, 0, *fields))

    put(LeaseTaken, "demo", "demo", "engine", "1")
    for link in ("private", "trade", "public.linear"):
        put(LinkChanged, link, True, "subscribed")
    for name in NAMES:
        filters = ("0.1", "0.001", "0.001", "100", "100", "5")
        put(InstrumentListed, Instrument(f"linear:{name}", "linear", name, name[:-4], "USDT",
                                         "USDT", *filters))  # fmt: skip
    for number in range(8):
        name = IdMaker("demo", 1, number).peek()
        put(OrderIntended, name, "quoter", "linear:ETHUSDT", Side.SELL, OrderType.LIMIT,
            TimeInForce.POST_ONLY, 301_234 + number, 40 + number, False, "")  # fmt: skip
        put(OrderReported, name, f"v{number}", "linear:ETHUSDT", Side.SELL, OrderState.OPEN,
            301_234 + number, 40 + number, 0, False, False, 1, "", "stream", 0, b"")  # fmt: skip
    put(IncidentRaised, "blocked", "linear:ETHUSDT", "a long story " * 20)
    return found


FILLS = [
    FillLine("19:10:57", "ema-paper", "linear:DOGEUSDT", "sell", "7544", "0.19882", False),
    FillLine("19:10:58", "quoter", "linear:ETHUSDT", "buy", "0.04", "3017.18", True),
]


def lines_of(width: int, height: int) -> list[str]:
    picture = Picture(core(), None, FILLS * 6, 12.0, 1, 1, True, Path("/tmp/demo"))  # noqa: S108
    console = Console(width=width, height=height, force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(draw(picture, width, height))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_cell_is_cut_and_the_picture_fits(width, height):
    lines = lines_of(width, height)
    page = "\n".join(lines)
    assert len(lines) < height, page
    body = [line for line in lines if line.startswith(("│", "╭", "╰"))]
    assert body
    assert all("…" not in line for line in body), page
    assert "30124.1" in page  # the price of the newest working order
    assert "0.04" in page
    assert "Ctrl-C" in page


def test_markets_and_fills_are_shown_where_there_is_room():
    page = "\n".join(lines_of(120, 40))
    assert "newest fills" in page
    assert "markets" in page
    assert "7544  0.19882" in page


def test_rows_lose_the_category_first_and_then_the_columns_that_matter_less():
    rows: Rows = [
        ("strategy", "instrument", ">price", "role"),
        ("one", "linear:BTCUSDT", "1.5", "maker"),
    ]
    wide = width_of(rows)
    assert fit(rows, wide, ("role",)) == rows
    assert fit(rows, wide - 1, ("role",))[1] == ("one", "BTCUSDT", "1.5", "maker")
    assert fit(rows, 24, ("role",))[1] == ("one", "BTCUSDT", "1.5")


def test_categories_stay_where_they_tell_instruments_apart():
    rows: Rows = [("instrument", "side"), ("linear:BTCUSDT", "buy"), ("spot:BTCUSDT", "buy")]
    assert fit(rows, 1, ()) == rows


def test_segments_of_a_line_are_not_broken_where_a_new_line_can_take_them():
    found = flow([Text("one two"), Text("three"), Text("four")], 12)
    assert [line.plain for line in found] == ["one two", "three  four"]
