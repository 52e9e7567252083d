"""``executors list`` and ``executors cancel``: what executors do, from the logs, and their end."""

import re
from pathlib import Path
from typing import Any, Final

from plimsoll.cli import text
from plimsoll.cli.arguments import usage
from plimsoll.cli.books import holder_of, replica_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import given, new_command
from plimsoll.cli.output import print_json
from plimsoll.cli.watching import watching
from plimsoll.config.books import load_books
from plimsoll.core.engine import State
from plimsoll.core.engine.underway import UnderWay, executors_of, unreadable
from plimsoll.core.model import Instrument
from plimsoll.core.records import IncidentRaised
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.legs import Hedged

_WATCH_S: Final = 5.0
_WHY: Final = "an executor is worked, and cancelled, by a running engine"
_ID: Final = re.compile(r"(.+)#(\d{1,9})")
_PARTS: Final = 100


def show(project: str, env: str, *, json: bool, instance: str, all: bool) -> Exit:
    """Print the executors under way, with ``all`` also those that have ended.

    Raises:
        Failure: no instance is called so, or the log is damaged.
    """
    books = load_books(Path(project), env)
    with replica_of(books) as replica:
        state, is_running = replica.core.state, holder_of(books) is not None
        _must_run(state, instance)
        found = [
            one
            for one in executors_of(state)
            if instance in ("", one.owner) and (all or not one.run.ended)
        ]
        if json:
            rows = [document(state, one) for one in found]
            known = {"running": is_running, "ts_ns": state.ts_ns, "unreadable": unreadable(state)}
            print_json(known | {"executors": rows})
        else:
            print("\n".join(_lines(state, found, is_running=is_running, has_ended=all)))
    return Exit.DONE


def cancel(name: str, project: str, env: str, *, json: bool, reason: str) -> Exit:
    """End an executor; return 8 where something of it is still in flight after 5 s.

    Raises:
        Failure: there is none, no engine runs, or it refused.
    """
    books = load_books(Path(project), env)
    owner, number = _read(name)
    command = new_command("executors-cancel", reason, strategy=owner, number=number)
    seq = given(books.layout, command, _WHY).seq
    with watching(books.journal_dir, seq) as watch:

        def ended() -> bool:
            one = _find(watch.core.state, owner, number)
            return one is None or bool(one.run.ended) or bool(refusals())

        def refusals() -> list[IncidentRaised]:
            told = watch.of(IncidentRaised, cause=seq)
            return [one for one in told if one.code == "command_refused"]

        is_over = watch.until(seq, ended, _WATCH_S)
        if refusals():
            raise Failure(Exit.REFUSED, "refused", refusals()[0].text)
        state = watch.core.state
        one = _find(state, owner, number)
    if one is None:  # it is forgotten: a hundred others have ended since
        raise Failure(Exit.TIMED_OUT, "unanswered", f"accepted at seq {seq}; see the log")
    if json:
        print_json({"accepted": True, "seq": seq, "command": command.id, **document(state, one)})
    else:
        print("\n".join(_told(state, one, seq)))
    return Exit.DONE if is_over else Exit.TIMED_OUT


def executor_lines(state: State) -> list[str]:
    """Return what is under way in short, for `status`."""
    going = [one for one in executors_of(state) if not one.run.ended]
    told = [
        f"  {one.name} {what}: {done} of {asked} done, {ends}"
        for one in going
        for _, _, what, asked, done, _, _, _, ends, _ in _rows(state, one)[:1]
    ]
    return ["", "executors (`plimsoll executors list` says more)", *told] if told else []


# ---- JSON ----


def document(state: State, one: UnderWay) -> dict[str, Any]:
    """Return everything about an executor; quantities and prices as exact decimal text."""
    run = one.run
    refused = one.refused
    return {
        "id": one.name,
        "instance": one.owner,
        "paper": state.is_paper(one.owner),
        "kind": run.kind,
        "state": "ended" if run.ended else "ending" if run.closes else "working",
        "reason": run.ended or run.closes,
        "begun_ns": run.begun_ns,
        "ends_ns": run.plan.ends_ns or None,
        "legs": [_leg(state, one, leg) for leg in run.legs],
        "refusal": None
        if refused is None
        else {"code": refused.code, "text": refused.text, "ts_ns": refused.at_ns or None},
    }


def _leg(state: State, one: UnderWay, leg: Leg) -> dict[str, Any]:
    listed = state.instruments[leg.instrument]
    return {
        "instrument": leg.instrument,
        "side": _side(leg),
        "qty": listed.qty_text(leg.qty_lots),
        "filled": listed.qty_text(leg.filled_lots),
        "average_price": round(leg.average_ticks * float(listed.tick), 10) or None,
        "working": [order.id for order in one.working if order.label == leg.label],
    }


