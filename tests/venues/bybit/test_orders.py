import asyncio
import json
from typing import Any

import pytest

from plimsoll.core.model import OrderType, Side, TimeInForce
from plimsoll.core.records import (
    CancelIntended,
    OrderIntended,
    ProtectionAnswered,
    ProtectionIntended,
    RequestAnswered,
)
from plimsoll.venues.bybit.background import Background
from plimsoll.venues.bybit.orders import OrderSender

CREATE = "/v5/order/create"
PROTECT = "/v5/position/trading-stop"


class FakeLink:
    """A trade link whose frames are kept."""

    def __init__(self):
        self.is_up, self.frames, self.successions, self.sender = True, [], 0, 1
        self.looks = 0

    def send(self, payload):
        if not self.is_up:
            return 0
        self.frames.append(json.loads(payload))
        return self.sender

    def succeed(self, reason):
        self.successions += 1

    def look(self):
        self.looks += 1


@pytest.fixture
def sender(rest, inbox, clock, linear):
    """Run a scenario with a sender, its link and prepared REST answers."""

    def run(scenario, **reply):
        async def inner(client, fake):
            background = Background()
            orders = OrderSender(client, inbox, clock, background)
            orders.list_instruments({linear.name: linear})
            link: Any = FakeLink()
            orders.link = link
            await scenario(orders, link)
            works: Any = list(background._works.values())
            await asyncio.gather(*works)
            return client, fake

        def prepare(fake):
            fake.reply(CREATE, **reply)
            fake.reply(PROTECT, **reply)

        return rest(prepare, inner)

    return run


def order(inbox):
    fields: dict[str, Any] = {
        "client_order_id": "plm-1",
        "owner": "s",
        "instrument": "linear:BTCUSDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "tif": TimeInForce.GTC,
        "price_ticks": 300000,
        "qty_lots": 10,
        "reduce_only": False,
        "label": "",
    }
    return inbox.make(OrderIntended, **fields)


def cancel_of(inbox):
    return inbox.make(CancelIntended, client_order_id="plm-1", reason="x")


def answer(request_id, code=0):
    return json.dumps({"reqId": request_id, "retCode": code, "retMsg": "m", "data": {}}).encode()


def test_answers_are_matched_in_any_order_with_their_cause(sender, inbox):
    async def scenario(orders, link):
        created = order(inbox)
        first = orders.create(created)
        cancel = cancel_of(inbox)
        second = orders.cancel(cancel, "linear:BTCUSDT")
        assert [f["reqId"] for f in link.frames] == [first.request_id, second.request_id]
        assert link.frames[0]["header"]["X-BAPI-TIMESTAMP"] == str(first.signed_ms)
        orders.take_answer(answer(second.request_id, 110001))
        orders.take_answer(answer(first.request_id))
        found = [(r.action, r.outcome, r.cause) for r in inbox.of(RequestAnswered)]
        assert found == [("cancel", "gone", cancel.seq), ("create", "accepted", created.seq)]
        assert orders.pending == 0

    sender(scenario)


def test_answers_that_name_no_request_are_told_and_prove_nothing(sender, inbox):
    async def scenario(orders, link):
        orders.create(order(inbox))
        orders.take_answer(b'{"success":false,"ret_msg":"Params Error","op":"order.create"}')
        orders.take_answer(b"nonsense")
        assert [code for code, _, _ in inbox.troubles] == ["stray-answer", "unreadable-answer"]
        assert orders.pending == 1

    sender(scenario)


def test_a_restarting_trade_service_gets_a_successor_and_nothing_more(sender, inbox):
    async def scenario(orders, link):
        first, second = orders.create(order(inbox)), orders.create(order(inbox))
        orders.take_answer(answer(first.request_id, 10019))
        assert link.successions == 1
        assert inbox.of(RequestAnswered, outcome="unknown")
        assert orders.create(order(inbox)).via == "rest"
        link.sender = 2
        assert orders.create(order(inbox)).via == "trade"
        assert not orders.is_drained(1)
        orders.take_answer(answer(second.request_id))
        assert orders.is_drained(1)
        assert not orders.is_drained(2)

    sender(scenario, result={"orderId": "o1"})


def test_a_connection_that_took_no_more_requests_takes_them_when_it_is_a_new_one(sender, inbox):
    async def scenario(orders, link):
        sent = orders.create(order(inbox))
        orders.take_answer(answer(sent.request_id, 10019))
        orders.connection_ended(1)
        assert orders.create(order(inbox)).via == "trade"

    sender(scenario)


