"""A replay that differs names the first decision, and shows both sides."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.properties.driver import MS, PERP, SECOND, Driver, one_strategy, settings_of

from plimsoll.core.model import Mode
from plimsoll.core.records import (
    DECISIONS,
    INPUTS,
    MARKET_INPUTS,
    RECORD_KIND,
    AskRefused,
    OperatorCommand,
    PaperOrderIntended,
    encode,
)
from plimsoll.core.strategy import Strategy, param, state
from plimsoll.engine import prove, replay
from plimsoll.engine.guard import PAST_LIMIT_NS, CallbackHung
from plimsoll.journal import Journal

TRADING = frozenset((*INPUTS, *DECISIONS)) - frozenset(MARKET_INPUTS)
OLD, NEW = "0" * 64, "1" * 64


class Buyer(Strategy):
    """Buys at every second book."""

    every: int = param(2, ge=1, hot=True)
    books = state(0)

    def on_book(self, market):
        self.books += 1
        if self.books % self.every == 0:
            self.buy(PERP, "0.010", "49000")


class Dearer(Buyer):
    """Its next code."""

    def on_start(self):
        self.buy(PERP, "0.010", "49001")


def load(one):
    return {OLD: Buyer, NEW: Dearer}[one.source_hash]()


@pytest.fixture
def session():
    settings = settings_of(one_strategy(Mode.PAPER, source_hash=OLD))
    driver = Driver(settings, load=load).live(PERP)
    for number in range(20):
        driver.now_ns += 50 * MS
        driver.book(PERP, 50_000 + number % 3)
    for number, (cmd, args) in enumerate([
        ("strategy-set", {"strategy": "s", "params": {"every": 3}}),
        ("strategy-reload", {"strategy": "s", "sha256": NEW, "orders": "cancel"}),
    ]):  # fmt: skip
        text = msgspec.json.encode(args).decode()
        driver.put(OperatorCommand, f"c{number}", "anna", cmd, text)
        driver.book()
        driver.advance(SECOND // 10)
    return driver


@pytest.fixture
def proved(tmp_path, monkeypatch):
    """Write a log, as it was or as somebody changed it, and replay it."""

    def prove_log(log, using=load, limit_ns=PAST_LIMIT_NS):
        journal = Journal.open(tmp_path / str(id(log)), "main", 1)
        for record in log:
            write = journal.trading if type(record) in TRADING else journal.market
            write(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        journal.close()
        by_seq = {record.seq: record for record in log}  # market data is kept as raw frames
        reader: Any = SimpleNamespace(record=lambda entry: by_seq[entry.seq])
        monkeypatch.setattr(replay, "EntryReader", lambda: reader)
        return prove(tmp_path / str(id(log)), 1, using, limit_ns)

    return prove_log


def test_a_session_with_changes_is_identical(session, proved):
    report = proved(session.log)
    assert report.identical, report.first_difference
    assert report.difference is None
    assert report.decisions > 30


def test_a_tampered_decision_is_named_with_both_sides(session, proved):
    log = list(session.log)
    orders = [place for place, one in enumerate(log) if type(one) is PaperOrderIntended]
    place = orders[3]
    right = log[place]
    log[place] = msgspec.structs.replace(right, price_ticks=480_000, qty_lots=11)
    report = proved(log)
    found = report.difference
    assert not report.identical
    assert (found.seq, found.ts_ns, found.cause) == (right.seq, right.ts_ns, right.cause)
    assert found.fields == ("price_ticks", "qty_lots")
    assert "price_ticks=480000" in found.logged
    assert "price_ticks=490000" in found.replayed
    assert found.logged in report.first_difference
    assert found.replayed in report.first_difference


def test_a_decision_that_is_missing_or_too_many_is_named(session, proved):
    whole = list(session.log)
    last = max(place for place, one in enumerate(whole) if type(one) is PaperOrderIntended)
    first = next(place for place, one in enumerate(whole) if type(one) is PaperOrderIntended)
    without = [*whole[:first], *whole[first + 1 :]]
    found = proved(without).difference
    assert found.seq == whole[first].seq
    assert (found.logged, found.fields) == ("", ())
    assert "PaperOrderIntended" in found.replayed
    strange = msgspec.structs.replace(whole[last], seq=whole[-1].seq + 1)
    found = proved([*whole, strange]).difference
    assert (found.seq, found.replayed) == (strange.seq, "")
    assert "PaperOrderIntended" in found.logged


def test_code_that_is_not_at_hand_is_no_difference_but_the_end_of_the_proof(session, proved):
    def without(one):
        if one.source_hash == NEW:
            raise LookupError("no file has this code")
        return load(one)

    report = proved(session.log, without)
    assert not report.identical
    assert report.difference.missing == "s: no file has this code"
    assert "cannot be proved from here on" in report.first_difference


def test_other_code_under_the_same_name_is_found_out(session, proved):
    report = proved(session.log, lambda one: Dearer())
    assert not report.identical
    assert "490010" in report.difference.replayed


class Wrong(Buyer):
    """Asks wrongly at each book besides."""

    def on_book(self, market):
        self.target(PERP, qty=1, stop="abc")
        super().on_book(market)


def test_what_was_refused_at_once_is_proved_with_all_else(proved):
    settings = settings_of(one_strategy(Mode.PAPER))
    driver = Driver(settings, load=lambda _one: Wrong()).live(PERP)
    for _ in range(200):
        driver.advance(SECOND)
        driver.book()
    assert driver.of(AskRefused)[0].times == 1
    assert len(driver.of(AskRefused)) == 4, "the first, and three checkpoints"
    report = proved(driver.log, lambda _one: Wrong())
    assert report.identical, report.first_difference


class Endless(Buyer):
    """Its mended code: it does not come back."""

    def on_book(self, market):
        super().on_book(market)
        while self.books == 10:
            pass


@pytest.mark.timeout(60)
def test_code_that_does_not_return_ends_the_replay_and_is_named(session, proved):
    with pytest.raises(CallbackHung) as caught:
        proved(session.log, lambda _one: Endless(), 50 * MS)
    assert (caught.value.cut.owner, caught.value.cut.callback) == ("s", "on_book")
    assert caught.value.place.endswith("in on_book")
