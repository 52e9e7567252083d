"""Acting by hand: scopes, previews, orders and what the log tells of them."""

import json

import pytest
from tests.cli.test_intervene import NAME, ORDER, Desk, engine, reported

from plimsoll.cli.exits import Exit
from plimsoll.cli.giving import scope_text
from plimsoll.config import Layout
from plimsoll.core.model import OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    Configured,
    ExecutionReported,
    FlattenEnded,
    Halted,
    LinkChanged,
    OrderDenied,
    OrderIntended,
    Paused,
    Swept,
)
from plimsoll.core.settings import CoreSettings, StrategySettings, to_text

S = OrderState
MANUAL_ORDER = (
    OrderIntended, ORDER, "manual", NAME, Side.BUY, OrderType.LIMIT, TimeInForce.GTC, 1000, 5,
    False, "manual",
)  # fmt: skip


@pytest.fixture
def desk(root):
    desk = Desk(root)
    one = StrategySettings(name="one", source="x:Y", instruments=(NAME,))
    core = CoreSettings(account="demo", tag="demo", strategies=(one,))
    desk.write(Configured, to_text(core))
    desk.write(LinkChanged, "private", True, "")
    yield desk
    desk.journal.close()


def hold(desk) -> None:
    """Let instance ``one`` hold 0.005 and have an entry rest."""
    desk.order()
    desk.write(
        ExecutionReported, "e1", ORDER, "v1", NAME, Side.BUY, 1000, 5, 0, "USDT", False, "Trade", 1,
        "stream", 0, b"",
    )  # fmt: skip
    desk.write(*reported(S.OPEN))


@pytest.mark.parametrize(
    ("word", "scope"),
    [
        ("", ""),
        ("account", ""),
        ("trend", "strategy:trend"),
        ("linear:BTCUSDT", "instrument:linear:BTCUSDT"),
        ("trend/linear:BTCUSDT", "strategy:trend/linear:BTCUSDT"),
        ("strategy:trend", "strategy:trend"),
        ("instrument:linear:BTCUSDT", "instrument:linear:BTCUSDT"),
    ],
)
def test_a_scope_may_be_written_short(word, scope):
    assert scope_text(word) == scope


@pytest.mark.parametrize("word", ["halt", "pause", "resume"])
def test_a_scope_reaches_the_engine(plimsoll, root, desk, word):
    with engine(desk):
        plimsoll(word, "one", "--project", root, "--reason", "x")
    assert desk.asked[0].args == {"scope": "strategy:one", "reason": "x"}


def test_a_halt_is_done_when_the_venue_confirmed_it_and_not_before(
    plimsoll, root, desk, monkeypatch
):
    monkeypatch.setattr("plimsoll.cli.control._WATCH_S", 0.2)
    halt = (Halted, "x", "anna", "strategy:one")
    desk.then = [halt]
    with engine(desk):
        ran = plimsoll("halt", "one", "--project", root, "--json")
        desk.then = [halt, (Swept, "strategy:one", 2)]
        confirmed = plimsoll("halt", "one", "--project", root, "--json")
    assert (ran.code, ran.document["confirmed"]) == (Exit.TIMED_OUT, False)
    assert (confirmed.code, confirmed.document["confirmed"]) == (Exit.DONE, True)


def test_a_standing_request_keeps_its_scope_and_an_unknown_one_is_refused(plimsoll, root, desk):
    ran = plimsoll("halt", "ome", "--project", root, "--json")
    assert ran.code == Exit.REFUSED
    assert "did you mean 'one'?" in ran.error["message"]
    assert plimsoll("halt", "one", "--keep-orders", "--project", root).code == Exit.DONE
    found = json.loads((Layout.of(root).run_dir / "halt.json").read_text())
    assert (found["scope"], found["keep_orders"]) == ("strategy:one", True)


@pytest.mark.parametrize("words", [["halt"], ["halt", "one", "--flatten"], ["flatten", "account"]])
def test_a_plan_lists_orders_and_positions_and_gives_no_command(plimsoll, root, desk, words):
    hold(desk)
    with engine(desk):
        ran = plimsoll(*words, "--plan", "--project", root, "--json")
        page = plimsoll(*words, "--plan", "--project", root)
    assert ran.code == Exit.DONE, ran.err
    assert desk.asked == []
    closes = [(one["strategy"], one["qty"]) for one in ran.document["closes"]]
    assert closes == ([] if words == ["halt"] else [("one", "0.005")])
    assert "without anything being changed" in page.out


