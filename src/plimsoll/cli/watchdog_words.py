"""What the watchdog of a project says of itself; loads nothing that `status` does not need."""

import os
import time
from pathlib import Path
from typing import Final

from plimsoll.control import (
    WATCHDOG_SOCKET,
    Command,
    ControlError,
    ControlUnreachable,
    send_command,
)

_ASK_S: Final = 1.0


def words_of(run_dir: Path) -> str:
    """Return in words what the watchdog of a run directory is about, for ``status``."""
    name = f"state-{os.getpid()}-{time.monotonic_ns()}"
    command = Command(id=name, actor="status", cmd="state")
    try:
        return send_command(run_dir / WATCHDOG_SOCKET, command, _ASK_S).reason
    except ControlUnreachable:
        return "none runs: `plimsoll watchdog` starts one"
    except ControlError:
        return "does not answer"