# ---- words ----


def _lines(state: State, found: list[UnderWay], *, is_running: bool, has_ended: bool) -> list[str]:
    lines = []
    if not is_running:
        lines.append("no engine runs: they go on with the next start, and their time passes")
    lines += [f"the checkpoint of {one} cannot be read here" for one in unreadable(state)]
    if not found:
        return [*lines, "no executors" if has_ended else "no executor is under way; --all shows"
                " those that have ended"]  # fmt: skip
    titles = ("id", "mode", "what", ">asked", ">done", ">", ">price", ">orders", "ends",
              "last refusal")  # fmt: skip
    return [*lines, text.table(titles, [row for one in found for row in _rows(state, one)])]


def _rows(state: State, one: UnderWay) -> list[tuple[str, ...]]:
    """Return a row for each instrument of an executor; the cells of a grid are one."""
    rows: list[tuple[str, ...]] = []
    for name in dict.fromkeys(leg.instrument for leg in one.run.legs):
        legs = [leg for leg in one.run.legs if leg.instrument == name]
        listed, is_first = state.instruments[name], not rows
        asked, done = sum(leg.qty_lots for leg in legs), sum(leg.filled_lots for leg in legs)
        labels = {leg.label for leg in legs}
        rows.append(
            (
                one.name if is_first else "",
                ("paper" if state.is_paper(one.owner) else "live") if is_first else "",
                f"{one.run.kind} {_side(legs[0])} {name}",
                text.qty(listed, asked),
                text.qty(listed, done),
                f"{done * _PARTS // asked} %",
                _price(listed, legs),
                str(sum(order.label in labels for order in one.working)),
                _ends(state, one) if is_first else "",
                _refusal(one) if is_first else "",
            )
        )
    return rows


def _told(state: State, one: UnderWay, seq: int) -> list[str]:
    run = one.run
    parts = []
    for row in _rows(state, one):
        _, _, what, asked, done, _, price, *_ = row
        parts.append(f"{what}: {done} of {asked} done{f' at {price}' if price != '-' else ''}")
    how = f"has ended ({run.ended})" if run.ended else f"is ending ({run.closes}), not over yet"
    lines = [f"{one.name} {how}, cancelled at seq {seq}", *(f"  {part}" for part in parts)]
    if one.working:
        lines.append(f"  still working: {', '.join(order.id for order in one.working)}")
    return lines


def _side(leg: Leg) -> str:
    return "buy" if leg.sign > 0 else "sell"


def _price(listed: Instrument, legs: list[Leg]) -> str:
    """Return the average price of what was traded in the legs' direction, ``-`` before any."""
    lots = sum(leg.forward_lots for leg in legs)
    if not lots:
        return "-"
    worth = sum(leg.average_ticks * leg.forward_lots for leg in legs)
    return f"{worth / lots * float(listed.tick):,.{max(0, -_exponent(listed))}f}"


def _exponent(listed: Instrument) -> int:
    return int(listed.tick.as_tuple().exponent)


def _ends(state: State, one: UnderWay) -> str:
    run = one.run
    if run.ended:
        return f"ended: {run.ended}"
    if run.closes:
        return f"ending: {run.closes}"
    if run.kind == "grid":
        return "when it is cancelled"
    if isinstance(run.plan, Hedged):
        return f"when filled, or apart for {run.plan.within_ns / 1e9:g} s"
    at_ns = run.plan.ends_ns
    if not at_ns:
        return "when filled"
    is_today = at_ns // _DAY_NS == state.ts_ns // _DAY_NS
    at = text.clock(at_ns) if is_today else text.moment(at_ns)[:16]
    return f"by {at} UTC"


_DAY_NS: Final = 86_400_000_000_000


def _refusal(one: UnderWay) -> str:
    refused = one.refused
    if refused is None:
        return "-"
    at = f"{text.clock(refused.at_ns)} " if refused.at_ns else ""
    return f"{at}{refused.code}: {refused.text}"


# ---- inside ----


def _read(name: str) -> tuple[str, int]:
    found = _ID.fullmatch(name)
    if found is None:
        what = f"an executor is named INSTANCE#NUMBER, found {name!r}"
        raise usage(what, "`plimsoll executors list` names them, such as work#3")
    return found[1], int(found[2])


def _find(state: State, owner: str, number: int) -> UnderWay | None:
    wanted = (owner, number)
    return next((one for one in executors_of(state) if (one.owner, one.run.number) == wanted), None)


def _must_run(state: State, instance: str) -> None:
    names = [one.name for one in state.settings.strategies] if state.settings else []
    if instance and instance not in names:
        known = ", ".join(names) or "none"
        raise usage(f"no instance is called {instance!r}; running: {known}", "`plimsoll mode show`")
