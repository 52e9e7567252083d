import json
from decimal import Decimal as D

import pytest

from plimsoll.cli.compare import ENDED, FILLED, OPEN, ExecutionLine, OrderLine
from plimsoll.cli.sides import read_record, their_side
from plimsoll.core.model import IdMaker

OWN = IdMaker("abc", 1).peek()


def order(status, cum="0", link_id=OWN, order_id="v1", account="1001"):
    return {
        "kind": "order",
        "account": account,
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": order_id,
        "orderLinkId": link_id,
        "orderStatus": status,
        "cumExecQty": cum,
    }


def execution(exec_id="e1", kind="Trade", account="1001"):
    return {
        "kind": "execution",
        "account": account,
        "category": "linear",
        "symbol": "BTCUSDT",
        "execId": exec_id,
        "execType": kind,
        "orderLinkId": OWN,
        "execQty": "0.5",
        "execPrice": "100.0",
        "execFee": "0.0275",
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Created", OPEN),
        ("New", OPEN),
        ("PartiallyFilled", OPEN),
        ("Filled", FILLED),
        ("Cancelled", ENDED),
        ("PartiallyFilledCanceled", ENDED),
        ("Rejected", ENDED),
        ("Deactivated", ENDED),
    ],
)
def test_the_newest_line_of_an_order_counts(status, state):
    side = their_side([order("New"), order(status, "0.5")], "abc")
    assert side.orders == {OWN: OrderLine(state, D("0.5"))}
    assert side.accepted == {OWN: ["v1"]}


def test_a_client_id_accepted_twice_keeps_both_orders():
    side = their_side([order("New"), order("New", order_id="v2")], "abc")
    assert side.accepted == {OWN: ["v1", "v2"]}


def test_executions_that_change_a_position_are_taken():
    side = their_side([execution(), execution("e2", "Funding")], "abc")
    assert side.executions == {
        ("linear:BTCUSDT", "e1"): ExecutionLine(OWN, D("0.5"), D("100.0"), D("0.0275"))
    }


def test_positions_are_signed_and_the_newest():
    line = {"kind": "position", "account": "1001", "category": "linear", "symbol": "BTCUSDT"}
    lines = [line | {"side": "Buy", "size": "1"}, line | {"side": "Sell", "size": "0.5"}]
    assert their_side(lines, "abc").positions == {"linear:BTCUSDT": D("-0.5")}


def test_balances_are_the_newest():
    lines = [
        {"kind": "wallet", "account": "1001", "coin": [{"coin": "USDT", "walletBalance": text}]}
        for text in ("10", "9.5")
    ]
    assert their_side(lines, "abc").wallet == {"USDT": D("9.5")}


def test_the_account_that_has_our_orders_is_ours():
    other = execution("other", account="7") | {"orderLinkId": "by-hand"}
    lines = [other, order("New", account="8"), execution(account="8")]
    side = their_side(lines, "abc")
    assert list(side.executions) == [("linear:BTCUSDT", "e1")]


def test_lines_of_the_market_are_left_out():
    assert (
        their_side(
            [{"kind": "market", "account": ""}, {"kind": "request", "account": "1"}], "abc"
        ).orders
        == {}
    )


def write(path, lines, end="\n"):
    path.write_text("\n".join(json.dumps(line) for line in lines) + end)
    return path


def test_a_record_is_read_to_its_last_whole_line(tmp_path):
    path = write(tmp_path / "r", [{"n": 1}, {"n": 2}, {"n": 3}], end="")
    assert [line["n"] for line in read_record(path)] == [1, 2]


@pytest.mark.parametrize("lines", [[{"n": 1}, {"n": 3}], [{"n": 2}], [[1]]])
def test_a_record_with_a_gap_is_refused(tmp_path, lines):
    with pytest.raises(ValueError, match="line"):
        list(read_record(write(tmp_path / "r", lines)))
