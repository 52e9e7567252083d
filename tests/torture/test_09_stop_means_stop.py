"""Row 9: a stop or an exit leaves orders behind, or makes new ones.

What it costs: the bot is told to stop, cancels what it knows, and a strategy places once more; or
it leaves quotes in the book of a market nobody watches.

We promise: a stop and a halt are records, and the order gate itself reads them: after that record
nothing that can add risk is accepted, in this session or the next. What becomes of orders and
positions is one of three words: keep, cancel, flatten.

Judged: a strategy that places without end is stopped, or halted while it goes on, and answers are
lost and late. In the exchange's record no order appears that adds risk and was not intended before,
and at the end stands what the word says.
"""

import pytest
from tests.torture.bench import PERP, SECOND, Bench, engine, sized
from tests.torture.strategies import Steady

from plimsoll.core.records import Halted, OrderDenied, OrderIntended, SessionStopping
from plimsoll.simulator.faults.ask import Ask

SEEDS = range(1, sized(1, 12) + 1)
FAULTS = (
    Ask("lose_ack", rate=0.1),
    Ask("slow_answers", rate=0.3, magnitude=1000.0),
    Ask("late_request", rate=0.1, magnitude=800.0),
    Ask("drop_push", rate=0.1),
)
WORDS = ("keep", "cancel", "flatten")


def places(_one):
    strategy = Steady()
    strategy.each = 2
    return strategy


def run_for(bench: Bench, seconds: float) -> None:
    bench.kernel.run(bench.kernel.now_ns + int(seconds * SECOND))


def live(bench: Bench) -> list[str]:
    return [order.link for order in bench.judge.orders.values() if order.is_live]


def assert_no_new_risk(bench: Bench, barrier: SessionStopping | Halted) -> None:
    """Nothing was at the venue that adds risk and was meant after the record of the stop."""
    meant = {one.client_order_id: one for one in bench.of(OrderIntended)}
    for line in bench.lines("order"):
        intent = meant[line["orderLinkId"]]
        assert intent.seq < barrier.seq or line["reduceOnly"], line
    last = [line["t_ns"] for line in bench.lines("order", orderStatus="Created", reduceOnly=False)]
    assert max(last) < barrier.ts_ns + SECOND, "what was under way came within a second"


def assert_stands(bench: Bench, word: str, before: list[str]) -> None:
    left, held = live(bench), bench.judge.positions[PERP]
    assert before, "nothing rested: there was nothing to keep or to cancel"
    if word == "keep":
        assert set(left) & set(before)
    else:
        assert left == []
    assert word != "flatten" or held == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_stop_leaves_what_its_policy_says_and_nothing_new(word, seed):
    resting: list[str] = []

    def course(bench):
        run_for(bench, 8)
        resting.extend(live(bench))
        bench.machine.is_wanted = False
        bench.machine.terminate()
        run_for(bench, 40)
        assert bench.machine.process is None

    bench = Bench(engine(end_policy=word), places, seed=seed, asks=FAULTS, course=course)
    bench.judged()
    [stopping] = bench.of(SessionStopping)
    assert_no_new_risk(bench, stopping)
    assert_stands(bench, word, resting)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_halt_does_what_its_word_says_and_outlives_a_death(word, seed):
    asked = {"keep": {"keep_orders": True}, "cancel": {}, "flatten": {"flatten": True}}[word]
    resting: list[str] = []

    def course(bench):
        run_for(bench, 8)
        resting.extend(live(bench))
        bench.machine.command("halt", reason="row 9", **asked)
        run_for(bench, 1.5)
        bench.machine.kill(0)
        run_for(bench, 20)
        assert_stands(bench, word, resting)
        bench.settle()

    bench = Bench(engine(), places, seed=seed, asks=FAULTS, course=course, resumes=False)
    bench.judged()
    [halted] = bench.of(Halted)
    assert_no_new_risk(bench, halted)
    denied = [one for one in bench.of(OrderDenied) if one.seq > halted.seq]
    assert {one.epoch for one in denied} == {1, 2}, "nobody asked: the gate was not tried"
