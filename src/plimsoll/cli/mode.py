"""``mode show`` and ``mode set``: which of a strategy's instances run.

Reads no configuration: a broken plimsoll.toml must not keep anyone from going to paper.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from plimsoll.cli import text
from plimsoll.cli.arguments import usage
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import given, layout_of, new_command
from plimsoll.cli.mode_words import document, held_words, page, plan_document, plan_page
from plimsoll.cli.output import print_json
from plimsoll.cli.passphrase import typed
from plimsoll.cli.watching import LogWatch, must_have_run, watching
from plimsoll.config import units
from plimsoll.config.layout import Layout
from plimsoll.core.engine import State
from plimsoll.core.execution.modes import POLICIES, Standing
from plimsoll.core.model import LiveStage, Mode
from plimsoll.core.records import FlattenEnded, LiveEnded, ModeSet

_WATCH_S: Final = 5.0
_FLATTEN_S: Final = 35.0
_WHY: Final = "modes are set in the engine; an edit of mode to paper holds from its next start"


def show(project: str, env: str, *, json: bool) -> Exit:
    """Print how every strategy stands, from the logs.

    Raises:
        Failure: no engine ever ran.
    """
    with watching(must_have_run(layout_of(project, env))) as watch:
        if json:
            print_json({"strategies": document(watch.core)})
        else:
            print(page(watch.core))
    return Exit.DONE


def change(
    strategy: str,
    mode: str,
    project: str,
    env: str,
    *,
    json: bool,
    policy: str,
    override: bool,
    capital: str,
    evidence: str,
    reason: str,
    plan: bool,
) -> Exit:
    """Switch a strategy; return 8 where a flatten left something or is not seen to its end.

    Raises:
        Failure: no such strategy, what was asked is refused, no engine runs or answers.
    """
    layout = layout_of(project, env)
    said = {"policy": policy, "override": override, "evidence": evidence}
    args: dict[str, Any] = {"strategy": strategy, "mode": mode}
    args |= {key: value for key, value in said.items() if value}
    if capital:
        args["capital"] = _cash(capital)
    with watching(must_have_run(layout)) as watch:
        found = _standing(watch.core.state, strategy)
        if plan:
            if json:
                print_json(plan_document(watch.core, found, {**args, "reason": reason}))
            else:
                print(plan_page(watch.core, found, {**args, "reason": reason}))
            return Exit.DONE
        if _is_so(found, Mode(mode), policy, is_proof=override or bool(evidence)):
            return _told(watch.core.state, found, 0, "", json=json)
    return _change(layout, args, reason, json=json)


def _change(layout: Layout, args: dict[str, Any], reason: str, *, json: bool) -> Exit:
    # The reason of an override must be a person's: the usual stand-in would pass for one.
    command = new_command("mode", reason, **args)
    command = msgspec.structs.replace(command, args={**command.args, "reason": reason})
    if args.get("override") or args.get("evidence"):
        proof = typed(f"this lets {args['strategy']} trade with money")
        command = msgspec.structs.replace(command, proof=proof)
    seq = given(layout, command, _WHY).seq
    is_flatten = args.get("policy") == "flatten"
    with watching(must_have_run(layout), seq) as watch:
        state, name = watch.core.state, args["strategy"]

        def is_done() -> bool:
            is_set = bool(watch.of(ModeSet, cause=seq))
            return is_set and (not is_flatten or _is_over(watch, name))

        is_seen = watch.until(seq, is_done, _FLATTEN_S if is_flatten else _WATCH_S)
        found = state.modes.standings[name]
        _told(state, found, seq, command.id, json=json)
    is_left = is_flatten and found.stage is not LiveStage.NONE
    return Exit.DONE if is_seen and not is_left else Exit.TIMED_OUT


# ---- inside ----


def _standing(state: State, strategy: str) -> Standing:
    known = [one for one in state.modes.standings if state.modes.configured(one) is not None]
    if strategy not in known:
        names = ", ".join(known) or "none"
        message = f"no strategy is called {strategy!r}"
        raise Failure(Exit.USAGE, "no-strategy", message, f"strategies: {names}")
    return state.modes.standings[strategy]


def _cash(capital: str) -> int:
    try:
        return units.cash(capital)
    except ValueError as error:
        raise usage(f"--capital: expected {error}, found {capital!r}", "") from None


def _is_so(found: Standing, mode: Mode, policy: str, *, is_proof: bool) -> bool:
    """Return whether nothing is left to switch: asked for twice is no mistake."""
    if mode is not found.mode or (is_proof and mode is not Mode.PAPER):
        return False
    if mode is not Mode.PAPER or found.stage in (LiveStage.NONE, LiveStage.HANDED_OVER):
        return True
    return found.stage is POLICIES[policy or "run_off"]


def _is_over(watch: LogWatch, name: str) -> bool:
    ends = [one for one in watch.of(LiveEnded) if one.strategy == name]
    left = [one for one in watch.of(FlattenEnded) if one.outcome != "flat"]
    return bool(ends or left)


def _told(state: State, found: Standing, seq: int, name: str, *, json: bool) -> Exit:
    if json:
        fields = {"strategy": found.strategy, "mode": str(found.mode), "stage": str(found.stage)}
        is_new = {"unproven": found.is_unproven, "changed": bool(seq)}
        print_json({"accepted": True, "seq": seq, "id": name, **fields, **is_new})
        return Exit.DONE
    when = f"at seq {seq}" if seq else "already"
    print("\n".join([f"{found.strategy} is {found.words} {when}", *_more(state, found)]))
    return Exit.DONE


def _more(state: State, found: Standing) -> Iterator[str]:
    """Yield what a person should know of it."""
    if found.is_capped:
        yield f"its live book has at most {text.money(found.cap_units)} at risk"
    if found.stage in (LiveStage.RUN_OFF, LiveStage.FLATTEN):
        yield f"{held_words(state, found)}; its live instance only reduces until that is flat"
    if found.stage is LiveStage.HANDED_OVER:
        yield "what it held is manual: it is yours to close"
