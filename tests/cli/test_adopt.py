"""`adopt` and `reconcile --plan` on an account that was not empty, engine alive and dead."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from plimsoll.cli.exits import Exit
from plimsoll.core.records import PositionMoved, decode
from plimsoll.journal import KIND_RECORD, TRADING, scan
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread

NAME = "linear:BTCUSDT"
BUY = {"side": "Buy", "qty": "0.020", "orderType": "Market", "category": "linear"}


@pytest.fixture
def exchange(tmp_path):
    with SimulatorThread(SimSettings(directory=str(tmp_path / "sim"), limits="off")) as one:
        yield one


@contextmanager
def running(root):
    """Run the project's engine as a person would; kill it at the end if it is still there."""
    words = [sys.executable, "-m", "plimsoll.cli", "run", "--project", str(root)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(60)


def until(what, holds, deadline_s=90.0):
    end = time.monotonic() + deadline_s
    while not (found := holds()):
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        time.sleep(0.05)
    return found


def is_up(plimsoll, root):
    """Return the status once the books were compared, None before."""
    ran = plimsoll("status", "--project", root, "--json")
    if not ran.out or ran.err:
        return None
    found = ran.document
    return found if found["state"] == "running" and found["reconciled"] else None


def records_of(root):
    folder = root / "var/development/journal/demo"
    return [decode(one.payload) for one in scan(folder, TRADING) if one.kind == KIND_RECORD]


@pytest.mark.timeout(300)
def test_an_account_that_is_not_empty_from_the_first_start_to_a_plan(plimsoll, project, exchange):
    exchange.start_fault("hand_order", symbol="BTCUSDT", values=BUY)
    where = ("--project", project)
    with running(project) as process:
        found = until("the first comparison", lambda: is_up(plimsoll, project))
        assert found["observed"] == {NAME: "0.020 held before"}
        page = plimsoll("status", *where)
        assert page.code == Exit.UNHEALTHY
        assert f"plimsoll adopt {NAME} --to STRATEGY|manual, or --leave" in page.out
        held = plimsoll("positions", *where, "--json").document
        rows = [(one["strategy"], one["qty"]) for one in held["positions"]]
        assert ("foreign", "0.020") in rows
        assert "adopted" in held["cash"]["USDT"]

        refused = plimsoll("adopt", NAME, "--to", "nobody", *where, "--json")
        assert (refused.code, refused.error["code"]) == (Exit.REFUSED, "refused")
        assert "no live instance" in refused.error["message"]
        ran = plimsoll("adopt", NAME, "--to", "ema", "--qty", "0.015", "--reason", "mine", *where)
        assert ran.code == Exit.DONE, ran.err
        assert "the rest is still observed" in ran.out
        left = plimsoll("adopt", NAME, "--leave", "--reason", "a hedge", *where, "--json")
        assert left.document["observed"] is False
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    moved = [one for one in records_of(project) if isinstance(one, PositionMoved)]
    assert [(one.to_owner, one.qty_lots) for one in moved] == [("ema", 15)]

    exchange.start_fault("hand_order", symbol="BTCUSDT", values=BUY | {"qty": "0.003"})
    seq = plimsoll("status", *where, "--json").document["seq"]
    ran = plimsoll("reconcile", "--plan", *where, "--json")
    assert ran.code == Exit.FINDINGS, ran.err
    steps = ran.document["steps"]
    booked = [one for one in steps if (one["action"], one["subject"]) == ("book", "execution")]
    assert any("3 lots" in one["theirs"] for one in booked)
    assert all(one["because"] and one["evidence"]["source"] for one in steps)
    page = plimsoll("reconcile", "--plan", *where)
    assert "none of them sends an order" in page.out
    assert "execution-by-id" in page.out
    assert plimsoll("status", *where, "--json").document["seq"] == seq, "the log was touched"

    with running(project) as process:
        until("the next session", lambda: is_up(plimsoll, project))
        until("an empty plan", lambda: plimsoll("reconcile", "--plan", *where).code == Exit.DONE)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143


@pytest.mark.parametrize(
    "words",
    [(), ("--to", "ema", "--leave"), ("--leave", "--qty", "1"), ("--leave", "--orders")],
    ids=" ".join,
)
def test_adopt_takes_one_decision(plimsoll, root, words):
    ran = plimsoll("adopt", NAME, *words, "--project", root, "--json")
    assert (ran.code, ran.error["code"]) == (Exit.USAGE, "usage")


def test_a_plan_without_a_log_or_a_venue_says_so(plimsoll, root):
    ran = plimsoll("reconcile", "--plan", "--project", root, "--json")
    assert ran.error["code"] == "no-journal"
