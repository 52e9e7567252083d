import contextlib
import os
import signal
import subprocess
import sys

import pytest

from plimsoll.lease import (
    EpochUnreadable,
    Lease,
    LeaseError,
    LeaseHeld,
    current_holder,
    read_epoch,
    take,
)

HOLDER = """
import sys, time
from pathlib import Path
from plimsoll.lease import LeaseHeld, take
try:
    lease = take(Path(sys.argv[1]), "main", "child")
except LeaseHeld as error:
    print(f"held {error.pid}", flush=True)
    raise SystemExit(3)
print(f"taken {lease.epoch}", flush=True)
time.sleep(60)
"""


def start(directory):
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)], stdout=subprocess.PIPE, text=True
    )


@contextlib.contextmanager
def holder(directory):
    child = start(directory)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_epochs_grow_with_each_lease_and_past_the_floor(tmp_path):
    epochs = []
    for floor in (0, 0, 41, 7):
        lease: Lease = take(tmp_path, "main", "test", floor)
        assert lease.held
        epochs.append(lease.epoch)
        assert read_epoch(tmp_path / "main.epoch") == lease.epoch
        lease.release()
        lease.release()
        assert not lease.held
    assert epochs == [1, 2, 42, 43]


def test_other_process_is_refused_and_told_who_holds(tmp_path):
    with holder(tmp_path) as child:
        assert child.stdout.readline() == "taken 1\n"
        with pytest.raises(LeaseHeld, match=f"child, process {child.pid}") as caught:
            take(tmp_path, "main", "test")
        assert caught.value.pid == child.pid
        found = current_holder(tmp_path, "main")
        assert found is not None
        assert found.pid == child.pid
        take(tmp_path, "other", "test").release()
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert current_holder(tmp_path, "main") is None
        lease = take(tmp_path, "main", "test")
        assert lease.epoch == 2
        found = current_holder(tmp_path, "main")
        assert found is not None
        assert found.name == "test"
        lease.release()
    assert current_holder(tmp_path, "main") is None


def test_two_starters_a_cycle_killed_50_times_give_one_holder_and_growing_epochs(tmp_path):
    epochs = []
    for _ in range(50):
        with holder(tmp_path) as one, holder(tmp_path) as other:
            lines = [child.stdout.readline().split() for child in (one, other)]
            assert sorted(word for word, _ in lines) == ["held", "taken"]
            epochs += [int(number) for word, number in lines if word == "taken"]
    assert epochs == list(range(1, 51))


@pytest.mark.parametrize(
    "content", ["", "7\n", "epoch 7 crc 00000000\n", "epoch 7 crc", "epoch -1 crc 0\n", "\0" * 30]
)
def test_epoch_that_cannot_be_trusted_refuses_the_take_and_frees_the_lock(tmp_path, content):
    take(tmp_path, "main", "test").release()
    path = tmp_path / "main.epoch"
    good = path.read_text()
    path.write_text(content)
    with pytest.raises(EpochUnreadable, match="start again with that number as the floor"):
        take(tmp_path, "main", "test")
    path.write_text(good)
    assert take(tmp_path, "main", "test").epoch == 2


def test_every_flipped_bit_of_the_epoch_is_seen(tmp_path):
    take(tmp_path, "main", "test", 1234).release()
    path = tmp_path / "main.epoch"
    good = path.read_bytes()
    for at in range(len(good)):
        for bit in range(8):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :])
            with pytest.raises(EpochUnreadable):
                read_epoch(path)


def test_epoch_that_cannot_be_stored_refuses_the_take(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(EpochUnreadable, match="No space left on device"):
        take(tmp_path, "main", "test")
    monkeypatch.undo()
    assert take(tmp_path, "main", "test").epoch == 1


def test_account_that_is_no_file_name_is_refused(tmp_path):
    for account in ("", "../main", "a/b", ".hidden"):
        with pytest.raises(LeaseError, match="account"):
            take(tmp_path, account, "test")


def test_forked_child_holds_nothing_and_does_not_keep_the_lock(tmp_path):
    lease = take(tmp_path, "main", "test")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"held" if lease.held else b"free")
        signal.pause()
        os._exit(0)
    try:
        assert os.read(reading, 4) == b"free"
        assert lease.held
        with pytest.raises(LeaseHeld):
            take(tmp_path, "main", "test")
        lease.release()
        assert take(tmp_path, "main", "test").epoch == 2
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def test_started_program_does_not_inherit_the_lock(tmp_path):
    lease = take(tmp_path, "main", "test")
    child = subprocess.Popen(["sleep", "60"], close_fds=False)  # noqa: S607
    try:
        lease.release()
        take(tmp_path, "main", "test").release()
    finally:
        child.kill()
        child.wait()
