"""``graduate approve`` and ``graduate move``: a person's decision, its evidence, and the record.

The evidence file is on disk before the engine is asked, so that no stage on record rests on a file
that was never written; where the engine refuses, the file is taken away again.
"""

import getpass
import hashlib
import json as json_text
import shlex
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll import __version__
from plimsoll.cli import text
from plimsoll.cli.arguments import usage
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import given, new_command, no_engine, send, write_durably
from plimsoll.cli.graduating import Judged, document_of, evidence_path, judged_of, mode_command
from plimsoll.cli.output import print_json
from plimsoll.cli.tracking import strategies_of, tracks_of
from plimsoll.config import units
from plimsoll.config.books import Books, load_books
from plimsoll.control import Answer, Command, ControlUnreachable
from plimsoll.core.execution.graduation import (
    DEFAULTS,
    WAIVABLE,
    Standing,
    expected_of,
    refusal_of,
)
from plimsoll.core.model import day_text
from plimsoll.track import Read

SCHEMA: Final = 1
_WHY: Final = "a stage is recorded by the engine"


def approve(
    strategy: str,
    project: str,
    env: str,
    *,
    json: bool,
    reason: str,
    waive: str,
    equity: str,
    plan: bool,
) -> Exit:
    """Approve what a strategy has earned: the next stage or the next step of capital.

    Raises:
        Failure: it is not earned, no engine runs, or it refused.
    """
    waived = _waived(waive)
    stated = _equity(equity)
    if not reason and not plan:
        raise usage("an approval says why", "--reason TEXT")
    books = load_books(Path(project), env)
    found = tracks_of(books)
    strategies_of(found, strategy)
    one = judged_of(found, strategy, books, waived=waived, equity_units=stated)
    _must_be_earned(one)
    content = _evidence(books, found, one, reason, waived, is_stated=stated is not None)
    if plan:
        print(content.decode())
        return Exit.DONE
    digest = hashlib.sha256(content).hexdigest()
    goal, step = one.verdict.goal, one.verdict.step
    assert goal is not None
    assert one.ramp is not None
    command = new_command(
        "stage",
        reason,
        strategy=strategy,
        stage=str(goal),
        step=step,
        capital=one.ramp.steps[step].capital_units,
        expected_ppb=expected_of(one.verdict.summary),
        evidence=digest,
    )
    path = evidence_path(books, strategy, digest)
    _write(path, content)
    answer = _sent(books, command, path)
    standing = Standing(
        goal, step, capital_units=one.ramp.steps[step].capital_units, evidence=digest
    )
    then = mode_command(strategy, standing, one.mode) + _where(project, env)
    if json:
        fields = {"strategy": strategy, "stage": str(goal), "step": step, "evidence": digest}
        files = {"evidence_file": str(path), "next": then}
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, **fields, **files})
    else:
        what = f"{goal} step {step}" if step else str(goal)
        print(f"{strategy} is {what} at seq {answer.seq}; evidence SHA-256 {digest}\n{path}")
        capital = text.exact(standing.capital_units)
        print(f"a stage moves no order; to trade by it, with {capital} USDT at most:\n  {then}")
    return Exit.DONE


def move(strategy: str, stage: str, project: str, env: str, *, json: bool, reason: str) -> Exit:
    """Put a strategy where no evidence is needed: under review, paper, research, retired.

    Raises:
        Failure: the stage does not follow, needs evidence, or no engine runs.
    """
    if not reason:
        raise usage("a decision says why", "--reason TEXT")
    books = load_books(Path(project), env)
    command = new_command("stage", reason, strategy=strategy, stage=stage)
    answer = given(books.layout, command, _WHY)
    if json:
        fields = {"strategy": strategy, "stage": stage}
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, **fields})
    else:
        print(
            f"{strategy} is {stage} at seq {answer.seq}; where money stood behind its stage, its "
            "live book goes to paper now, by its `demotion`: see plimsoll mode show"
        )
    return Exit.DONE


def _where(project: str, env: str) -> str:
    """Return the words that name a project and an environment, where they are not the usual."""
    words = {"--project": project if project != "." else "", "--env": env}
    return "".join(f" {option} {shlex.quote(one)}" for option, one in words.items() if one)


# ---- what stands against it ----


def _waived(words: str) -> frozenset[str]:
    found = frozenset(word.strip() for word in words.split(",") if word.strip())
    unknown = sorted(found - WAIVABLE)
    if unknown:
        raise usage(
            f"{', '.join(unknown)}: a person answers for no figure that is measured here",
            f"--waive takes {', '.join(sorted(WAIVABLE))}",
        )
    return found


def _equity(words: str) -> int | None:
    if not words:
        return None
    try:
        found = units.cash(words)
    except ValueError as error:
        raise usage(
            f"--equity: expected {error}, found {words!r}", '--equity "10_000 USDT"'
        ) from None
    if found <= 0:
        raise usage("--equity: there is nothing to risk", '--equity "10_000 USDT"')
    return found


def _must_be_earned(one: Judged) -> None:
    verdict, name = one.verdict, one.strategy
    against = [*verdict.obstacles, *(ending.text for ending in verdict.endings)]
    if not verdict.is_earned:
        raise Failure(
            Exit.REFUSED,
            "not-earned",
            f"{name} is {verdict.standing.stage}: {'; '.join(against)}",
            f"plimsoll graduate {name} shows every row; at your own risk: plimsoll mode set {name} "
            "live --override",
        )
    if one.ramp is None:
        raise Failure(
            Exit.REFUSED,
            "no-equity",
            "the capital of the ramp is a share of the account's equity, which was never measured",
            '--equity "10_000 USDT" states it; it stands in the evidence',
        )
    goal = verdict.goal
    assert goal is not None
    refusal = refusal_of(verdict.standing, goal, verdict.step, "0" * 64)
    assert not refusal, refusal


# ---- the file ----


def _evidence(
    books: Books, found: Read, one: Judged, reason: str, waived: frozenset[str], *, is_stated: bool
) -> bytes:
    """Return the bytes of the evidence file: enough to work every figure out again."""
    track = one.track
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "version": __version__,
        "account": books.account,
        "log_seq": found.last_seq,
        "environment": books.layout.environment,
        "user": getpass.getuser(),
        "reason": reason,
        "waived": sorted(waived),
        "equity_stated": is_stated,
        "expected_ppb": expected_of(one.verdict.summary),
        "defaults": msgspec.to_builtins(DEFAULTS),
        "days": [{"day": day_text(row.day), **_fields(row)} for row in track.rows],
        **document_of(one),
    }
    return (json_text.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _fields(row: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(row)
    found.pop("day")
    return found


def _write(path: Path, content: bytes) -> None:
    try:
        write_durably(path, content)
    except OSError as error:
        what = f"{path}: cannot be written: {error.strerror or error}"
        raise Failure(Exit.CONFIGURATION, "not-written", what) from error


def _sent(books: Books, command: Command, path: Path) -> Answer:
    """Give the decision to the engine; without its word there is no evidence file either."""
    try:
        return send(books.layout, command)
    except ControlUnreachable as error:
        path.unlink()
        raise no_engine(books.layout, _WHY, "graduate approve") from error
    except Failure as failure:
        if failure.exit_code is not Exit.TIMED_OUT:  # then it may have been recorded
            path.unlink()
        raise
