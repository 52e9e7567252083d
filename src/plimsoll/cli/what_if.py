"""``replay --with``: what another strategy would have done in a session, beside what was done."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.cli import strategies, text
from plimsoll.cli.arguments import usage
from plimsoll.cli.backtest_options import params_of
from plimsoll.cli.books import damage_told
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.wiring import loader
from plimsoll.config.project import Project
from plimsoll.config.sources import is_file, locate, split
from plimsoll.core.model import Mode, cash_text
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy, parameters_of
from plimsoll.engine.course import Act, Course, Parting
from plimsoll.engine.what_if import SAME_NS, Session, WhatIf, session_of, what_if

_CAVEATS: Final = (
    "paper fills are a model: taken liquidity is gone, resting orders queue behind what was shown",
    "the recorded market is the one in which what was done was done: it does not answer to others",
    f"a request done and one on paper count as the same within {SAME_NS / 1e9:g} s",
    "orders by hand, closes and flattens of the session are not done again",
)


def answer(
    project: Project,
    epoch: int,
    source: str,
    owner: str,
    params: str,
    callback_limit_s: float,
    *,
    json: bool,
) -> Exit:
    """Print what a class would have done in a session.

    Raises:
        ConfigError: the class cannot be used.
        Failure: the session has no instance it could stand for.
    """
    with damage_told(project.books):
        try:
            session = session_of(project.journal_dir, epoch)
        except KeyError:
            what = f"session {epoch} broke off before a strategy was configured"
            raise Failure(Exit.USAGE, "no-session", what, "plimsoll replay lists others") from None
        entry = _instance(session, owner, source)
        changed, notes = _changed(project, entry, source, params)
        found = what_if(
            project.journal_dir,
            session,
            entry.name,
            changed,
            _loader(project, changed, source, params_of(params)),
            round(callback_limit_s * 1e9),
        )
    found = found._replace(notes=(*found.notes, *notes, *_of_live(found)))
    if json:
        print_json({"what_if": _document(found, entry, source)})
    else:
        print(_page(found, entry, source))
    return Exit.DONE


def _instance(session: Session, owner: str, source: str) -> StrategySettings:
    known = session.settings.strategies
    names = ", ".join(one.name for one in known) or "none"
    if owner:
        found = session.instance(owner)
        if found is None:
            raise usage(f"session {session.epoch} had no instance {owner!r}", f"it had: {names}")
        return found
    same = [one for one in known if split(one.source)[1] == split(source)[1]]
    few = known if len(known) == 1 else same
    if len(few) != 1:
        what = f"in whose place? session {session.epoch} had: {names}"
        raise usage(what, "--strategy NAME")
    return few[0]


def _changed(
    project: Project, entry: StrategySettings, source: str, params: str
) -> tuple[StrategySettings, list[str]]:
    """Return the instance with the other code: its parameters go over where that declares them."""
    if not split(source)[0]:
        raise usage(f"expected FILE.py:Class, found {source!r}", "--with strategies/new.py:New")
    kind = strategies.class_of(source, _path(project, source), "--with")
    declared = parameters_of(kind)
    kept = {name: value for name, value in entry.params.items() if name in declared}
    left = [name for name in entry.params if name not in declared]
    notes = [f"{source} has no parameter {name}: it was left out" for name in left]
    changed = msgspec.structs.replace(
        entry, source=source, source_hash="", params=kept | params_of(params)
    )
    return changed, notes


def _path(project: Project, source: str) -> Path:
    place, _ = split(source)
    inside = project.root / place
    if is_file(source) and not inside.is_file() and Path(place).is_file():
        return Path(place).resolve()  # a draft anywhere: nothing is traded with it
    return locate(source, project.root, key="--with")


def _loader(
    project: Project, changed: StrategySettings, source: str, given: Collection[str]
) -> Any:  # noqa: ANN401 - Load
    recorded = loader(project)

    def origin(_instance: str, name: str) -> object:
        return "--params" if name in given else project.root / "plimsoll.toml"

    def load(settings: StrategySettings) -> Strategy:
        if settings.source == source and not settings.source_hash:
            return strategies.load(settings, project.root, origin, path=_path(project, source))
        return recorded(settings)

    load(changed)  # words, here and now
    return load


def _of_live(found: WhatIf) -> tuple[str, ...]:
    if found.mode is Mode.PAPER:
        return ()
    return (
        "on paper an instance starts as soon as its markets are live, and not only once the books "
        "agree with the venue's",
    )


# ---- words ----


def _page(found: WhatIf, entry: StrategySettings, source: str) -> str:
    lines = [
        f"session {found.epoch}, {entry.name} ({found.mode}), {text.moment(found.begun_ns)} to "
        f"{text.moment(found.ended_ns)} UTC",
        f"what was done by {entry.source}, beside what {source} would have done",
        "",
        _parting("what was done", found.done, found.parting, "done"),
        _parting("the same code on paper", found.again, found.by_code, "the same"),
        "",
        text.table(
            ("", f">done, {found.mode}", ">the same code, paper", ">changed, paper"),
            [list(row) for row in zip(_TITLES, *map(_column, _courses(found)), strict=True)],
        ),
        "",
        "done and the same code differ by the paper model, the same code and changed by the code.",
        *(f"  * {one}" for one in (*_CAVEATS, *found.notes)),
    ]
    return "\n".join(lines)


def _parting(beside: str, course: Course, there: Parting | None, name: str) -> str:
    if there is None:
        return f"no difference to {beside}: {len(course.acts):,} requests, each the same"
    rows = [
        f"first difference to {beside}, after {there.place:,} equal requests: "
        f"{text.moment(there.ts_ns)} UTC",
        f"  {name:<8}  {_act(there.one, there.ts_ns)}",
        f"  changed   {_act(there.other, there.ts_ns)}",
    ]
    return "\n".join(rows)


def _act(act: Act | None, ts_ns: int) -> str:
    if act is None:
        return "nothing, to the end"
    if act.ts_ns == ts_ns:
        return act.text
    return f"nothing then; at {text.moment(act.ts_ns)}: {act.text}"


_TITLES: Final = (
    "orders", "amends", "cancels", "denied", "fills", "fees", "profit", "position at the end",
    "stopped",
)  # fmt: skip


def _courses(found: WhatIf) -> tuple[Course, Course, Course]:
    return found.done, found.again, found.changed


def _column(course: Course) -> list[str]:
    profit = course.profit_units
    return [
        *(f"{count:,}" for count in _counts(course)),
        text.money(course.fee_units),
        "not valued" if profit is None else text.money(profit, signed=True),
        ", ".join(f"{qty} {name}" for name, qty in course.positions.items()) or "none",
        course.stopped or "no",
    ]


def _counts(course: Course) -> tuple[int, ...]:
    return course.orders, course.amends, course.cancels, course.denied, course.fills


def _document(found: WhatIf, entry: StrategySettings, source: str) -> dict[str, Any]:
    return {
        "epoch": found.epoch,
        "strategy": entry.name,
        "mode": str(found.mode),
        "source": entry.source,
        "with": source,
        "begun_ns": found.begun_ns,
        "ended_ns": found.ended_ns,
        "first_difference": _differs(found.parting, "done"),
        "first_difference_by_code": _differs(found.by_code, "again"),
        **{
            name: _course(course)
            for name, course in zip(("done", "again", "changed"), _courses(found), strict=True)
        },
        "caveats": [*_CAVEATS, *found.notes],
    }


def _differs(there: Parting | None, name: str) -> dict[str, Any] | None:
    if there is None:
        return None
    sides = {name: _fields(there.one), "changed": _fields(there.other)}
    return {"equal_before": there.place, "ts_ns": there.ts_ns, **sides}


def _fields(act: Act | None) -> dict[str, Any] | None:
    if act is None:
        return None
    fields = {"ts_ns": act.ts_ns, "what": act.what, "instrument": act.instrument}
    return fields | {"text": act.text}


def _course(course: Course) -> dict[str, Any]:
    names = ("orders", "amends", "cancels", "denied", "fills")
    profit = course.profit_units
    return dict(zip(names, _counts(course), strict=True)) | {
        "fees": cash_text(course.fee_units),
        "profit": None if profit is None else cash_text(profit),
        "positions": course.positions,
        "stopped": course.stopped,
    }
