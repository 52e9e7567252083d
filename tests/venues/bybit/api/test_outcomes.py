import json

import pytest

from plimsoll.venues.bybit import ParseError
from plimsoll.venues.bybit.api import Reader, batch_answers, order_answer, read_socket_answer
from plimsoll.venues.bybit.rest import Answer, End


def answer(code=0, result=None, ext=None, end=None):
    usual = End.OK if code == 0 else End.REFUSED
    return Answer(
        end=end or usual,
        code=code,
        text="m",
        result=json.dumps(result or {}).encode(),
        ext=json.dumps(ext or {}).encode(),
    )


@pytest.mark.parametrize(
    ("action", "channel", "given", "outcome"),
    [
        ("create", "rest", answer(), "accepted"),
        ("create", "rest", answer(110007), "refused"),
        ("create", "rest", answer(110072), "unknown"),
        ("cancel", "rest", answer(110001), "gone"),
        ("create", "rest", answer(10003), "refused"),
        ("create", "trade", answer(10003), "unknown"),
        ("create", "rest", answer(0, end=End.BROKEN), "unknown"),
        ("create", "rest", answer(403, end=End.BANNED), "unknown"),
        ("create", "rest", answer(403, end=End.NOT_SENT), "refused"),
        ("create", "rest", answer(10006, end=End.LIMITED), "unknown"),
        ("cancel", "rest", answer(10006, end=End.LIMITED), "refused"),
    ],
)
def test_an_answer_means_what_its_code_proves(action, channel, given, outcome):
    assert order_answer(Reader(), action, given, channel).outcome == outcome


def test_an_accepted_order_has_its_ids():
    ids = {"orderId": "v", "orderLinkId": "c"}
    found = order_answer(Reader(), "create", answer(result=ids), "rest")
    assert (found.venue_order_id, found.client_order_id) == ("v", "c")


def test_an_accepted_order_stays_accepted_where_its_ids_cannot_be_read():
    assert order_answer(Reader(), "create", answer(result=[1]), "rest").outcome == "accepted"


def test_each_item_of_a_batch_has_an_end_of_its_own():
    rows = [{"orderId": "a", "orderLinkId": "1", "createAt": "5"}, {"orderId": ""}, {}]
    codes = [{"code": 0, "msg": "OK"}, {"code": 110007, "msg": "no"}, {"code": 10006, "msg": ""}]
    given = answer(result={"list": rows}, ext={"list": codes})
    found = batch_answers(Reader(), "create", given, "rest", 3)
    assert [item.outcome for item in found] == ["accepted", "refused", "unknown"]
    assert [item.venue_order_id for item in found] == ["a", "", ""]
    assert (found[0].created_ms, found[1].created_ms, found[1].code) == (5, None, 110007)


@pytest.mark.parametrize(
    ("result", "ext"),
    [
        ({"list": [{}]}, {"list": []}),
        ({"list": [{}]}, {"list": [{"code": 0}, {"code": 0}]}),
        ({"list": [{}, {}]}, {}),
        ({"list": 5}, {"list": [{"code": 0}, {"code": 0}]}),
    ],
)
def test_items_without_a_code_of_their_own_are_unknown(result, ext):
    found = batch_answers(Reader(), "create", answer(result=result, ext=ext), "rest", 2)
    assert [item.outcome for item in found] == ["unknown", "unknown"]


def test_a_batch_refused_whole_is_refused_in_each_item():
    found = batch_answers(Reader(), "create", answer(10001), "rest", 2)
    assert [item.outcome for item in found] == ["refused", "refused"]


def test_a_trade_socket_answer_is_read_like_one_by_rest():
    raw = json.dumps(
        {
            "reqId": "r-1",
            "retCode": 0,
            "retMsg": "OK",
            "op": "order.cancel-batch",
            "data": {"list": [{"orderId": "a"}, {"orderId": ""}]},
            "retExtInfo": {"list": [{"code": 0, "msg": ""}, {"code": 170213, "msg": "x"}]},
            "header": {},
            "connId": "c",
        }
    ).encode()
    found = read_socket_answer(raw)
    assert (found.request_id, found.op) == ("r-1", "order.cancel-batch")
    items = batch_answers(Reader(), "cancel", found.answer, "trade", 2)
    assert [item.outcome for item in items] == ["accepted", "gone"]


def test_an_answer_without_request_id_proves_nothing():
    found = read_socket_answer(b'{"success":false,"ret_msg":"Params Error","op":"order.create"}')
    assert found.request_id == ""
    assert order_answer(Reader(), "create", found.answer, "trade").outcome == "unknown"


def test_an_unreadable_answer_is_told():
    with pytest.raises(ParseError, match="trade answer"):
        read_socket_answer(b"{")
