"""A disk full to the last block: cancels and reductions are still journaled (JRN-3, JRN-4)."""

import errno
import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from plimsoll.journal import (
    MARKET,
    TRADING,
    Journal,
    JournalError,
    JournalSettings,
    open_log,
    scan,
    verify,
)
from plimsoll.journal import segment as segment_module

SEGMENT = 65536
SMALL = JournalSettings(
    trading_segment_bytes=SEGMENT,
    market_segment_bytes=SEGMENT,
    warn_free_fraction=0.0,
    warn_free_bytes=0,
    low_free_fraction=0.0,
    low_free_bytes=0,
)

ON_A_FULL_DISK = """
import json, subprocess, sys, time
from pathlib import Path
from plimsoll.journal import Journal, JournalError, JournalSettings, scan, verify

root = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(root)], check=True)
limits = dict(low_free_bytes=0, low_free_fraction=0, warn_free_bytes=0, warn_free_fraction=0)
settings = JournalSettings(trading_segment_bytes=65536, market_segment_bytes=65536, **limits)
journal = Journal.open(root / "journal", "main", 1, settings)
seq = 0
def put(log, size=1000):
    global seq
    seq += 1
    log(seq, seq, 1, bytes(size))
put(journal.trading)
put(journal.market)
while journal._trading._reserve is None:  # it is made beside the order path
    time.sleep(0.01)
was_low = journal.low_space
with (root / "ballast").open("wb", buffering=0) as ballast:
    for size in (4096, 1):
        try:
            while ballast.write(bytes(size)):
                pass
        except OSError:
            pass
written = lost = 0
error = ""
try:
    while written < 1000:
        put(journal.trading)
        written += 1
        put(journal.market)
        time.sleep(0.002)
except JournalError as failed:
    error = str(failed)
low = journal.low_space
try:
    journal.close()
except JournalError:
    pass
kept = sum(1 for _ in scan(root / "journal", "trading"))
whole = verify(root / "journal", "trading").is_whole
(root / "ballast").unlink()
again = Journal.open(root / "journal", "main", 2, settings)
after = again._trading.last_seq
again.trading(again.last_seq + 1, 1, 1, b"there is space")
again.close()
print(json.dumps(dict(was_low=was_low, written=written, error=error, low=low, kept=kept,
    whole=whole, after=after, seq=seq, whole_after=verify(root / "journal", "trading").is_whole)))
"""


def test_on_a_full_file_system_a_whole_reserve_is_still_journaled(tmp_path):
    words = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c"]
    probe = subprocess.run(
        [*words[:4], "mount", "-t", "tmpfs", "none", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    if probe.returncode:
        pytest.skip(f"no file system may be mounted here: {probe.stderr.decode().strip()}")
    ran = subprocess.run(
        [*words, ON_A_FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert not found["was_low"]
    assert found["low"]
    least = 2 * (SEGMENT - 4096) // 1032  # what was open, and the reserve
    assert least - 5 <= found["written"] < 1000
    assert "No space left" in found["error"]
    assert found["kept"] == found["written"] + 1
    assert found["whole"]
    assert found["whole_after"]


def no_space(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fill(log):
    for seq in range(2, 1000):
        log.append(seq, 1, 1, bytes(1000))
        log.force()
        with suppress(OSError):
            log.prepare()


def await_spare(log):
    for _ in range(20):
        log.prepare()


def test_the_reserve_is_taken_where_no_other_segment_can_be_made(tmp_path, monkeypatch):
    log = open_log(tmp_path, TRADING, "main", 1, segment_bytes=SEGMENT, has_reserve=True)
    log.append(1, 1, 1, b"first")
    await_spare(log)
    monkeypatch.setattr(os, "posix_fallocate", no_space)
    with pytest.raises(JournalError, match="No space left"):
        fill(log)
    seq = log.last_seq
    assert seq > 2 * (SEGMENT - 4096) // 1032
    monkeypatch.undo()
    log.close()
    assert [entry.seq for entry in scan(tmp_path, TRADING)] == list(range(1, seq + 1))
    assert verify(tmp_path, TRADING).is_whole
    assert {path.suffix for path in (tmp_path / TRADING).iterdir()} == {".seg", ".chain"}


def test_the_reserve_is_made_again_once_there_is_space(tmp_path, monkeypatch):
    log = open_log(tmp_path, TRADING, "main", 1, segment_bytes=SEGMENT, has_reserve=True)
    log.append(1, 1, 1, b"first")
    await_spare(log)
    monkeypatch.setattr(os, "posix_fallocate", no_space)
    for seq in range(2, 100):
        log.append(seq, 1, 1, bytes(1000))
    assert not (tmp_path / TRADING / "reserve.spare").exists()
    monkeypatch.undo()
    await_spare(log)
    assert (tmp_path / TRADING / "reserve.spare").stat().st_size == SEGMENT
    log.close()


def test_chain_lines_need_no_more_of_the_disk_than_was_taken_ahead(tmp_path, monkeypatch):
    taken = []
    monkeypatch.setattr(segment_module, "reserve", lambda _fd, count: taken.append(count))
    log = open_log(tmp_path, TRADING, "main", 1, segment_bytes=SEGMENT)
    log.close()
    assert taken == [SEGMENT // 4]


def test_no_space_for_a_spare_forbids_new_risk_though_the_disk_looks_free(tmp_path, monkeypatch):
    """A quota shows in no number of the file system."""
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    monkeypatch.setattr(os, "posix_fallocate", no_space)
    for seq in range(1, 50):
        journal.trading(seq, 1, 1, bytes(1000))
    deadline = time.monotonic() + 60
    while not journal.low_space and time.monotonic() < deadline:
        time.sleep(0.01)
    journal._forcer.check_space()
    assert journal.low_space
    monkeypatch.undo()
    while journal.low_space and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not journal.low_space
    journal.close()


def test_a_market_log_that_fails_leaves_the_trading_log_and_forbids_new_risk(tmp_path):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    journal.market(1, 1, 1, b"frame")
    journal._market.failure = OSError(errno.EIO, "Input/output error")
    journal.market(2, 1, 1, b"lost")
    journal.trading(3, 1, 1, b"cancel")
    journal.force()
    assert journal.failure is None
    assert journal.low_space
    assert journal._market.lost == 1
    journal.close()
    assert [entry.seq for entry in scan(tmp_path, TRADING)] == [3]
    assert [entry.seq for entry in scan(tmp_path, MARKET)] == [1]
    Journal.open(tmp_path, "main", 2, SMALL).close()


def chains(directory):
    return len(list((directory / MARKET).glob("*.chain")))


def test_the_oldest_market_segment_goes_where_there_is_no_space(tmp_path, monkeypatch):
    journal = Journal.open(tmp_path, "main", 1, SMALL)
    seq = 0
    for _ in range(300):
        seq += 1
        journal.market(seq, seq, 1, bytes(1000))
    journal.force()
    before = chains(tmp_path)
    monkeypatch.setattr(os, "posix_fallocate", no_space)
    deadline = time.monotonic() + 60
    while chains(tmp_path) >= before and time.monotonic() < deadline:
        seq += 1
        journal.market(seq, seq, 1, bytes(500))
        time.sleep(0.02)
    monkeypatch.undo()
    assert chains(tmp_path) < before
    journal.close()
    kept = [entry.seq for entry in scan(tmp_path, MARKET)]
    assert kept[0] > 1
    assert verify(tmp_path, MARKET).is_whole
