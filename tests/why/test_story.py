"""The chain behind an order leads from the input to the ledger, and nothing in it is made up."""

import asyncio
import sqlite3
from types import SimpleNamespace
from typing import Literal

import pytest
from tests.core.engine.test_keeper import command
from tests.core.test_records import sample
from tests.properties.driver import PERP, SECOND, Driver, Puppet, one_strategy, settings_of
from tests.simulation.inside import engine, engine_settings, until
from tests.simulation.live import busy_settings

from plimsoll.core.model import Mode
from plimsoll.core.records import (
    DECISIONS,
    INPUTS,
    RECORD_KIND,
    OrderIntended,
    PaperOrderIntended,
    SignalReceived,
    StrategyFreed,
    Telemetry,
    encode,
)
from plimsoll.core.records.stored import STORED
from plimsoll.core.strategy import Signal
from plimsoll.journal import Journal, JournalDamaged
from plimsoll.simulator import SimSettings, running
from plimsoll.why import Index, NotFound, tell
from plimsoll.why.words import words_of

KEPT = frozenset((*INPUTS, *DECISIONS))


@pytest.fixture
def traded(tmp_path):
    """A session with a filled order, a refused one and a halt, in a journal."""
    driver = Driver().live()
    order = driver.open_order()
    driver.execute(order.id, 3, "e1")
    driver.execute(order.id, 2, "e2")
    driver.do(lambda one: one.buy(PERP, "0.0001", "49000"))
    driver.do(lambda one: one.buy(PERP, "0.010", "90000"))
    command(driver, "halt", reason="a drill")
    journal = Journal.open(tmp_path / "journal", "main", 1)
    for record in driver.log:
        if type(record) in KEPT:
            journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    journal.close()
    index = Index(tmp_path / "journal", tmp_path / "why.sqlite")
    index.refresh()
    yield SimpleNamespace(driver=driver, order=order, index=index, root=tmp_path)
    index.close()


def labels(story):
    return [step.label for step in story.steps]


def test_an_order_is_told_from_its_check_to_the_ledger(traded):
    story = tell(traded.index, traded.order.id)
    found = labels(story)
    assert found.index("check") < found.index("intent") < found.index("sent")
    assert found.count("fill") == found.count("ledger") == 2
    assert found.index("fill") + 1 == found.index("ledger")
    assert [step.seq for step in story.steps] == sorted(step.seq for step in story.steps)
    assert "now holds 0.003" in story.steps[found.index("ledger")].text


def test_an_execution_is_told_up_to_itself(traded):
    story = tell(traded.index, "e1")
    assert labels(story).count("fill") == 1
    assert story.steps[-1].label == "ledger"


def test_the_venues_number_of_an_order_leads_to_the_same_chain(traded):
    assert traded.order.venue_id
    by_venue = tell(traded.index, traded.order.venue_id)
    assert labels(by_venue) == labels(tell(traded.index, traded.order.id))


def test_an_instance_is_asked_for_its_newest_refusal(traded):
    story = tell(traded.index, "s")
    assert "price_distance" in " ".join(step.text for step in story.steps)


def test_a_halt_is_told_with_who_asked_and_what_it_cancelled(traded):
    story = tell(traded.index, "halt")
    found = labels(story)
    assert found[0] == "command"
    assert found.index("halt") < found.index("cancel")
    assert "a drill" in story.steps[0].text


def test_a_seq_names_what_stands_there_and_nothing_is_found_under_an_unknown_name(traded):
    intent = next(step for step in tell(traded.index, traded.order.id).steps if step.record)
    assert tell(traded.index, str(intent.seq)).steps
    with pytest.raises(NotFound) as told:
        tell(traded.index, traded.order.id[:9])
    assert traded.order.id in told.value.near
    with pytest.raises(NotFound):
        tell(traded.index, "999999")


def test_the_index_goes_on_where_it_ended_and_a_foreign_file_is_made_anew(traded):
    file = traded.root / "why.sqlite"
    before = labels(tell(traded.index, traded.order.id))
    again = Index(traded.root / "journal", file)
    assert again.refresh() == 0
    assert labels(tell(again, traded.order.id)) == before
    again.close()
    file.write_bytes(b"no database at all" * 100)
    anew = Index(traded.root / "journal", file)
    assert anew.refresh() > 10
    assert labels(tell(anew, traded.order.id)) == before
    anew.close()
    base = sqlite3.connect(file)
    base.execute("UPDATE reached SET state = x'00'")
    base.commit()
    base.close()
    other_build = Index(traded.root / "journal", file)
    assert other_build.refresh() > 10
    other_build.close()


def test_a_flipped_byte_is_named_and_not_told_as_truth(traded):
    segment = next((traded.root / "journal" / "trading").glob("*.seg"))
    content = bytearray(segment.read_bytes())
    place = content.index(b"e2")
    content[place] ^= 1
    segment.write_bytes(content)
    with pytest.raises(JournalDamaged) as told:
        tell(traded.index, traded.order.id)
    assert told.value.file == segment


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_every_record_has_words(kind):
    if kind is not Telemetry:
        label, text = words_of(sample(kind), {})
        assert label
        assert isinstance(text, str)


