"""What only a second look tells of a strategy: does a backtest decide alike, is live like paper.

The backtest of a paper session takes as long as a backtest does: it is run when a person asks for
it (``graduate --check``) and kept beside the evidence, with what it was of. The gap to the shadow
is read from the logs whenever a candidate is judged.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from plimsoll.backtest.recorded import Runner
from plimsoll.backtest.tapes import RecordedPlan, arrivals_of
from plimsoll.cli import text
from plimsoll.cli.backtesting import Asked, data_told, planned
from plimsoll.cli.books import damage_told, journal_of, wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import write_durably
from plimsoll.cli.measuring import Measurer, tell
from plimsoll.config.books import Books
from plimsoll.config.project import load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.execution.graduation import Outside, Stage
from plimsoll.core.execution.shadow import Model, Shadow, Verdict, bound_of, judged
from plimsoll.core.records import RECORD_KIND, PaperOrderIntended, Record
from plimsoll.engine.reading import record_of
from plimsoll.journal import TRADING, newest_epoch, scan
from plimsoll.track import Read, Track
from plimsoll.track.agreement import LEAST, Ask, agreement_of

_UNITS: Final = 10**8
_MS: Final = 1_000_000
_SLACK_NS: Final = 1_000_000_000
"""Beyond the latency: how much later a timer of a busy machine may be."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A backtest of a paper session, and of what."""

    strategy: str
    at_ns: int
    session: int
    first_seq: int
    last_seq: int
    """Of the session's own records that were compared."""
    digest: str
    """SHA-256 over the orders recorded."""
    source_hash: str
    params: dict[str, str | int | float | bool | list[str | int | float | bool]]
    recorded: int
    made: int
    alike: int
    share: float | None


class Looked(NamedTuple):
    """What was found outside of a record, for its screen."""

    outside: Outside
    checked: Checked | None


def looked_at(books: Books, folder: Path, found: Read, track: Track, strategy: str) -> Looked:
    """Return what the screen of a strategy needs beside its record.

    Args:
        books: Of the account.
        folder: Where its evidence is.
        found: All records.
        track: That of the book that counts.
        strategy: Whose.
    """
    checked, missing = _kept(folder, strategy, track)
    state = found.tracks.state
    ratio, why = None, "no live order was sent"
    if state.standing(strategy).stage is Stage.CANDIDATE and not track.is_paper:
        ratio, why = _gap(books, track.settings.name)
    share = checked.share if checked is not None else None
    return Looked(Outside(share, ratio, missing, why), checked)