def test_a_plan_of_what_would_be_refused_is_refused(plimsoll, root, desk):
    ran = plimsoll("flatten", "account", "--plan", "--project", root, "--json")
    assert ran.code == Exit.REFUSED
    assert "holds nothing" in ran.error["message"]
    ran = plimsoll("halt", "--all", "--plan", "--project", root, "--json")
    assert "dedicated = true" in ran.error["message"]


def test_close_names_whose_position_and_tells_what_came_of_it(plimsoll, root, desk):
    hold(desk)
    scope = f"strategy:one/{NAME}"
    text = "cost 1 against the start"
    desk.then = [(Halted, "x", "a", scope), (Swept, scope, 2), (FlattenEnded, "f1", "flat", text)]
    desk.then.insert(1, reported(S.CANCELED))
    with engine(desk):
        ran = plimsoll("close", NAME, "--project", root)
    assert ran.code == Exit.DONE, ran.err + ran.out
    assert f"halted {scope}" in ran.out
    assert "flatten: flat. cost 1" in ran.out
    assert desk.asked[0].args["instrument"] == NAME


def test_what_a_flatten_left_has_the_code_of_a_timeout(plimsoll, root, desk):
    desk.then = [(Halted, "x", "a"), (Swept, "", 2), (FlattenEnded, "f1", "left", "0.005 left")]
    with engine(desk):
        ran = plimsoll("flatten", "account", "--project", root, "--json")
    assert ran.code == Exit.TIMED_OUT
    assert (ran.document["flatten"], ran.document["flatten_text"]) == ("left", "0.005 left")


def test_an_order_by_hand_is_told_with_its_id(plimsoll, root, desk):
    desk.then = [MANUAL_ORDER, reported(S.OPEN)]
    desk.cause = True
    with engine(desk):
        ran = plimsoll(
            "order", NAME, "buy", "0.005", "--limit", "100", "--post-only", "--project", root
        )
    assert ran.code == Exit.DONE, ran.err
    assert f"order {ORDER} is open, filled 0" in ran.out
    assert desk.asked[0].args == {
        "instrument": NAME, "side": "buy", "qty": "0.005", "limit": "100", "post_only": True,
        "reason": "no reason given",
    }  # fmt: skip


def test_an_order_the_gate_refuses_has_its_words_and_code(plimsoll, root, desk):
    words = "limits.order_notional = 0"
    desk.then = [(OrderDenied, "manual", NAME, Side.BUY, 1, 5, "order_notional", words)]
    desk.cause = True
    with engine(desk):
        ran = plimsoll("order", NAME, "buy", "0.005", "--project", root, "--json")
    assert ran.code == Exit.REFUSED
    assert (ran.error["code"], ran.error["message"]) == ("order_notional", words)


def test_cancels_of_a_strategy_are_told_by_number(plimsoll, root, desk):
    desk.order()
    desk.then = [reported(S.CANCELED)]
    with engine(desk):
        ran = plimsoll("cancel", "--strategy", "one", "--project", root)
        nothing = plimsoll("cancel", "--project", root, "--json")
    assert ran.code == Exit.DONE
    assert "1 of 1 orders of strategy:one are over" in ran.out
    assert nothing.code == Exit.USAGE


def test_a_stopped_strategy_is_freed_by_name(plimsoll, root, desk):
    with engine(desk):
        ran = plimsoll("strategy", "resume", "one", "--project", root)
    assert ran.code == Exit.DONE
    assert (desk.asked[0].cmd, desk.asked[0].args["strategy"]) == ("strategy-resume", "one")


@pytest.mark.parametrize(
    "words",
    [
        ["pause"],
        ["flatten", "account"],
        ["order", NAME, "buy", "1"],
        ["strategy", "resume", "one"],
    ],
)
def test_without_an_engine_they_are_refused(plimsoll, root, desk, words):
    ran = plimsoll(*words, "--project", root, "--json")
    assert ran.code == Exit.UNREACHABLE
    assert "plimsoll run" in ran.error["hint"]


def test_status_shows_the_stops_in_force(plimsoll, root, desk):
    desk.write(Paused, "one", "", "news", "anna")
    desk.write(Halted, "odd", "ben", f"instrument:{NAME}")
    ran = plimsoll("status", "--project", root)
    assert ran.code == Exit.UNHEALTHY
    assert "strategy:one paused by anna: news" in ran.out
    assert f"instrument:{NAME} halted by ben: odd" in ran.out
    document = plimsoll("status", "--project", root, "--json").document
    assert document["pauses"] == [{"scope": "strategy:one", "actor": "anna", "reason": "news"}]
