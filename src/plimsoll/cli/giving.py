"""How a person's command reaches the engine: by its socket, or as a request for the next one.

Imports little and reads no configuration: a broken plimsoll.toml must not keep anyone from halting.
"""

import getpass
import json as json_text
import os
import sys
import time
from pathlib import Path
from typing import Final

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.config.layout import Layout
from plimsoll.control import (
    Answer,
    Command,
    ControlError,
    ControlUnanswered,
    ControlUnreachable,
    send_command,
)

SOCKET: Final = "engine.sock"
REQUEST: Final = "halt.json"


def scope_text(word: str) -> str:
    """Return a scope as records write it: NAME, linear:BTCUSDT, NAME/linear:BTCUSDT, or whole."""
    if word in ("", "account") or word.startswith(("strategy:", "instrument:")):
        return "" if word == "account" else word
    return f"instrument:{word}" if ":" in word and "/" not in word else f"strategy:{word}"


def write_request(run_dir: Path, command: Command) -> Path:
    """Write a standing request that survives a power cut; return where."""
    text = {"id": command.id, "actor": command.actor, "cmd": command.cmd, **command.args}
    path = run_dir / REQUEST
    write_durably(path, f"{json_text.dumps(text)}\n".encode())
    return path


def write_durably(path: Path, content: bytes) -> None:
    """Write a file of the user's alone that is whole or not there, also after a power cut.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink()
        raise
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def new_command(word: str, reason: str, **args: object) -> Command:
    """Return a command of the user of this process, with an id of its own."""
    # Unique by process and time: a repeated id would get the first answer.
    name = f"{word}-{os.getpid()}-{time.monotonic_ns()}"
    told = reason or "no reason given"
    return Command(id=name, actor=getpass.getuser(), cmd=word, args={**args, "reason": told})


def send(layout: Layout, command: Command) -> Answer:
    """Give a command to the engine and return its acceptance.

    Raises:
        ControlUnreachable: no engine listens.
        Failure: it refused, or did not answer.
    """
    try:
        answer = send_command(layout.run_dir / SOCKET, command)
    except ControlUnanswered as error:
        raise Failure(
            Exit.TIMED_OUT,
            "unanswered",
            str(error),
            "plimsoll status shows what came of it, and the process: one that hangs is ended with "
            "kill -9, and a halt is then left for the next",
        ) from error
    except ControlUnreachable:
        raise
    except ControlError as error:
        raise Failure(Exit.USAGE, "usage", str(error), "a shorter --reason") from error
    if not answer.accepted:
        raise Failure(Exit.REFUSED, "refused", f"the engine refused: {answer.reason}")
    if answer.reason:
        print(f"plimsoll: {answer.reason}", file=sys.stderr)
    return answer


def given(layout: Layout, command: Command, why: str) -> Answer:
    """Give a command to the engine that must be running.

    Raises:
        Failure: none runs (``why`` that matters), it refused, or it did not answer.
    """
    try:
        return send(layout, command)
    except ControlUnreachable as error:
        raise no_engine(layout, why, command.cmd) from error


def no_engine(layout: Layout, why: str, then: str) -> Failure:
    """Return the refusal of what only a running engine can do."""
    return Failure(
        Exit.UNREACHABLE,
        "no-engine",
        f"no engine answers in {layout.run_dir}: {why}",
        f"plimsoll run --project {layout.root}, then {then.replace('-', ' ')}",
    )


def layout_of(project: str, env: str) -> Layout:
    """Return the layout, but not of an environment that neither was configured nor ever ran.

    A halt in `prodution` would be obeyed by nobody.
    """
    layout = Layout.of(Path(project), env)
    if not layout.var_dir.is_dir():
        layout.must_exist()
    return layout