async def session(directory):
    sim = SimSettings(directory=str(directory / "sim"), limits="off", speed=10.0)
    async with running(sim) as exchange:
        settings = engine_settings(directory, exchange.port, busy_settings())
        async with engine(settings) as process:
            await until("orders", lambda: process.core.counts.get("execution", 0) > 10)
        return [*process.core.orders.closed, *process.core.orders.working]


def test_every_order_of_a_session_leads_back_to_an_input(tmp_path):
    orders = asyncio.run(session(tmp_path))
    index = Index(tmp_path / "journal", tmp_path / "why.sqlite")
    index.refresh()
    for order in orders:
        steps = tell(index, order).steps
        assert steps[0].record is not None
        assert steps[0].cause == 0, order
        assert type(steps[0].record) not in DECISIONS
        assert "intent" in [step.label for step in steps]
    index.close()


# ---- signals ----


class Alert(Signal):
    side: Literal["long", "short", "flat"]


class Follow(Puppet):
    """Holds what it is told."""

    signal = Alert

    def on_signal(self, signal):
        if signal.side == "short":
            raise RuntimeError("it never learned that")
        if signal.side == "long":
            self.target(PERP, qty="0.010")


@pytest.fixture
def followed(tmp_path):
    """A session of a strategy live and on paper, and a function that tells it something."""
    two = one_strategy(), one_strategy(Mode.PAPER, name="s.paper")
    made = {"s": Follow(), "s.paper": Follow()}
    driver = Driver(settings_of(*two), load=lambda one: made[one.name])
    driver.strategies |= made
    driver.live()
    number = iter(range(1, 100))

    def signal(side, id="", at_ms=0):
        name = id or f"signal-s-alert-{next(number)}"
        payload = f'{{"side": "{side}"}}'
        return driver.put(SignalReceived, "s", name, "chart", payload, at_ms)

    def told(name):
        journal = Journal.open(tmp_path / "journal", "main", 1)
        for record in driver.log:
            if type(record) in KEPT and record.seq > journal.last_seq:
                journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        journal.close()
        index = Index(tmp_path / "journal", tmp_path / "why.sqlite")
        index.refresh()
        try:
            return tell(index, name)
        finally:
            index.close()

    return SimpleNamespace(driver=driver, signal=signal, told=told)


def test_a_signal_is_told_from_its_sender_to_the_ends_of_its_orders(followed):
    driver = followed.driver
    decided = followed.signal("long", at_ms=driver.now_ns // 10**6 - 40)
    (sent,) = [one for one in decided if isinstance(one, OrderIntended)]
    (paper,) = [one for one in decided if isinstance(one, PaperOrderIntended)]
    driver.was_sent(sent.client_order_id)
    driver.answered(sent.client_order_id)
    driver.execute(sent.client_order_id, 10, "e1")
    driver.advance(SECOND)
    driver.book()
    story = followed.told("alert-1")
    first, heard, *rest = story.steps
    assert first.label == "signal"
    assert first.text == 'chart tells s {"side": "long"} (signal-s-alert-1, made 40 ms before)'
    assert (heard.label, heard.text) == ("heard", "heard by s; heard by s.paper")
    found = [step.label for step in rest]
    assert found.index("check") < found.index("intent") < found.index("sent") < found.index("fill")
    of_orders = {getattr(step.record, "client_order_id", "") for step in rest if step.record}
    assert {sent.client_order_id, paper.client_order_id} <= of_orders
    assert [step.seq for step in story.steps] == sorted(step.seq for step in story.steps)
    assert followed.told("signal-s-alert-1").steps == story.steps
    assert followed.told(str(first.seq)).steps == story.steps


def test_a_signal_that_led_to_nothing_says_so(followed):
    followed.signal("flat")
    assert labels(followed.told("alert-1")) == ["signal", "heard", "nothing"]


def test_a_refusal_and_a_fault_that_came_of_a_signal_are_told_with_it(followed):
    command(followed.driver, "halt", reason="a drill")
    followed.signal("long")
    story = followed.told("alert-1")
    assert labels(story).count("denial") == 2
    assert "halted" in " ".join(step.text for step in story.steps)
    followed.signal("short")
    found = " ".join(step.text for step in followed.told("alert-2").steps)
    assert "s stopped: on_signal raised RuntimeError" in found


def test_who_does_not_hear_it_is_named_with_why(followed):
    followed.signal("short")
    followed.driver.put(StrategyFreed, "s.paper", "anna", "")
    followed.signal("flat")
    texts = [step.text for step in followed.told("alert-2").steps]
    assert texts[1].startswith("heard by s.paper; NOT heard by s, which was stopped: on_signal")


def test_one_that_cannot_be_read_is_not_told_as_heard(followed):
    followed.signal("sideways")
    story = followed.told("alert-1")
    assert labels(story) == ["signal", "incident"]
    assert "signal_refused" in story.steps[1].text


def test_a_signal_named_like_something_else_hides_nothing(followed):
    driver = followed.driver
    driver.do(lambda one: one.buy(PERP, "0.010", "90000"))
    followed.signal("flat", id="signal-s-s")
    followed.signal("flat", id="signal-s-tv:4711")
    assert "price_distance" in " ".join(step.text for step in followed.told("s").steps)
    for name in ("signal-s-s", "tv:4711"):
        assert labels(followed.told(name)) == ["signal", "heard", "nothing"]
    with pytest.raises(NotFound) as caught:
        followed.told("signal-s-other")
    assert "signal-s-s" in caught.value.near
