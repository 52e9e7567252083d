import pytest

from plimsoll.core.records import BarReported, QueryAnswered, QueryIntended
from plimsoll.venues.bybit.answers import QueryRunner
from plimsoll.venues.bybit.queries import MINUTE_MS

ROW = ["30000.0", "30000.3", "29999.9", "30000.1", "1.5", "45000"]


@pytest.fixture
def bars(rest, clock, inbox, linear):
    """Return what a query of one bar with changed columns puts."""

    def run(**columns):
        start = clock.now_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS - MINUTE_MS
        names = ("open", "high", "low", "close", "volume")
        row = [columns.get(name, text) for name, text in zip(names, ROW, strict=False)]
        answer = {"list": [[str(start), *row, ROW[5]]]}

        async def scenario(client, fake):
            client.offset.add(clock.now_ns(), clock.now_ns(), clock.now_ns())
            runner = QueryRunner(client, inbox, print)
            runner.list_instruments({linear.name: linear})
            await runner.answer(
                QueryIntended(1, 2, 3, 0, 7, "bars", "linear", "", linear.name, "", start)
            )

        rest(lambda fake: fake.reply("/v5/market/kline", answer), scenario)
        return inbox.of(BarReported), inbox.of(QueryAnswered)[0]

    return run


def test_a_bar_is_exact(bars):
    (bar,), end = bars()
    prices = (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)
    assert prices == (300000, 300003, 299999, 300001)
    assert (bar.volume_lots, end.is_ok, end.rows) == (1500.0, True, 1)


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("text", ["", "0", "-1", "NaN", "x", "30000.05", "1e19", "1e900000"])
def test_a_bar_without_a_price_on_the_tick_fails_its_query(bars, name, text):
    rows, end = bars(**{name: text})
    assert rows == []
    assert not end.is_ok
    assert name in end.reason


@pytest.mark.parametrize("text", ["", "-1", "NaN", "inf", "x"])
def test_a_volume_that_is_no_quantity_fails_its_query(bars, text):
    rows, end = bars(volume=text)
    assert (rows, end.is_ok) == ([], False)
    assert "volume" in end.reason
