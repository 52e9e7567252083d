import asyncio
import contextlib
import os
import socket
import stat
import threading

import msgspec
import pytest

from plimsoll.control import (
    Answer,
    Command,
    ControlError,
    ControlServer,
    ControlUnanswered,
    ControlUnreachable,
    send_command,
)


class Engine:
    """Counts what it was asked."""

    def __init__(self):
        self.commands = []

    def handle(self, command):
        self.commands.append(command)
        if command.cmd == "fail":
            raise RuntimeError("planned")
        return Answer(id=command.id, accepted=True, seq=len(self.commands))


def serve(path, use, handle=None, **options):
    """Run a server while ``use()`` runs in a thread; return what it returned."""

    async def run():
        server = ControlServer(path, handle or Engine().handle, **options)
        await server.start()
        try:
            return await asyncio.to_thread(use)
        finally:
            await server.close()

    return asyncio.run(run())


def raw(path, content):
    """Send bytes and return everything received until the server closes or answers one line."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(10)
        link.connect(str(path))
        with contextlib.suppress(BrokenPipeError):
            link.sendall(content)
        received = b""
        while not received.endswith(b"\n"):
            try:
                chunk = link.recv(65536)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                break
            received += chunk
        return received


def command(name, cmd="halt", **args):
    return Command(id=name, actor="tester", cmd=cmd, args=args)


def test_command_reaches_the_engine_and_its_answer_comes_back(tmp_path):
    path, engine = tmp_path / "engine.sock", Engine()
    answer = serve(path, lambda: send_command(path, command("c1", scope="all")), engine.handle)
    assert answer == Answer(id="c1", accepted=True, seq=1)
    assert engine.commands == [command("c1", scope="all")]
    assert not path.exists()


def test_repeated_id_gets_the_first_answer_and_is_carried_out_once(tmp_path):
    path, engine = tmp_path / "engine.sock", Engine()

    def use():
        return [send_command(path, command("same")) for _ in range(3)]

    assert serve(path, use, engine.handle) == [Answer(id="same", accepted=True, seq=1)] * 3
    assert len(engine.commands) == 1


def test_what_was_accepted_is_answered_once_it_is_kept_a_repetition_too(tmp_path):
    path, engine = tmp_path / "engine.sock", Engine()
    kept = []

    async def keep(answer):
        await asyncio.sleep(0)
        kept.append(len(engine.commands))
        return msgspec.structs.replace(answer, reason="kept")

    def use():
        return [send_command(path, command("same")) for _ in range(2)]

    answers = serve(path, use, engine.handle, keep=keep)
    assert [one.reason for one in answers] == ["kept", "kept"]
    assert kept == [1, 1]


def test_a_refusal_waits_for_no_disk(tmp_path):
    path = tmp_path / "engine.sock"

    async def keep(answer):
        raise AssertionError("nothing was accepted")

    def refuse(asked):
        return Answer(id=asked.id, accepted=False, reason="no")

    answer = serve(path, lambda: send_command(path, command("c")), refuse, keep=keep)
    assert answer.reason == "no"


def test_id_of_another_command_is_refused(tmp_path):
    path = tmp_path / "engine.sock"

    def use():
        send_command(path, command("same"))
        return send_command(path, command("same", "resume"))

    answer = serve(path, use)
    assert not answer.accepted
    assert "used for another command" in answer.reason


def test_only_the_newest_thousand_answers_are_kept(tmp_path):
    path, engine = tmp_path / "engine.sock", Engine()

    def use():
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(path))
            stream = link.makefile("rwb")
            for number in [*range(1001), 1, 0]:
                stream.write(msgspec.json.encode(command(f"c{number}")) + b"\n")
                stream.flush()
                stream.readline()

    serve(path, use, engine.handle)
    assert [one.id for one in engine.commands[1000:]] == ["c1000", "c0"]


def test_ping_is_answered_without_the_engine(tmp_path):
    path, engine = tmp_path / "engine.sock", Engine()
    assert serve(path, lambda: send_command(path, command("p", "ping")), engine.handle).accepted
    assert engine.commands == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense\n", "one JSON object a line"),
        (b"[]\n", "one JSON object a line"),
        (b"\n", "one JSON object a line"),
        (b"\xff\xfe\n", "one JSON object a line"),
        (b"[" * 60000 + b"\n", "one JSON object a line"),
        (b'{"v":2,"id":"x","actor":"a","cmd":"halt"}\n', "found 2"),
        (b'{"id":"x","actor":"a","cmd":"halt"}\n', "found None"),
        (b'{"v":true,"id":"x","actor":"a","cmd":"halt"}\n', "found True"),
        (b'{"v":1,"id":7,"actor":"a","cmd":"halt"}\n', "Expected `str`, got `int`"),
        (b'{"v":1,"id":"x","actor":"a"}\n', "missing required field `cmd`"),
        (b'{"v":1,"id":"x","actor":"a","cmd":"halt","args":[]}\n', "Expected `object`"),
        (b'{"v":1,"id":"x","actor":"a","cmd":"halt","force":1}\n', "unknown field `force`"),
        (b'{"v":1,"id":"","actor":"a","cmd":"halt"}\n', "1 to 200 characters in id"),
        (b"x" * 70000 + b"\n", "line longer than 65536"),
    ],
)
def test_what_is_no_command_is_refused_with_a_reason(tmp_path, line, reason):
    path, engine = tmp_path / "engine.sock", Engine()
    answer = msgspec.json.decode(serve(path, lambda: raw(path, line), engine.handle), type=Answer)
    assert not answer.accepted
    assert reason in answer.reason
    assert engine.commands == []


def test_engine_that_fails_on_a_command_refuses_it_and_goes_on(tmp_path):
    path, engine, reported = tmp_path / "engine.sock", Engine(), []

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _, told: reported.append(told))
        server = ControlServer(path, engine.handle)
        await server.start()
        failed = await asyncio.to_thread(send_command, path, command("f", "fail"))
        again = await asyncio.to_thread(send_command, path, command("f", "fail"))
        good = await asyncio.to_thread(send_command, path, command("g"))
        await server.close()
        return failed, again, good

    failed, again, good = asyncio.run(run())
    assert not failed.accepted
    assert "Traceback" not in failed.reason
    assert again == failed
    assert good.accepted
    assert [str(one["exception"]) for one in reported] == ["planned"]


def test_socket_is_private_and_other_users_are_dropped(tmp_path):
    path = tmp_path / "engine.sock"
    assert serve(path, lambda: stat.S_IMODE(path.stat().st_mode)) == 0o600
    assert serve(path, lambda: raw(path, b"{}\n"), uid=os.geteuid() + 1) == b""
    with pytest.raises(ControlUnanswered):
        serve(path, lambda: send_command(path, command("c")), uid=os.geteuid() + 1)


def test_silent_client_is_dropped(tmp_path):
    path = tmp_path / "engine.sock"
    assert serve(path, lambda: raw(path, b'{"v":1'), patience_s=0.05) == b""


def test_paths_longer_than_a_socket_address_work(tmp_path):
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    folder.mkdir(parents=True)
    path = folder / "engine.sock"
    assert len(str(path)) > 200
    assert serve(path, lambda: send_command(path, command("c"))).accepted
    with pytest.raises(ControlUnreachable):
        send_command(path, command("c"))


def test_stale_socket_is_replaced_and_a_live_one_or_a_file_refused(tmp_path):
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert serve(path, lambda: send_command(path, command("c"))).accepted

    def start_second():
        with pytest.raises(ControlError, match="another process listens"):
            serve(path, lambda: None)
        return send_command(path, command("c"))

    assert serve(path, start_second).accepted
    path.write_text("not a socket")
    with pytest.raises(ControlError, match="is no socket"):
        serve(path, lambda: None)
    assert path.read_text() == "not a socket"


def test_nobody_listening_is_told_apart_from_no_answer(tmp_path):
    path = tmp_path / "engine.sock"
    for missing in (path, tmp_path / "nowhere" / "engine.sock"):
        with pytest.raises(ControlUnreachable, match="Is the engine running"):
            send_command(missing, command("c"))
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        with pytest.raises(ControlUnanswered, match="may have been accepted"):
            send_command(path, command("c"), timeout=0.05)


def test_clients_at_once_are_all_answered(tmp_path):
    path, engine, answers = tmp_path / "engine.sock", Engine(), []

    def use():
        def one(number):
            answers.append(send_command(path, command(f"c{number}")))

        threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    serve(path, use, engine.handle)
    assert sorted(answer.seq for answer in answers) == list(range(1, 21))


def test_a_proof_is_vetted_in_its_own_time_and_seen_by_nobody_else(tmp_path):
    path, engine, seen = tmp_path / "engine.sock", Engine(), []

    async def vet(given):
        seen.append(given.proof)
        await asyncio.sleep(0)
        return "" if given.proof == "right" else "it is wrong"

    def use():
        proved = msgspec.structs.replace(command("c1"), proof="right")
        answers = [send_command(path, proved), send_command(path, proved)]
        wrong = send_command(path, msgspec.structs.replace(command("c2"), proof="wrong"))
        return [*answers, wrong]

    first, again, wrong = serve(path, use, engine.handle, vet=vet)
    assert (first.seq, again.seq) == (1, 1)
    assert (wrong.accepted, wrong.reason) == (False, "it is wrong")
    assert seen == ["right", "right", "wrong"]
    assert [one.proof for one in engine.commands] == [""]


def test_a_repeated_id_without_its_proof_gets_no_answer_of_the_first(tmp_path):
    path, engine = tmp_path / "engine.sock", Engine()

    async def vet(_given):
        return ""

    def use():
        send_command(path, msgspec.structs.replace(command("c1"), proof="right"))
        return send_command(path, command("c1"))

    assert not serve(path, use, engine.handle, vet=vet).accepted


def test_a_proof_nobody_can_vet_is_refused(tmp_path):
    path, engine = tmp_path / "engine.sock", Engine()
    proved = msgspec.structs.replace(command("c1"), proof="right")
    answer = serve(path, lambda: send_command(path, proved), engine.handle)
    assert not answer.accepted
    assert engine.commands == []


def test_what_a_command_needs_is_done_first_and_may_refuse_it(tmp_path):
    engine, prepared = Engine(), []

    async def prepare(command):
        prepared.append(command.id)
        await asyncio.sleep(0)
        return "broken" if command.cmd == "bad" else ""

    def use():
        path = tmp_path / "s"
        good, bad = (Command(id=cmd, actor="a", cmd=cmd) for cmd in ("good", "bad"))
        return [send_command(path, one) for one in (good, bad, good, bad)]

    answers = serve(tmp_path / "s", use, engine.handle, prepare=prepare)
    assert [one.accepted for one in answers] == [True, False, True, False]
    assert answers[1].reason == "broken"
    assert [one.id for one in engine.commands] == ["good"]
    assert prepared == ["good", "bad", "bad"], "what was answered is not prepared again"


def test_the_same_command_twice_at_once_is_carried_out_once(tmp_path):
    engine = Engine()

    async def prepare(_command):
        await asyncio.sleep(0.05)
        return ""

    def use():
        found = []
        command = Command(id="one", actor="a", cmd="x")

        def send():
            found.append(send_command(tmp_path / "s", command))

        threads = [threading.Thread(target=send) for _ in range(5)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return found

    answers = serve(tmp_path / "s", use, engine.handle, prepare=prepare)
    assert [one.seq for one in answers] == [1] * 5
    assert len(engine.commands) == 1
