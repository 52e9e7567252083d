"""`halt` and `resume` against a listening socket, and without one."""

import asyncio
import errno
import json
import os
import threading
from contextlib import contextmanager

import pytest

from plimsoll.cli.exits import Exit
from plimsoll.config import Layout
from plimsoll.control import Answer, ControlServer


@contextmanager
def listening(root, answer, **options):
    """Answer commands of a project on a thread of its own; yield what was asked."""
    run_dir = Layout.of(root).run_dir
    run_dir.mkdir(parents=True)
    asked, ready = [], threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def handle(command):
        asked.append(command)
        return answer(command)

    async def serve():
        server = ControlServer(run_dir / "engine.sock", handle, **options)
        await server.start()
        ready.set()
        await stop.wait()
        await server.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield asked
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def accept(command):
    return Answer(id=command.id, accepted=True, seq=42)


def refuse(command):
    return Answer(id=command.id, accepted=False, reason="not now")


def test_a_halt_reaches_the_engine_with_actor_and_reason(plimsoll, root):
    with listening(root, accept) as asked:
        ran = plimsoll("halt", "--project", root, "--reason", "wrong prices")
    assert ran.code == Exit.DONE
    assert "halted at seq 42" in ran.out
    (command,) = asked
    assert (command.cmd, command.args) == ("halt", {"reason": "wrong prices"})
    assert command.actor


def test_two_halts_have_two_ids(plimsoll, root):
    with listening(root, accept) as asked:
        for _ in range(2):
            plimsoll("halt", "--project", root)
    assert len({command.id for command in asked}) == 2


def test_a_resume_reaches_the_engine(plimsoll, root):
    with listening(root, accept) as asked:
        ran = plimsoll("resume", "--project", root, "--json")
    assert ran.code == Exit.DONE
    assert ran.document["seq"] == 42
    assert asked[0].cmd == "resume"


@pytest.mark.parametrize("word", ["halt", "resume"])
def test_a_refusal_of_the_engine_is_told(plimsoll, root, word):
    with listening(root, refuse):
        ran = plimsoll(word, "--project", root, "--json")
    assert ran.code == Exit.REFUSED
    assert "not now" in ran.error["message"]


def test_without_an_engine_a_halt_is_written_down(plimsoll, root):
    ran = plimsoll("halt", "--project", root, "--reason", "wrong prices")
    assert ran.code == Exit.DONE
    path = Layout.of(root).run_dir / "halt.json"
    found = json.loads(path.read_text())
    assert (found["cmd"], found["reason"]) == ("halt", "wrong prices")
    assert found["actor"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert str(path) in ran.out
    assert list(path.parent.glob("*.tmp")) == []


def test_a_halt_needs_no_valid_configuration(plimsoll, root):
    (root / "plimsoll.toml").write_text("not [toml")
    assert plimsoll("halt", "--project", root).code == Exit.DONE


def test_without_an_engine_a_resume_is_refused(plimsoll, root):
    ran = plimsoll("resume", "--project", root, "--json")
    assert ran.code == Exit.UNREACHABLE
    assert "plimsoll run" in ran.error["hint"]
    assert not (Layout.of(root).run_dir / "halt.json").exists()


def test_a_halt_in_an_environment_that_never_was_is_refused(plimsoll, root):
    for word in ("halt", "resume"):
        ran = plimsoll(word, "--project", root, "--env", "prodution", "--json")
        assert ran.code == Exit.CONFIGURATION
        assert "no such environment" in ran.error["message"]
    assert not Layout.of(root, "prodution").var_dir.exists()


def test_a_halt_reaches_an_environment_whose_file_is_gone(plimsoll, root):
    Layout.of(root, "production").run_dir.mkdir(parents=True)
    assert plimsoll("halt", "--project", root, "--env", "production").code == Exit.DONE


def test_a_reason_too_long_for_the_engine_is_told(plimsoll, root):
    with listening(root, accept) as asked:
        ran = plimsoll("resume", "--project", root, "--reason", "x" * 70_000, "--json")
    assert ran.code == Exit.USAGE
    assert asked == []


def test_a_halt_that_cannot_be_written_is_told_and_leaves_nothing_half_written(
    plimsoll, root, monkeypatch
):
    def full(_fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ran = plimsoll("halt", "--project", root, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert "No space left on device" in ran.error["message"]
    assert list(Layout.of(root).run_dir.iterdir()) == []