def test_after_a_lost_link_orders_go_by_rest_and_open_requests_are_forgotten(sender, inbox):
    async def scenario(orders, link):
        late = orders.create(order(inbox))
        orders.connection_ended(1)
        orders.link_lost()
        assert orders.create(order(inbox)).via == "rest"
        orders.take_answer(answer(late.request_id))
        assert inbox.troubles[0][0] == "stray-answer"

    sender(scenario, result={"orderId": "o1"})
    assert inbox.of(RequestAnswered)[0].venue_order_id == "o1"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({}, "accepted"),
        ({"code": 110007}, "refused"),
        ({"code": 10006}, "unknown"),
        ({"code": 110072}, "unknown"),
        ({"status": 502, "text": "<html>"}, "unknown"),
        ({"status": 403, "text": "banned"}, "unknown"),
        ({"status": 429, "text": ""}, "unknown"),
        ({"status": 0}, "unknown"),
        ({"text": "garbage"}, "unknown"),
        ({"status": 404, "text": "no such path"}, "refused"),
    ],
)
def test_what_a_rest_answer_proves(sender, inbox, reply, outcome):
    async def scenario(orders, link):
        link.is_up = False
        assert orders.create(order(inbox)).via == "rest"

    sender(scenario, **reply)
    assert [r.outcome for r in inbox.of(RequestAnswered)] == [outcome]


def test_a_banned_address_without_a_link_writes_nothing(sender, inbox):
    async def scenario(orders, link):
        link.is_up = False
        orders.create(order(inbox))
        await inbox.until(lambda: inbox.of(RequestAnswered))
        assert "banned" in orders.create(order(inbox))
        link.is_up = True
        orders.link_lost()
        assert orders.create(order(inbox)).via == "trade"

    sender(scenario, status=403, text="too frequent")


def test_a_request_says_which_connection_carries_it(sender, inbox):
    async def scenario(orders, link):
        assert orders.create(order(inbox)).connection == 1
        link.sender = 7
        assert orders.create(order(inbox)).connection == 7
        link.is_up = False
        assert orders.create(order(inbox)).connection == 0

    sender(scenario, result={"orderId": "o1"})


def test_a_retired_connection_waits_for_its_other_requests_only(sender, inbox):
    async def scenario(orders, link):
        orders.create(order(inbox))
        other = inbox.make(CancelIntended, client_order_id="plm-2", reason="x")
        second = orders.cancel(other, "linear:BTCUSDT")
        orders.retire(1, "plm-1")
        assert link.successions == 1
        assert not orders.is_drained(1)
        orders.take_answer(answer(second.request_id))
        assert orders.is_drained(1)
        assert orders.pending == 1  # an answer that comes after all is still taken
        link.sender = 2
        orders.retire(1, "plm-1")
        assert (link.successions, link.looks) == (1, 1)  # it has its successor

    sender(scenario)


def level_of(inbox, instrument="linear:BTCUSDT"):
    fields = {"owner": "s", "instrument": instrument, "stop_ticks": 290_000, "take_ticks": 0}
    return inbox.make(ProtectionIntended, **fields)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ({}, "accepted"),
        ({"code": 34040}, "accepted"),
        ({"code": 10001}, "refused"),
        ({"code": 110092}, "refused"),
        ({"code": 10006}, "unknown"),
        ({"code": 999999}, "unknown"),
        ({"status": 502, "text": "<html>"}, "unknown"),
        ({"status": 403, "text": "banned"}, "unknown"),
        ({"status": 0}, "unknown"),
    ],
)
def test_what_an_answer_proves_about_a_protection(sender, inbox, reply, outcome):
    level = level_of(inbox)

    async def scenario(orders, link):
        assert orders.protect(level).via == "rest"

    _, fake = sender(scenario, **reply)
    told = inbox.of(ProtectionAnswered)
    assert [(one.instrument, one.outcome) for one in told] == [("linear:BTCUSDT", outcome)]
    assert told[0].cause == level.seq
    assert fake is not None


def test_spot_has_no_position_to_protect(sender, inbox):
    async def scenario(orders, link):
        assert "perpetual" in orders.protect(level_of(inbox, "spot:BTCUSDT"))

    sender(scenario)
    assert inbox.of(ProtectionAnswered) == []


@pytest.mark.parametrize(("code", "is_misfit"), [(10001, True), (110094, True), (110007, False)])
def test_a_refusal_that_filters_explain_asks_for_them(sender, inbox, code, is_misfit):
    async def scenario(orders, link):
        sent = orders.create(order(inbox))
        orders.take_answer(answer(sent.request_id, code))
        assert orders.has_misfit is is_misfit

    sender(scenario)
