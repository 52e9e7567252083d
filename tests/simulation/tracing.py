"""``strace`` around an engine: it kills at a system call, makes calls fail, or holds them up."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest


@functools.cache
def why_not() -> str:
    """Return why nothing can be traced here, empty where it can."""
    strace = shutil.which("strace")
    if strace is None:
        if os.environ.get("CI"):
            raise AssertionError("strace is missing: .ci/run installs it")
        return "strace is not installed (Debian package strace)"
    tried = subprocess.run(
        [strace, "-f", "-qq", "-o", os.devnull, strace, "-V"], capture_output=True, text=True
    )
    return f"ptrace is not permitted here: {tried.stderr.strip()}" if tried.returncode else ""


def require_strace() -> None:
    """Skip a test where nothing can be traced."""
    if reason := why_not():
        pytest.skip(reason)


def traced(call: str, what: str, log: Path, *, only: Path | None = None) -> list[str]:
    """Return the words before a command that do something to one of its system calls.

    The command stays the child of whoever starts it; ``strace`` stands beside it (``-D``).

    Args:
        call: Name of the system call.
        what: As ``strace`` has it behind ``inject=``, such as ``signal=SIGKILL:when=3``. Calls are
            counted in each thread.
        log: Where the calls are written, with their times.
        only: Calls on this path only.
    """
    # The quick way of stopping a process at some of its calls does not deliver signals.
    quick = () if "signal=" in what else ("--seccomp-bpf",)
    place = () if only is None else ("-P", str(only))
    words = ("strace", "-D", "-f", *quick, "-qq", "-ttt", "-o", str(log), *place)
    return [*words, "-e", f"trace={call}", "-e", f"inject={call}:{what}"]


def was_injected(log: Path) -> bool:
    """Return whether it came to it."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "INJECTED" in text or "DELAYED" in text or "killed by SIGKILL" in text
