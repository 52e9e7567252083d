"""Beats as datagrams: heard in order, never waited for, nonsense passed over."""

import asyncio
import socket

from plimsoll.control import BeatListener, BeatSender, Life
from plimsoll.control.beats import BEATS


def test_beats_are_heard_and_nonsense_is_not(tmp_path):
    heard = []

    async def listen():
        both = asyncio.Event()

        def hear(beat):
            heard.append(beat)
            if len(heard) == 2:
                both.set()

        listener = BeatListener(tmp_path, hear)
        sender = BeatSender(tmp_path)
        assert not sender.send(Life.RUNNING), "nobody listens yet"
        listener.start()
        assert (tmp_path / BEATS).stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            for nonsense in (b"", b"{", b"\xff", b'{"life":"unheard-of"}', b"[" * 4000):
                other.sendto(nonsense, str(tmp_path / BEATS))
        assert sender.send(Life.RUNNING, 7, 3, 99, is_ready=True)
        assert sender.send(Life.ENDED, 8, 3)
        async with asyncio.timeout(60):
            await both.wait()
        listener.close()
        assert not sender.send(Life.RUNNING)
        assert not (tmp_path / BEATS).exists()
        sender.close()

    asyncio.run(listen())
    assert [(one.life, one.seq, one.epoch, one.is_ready) for one in heard] == [
        (Life.RUNNING, 7, 3, True),
        (Life.ENDED, 8, 3, False),
    ]


def test_a_listener_that_does_not_read_never_holds_the_sender_up(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / BEATS))
        sender = BeatSender(tmp_path)
        taken = sum(sender.send(Life.RUNNING, number) for number in range(10_000))
        sender.close()
    assert 0 < taken < 10_000
