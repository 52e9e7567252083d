"""How modes are told: a table, a plan, and both as JSON."""

from typing import Any

from plimsoll.cli import text
from plimsoll.core.engine import Core, State
from plimsoll.core.engine.judging import CommandRefused, read_command
from plimsoll.core.engine.promoting import is_up, obstacles
from plimsoll.core.engine.reach import engine_stops, holdings, is_closed
from plimsoll.core.execution.modes import POLICIES, RUNNING, Standing
from plimsoll.core.model import LiveStage, Mode, Scope


def page(core: Core) -> str:
    """Return the table of all strategies."""
    rows = [
        (
            one["strategy"],
            one["words"],
            one["live_book"],
            one["holds"] or "-",
            one["paper_book"],
            one["cap"] or "-",
            one["evidence"] or "-",
            _who(one),
        )
        for one in document(core)
    ]
    titles = ("strategy", "mode", "live book", "holds", "paper book", ">cap", "evidence", "set by")
    return text.table(titles, rows)


def document(core: Core) -> list[dict[str, Any]]:
    """Return how every strategy of the configuration stands."""
    modes = core.state.modes
    return [
        {
            "strategy": one.strategy,
            "mode": str(one.mode),
            "stage": str(one.stage),
            "words": one.words,
            "configured": str(one.configured),
            "live_book": modes.live_book(one.strategy) if _has_live(core.state, one) else "-",
            "holds": held_text(core.state, one),
            "paper_book": modes.paper_book(one.strategy) if _has_paper(core.state, one) else "-",
            "policy": one.policy,
            "cap": text.exact(one.cap_units) if one.is_capped else "",
            "unproven": one.is_unproven,
            "evidence": one.evidence,
            "actor": one.actor,
            "reason": one.reason,
            "since_ns": one.since_ns,
            "seq": one.seq,
        }
        for one in modes.standings.values()
        if modes.configured(one.strategy) is not None
    ]


def mode_lines(core: Core) -> list[str]:
    """Return the switches that stand above the configuration, for `status`."""
    told = [
        f"  {one['strategy']} is {one['words']} by {_who(one)}"
        + (f", at most {one['cap']} at risk" if one["cap"] else "")
        + (f"; live book holds {one['holds']}" if one["holds"] else "")
        for one in document(core)
        if one["seq"] or one["stage"] in (LiveStage.RUN_OFF, LiveStage.FLATTEN)
    ]
    return ["", "modes (`plimsoll mode set STRATEGY` changes one)", *told] if told else []


def held_text(state: State, found: Standing) -> str:
    """Return what a strategy's live book holds, empty where it is flat."""
    held = holdings(state, Scope(state.modes.live_book(found.strategy)))
    own = [one for one in held if one.owner == state.modes.live_book(found.strategy)]
    return ", ".join(
        f"{state.instruments[one.instrument].qty_text(one.lots)} {one.instrument}"
        for one in own
        if not is_closed(state, one)
    )


def held_words(state: State, found: Standing) -> str:
    """Return the same as the begin of a sentence."""
    held = held_text(state, found)
    book = state.modes.live_book(found.strategy)
    return f"{book} holds {held}" if held else f"{book} holds nothing, its orders are ending"


def plan_document(core: Core, found: Standing, args: dict[str, Any]) -> dict[str, Any]:
    """Return what a switch would do now, and everything that stands against it."""
    state, book = core.state, core.state.modes.live_book(found.strategy)
    is_down = args["mode"] == Mode.PAPER
    policy = str(args.get("policy") or "run_off") if is_down else ""
    orders = [one for one in state.orders.working.values() if one.owner == book and is_down]
    going = [one.id for one in orders if not one.is_paper and not one.is_protective]
    return {
        "plan": "mode",
        "strategy": found.strategy,
        "from": {"mode": str(found.mode), "stage": str(found.stage)},
        "to": {"mode": args["mode"], "stage": _stage(found, args["mode"], policy)},
        "policy": policy,
        "live_book": book,
        "holds": held_text(state, found),
        "cap": text.exact(_cap(core, found, args)) if _cap(core, found, args) else "",
        "cancels": going,
        "engine_stops": [
            {"instrument": one.instrument, "stop_ticks": one.stop_ticks}
            for one in engine_stops(state, Scope(book))
            if policy == "hand_over"
        ],
        "against": against(state, found, args),
    }


def against(state: State, found: Standing, args: dict[str, Any]) -> list[str]:
    """Return everything that stands against a switch, what the engine would say first."""
    try:
        read_command(state, "mode", args)
    except CommandRefused as refusal:
        first = str(refusal).removeprefix("mode: ")
        more = obstacles(state, found) if args["mode"] != Mode.PAPER and is_up(found) else ()
        return list(dict.fromkeys((first, *more)))
    return []


def plan_page(core: Core, found: Standing, args: dict[str, Any]) -> str:
    """Return the same for people."""
    plan = plan_document(core, found, args)
    lines = [
        f"{found.strategy} is {found.words}. mode set {args['mode']} would now, without anything "
        "being changed:"
    ]
    if args["mode"] == Mode.PAPER:
        holds = plan["holds"] or "nothing"
        lines.append(f"  cancel {len(plan['cancels'])} orders of {plan['live_book']}")
        lines.append(f"  {_DOWN[plan['policy']].format(holds=holds, book=plan['live_book'])}")
        lines.append(f"  send new entries to {core.state.modes.paper_book(found.strategy)}")
        lines += [
            f"  end the engine's own stop on {one['instrument']}" for one in plan["engine_stops"]
        ]
    elif is_up(found):
        lines.append(f"  begin {plan['live_book']} from nothing, with a new strategy object")
        if plan["cap"]:
            mark = ", shown as UNPROVEN" if args.get("override") else ""
            lines.append(f"  with at most {text.money(_cap(core, found, args))} at risk{mark}")
        lines.append("  leave what is on paper on paper")
    elif args.get("evidence"):
        cap = text.money(_cap(core, found, args))
        lines.append(f"  let {plan['live_book']} have at most {cap} at risk from then on")
    else:
        lines.append("  let it run on paper as well, or not any more; the live book is as it was")
    lines += [f"AGAINST IT: {why}" for why in plan["against"]]
    return "\n".join(lines)


_DOWN = {
    "run_off": "let {book}, which holds {holds}, only reduce until it is flat",
    "flatten": "close what {book} holds, {holds}, in slices",
    "hand_over": "give what {book} holds, {holds}, to you: its owner is manual from then on",
}


def _cap(core: Core, found: Standing, args: dict[str, Any]) -> int:
    """Return the most that a live book would have at risk after a switch; 0 = no cap."""
    if args.get("evidence"):
        return core.state.standing(found.strategy).capital_units
    return int(args.get("capital", 0))


def _stage(found: Standing, mode: str, policy: str) -> str:
    if mode != Mode.PAPER:
        return str(LiveStage.LIVE)
    return str(POLICIES.get(policy, found.stage))


def _has_live(state: State, found: Standing) -> bool:
    return found.stage in RUNNING or state.modes.live_book(found.strategy) in (
        state.modes.live_owners
    )


def _has_paper(state: State, found: Standing) -> bool:
    return state.modes.paper_book(found.strategy) in state.paper_owners


def _who(one: dict[str, Any]) -> str:
    reason = f": {one['reason']}" if one["reason"] else ""
    policy = f" ({one['policy']})" if one["policy"] else ""
    return f"{one['actor']}{policy}{reason}"
