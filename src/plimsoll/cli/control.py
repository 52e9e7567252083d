"""``halt`` and ``resume``: commands of a person, by the control socket or a standing request.

Imports little and reads no configuration: a broken plimsoll.toml must not keep anyone from halting.
``cancel`` and ``release``, which look at the log first, are in `intervene`.
"""

import getpass
import json as json_text
import os
import time
from functools import partial
from pathlib import Path
from typing import Final

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
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
_WATCH_S: Final = 5.0
_POLL_S: Final = 0.05


def halt(
    project: str,
    env: str,
    *,
    json: bool,
    reason: str,
    direct: bool,
    all: bool,
    flatten: bool,
    plan: bool,
) -> Exit:
    """Halt the running engine, or leave a request for the next one; ``direct`` does without.

    Raises:
        Failure: the engine refused, or did not answer; an option that goes with ``direct`` only.
    """
    layout = _layout(project, env)
    command = new_command("halt", reason)
    if direct:
        from plimsoll.cli.direct import direct as at_the_venue

        leave = partial(_request, layout, command)
        return at_the_venue(project, env, leave, json=json, all=all, flatten=flatten, plan=plan)
    if all or flatten or plan:
        hint = "plimsoll halt --direct --plan shows what it would do"
        raise Failure(Exit.USAGE, "usage", "--all, --flatten and --plan go with --direct", hint)
    try:
        answer = send(layout, command)
    except ControlUnreachable:
        path = _request(layout, command)
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
    layout = _layout(project, env)
    command = new_command("resume", reason)
    try:
        answer = send(layout, command)
    except ControlUnreachable as error:
        why = "a halt is only ended where it can be seen"
        raise no_engine(layout, why, "resume") from error
    if json:
        print_json({"accepted": True, "seq": answer.seq, "id": command.id})
    else:
        print(f"resumed at seq {answer.seq}: strategies may add risk again")
    return Exit.DONE


def _request(layout: Layout, command: Command) -> Path:
    try:
        return write_request(layout.run_dir, command)
    except OSError as error:
        standing = layout.run_dir / REQUEST
        stands = f"; an earlier request stands in {standing}" if standing.exists() else ""
        raise Failure(
            Exit.CONFIGURATION,
            "not-written",
            f"no engine answers, and the halt cannot be written to {standing}: "
            f"{error.strerror}{stands}",
            "free space or give the right to write there, then halt again before an engine starts",
        ) from error


def write_request(run_dir: Path, command: Command) -> Path:
    """Write a standing request that survives a power cut; return where."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, temporary = run_dir / REQUEST, run_dir / f"{REQUEST}.tmp"
    text = {"id": command.id, "actor": command.actor, "cmd": command.cmd, **command.args}
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(json_text.dumps(text) + "\n")
            file.flush()
            os.fsync(fd)
    except OSError:
        temporary.unlink()
        raise
    temporary.rename(path)
    folder = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


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
    return answer


def no_engine(layout: Layout, why: str, then: str) -> Failure:
    """Return the refusal of what only a running engine can do."""
    return Failure(
        Exit.UNREACHABLE,
        "no-engine",
        f"no engine answers in {layout.run_dir}: {why}",
        f"plimsoll run --project {layout.root}, then {then}",
    )


def _layout(project: str, env: str) -> Layout:
    """Return the layout, but not of an environment that neither was configured nor ever ran.

    A halt in `prodution` would be obeyed by nobody.
    """
    layout = Layout.of(Path(project), env)
    if not layout.var_dir.is_dir():
        layout.must_exist()
    return layout


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
