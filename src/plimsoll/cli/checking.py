"""What only a second look tells of a strategy: does a backtest decide alike, is live like paper.

The backtest of a paper session takes as long as a backtest does: it is run when a person asks for
it (``graduate --check``), session by session, and kept beside the evidence, with what it was of.
The gap to the shadow is read from the logs whenever a candidate is judged.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from plimsoll.cli import text
from plimsoll.cli.agreeing import SessionChecked, compared
from plimsoll.cli.backtest_options import Asked
from plimsoll.cli.books import damage_told, journal_of, wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import write_durably
from plimsoll.cli.measuring import Measurer
from plimsoll.config.books import Books
from plimsoll.config.project import load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.execution.graduation import Outside, Stage
from plimsoll.core.execution.shadow import Model, Shadow, Verdict, bound_of, judged
from plimsoll.journal import MARKET, is_kept
from plimsoll.track import Read, Track
from plimsoll.track.agreement import LEAST, together
from plimsoll.track.sessions import Begun, Session, sessions_of

_UNITS: Final = 10**8
_MS: Final = 1_000_000


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of a session that were not compared, and why."""

    session: int
    orders: int
    reason: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Backtests of the paper sessions of a record, and of what."""

    strategy: str
    since_seq: int
    """When the record began."""
    at_ns: int
    source_hash: str
    params: dict[str, str | int | float | bool | list[str | int | float | bool]]
    sessions: list[SessionChecked]
    left: list[Left]
    recorded: int
    made: int
    alike: int
    share: float | None
    """Of the longer list of each session, all sessions together."""


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
    """Run a strategy over the paper sessions of its record again and keep how far it decides alike.

    One at a time, kept after each; one that was compared to its end is not run again.

    Raises:
        ConfigError: the strategy cannot be used.
        Failure: it has changed since, or not one session has data.
    """
    journal, book = journal_of(books), track.settings.name
    asked = _asked(project, env, journal, track, strategy)
    before, _ = _kept(folder, strategy, track)
    known = {one.session: one for one in before.sessions} if before is not None else {}
    done: list[SessionChecked] = []
    left: list[Left] = []
    with damage_told(books):
        for session in sessions_of(journal, book, track.since_seq):
            kept, why = known.get(session.epoch), ""
            if session.early:
                left.append(Left(session=session.epoch, orders=session.early, reason=_EARLY))
            if session.begun is not None and (kept is None or not kept.is_final):
                new, why = _run(asked, journal, book, session, session.begun)
                kept = new or kept
            if kept is not None:
                done.append(kept)
            rest = session.orders - (kept.recorded if kept is not None else 0)
            if why and rest > 0:
                left.append(Left(session=session.epoch, orders=rest, reason=why))
            later = [one for one in known.values() if one.session > session.epoch]
            _keep(folder, _summed(track, strategy, [*done, *later], left))
    if not done:
        what = "; ".join(f"session {one.session}: {one.reason}" for one in left[-_SHOWN:])
        raise Failure(Exit.CONFIGURATION, "no-data", what or "no session of its record", _HOW)
    return _summed(track, strategy, done, left)


def checked_lines(checked: Checked | None) -> list[str]:
    """Return what was compared, for people."""
    if checked is None:
        return []
    age_h = (wall_ns() - checked.at_ns) / 3.6e12
    names = ", ".join(str(one.session) for one in checked.sessions[-_SHOWN:])
    more = f"{len(checked.sessions)} sessions, the newest " * (len(checked.sessions) > _SHOWN)
    lines = [
        f"  checked    {more or 'session '}{names}; {text.moment(checked.at_ns)} UTC "
        f"({age_h:.1f} h ago): of {checked.recorded} orders on paper and {checked.made} of a "
        f"backtest {checked.alike} alike"
    ]
    if checked.left:
        orders, newest = sum(one.orders for one in checked.left), checked.left[-1]
        lines.append(
            f"             not compared: {orders} orders; session {newest.session}: {newest.reason}"
        )
    return lines


# ---- inside ----

_SHOWN: Final = 5
_EARLY: Final = "before the first checkpoint since its record began"
_HOW: Final = (
    "market data are kept for journal.market_keep_time and journal.market_keep: run --check before "
    "they are dropped, what was compared is kept"
)


def _asked(project: str, env: str, journal: Path, track: Track, strategy: str) -> Asked:
    """Return what is run again, but for its session.

    Raises:
        Failure: the strategy is not the one of its record any more, or trades no paper.
    """
    if not track.is_paper:
        what = f"{strategy} trades live: what is compared with a backtest is its record on paper"
        raise Failure(Exit.REFUSED, "not-paper", what)
    core = core_settings(load_project(Path(project), env))
    now = next((one for one in core.strategies if one.name == strategy), None)
    if now is None or now.source_hash != track.settings.source_hash:
        what = f"{strategy}: its file is not the one of its record any more"
        raise Failure(
            Exit.REFUSED, "changed", what, "put it back, or start a record of the new one"
        )
    return Asked(
        project=project,
        env=env,
        strategy=strategy,
        instruments=",".join(track.settings.instruments),
        data=str(journal),
        params=track.settings.params,  # type: ignore[arg-type]  # a list is as good here
        latency_ms=core.timing.paper_latency_ns // _MS,
        seed=core.seed,
    )


def _run(
    asked: Asked, journal: Path, book: str, session: Session, begun: Begun
) -> tuple[SessionChecked | None, str]:
    """Return a session compared, else why it cannot be."""
    if not is_kept(journal, MARKET, session.epoch, session.first_seq):
        return None, "its market data are not kept any more"
    one = msgspec.structs.replace(
        asked,
        session=(session.epoch, session.first_seq),
        capital=begun.settings.capital / _UNITS,
    )
    try:
        return compared(one, journal, book, session, begun), ""
    except Failure as error:  # of its data alone: the strategy was loaded before
        return None, error.message


def _summed(
    track: Track, strategy: str, sessions: list[SessionChecked], left: list[Left]
) -> Checked:
    found = together([one.agreement for one in sessions])
    return Checked(
        strategy=strategy,
        since_seq=track.since_seq,
        at_ns=wall_ns(),
        source_hash=track.settings.source_hash,
        params=track.settings.params,
        sessions=sessions,
        left=left,
        recorded=found.recorded,
        made=found.made,
        alike=found.alike,
        share=found.share,
    )


def _keep(folder: Path, checked: Checked) -> None:
    path = _path(folder, checked.strategy)
    try:
        write_durably(path, msgspec.json.format(msgspec.json.encode(checked), indent=1) + b"\n")
    except OSError as error:
        what = f"{path}: cannot be written: {error.strerror or error}"
        raise Failure(Exit.CONFIGURATION, "not-written", what) from error


def _kept(folder: Path, strategy: str, track: Track) -> tuple[Checked | None, str]:
    """Return the newest check of this very record, and else why there is none."""
    how = f"`plimsoll graduate {strategy} --check` runs its paper sessions as backtests"
    try:
        found = msgspec.json.decode(_path(folder, strategy).read_bytes(), type=Checked)
    except (OSError, msgspec.MsgspecError):
        return None, f"not checked: {how}"
    settings = track.settings
    about = (found.source_hash, found.params, found.since_seq)
    if about != (settings.source_hash, settings.params, track.since_seq):
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
