"""The summary for a terminal: aligned, honest about what it does not know."""

import io

import msgspec
import pytest
from rich.console import Console
from tests.backtest.synthetic import synthetic

from plimsoll.backtest.report import plot, words
from plimsoll.backtest.report.text import summary
from plimsoll.backtest.results import Curve, Results

RESULTS = synthetic(60)


def shown(results: Results, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(summary(results, width))
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, shown(RESULTS, width).splitlines())) <= width


def test_it_says_what_came_of_the_money_and_under_which_assumptions() -> None:
    text = shown(RESULTS)
    owner = RESULTS.owners[0]
    assert f"10,000.00 became {words.money(owner.final_equity)}" in text
    assert "queue" in text
    assert all(warning in text for warning in RESULTS.warnings)
    assert all(source in text for source in RESULTS.source)
    assert RESULTS.hash[:12] in text


def test_sharpe_stands_with_its_sample_and_interval() -> None:
    rows = [line.split() for line in shown(RESULTS).splitlines()]
    sharpe = next(row for row in rows if row[:1] == ["Sharpe"])
    assert sharpe[1:4] == ["(n", "=", "60)"]
    interval = next(row for row in rows if row[:2] == ["95", "%"])
    assert interval[4] == "to"


def test_what_is_hidden_says_why() -> None:
    text = shown(synthetic(12, names=("young",)))
    assert f"{words.DASH} 12 of 30 days" in text


def test_numbers_of_instances_stand_in_columns_under_their_names() -> None:
    lines = shown(RESULTS).splitlines()
    head = next(line for line in lines if line.lstrip().startswith("statistic"))
    row = next(line for line in lines if line.lstrip().startswith("Win rate"))
    assert len(head.rstrip()) == len(row.rstrip())


def test_many_instances_are_shown_in_several_tables() -> None:
    text = shown(synthetic(5, names=tuple("abcdef")), 80)
    assert text.count("Win rate") == 3


def test_markup_in_a_name_is_text() -> None:
    assert "[bold]x[/bold]" in shown(synthetic(3, names=("[bold]x[/bold]",)))


def test_without_equity_there_is_no_picture() -> None:
    owner = msgspec.structs.replace(RESULTS.owners[0], curve=Curve())
    assert "no equity was measured" in shown(msgspec.structs.replace(RESULTS, owners=[owner]))


def test_a_plot_has_its_extremes_on_the_axis_and_its_dates_below() -> None:
    lines = plot.plot([0, 86_400 * 10**9], [10.0, 20.0], 40, 4)
    assert lines[0].startswith("20.00 ┤")
    assert lines[3].startswith("10.00 ┤")
    assert lines[0].endswith("█")
    assert lines[0].count("█") == 1
    assert lines[4].split() == ["1970-01-01", "1970-01-02"]
    assert max(map(len, lines)) <= 40


def test_a_flat_plot_is_flat() -> None:
    assert set(plot.plot([0, 1], [5.0, 5.0], 40, 3)[2][7:]) == {"▁"}


def test_a_spark_is_one_line() -> None:
    assert plot.spark([1, 2, 3]) == "▁▅█" or plot.spark([1, 2, 3])[0] == "▁"
    assert plot.spark([1, 1]) == "▄▄"