def check(
    project: str, env: str, books: Books, folder: Path, track: Track, strategy: str
) -> Checked:
    """Run a strategy over its newest paper session again and keep how far it decided alike.

    Raises:
        ConfigError: the strategy cannot be used.
        Failure: it has changed since, or the session has no data.
    """
    journal, book = journal_of(books), track.settings.name
    with damage_told(books):
        session = newest_epoch(journal, TRADING)
        recorded = list(_orders(journal, session, book))
    runner = _made_again(project, env, journal, track, strategy)
    within_ns = runner.plan.latency_ns + _SLACK_NS
    until_ns = runner.now_ns
    asks = [_ask(one) for one in recorded if one.ts_ns <= until_ns]
    agreement = agreement_of(asks, [_ask(one) for one in runner.orders], within_ns)
    found = Checked(
        strategy=strategy,
        at_ns=wall_ns(),
        session=session,
        first_seq=recorded[0].seq if recorded else 0,
        last_seq=recorded[-1].seq if recorded else 0,
        digest=hashlib.sha256(msgspec.json.encode(asks)).hexdigest(),
        source_hash=track.settings.source_hash,
        params=track.settings.params,
        recorded=agreement.recorded,
        made=agreement.made,
        alike=agreement.alike,
        share=agreement.share,
    )
    path = _path(folder, strategy)
    try:
        write_durably(path, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    except OSError as error:
        what = f"{path}: cannot be written: {error.strerror or error}"
        raise Failure(Exit.CONFIGURATION, "not-written", what) from error
    return found


def checked_lines(checked: Checked | None) -> list[str]:
    """Return what was compared, for people."""
    if checked is None:
        return []
    age_h = (wall_ns() - checked.at_ns) / 3.6e12
    return [
        f"  checked    session {checked.session}, seq {checked.first_seq:,} to "
        f"{checked.last_seq:,}, {text.moment(checked.at_ns)} UTC ({age_h:.1f} h ago): of "
        f"{checked.recorded} orders on paper and {checked.made} of a backtest {checked.alike} alike"
    ]


# ---- inside ----


class _Noting(Runner):
    """Keeps the orders that are decided."""

    def __init__(self, plan: RecordedPlan) -> None:
        super().__init__(plan)
        self.orders: list[PaperOrderIntended] = []

    def _follow(self, decisions: Iterable[Record]) -> None:
        super()._follow(self._noted(decisions))

    def _noted(self, decisions: Iterable[Record]) -> Iterator[Record]:
        for decision in decisions:
            yield decision
            if isinstance(decision, PaperOrderIntended):
                self.orders.append(decision)


def _made_again(project: str, env: str, journal: Path, track: Track, strategy: str) -> _Noting:
    core = core_settings(load_project(Path(project), env))
    now = next((one for one in core.strategies if one.name == strategy), None)
    if now is None or now.source_hash != track.settings.source_hash:
        what = f"{strategy}: its file is not the one of its record any more"
        raise Failure(
            Exit.REFUSED, "changed", what, "put it back, or start a record of the new one"
        )
    asked = Asked(
        project=project,
        env=env,
        strategy=strategy,
        instruments=",".join(track.settings.instruments),
        data=str(journal),
        capital=track.capital_units / _UNITS,
        params=track.settings.params,  # type: ignore[arg-type]  # a list is as good here
        latency_ms=core.timing.paper_latency_ns // _MS,
        seed=core.seed,
    )
    plan = planned(asked).plan
    assert isinstance(plan, RecordedPlan)
    runner = _Noting(plan)
    with data_told():
        runner.play(arrivals_of(plan.tapes), tell)
    return runner


def _orders(journal: Path, session: int, book: str) -> Iterator[PaperOrderIntended]:
    for entry in scan(journal, TRADING):
        if entry.kind == RECORD_KIND and entry.epoch == session:
            record = record_of(entry)
            if isinstance(record, PaperOrderIntended) and record.owner == book:
                yield record


def _ask(one: PaperOrderIntended) -> Ask:
    return Ask(one.ts_ns, one.instrument, str(one.side), one.price_ticks, one.qty_lots)


def _kept(folder: Path, strategy: str, track: Track) -> tuple[Checked | None, str]:
    """Return the newest check of this very record, and else why there is none."""
    how = f"`plimsoll graduate {strategy} --check` runs a backtest of its paper session"
    try:
        found = msgspec.json.decode(_path(folder, strategy).read_bytes(), type=Checked)
    except (OSError, msgspec.MsgspecError):
        return None, f"not checked: {how}"
    settings = track.settings
    if (found.source_hash, found.params) != (settings.source_hash, settings.params) or (
        found.last_seq and found.last_seq < track.since_seq
    ):
        return None, f"the check is of an earlier record: {how}"
    if found.share is None:
        return found, f"n too small: {max(found.recorded, found.made)} of {LEAST} orders"
    return found, ""


def _path(folder: Path, strategy: str) -> Path:
    return folder / f"{strategy}-check.json"


def _gap(books: Books, book: str) -> tuple[float | None, str]:
    """Return the gap of a live book over its bound, the worst of its instruments; else why not."""
    with damage_told(books):
        shadow = Measurer(journal_of(books), Shadow(Model())).read().measure
    shadow.settle()
    bound = bound_of(shadow.settings)
    verdicts = [one for one in judged(shadow.cells, bound) if one.owner == book]
    open_ones = [one for one in verdicts if one.verdict is Verdict.OPEN]
    ratios = []
    for one in verdicts:
        for estimate, most in (
            (one.gap.price_bps, bound.price_bps),
            (one.gap.filled, bound.filled),
        ):
            if estimate.low is not None and estimate.high is not None and most:
                ratios.append(max(abs(estimate.low), abs(estimate.high)) / most)
    if any(one.verdict is Verdict.OUTSIDE for one in verdicts):
        return max(ratios), ""
    if open_ones or not ratios:
        reasons = [f"{one.instrument}: {one.reason}" for one in open_ones]
        return None, "; ".join(reasons) or "no live order was compared"
    return max(ratios), ""
