"""``journal tail`` and ``journal verify``: the logs themselves."""

import difflib
import json as json_text
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.cli import text
from plimsoll.cli.books import damage_told, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.config.books import load_books
from plimsoll.core.records import Record
from plimsoll.engine.reading import record_of
from plimsoll.journal import KIND_RECORD, MARKET, TRADING, Entry, Follower, Report
from plimsoll.journal import verify as verify_log

_POLL_S: Final = 0.05
_WIDE: Final = 60
"""Characters of a value shown; ``--json`` has them all."""

_TOLD: Final = ("text", "reason", "evidence")
"""Words for people: never cut."""

_HEAD: Final = ("seq", "ts_ns", "epoch", "cause")


def tail(
    project: str,
    env: str,
    *,
    json: bool,
    limit: int,
    follow: bool,
    type: str,
) -> Exit:
    """Print the newest records, one a line; with ``follow`` until Ctrl-C."""
    _must_be_known(type)
    found = load_books(Path(project), env)
    follower = Follower(journal_of(found), (TRADING,))
    with damage_told(found):
        try:
            newest: deque[Record] = deque(maxlen=max(0, limit))
            while batch := follower.poll():
                newest.extend(_wanted(batch, type))
            for record in newest:
                _print(record, as_json=json)
            while follow:
                for record in _wanted(follower.poll(), type):
                    _print(record, as_json=json)
                time.sleep(_POLL_S)
        finally:
            follower.close()
    return Exit.DONE


def verify(project: str, env: str, *, json: bool) -> Exit:
    """Check both logs; return 9 when something is not what was written."""
    found = load_books(Path(project), env)
    folder = journal_of(found)
    reports = [verify_log(folder, log) for log in (TRADING, MARKET)]
    if json:
        print_json({"logs": [_document(report) for report in reports]})
    else:
        print("\n".join(line for report in reports for line in _lines(report)))
    return Exit.DONE if all(report.is_whole for report in reports) else Exit.FINDINGS


def _must_be_known(tag: str) -> None:
    tags = sorted(str(kind.__struct_config__.tag) for kind in Record.__subclasses__())
    if tag in ("", *tags):
        return
    near = difflib.get_close_matches(tag, tags, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(tags)}"
    raise Failure(Exit.USAGE, "usage", f"--type {tag}: no record has this type", hint)


def _wanted(entries: list[Entry], tag: str) -> list[Record]:
    records = [record_of(entry) for entry in entries if entry.kind == KIND_RECORD]
    return [record for record in records if tag in ("", _tag(record))]


def _tag(record: Record) -> str:
    return str(type(record).__struct_config__.tag)


def _print(record: Record, *, as_json: bool) -> None:
    shown: dict[str, Any] = {
        name: msgspec.to_builtins(getattr(record, name)) for name in record.__struct_fields__
    }
    if as_json:
        print(json_text.dumps({"type": _tag(record)} | shown), flush=True)
        return
    rest = " ".join(
        f"{name}={_short(name, value)}" for name, value in shown.items() if name not in _HEAD
    )
    head = f"{record.seq:>9} {text.moment(record.ts_ns)} {record.epoch:>3} <-{record.cause:<9}"
    print(f"{head} {_tag(record):<12} {rest}", flush=True)


def _short(name: str, value: object) -> str:
    words = str(value)
    return words if len(words) <= _WIDE or name in _TOLD else f"{words[: _WIDE - 3]}..."


def _lines(report: Report) -> list[str]:
    state = "whole" if report.is_whole else f"{len(report.damage)} DAMAGED PLACES"
    lines = [
        f"{report.log:<8} {state}: {report.records:,} records in {report.segments} segments, "
        f"seq {report.first_seq:,} to {report.last_seq:,}"
    ]
    lines += [
        f"  {one.file} byte {one.offset}, after seq {one.seq}: {one.what}" for one in report.damage
    ]
    if report.torn_tail is not None:
        lines.append(f"  {report.torn_tail.file}: {report.torn_tail.what}")
    return lines + [f"  {note}" for note in report.notes]


def _document(report: Report) -> dict[str, Any]:
    return {
        "log": report.log,
        "whole": report.is_whole,
        "segments": report.segments,
        "records": report.records,
        "first_seq": report.first_seq,
        "last_seq": report.last_seq,
        "damage": [
            {"file": str(one.file), "offset": one.offset, "seq": one.seq, "what": one.what}
            for one in report.damage
        ],
        "torn_tail": report.torn_tail is not None,
        "notes": report.notes,
    }
