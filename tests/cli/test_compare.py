"""Each kind of difference is found, and equal sides have none."""

from collections import Counter
from copy import deepcopy
from decimal import Decimal as D

import pytest

from plimsoll.cli.compare import (
    ENDED,
    FILLED,
    NEVER,
    OPEN,
    UNANSWERED,
    Difference,
    ExecutionLine,
    OrderLine,
    Side,
    compare,
)
from plimsoll.core.model import IdMaker


def own_id(counter: int) -> str:
    return IdMaker("abc", 1, counter - 1).peek()


ONE, TWO, THREE = own_id(1), own_id(2), own_id(3)
BTC = "linear:BTCUSDT"


@pytest.fixture
def ours() -> Side:
    return Side(
        orders={
            ONE: OrderLine(FILLED, D("0.5")),
            TWO: OrderLine(OPEN, D(0)),
            THREE: OrderLine(NEVER, D(0)),
        },
        executions={
            (BTC, "e1"): ExecutionLine(ONE, D("0.2"), D(100), D("0.011")),
            (BTC, "e2"): ExecutionLine(ONE, D("0.3"), D(101), D("0.016665")),
        },
        positions={BTC: D("0.5"), "linear:ETHUSDT": D(0)},
        wallet={"USDT": D("999.972335"), "BTC": D(1)},
        booked=Counter({BTC: 2}),
    )


@pytest.fixture
def theirs(ours) -> Side:
    side = deepcopy(ours)
    del side.orders[THREE]
    side.accepted = {ONE: ["v1"], TWO: ["v2"]}
    side.booked = Counter()
    side.positions = {BTC: D("0.500")}
    side.wallet = {"USDT": D("999.97233500")}
    return side


def only(ours: Side, theirs: Side) -> Difference:
    (found,) = compare(ours, theirs, "abc")
    return found


def test_equal_sides_have_no_differences(ours, theirs):
    assert compare(ours, theirs, "abc") == []


def test_an_order_accepted_twice(ours, theirs):
    theirs.accepted[TWO].append("v3")
    assert only(ours, theirs)[:2] == ("duplicate order", TWO)


def test_an_order_of_our_tag_without_intent(ours, theirs):
    del ours.orders[TWO]
    assert only(ours, theirs)[:3] == ("order without intent", TWO, "no record")


@pytest.mark.parametrize("name", ["typed-by-hand", "", "xyz-000001-000000002-A"])
def test_an_order_that_is_not_ours_is_no_difference(ours, theirs, name):
    theirs.orders[name] = OrderLine(OPEN, D(0))
    assert compare(ours, theirs, "abc") == []


@pytest.mark.parametrize("state", [OPEN, UNANSWERED, NEVER, ENDED])
def test_an_order_in_another_state(ours, theirs, state):
    ours.orders[ONE] = OrderLine(state, D("0.5"))
    assert only(ours, theirs)[:2] == ("order", ONE)


def test_an_order_filled_to_another_quantity(ours, theirs):
    theirs.orders[TWO] = OrderLine(OPEN, D("0.1"))
    found = only(ours, theirs)
    assert found == Difference("order", TWO, "open, filled 0", "open, filled 0.1")


@pytest.mark.parametrize("state", [OPEN, FILLED])
def test_an_order_the_venue_does_not_have(ours, theirs, state):
    ours.orders[THREE] = OrderLine(state, D(0))
    assert only(ours, theirs) == Difference("order", THREE, f"{state}, filled 0", "not there")


@pytest.mark.parametrize("state", [UNANSWERED, NEVER, ENDED])
def test_an_order_that_need_not_be_there_is_no_difference(ours, theirs, state):
    ours.orders[THREE] = OrderLine(state, D(0))
    assert compare(ours, theirs, "abc") == []


def test_an_order_the_venue_has_though_we_say_it_never_lived(ours, theirs):
    theirs.orders[THREE] = OrderLine(OPEN, D(0))
    assert only(ours, theirs)[:2] == ("order", THREE)


def test_an_execution_that_was_not_booked(ours, theirs):
    del ours.executions[BTC, "e2"]
    assert only(ours, theirs)[:3] == ("execution", f"{BTC} e2", "not booked")


def test_an_execution_the_venue_does_not_have(ours, theirs):
    ours.executions[BTC, "e3"] = ours.executions[BTC, "e2"]
    assert only(ours, theirs)[3] == "not there"


@pytest.mark.parametrize(
    ("field", "value"),
    [("qty", D("0.31")), ("price", D(102)), ("fee", D("0.01666501")), ("order_id", TWO)],
)
def test_an_execution_booked_with_another_value(ours, theirs, field, value):
    ours.executions[BTC, "e2"] = ours.executions[BTC, "e2"]._replace(**{field: value})
    assert only(ours, theirs)[:2] == ("execution", f"{BTC} e2")


@pytest.mark.parametrize("count", [1, 3])
def test_an_execution_booked_not_once(ours, theirs, count):
    ours.booked[BTC] = count
    found = only(ours, theirs)
    assert found == Difference("number of executions in the ledger", BTC, str(count), "2")


@pytest.mark.parametrize("qty", [D("0.501"), D("-0.5"), D(0)])
def test_another_position(ours, theirs, qty):
    ours.positions[BTC] = qty
    assert only(ours, theirs)[:2] == ("position", BTC)


def test_a_position_only_we_have(ours, theirs):
    ours.positions["linear:ETHUSDT"] = D(1)
    assert only(ours, theirs) == Difference("position", "linear:ETHUSDT", "1", "0")


@pytest.mark.parametrize("cents", ["0.00000001", "-0.00000001", "5"])
def test_another_balance_to_the_last_unit(ours, theirs, cents):
    ours.wallet["USDT"] += D(cents)
    assert only(ours, theirs)[:2] == ("wallet", "USDT")
