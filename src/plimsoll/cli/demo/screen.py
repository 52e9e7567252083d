"""What a running demo shows: a screen on a terminal, else a line every ten seconds."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from plimsoll.cli import text
from plimsoll.cli.demo.children import Supervisor
from plimsoll.cli.demo.fills import FillTape
from plimsoll.cli.demo.report import account_equity
from plimsoll.cli.rows import live_totals
from plimsoll.config.project import load_project
from plimsoll.engine.replica import Replica
from plimsoll.journal import JournalError

if TYPE_CHECKING:
    from rich.live import Live

LINE_S: Final = 10.0
FRAME_S: Final = 0.25


class Show(Protocol):
    """Something that shows a running demo for the length of a block."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        ...

    def show(self, elapsed_s: float) -> None:
        """Show the present, if it is time to."""
        ...


def open_screen(root: Path, supervisor: Supervisor, *, headless: bool) -> Show:
    """Return a screen where stderr is a terminal that can have one, else lines."""
    is_plain = not sys.stderr.isatty() or os.environ.get("TERM") == "dumb" or "CI" in os.environ
    return Lines(root) if headless or is_plain else Screen(root, supervisor)


class Lines:
    """A line on stderr every ten seconds."""

    def __init__(self, root: Path) -> None:
        """Follow the logs of a project."""
        self._replica = Replica(load_project(root, environ={}).journal_dir)
        self._due = LINE_S

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the logs."""
        self._replica.close()

    def show(self, elapsed_s: float) -> None:
        """Print a line when ten seconds have gone by."""
        if elapsed_s < self._due:
            return
        self._due += LINE_S
        self._replica.poll()
        core = self._replica.core
        counts = core.counts
        realised, fees, fills = live_totals(core)
        print(
            f"{elapsed_s:5.0f} s  epoch {core.epoch}, {counts.get('sent', 0):,} requests sent, "
            f"{fills:,} fills, {len(core.orders.working)} working; equity "
            f"{text.money(account_equity(core))}, realised {text.money(realised, signed=True)}, "
            f"fees {text.money(fees)}; {counts.get('incident', 0)} incidents",
            file=sys.stderr,
            flush=True,
        )


class Screen:
    """A live screen, four times a second."""

    def __init__(self, root: Path, supervisor: Supervisor) -> None:
        """Follow the logs of a project, market data included."""
        self._root = root
        self._supervisor = supervisor
        folder = load_project(root, environ={}).journal_dir
        self._replica = Replica(folder, market=True)
        self._fills = FillTape(folder)
        self._live: Live | None = None
        self._due = 0.0

    def __enter__(self) -> Self:
        """Take the terminal over."""
        from rich.console import Console
        from rich.live import Live

        # No alternate screen: the last picture stays above the report.
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=False)
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
        self._replica.close()
        self._fills.close()

    def show(self, elapsed_s: float) -> None:
        """Draw the present picture when it is time."""
        from plimsoll.cli.demo.view import Picture, draw

        now = time.monotonic()
        if now < self._due or self._live is None:
            return
        self._due = now + FRAME_S
        try:
            self._replica.poll()
            self._fills.poll(self._replica.core)
        except JournalError:
            return  # the comparison at the end tells it with words
        picture = Picture(
            core=self._replica.core,
            telemetry=self._replica.telemetry,
            fills=self._fills.newest(),
            elapsed_s=elapsed_s,
            restarts=self._supervisor.restarts,
            kills=self._supervisor.kills,
            is_alive=self._supervisor.child.is_alive,
            root=self._root,
        )
        console = self._live.console
        self._live.update(draw(picture, console.width, console.height), refresh=True)
