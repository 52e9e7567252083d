"""The five distances, from the records of one order's life."""

from plimsoll.core.model import Side
from plimsoll.core.records import BookChanged, ExecutionReported, OrderSent, RequestAnswered
from plimsoll.engine.metering import Meter
from plimsoll.observe import quantile, size_of

PERP = "linear:BTCUSDT"
MS = 1_000_000


def sent(at_ms, request="1-1", action="create", order="t-1"):
    return OrderSent(1, at_ms * MS, 1, 0, order, action, request, 0, "trade")


def answered(at_ms, request="1-1", action="create", outcome="accepted", order="t-1"):
    return RequestAnswered(2, at_ms * MS, 1, 0, order, action, request, outcome, 0, "", "v")


def executed(at_ms, order="t-1"):
    fields = (
        "e1",
        order,
        "v",
        PERP,
        Side.BUY,
        1,
        1,
        0,
        "USDT",
        False,
        "Trade",
        0,
        "stream",
        0,
        b"",
    )
    return ExecutionReported(3, at_ms * MS, 1, 0, *fields)


def middle_ms(meter, name):
    packed = meter.histograms()[name]
    assert size_of(packed) == 1
    return quantile(packed, 0.5) / 1_000


def near(found, wanted):
    return abs(found - wanted) <= wanted * 0.12


def test_an_orders_way_is_measured_from_decision_to_execution():
    meter = Meter()
    meter.wrote(sent(10), PERP, 9 * MS, 10 * MS)
    meter.answered(answered(14))
    meter.executed(executed(34))
    meter.executed(executed(99))
    assert near(middle_ms(meter, f"decision_to_socket_us.create.{PERP}"), 1)
    assert near(middle_ms(meter, f"socket_to_answer_us.create.{PERP}"), 4)
    assert near(middle_ms(meter, f"answer_to_execution_us.{PERP}"), 20)


def test_what_was_refused_or_never_asked_for_is_not_waited_for():
    meter = Meter()
    meter.answered(answered(14))
    meter.wrote(sent(10), PERP, 9 * MS, 10 * MS)
    meter.answered(answered(14, outcome="refused"))
    meter.executed(executed(34))
    assert f"answer_to_execution_us.{PERP}" not in meter.histograms()


def test_a_market_message_is_measured_by_kind_and_instrument():
    meter = Meter()
    book = BookChanged(1, 0, 1, 0, PERP, 50, False, 1, 1, 1_000, [], [])
    meter.received(book, 1_003 * MS, 1_003 * MS + 40_000, 2 * MS)
    assert near(middle_ms(meter, f"feed_latency_us.book.{PERP}"), 5)
    assert near(middle_ms(meter, f"strategy_latency_us.book.{PERP}"), 0.04)


def test_requests_without_an_end_do_not_pile_up():
    meter = Meter()
    for n in range(10_050):
        meter.wrote(sent(10, request=f"1-{n}"), PERP, 9 * MS, 10 * MS)
    assert len(meter._asked) == 10_000
