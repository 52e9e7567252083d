"""What a strategy was refused at once is seen from any command line, with the engine dead."""

import logging

import pytest
from tests.properties.driver import PERP, SECOND, Driver, one_strategy, settings_of

from plimsoll.cli.exits import Exit
from plimsoll.config.books import load_books
from plimsoll.core.model import Mode
from plimsoll.core.records import MARKET_INPUTS, RECORD_KIND, AskRefused, encode
from plimsoll.journal import Journal
from plimsoll.observe import Log


@pytest.fixture
def refused(root):
    """Return the log of a session in which a strategy asked wrongly, in the project."""
    driver = Driver(settings_of(one_strategy(Mode.PAPER, name="ema"))).live()
    for _ in range(12):
        driver.do(lambda s: s.target(PERP, qty=1, stop="abc"), "ema")
    driver.do(lambda s: s.buy("linear:XRPUSDT", 1.0), "ema")
    driver.advance(61 * SECOND)
    books = load_books(root)
    journal = Journal.open(books.journal_dir, books.account, 1)
    for record in (one for one in driver.log if type(one) not in MARKET_INPUTS):
        journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    journal.close()
    return driver


@pytest.mark.parametrize("words", [["status"], ["why-not", "ema"]], ids=" ".join)
def test_it_is_told_with_count_reason_and_cure(plimsoll, root, refused, words):
    page = plimsoll(*words, "--project", root).out
    row = next(line for line in page.splitlines() if f"target {PERP}" in line)
    assert row.split()[:5] == ["ema", "target", PERP, "off_step", "12"]
    assert row.endswith(f"stop 'abc' is not a price of {PERP}: give a number above 0")
    found = plimsoll(*words, "--project", root, "--json").document["refused_at_once"]
    assert [(one["ask"], one["code"], one["times"]) for one in found] == [
        ("target", "off_step", 12),
        ("buy", "unknown_instrument", 1),
    ]


def test_nothing_is_said_where_nothing_was(plimsoll, root):
    books = load_books(root)
    driver = Driver(settings_of(one_strategy(name="ema"))).live()
    journal = Journal.open(books.journal_dir, books.account, 1)
    for record in (one for one in driver.log if type(one) not in MARKET_INPUTS):
        journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    journal.close()
    assert "refused at once" not in plimsoll("status", "--project", root).out


def test_why_tells_of_the_newest(plimsoll, root, refused):
    ran = plimsoll("why", "ema", "--project", root)
    assert ran.code == Exit.DONE
    assert "refuses ema target" in ran.out
    assert "12 times so far: off_step" in ran.out


def test_the_engine_says_it_once(refused, caplog):
    log = Log()
    with caplog.at_level(logging.WARNING, "plimsoll.engine"):
        for record in refused.of(AskRefused):
            log.ask_refused(record)
    assert len(refused.of(AskRefused)) == 3
    assert [one.message for one in caplog.records] == ["strategy refused at once"] * 2
