"""``halt`` and ``resume``: commands of a person, by the control socket or a standing request.

Imports little and reads no configuration: a broken plimsoll.toml must not keep anyone from halting.
"""

import getpass
import json as json_text
import os
import time
from pathlib import Path
from typing import Final

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.config.layout import Layout
from plimsoll.control import Answer, Command, ControlUnanswered, ControlUnreachable, send_command

SOCKET: Final = "engine.sock"
REQUEST: Final = "halt.json"
_WATCH_S: Final = 5.0
_POLL_S: Final = 0.05


def halt(project: str, env: str, *, json: bool, reason: str) -> Exit:
    """Halt the running engine, or leave a request for the next one.

    Raises:
        Failure: the engine refused, or did not answer.
    """
    layout = Layout.of(Path(project), env)
    command = _command("halt", reason)
    try:
        answer = _send(layout, command)
    except ControlUnreachable:
        path = write_request(layout.run_dir, command)
        if json:
            print_json({"accepted": True, "seq": 0, "request": str(path)})
        else:
            print(
                f"no engine answers. The halt is written to {path}: the next engine obeys it "
                f"before anything else.\nOrders that are at the venue now stay there until then."
            )
        return Exit.DONE
    outcome = _watch(layout, answer.seq)
    if json:
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, **outcome})
    else:
        print(f"halted at seq {answer.seq}. {_words(outcome)}")
    return Exit.DONE if not outcome.get("working") else Exit.TIMED_OUT


def resume(project: str, env: str, *, json: bool, reason: str) -> Exit:
    """End the halt of the running engine.

    Raises:
        Failure: no engine runs, it refused, or it did not answer.
    """
    layout = Layout.of(Path(project), env)
    command = _command("resume", reason)
    try:
        answer = _send(layout, command)
    except ControlUnreachable as error:
        raise Failure(
            Exit.UNREACHABLE,
            "no-engine",
            f"no engine answers in {layout.run_dir}: a halt is only ended where it can be seen",
            f"plimsoll run --project {layout.root}, then resume",
        ) from error
    if json:
        print_json({"accepted": True, "seq": answer.seq, "id": command.id})
    else:
        print(f"resumed at seq {answer.seq}: strategies may add risk again")
    return Exit.DONE


def write_request(run_dir: Path, command: Command) -> Path:
    """Write a standing request that survives a power cut; return where."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, temporary = run_dir / REQUEST, run_dir / f"{REQUEST}.tmp"
    text = {"id": command.id, "actor": command.actor, "cmd": command.cmd, **command.args}
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(json_text.dumps(text) + "\n")
        file.flush()
        os.fsync(fd)
    temporary.rename(path)
    folder = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def _command(word: str, reason: str) -> Command:
    # Unique by process and time: a repeated id would get the first answer.
    name = f"{word}-{os.getpid()}-{time.monotonic_ns()}"
    return Command(
        id=name, actor=getpass.getuser(), cmd=word, args={"reason": reason or "no reason given"}
    )


def _send(layout: Layout, command: Command) -> Answer:
    try:
        answer = send_command(layout.run_dir / SOCKET, command)
    except ControlUnanswered as error:
        raise Failure(
            Exit.TIMED_OUT, "unanswered", str(error), "plimsoll status shows what came of it"
        ) from error
    if not answer.accepted:
        raise Failure(Exit.REFUSED, "refused", f"the engine refused: {answer.reason}")
    return answer


def _watch(layout: Layout, seq: int) -> dict[str, object]:
    """Return what the log shows of a halt within five seconds: orders cancelled, still working."""
    # Here and not above: the halt itself must not wait for this to be imported.
    from plimsoll.cli.watching import HaltWatch

    watch = HaltWatch(layout, seq)
    deadline = time.monotonic() + _WATCH_S
    while not watch.is_done() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return watch.outcome()


def _words(outcome: dict[str, object]) -> str:
    if outcome.get("working") is None:
        return "The log could not be read; plimsoll status shows what is left."
    if outcome["working"]:
        return (
            f"{outcome['canceled']} orders cancelled, {outcome['working']} that can add risk are "
            f"still working after {_WATCH_S:.0f} s: see plimsoll orders"
        )
    return f"{outcome['canceled']} orders cancelled, none that can add risk is working."
