"""The loop's beats, and the notice of a pause before whatever comes next."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from tests.engine.test_waking import LINK, frame
from tests.properties.driver import MS, Driver

from plimsoll.core.records import LinkChanged, OrderIntended, Woken
from plimsoll.engine.beating import PAUSED_NS, Pulse, notify
from plimsoll.engine.engine import Engine
from plimsoll.observe import Log
from plimsoll.venues.bybit import PublicParser

SECOND = 1_000 * MS


class Loop:
    """An engine whose clock the test moves, and what it recorded."""

    def __init__(self):
        self.driver = Driver().live()
        self.driver.advance(1)
        self.now_ns = self.driver.now_ns
        self.records: list[Any] = []
        journal: Any = SimpleNamespace(
            last_seq=self.driver.seq, trading=lambda *_: None, market=lambda *_: None
        )
        clock: Any = SimpleNamespace(now_ns=lambda: self.now_ns)
        parsers = {LINK: PublicParser("linear")}
        failures: list[BaseException] = []
        self.engine = Engine(self.driver.core, journal, clock, 1, parsers, Log(), failures.append)
        self.failures = failures
        core: Any = self.engine.core
        self._apply, core.apply = core.apply, self._note
        self.engine.beat(0)

    def _note(self, record):
        self.records.append(record)
        self._apply(record)

    def frame(self):
        number = self.driver.updates["linear:BTCUSDT"] = self.driver.updates["linear:BTCUSDT"] + 1
        self.engine.frame(LINK, frame(number, self.now_ns // MS), self.now_ns)

    def kinds(self):
        assert not self.failures
        return [type(one) for one in self.records]


@pytest.fixture
def loop():
    return Loop()


def test_a_frame_after_a_pause_is_preceded_by_the_notice(loop):
    loop.now_ns += PAUSED_NS + 1
    loop.frame()
    assert loop.kinds()[0] is Woken
    assert loop.records[0].gap_ns == PAUSED_NS + 1
    assert not any(isinstance(one, OrderIntended) for one in loop.records)


def test_an_input_after_a_pause_is_preceded_by_the_notice(loop):
    loop.now_ns += 30 * SECOND
    seq, ts_ns, epoch, cause = loop.engine.stamp()
    loop.engine.put(LinkChanged(seq, ts_ns, epoch, cause, "trade", False, "test"))
    assert loop.kinds()[0] is Woken
    assert loop.kinds().count(LinkChanged) == 1
    assert [one.seq for one in loop.records] == sorted({one.seq for one in loop.records})


def test_the_same_pause_is_noticed_once(loop):
    loop.now_ns += 30 * SECOND
    loop.frame()
    loop.engine.beat(30 * SECOND)
    loop.frame()
    assert loop.kinds().count(Woken) == 1


def test_a_sleep_of_the_machine_is_noticed_by_the_beat(loop):
    loop.now_ns += 250 * MS  # this clock stood still meanwhile
    loop.engine.beat(3600 * SECOND)
    assert loop.kinds().count(Woken) == 1
    loop.now_ns += 250 * MS
    loop.engine.beat(0)
    assert loop.kinds().count(Woken) == 1


def test_a_loop_that_beats_is_never_paused(loop):
    for _ in range(100):
        loop.now_ns += 250 * MS
        loop.frame()
        loop.engine.beat(0)
    assert Woken not in loop.kinds()


def test_the_pulse_is_fresh_before_its_first_beat_and_for_three_seconds_after_each():
    now = [10 * SECOND]
    clock: Any = SimpleNamespace(boot_ns=lambda: now[0])
    pulse = Pulse(clock)
    assert pulse.is_fresh
    assert pulse.beat() == 0
    now[0] += PAUSED_NS - 1
    assert pulse.is_fresh
    now[0] += 1
    assert not pulse.is_fresh
    assert pulse.beat() == PAUSED_NS
    assert pulse.is_fresh


def test_the_service_manager_is_told_where_it_asks(monkeypatch, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notify("WATCHDOG=1")
        assert listener.recv(100) == b"WATCHDOG=1"
    notify("WATCHDOG=1")  # nobody listens any more
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("WATCHDOG=1")
