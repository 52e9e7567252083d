"""The faulty venue without sockets: pure, equal for equal seeds, and the exchange's own door."""

import json
from collections.abc import Callable
from typing import Any

from plimsoll.simulator.brain.messages import Held, Rest
from plimsoll.simulator.faults.ask import Ask
from plimsoll.simulator.faults.plan import Plan, chooser, faults_drawn
from plimsoll.simulator.faults.venue import FaultyVenue


def faulty(desk: Any, *asks: Ask, seed: int = 1) -> Any:
    """Put faults around the exchange of a desk."""
    uids = {key: account.uid for key, account in desk.exchange.floor.accounts.items()}
    venue = FaultyVenue(desk.exchange, Plan(chooser(seed), uids))
    desk.exchange = venue
    for ask in asks:
        venue.ask(ask, desk.now_ns, "test")
    desk.wait(0.001)
    return venue


def create(desk: Any, **params: str) -> Rest:
    usual = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit"}
    body = json.dumps(usual | {"qty": "0.01", "price": "59000"} | params)
    return Rest("POST", "/v5/order/create", "", body.encode(), desk.headers(body))


def script(desk: Any) -> list[Any]:
    """Do many things and return all that was seen and recorded."""
    desk.socket(1, "/v5/private", auth=True)
    desk.socket(2, "/v5/public/linear")
    desk.socket(3, "/v5/trade", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["order", "execution"]})
    desk.say(2, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})
    seen: list[Any] = []
    for number in range(150):
        output = desk.do(create(desk, orderLinkId=f"o{number}", price=f"{59_000 + number}"))
        seen.append((output.answer, output.hold_ns))
        desk.book("linear:BTCUSDT", bids=[(599_000 + number, number)])
        desk.wait(0.1)
    return [seen, desk.frames, desk.lines, desk.drops]


def test_equal_seeds_give_equal_bytes(make_desk: Callable[..., Any]) -> None:
    runs = []
    for seed in (5, 5, 6):
        desk = make_desk()
        faulty(desk, *faults_drawn(chooser(seed), 10), seed=seed)
        runs.append(script(desk))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_without_faults_nothing_is_different(make_desk: Callable[..., Any]) -> None:
    plain, around = make_desk(), make_desk()
    plain.wait(0.001)
    faulty(around)
    assert script(plain) == script(around)


def test_a_late_request_waits_for_its_time(desk: Any) -> None:
    faulty(desk, Ask("late_request", magnitude=50))
    rest = create(desk)
    output = desk.do(rest)
    assert output.answer is None
    assert not desk.kinds("order")
    desk.now_ns = output.hold_ns
    answer = desk.do(Held(rest)).answer
    assert json.loads(answer.body)["retCode"] == 0
    assert desk.kinds("fault")[1]["arrives_ns"] == output.hold_ns


def test_effects_stand_in_the_record_before_what_they_cause(desk: Any) -> None:
    faulty(desk, Ask("venue_cancel", at_s=1))
    desk.order()
    desk.wait(2)
    kinds = [(line["kind"], line.get("event")) for line in desk.lines]
    begin = kinds.index(("fault", "begin"))
    assert kinds[begin - 1 :].index(("fault", "begin")) < kinds[begin - 1 :].index(("order", None))
    assert desk.kinds("order")[-1]["cancelType"] == "CancelByAdmin"
    effect = next(line for line in desk.kinds("fault") if line["event"] == "effect")
    assert effect["orders"] == [desk.kinds("order")[-1]["orderId"]]


def test_a_hand_that_asks_nonsense_is_refused_and_told(desk: Any) -> None:
    faulty(desk, Ask("hand_order", values={"category": "moon"}))
    effect = next(line for line in desk.kinds("fault") if line["event"] == "effect")
    assert effect["retCode"] == 10001


def test_what_is_held_back_is_bounded(desk: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("plimsoll.simulator.faults.ground.LATER_MOST", 5)
    venue = faulty(desk, Ask("delay_push", magnitude=1e9))
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["order"]})
    for _ in range(20):
        desk.order()
    assert len(venue._ground._later) == 5
    assert len(desk.topic("order")) > 10
