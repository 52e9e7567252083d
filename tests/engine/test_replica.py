"""A replica is as new as its last poll, with the engine running, dead or not started."""

from tests.properties.driver import INSTRUMENTS, PERP, T0, Driver

from plimsoll.core.records import (
    DECISIONS,
    FRAME_KIND,
    INPUTS,
    RECORD_KIND,
    InstrumentListed,
    Telemetry,
    encode,
)
from plimsoll.engine.replica import Replica
from plimsoll.journal import Journal

STORED = frozenset((*INPUTS, *DECISIONS))
FRAME = (
    b'{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1,"data":{"s":"BTCUSDT",'
    b'"b":[["100.0","1"]],"a":[["101.0","2"]],"u":7,"seq":1},"cts":1}'
)


def append(journal, records):
    for record in records:
        if type(record) in STORED:
            journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))


def test_a_replica_follows_the_log_as_it_grows(tmp_path):
    driver = Driver().live()
    half = len(driver.log)
    order = driver.open_order()
    driver.execute(order.id, 3, "e1")
    journal = Journal.open(tmp_path, "main", 1)
    replica = Replica(tmp_path)
    assert replica.poll() == 0
    append(journal, driver.log[:half])
    assert replica.poll() > 0
    assert replica.core.orders.find(order.id) is None
    append(journal, driver.log[half:])
    replica.poll()
    assert replica.core.books_hash() == driver.core.books_hash()
    assert replica.core.seq <= driver.core.seq
    assert replica.core.state.news == []
    assert replica.poll() == 0
    journal.close()
    replica.close()


def test_a_replica_of_a_dead_engine_reads_what_it_left(tmp_path):
    driver = Driver().live()
    driver.open_order()
    journal = Journal.open(tmp_path, "main", 1)
    append(journal, driver.log)
    journal.close()
    replica = Replica(tmp_path)
    replica.poll()
    assert replica.core.books_hash() == driver.core.books_hash()
    replica.close()


def test_with_the_market_log_a_replica_has_prices_and_telemetry(tmp_path):
    journal = Journal.open(tmp_path, "main", 1)
    listed = InstrumentListed(1, T0, 1, 0, INSTRUMENTS[PERP])
    journal.trading(1, T0, RECORD_KIND, encode(listed))
    parsers = _linear_link()
    journal.market(2, T0, FRAME_KIND, parsers + FRAME)
    journal.market(3, T0, FRAME_KIND, parsers + b"no json")
    told = Telemetry(4, T0, 1, 0, "engine", {"sent": 3}, {}, {})
    journal.market(4, T0, RECORD_KIND, encode(told))
    blind, seeing = Replica(tmp_path), Replica(tmp_path, market=True)
    blind.poll()
    seeing.poll()
    assert seeing.core.markets[PERP].bid_ticks == 1_000
    assert seeing.telemetry == told
    assert (blind.core.markets[PERP].bid_ticks, blind.telemetry) == (0, None)
    for one in (blind, seeing):
        one.close()
    journal.close()


def _linear_link() -> bytes:
    from plimsoll.venues.bybit.links import parsers_for

    return next(bytes([link]) for link, one in parsers_for().items() if one.category == "linear")
