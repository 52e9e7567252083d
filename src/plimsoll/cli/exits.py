"""The exit codes, for scripts: they never change their meaning."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command tells its caller."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    CONFIGURATION = 3
    UNHEALTHY = 4
    CREDENTIALS = 5
    UNREACHABLE = 6
    REFUSED = 7
    TIMED_OUT = 8
    FINDINGS = 9
    ROLLED_BACK = 10
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """Return what it means, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.DONE: "done",
    Exit.UNEXPECTED: "unexpected error (a bug: a report file is written)",
    Exit.USAGE: "the command line is not understood",
    Exit.CONFIGURATION: "the configuration or a given file cannot be used",
    Exit.UNHEALTHY: "a check failed, or what was asked about is not healthy",
    Exit.CREDENTIALS: "a key, secret or permission is missing",
    Exit.UNREACHABLE: "venue, network or engine cannot be reached",
    Exit.REFUSED: "refused for safety",
    Exit.TIMED_OUT: "timed out; what is known is told",
    Exit.FINDINGS: "finished, and differences were found",
    Exit.ROLLED_BACK: "rolled back",
    Exit.INTERRUPTED: "interrupted (Ctrl-C), after a graceful stop",
    Exit.TERMINATED: "terminated (SIGTERM), after a graceful stop",
}
