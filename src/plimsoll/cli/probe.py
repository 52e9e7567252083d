"""``venue probe``: how the venue really behaves, row by row, and a recording of all it said."""

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from plimsoll.cli import text
from plimsoll.cli.asking import ask
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.config.project import Project, load_project
from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit.api import BybitClient
from plimsoll.venues.bybit.listing import split_name
from plimsoll.venues.bybit.probe import (
    CHECKS,
    Check,
    Probe,
    Report,
    Row,
    Verdict,
    document_of,
    page_of,
)
from plimsoll.venues.bybit.probe.arrivals import arrivals_of
from plimsoll.venues.bybit.probe.probe import ENVIRONMENTS

RECORDING: Final = "recording.jsonl"
PAGE: Final = "venue-report.md"


def probe(
    project: str,
    env: str,
    *,
    json: bool,
    environment: str,
    instrument: str,
    only: str,
    slow: bool,
    budget: float,
    out: str,
) -> Exit:
    """Run the checks, print the rows, write report and recording.

    Returns:
        DONE, FINDINGS where a row differs, UNHEALTHY where something of ours is left at the venue,
        INTERRUPTED or TERMINATED after a signal, once everything was taken back.

    Raises:
        ConfigError: the project cannot be used.
        Failure: refused for safety, or the venue does not answer.
    """
    checks = _chosen(only, slow=slow)
    found = _project_of(load_project(Path(project), env), environment)
    names = [name.strip() for name in instrument.split(",") if name.strip()]
    directory = _directory(found, out)
    run = _Run(found, names, checks, Decimal(str(budget)), directory)
    code = run.run()
    if json:
        print_json(document_of(run.report) | {"files": run.files})
    else:
        print(_page(run.report, run.files))
    return code


def _chosen(only: str, *, slow: bool) -> list[Check]:
    """Return the checks meant.

    Raises:
        Failure: a name nobody knows.
    """
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = {check.name for check in CHECKS}
    for name in names:
        if name not in known:
            hint = f"the names are: {', '.join(sorted(known))}"
            raise Failure(Exit.USAGE, "usage", f"there is no check {name!r}", hint)
    if names:
        return [check for check in CHECKS if check.name in names]
    return [check for check in CHECKS if slow or not check.is_slow]


def _project_of(project: Project, environment: str) -> Project:
    """Return the project where it is one of this environment.

    The environment is said twice, here and in the configuration, so that no slip of either leads
    to where money is real.

    Raises:
        Failure: it is said in two ways, or is none for a probe.
    """
    configured = project.settings.venue.environment
    if "mainnet" in (environment, configured):
        message = "a probe never runs on mainnet, and never with a key of it"
        hint = "give a project of demo or testnet, or a config/NAME.toml of it with --env NAME"
        raise Failure(Exit.REFUSED, "mainnet", message, hint)
    if environment not in ENVIRONMENTS:
        words = ", ".join(ENVIRONMENTS)
        message = f"expected --environment to be one of {words}, found {environment!r}"
        raise Failure(
            Exit.USAGE, "usage", message, "it is said twice: here and in venue.environment"
        )
    if environment != configured:
        message = f"--environment says {environment}, venue.environment says {configured}"
        hint = "choose the configuration of the environment with --env NAME"
        raise Failure(Exit.CONFIGURATION, "environment", message, hint)
    return project


def _directory(project: Project, out: str) -> Path:
    at = datetime.fromtimestamp(EngineClock().now_ns() / 1e9, UTC).strftime("%Y%m%d-%H%M%S")
    path = Path(out).expanduser() if out else project.root / "var/probe" / at
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{path} cannot be made: {error.strerror}"
        raise Failure(Exit.CONFIGURATION, "out", message, "choose another --out") from error
    return path


class _Run:
    """One run, its files and its ends."""

    def __init__(
        self,
        project: Project,
        names: Sequence[str],
        checks: Sequence[Check],
        budget: Decimal,
        directory: Path,
    ) -> None:
        self._project = project
        self._names = names
        self._checks = checks
        self._budget = budget
        self._directory = directory
        self._signal = 0
        self.report = Report(
            environment="", instruments=(), started_ms=0, program=""
        )  # replaced before anything is sent
        self.files: list[str] = []

    def run(self) -> Exit:
        ask(self._project, self._work)
        if self._signal:
            return Exit.TERMINATED if self._signal == signal.SIGTERM else Exit.INTERRUPTED
        if self.report.left:
            return Exit.UNHEALTHY
        return Exit.FINDINGS if self.report.count(Verdict.DIFFERENT) else Exit.DONE

    async def _work(self, client: BybitClient) -> None:
        for name in self._names:
            split_name(name)
        path = self._directory / RECORDING
        with path.open("w", encoding="utf-8") as out:
            one = Probe(
                client.rest.settings,
                EngineClock(),
                self._project.settings.venue.environment,
                self._names,
                budget=self._budget,
                out=out,
                on_row=_tell,
            )
            self.report = one.report
            task = asyncio.ensure_future(one.run(self._checks))
            with self._signals(task), suppress(asyncio.CancelledError):
                await task
        self._write(path)

    @contextmanager
    def _signals(self, task: "asyncio.Future[Report]") -> Iterator[None]:
        """Let a signal end the checks; what they opened is taken back before the run ends."""
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            if self._signal:
                print("still taking back what was opened", file=sys.stderr)
                return
            self._signal = number
            print("interrupted: taking back what was opened", file=sys.stderr)
            task.cancel()

        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, stop, number)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _write(self, recording: Path) -> None:
        page = self._directory / PAGE
        page.write_text(page_of(self.report), encoding="utf-8")
        self.files = [str(recording), str(page)]
        for name in self._names:
            category, symbol = split_name(name)
            with recording.open(encoding="utf-8") as lines:
                found = "\n".join(arrivals_of(lines, category, symbol))
            if found:
                path = self._directory / f"{category}-{symbol}.arrivals"
                path.write_text(found + "\n", encoding="utf-8")
                self.files.append(str(path))


def _tell(row: Row) -> None:
    print(f"{row.verdict:9} {row.name}", file=sys.stderr, flush=True)


def _page(report: Report, files: Sequence[str]) -> str:
    lines = []
    for verdict in (Verdict.UNKNOWN, Verdict.DIFFERENT):
        rows = [row for row in report.rows if row.verdict is verdict]
        if rows:
            cells = [(row.name, row.expected, row.seen or "-", row.note[:100]) for row in rows]
            titles = (str(verdict), "expected", "seen", "remark")
            lines += [text.table(titles, cells), ""]
    counts = ", ".join(f"{report.count(one)} {one}" for one in Verdict)
    lines.append(f"{counts}; spent {report.spent} of {report.budget} in quote coin")
    lines += [f"left at the venue: {one}" for one in report.left]
    lines += [f"dust, too little to sell: {one}" for one in report.dust]
    return "\n".join([*lines, *(f"written: {path}" for path in files)])
