"""A damaged journal: moved aside, begun anew from the venue, halted until a person looked."""

import json
import subprocess
import sys

import pytest
from tests.simulation.live import Sim, wait_for

from plimsoll.cli.demo.project import instruments_of, make
from plimsoll.config.books import load_books
from plimsoll.core.model import FOREIGN
from plimsoll.core.model.ids import epoch_of
from plimsoll.core.records import Halted, OrderIntended, OrderSent, Reconciled, decode
from plimsoll.engine import Replica
from plimsoll.journal import TRADING, scan


@pytest.fixture
def desk(tmp_path):
    root = tmp_path / "desk"
    make(root, instruments_of("linear:BTCUSDT,linear:ETHUSDT,linear:DOGEUSDT"))
    sim = Sim(root / "var/sim", limits="off", speed=2.0)
    yield load_books(root, environ={})
    sim.stop()


def plimsoll(books, *words):
    return subprocess.run(
        [sys.executable, "-m", "plimsoll.cli", *words, "--project", str(books.root)],
        capture_output=True,
        text=True,
        check=False,
    )


def start(books):
    with (books.root / "engine.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "plimsoll.cli", "run", "--project", str(books.root)],
            stdout=log,
            stderr=log,
        )


def records(books, kind):
    if not (books.journal_dir / TRADING).is_dir():
        return []
    found = (decode(entry.payload) for entry in scan(books.journal_dir, TRADING))
    return [record for record in found if isinstance(record, kind)]


def test_a_damaged_journal_is_left_behind_and_trading_begins_again_by_a_person(desk):
    engine = start(desk)
    try:
        wait_for("orders", lambda: len(records(desk, OrderSent)) > 5)
    finally:
        engine.kill()
        engine.wait()
    old = {one.client_order_id for one in records(desk, OrderIntended)}
    segment = min((desk.journal_dir / TRADING).glob("*.seg"))
    content = bytearray(segment.read_bytes())
    content[600] ^= 1
    segment.write_bytes(content)
    refused = plimsoll(desk, "run")
    assert refused.returncode == 7
    assert "rebuild" in refused.stderr
    assert "Traceback" not in refused.stderr

    assert plimsoll(desk, "journal", "rebuild", "--yes").returncode == 0
    engine = start(desk)
    try:
        wait_for("a comparison", lambda: bool(records(desk, Reconciled)))
        assert records(desk, Halted)
        assert records(desk, OrderIntended) == []
        replica = Replica(desk.journal_dir)
        replica.poll()
        assert replica.core.safety.is_halted
        owners = {owner for owner, _ in replica.core.ledger.positions}
        assert owners <= {FOREIGN}
        replica.close()
        assert plimsoll(desk, "resume", "--reason", "looked").returncode == 0
        status = json.loads(plimsoll(desk, "status", "--json").stdout)
        assert not status["halted"]
        for name in status["blocks"]:
            assert plimsoll(desk, "release", name, "--reason", "looked").returncode == 0
        for tripped in status["tripped"]:  # an order of before, under our tag
            assert plimsoll(desk, "breakers", "reset", *tripped.split()).returncode == 0
        for name in status["observed"]:  # what was held when it died
            assert plimsoll(desk, "adopt", name, "--leave", "--reason", "old").returncode == 0
        wait_for("new orders", lambda: len(records(desk, OrderSent)) > 2)
    finally:
        engine.terminate()
        engine.wait(30)
    new = {one.client_order_id for one in records(desk, OrderIntended)}
    assert not new & old
    assert min(map(epoch_of, new)) > max(map(epoch_of, old))
