"""``halt``, ``pause``, ``resume``: by the control socket, a halt also as a standing request.

Imports little and reads no configuration: a broken plimsoll.toml must not keep anyone from halting.
What closes positions or places orders is in `acting`, what looks at the log first in `intervene`.
"""

import time
from functools import partial
from pathlib import Path
from typing import Final

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import (
    REQUEST,
    given,
    layout_of,
    new_command,
    scope_text,
    send,
    write_request,
)
from plimsoll.cli.output import print_json
from plimsoll.config.layout import Layout
from plimsoll.control import (
    Command,
    ControlUnreachable,
)

_WATCH_S: Final = 5.0
_FLATTEN_S: Final = 35.0
_POLL_S: Final = 0.05


def halt(
    project: str,
    env: str,
    *,
    json: bool,
    reason: str,
    scope: str,
    direct: bool,
    keep_orders: bool,
    protections_too: bool,
    flatten: bool,
    all: bool,
    plan: bool,
) -> Exit:
    """Halt the running engine, or leave a request for the next one; ``direct`` does without.

    Raises:
        Failure: the engine refused, or did not answer; an option that goes with ``direct`` only.
    """
    layout = layout_of(project, env)
    asked: dict[str, object] = {
        "scope": scope_text(scope),
        "keep_orders": keep_orders,
        "protections_too": protections_too,
        "flatten": flatten,
        "all": all,
    }
    if direct:
        return _direct(layout, asked, project, env, reason, json=json, plan=plan)
    args = {key: value for key, value in asked.items() if value}
    if plan:
        from plimsoll.cli.previewing import plan as show

        return show(layout, "halt", args, json=json)
    command = new_command("halt", reason, **args)
    try:
        answer = send(layout, command)
    except ControlUnreachable:
        _must_be_understood(layout, args)
        path = _request(layout, command)
        if json:
            print_json({"accepted": True, "seq": 0, "request": str(path)})
        else:
            print(
                f"no engine answers. The halt is written to {path}: the next engine obeys it "
                f"before anything else.\nOrders that are at the venue now stay there until then."
            )
        return Exit.DONE
    return halted(layout, command, answer.seq, json=json, flattens=flatten)


def _direct(
    layout: Layout,
    asked: dict[str, object],
    project: str,
    env: str,
    reason: str,
    *,
    json: bool,
    plan: bool,
) -> Exit:
    """Cancel at the venue itself: the whole account, whatever the engine does."""
    from plimsoll.cli.direct import direct as at_the_venue

    narrower = [key for key in ("scope", "keep_orders", "protections_too") if asked[key]]
    if narrower:
        hint = "without --direct the engine carries it out"
        raise Failure(Exit.USAGE, "usage", f"--direct takes no {', '.join(narrower)}", hint)
    leave = partial(_request, layout, new_command("halt", reason))
    reach, close = bool(asked["all"]), bool(asked["flatten"])
    return at_the_venue(project, env, leave, json=json, all=reach, flatten=close, plan=plan)


def halted(layout: Layout, command: Command, seq: int, *, json: bool, flattens: bool) -> Exit:
    """Tell what came of a halt or flatten; 8 where something is not done after all."""
    scope = str(command.args.get("scope", ""))
    outcome = _watch(layout, seq, scope, flattens=flattens)
    if json:
        print_json({"accepted": True, "seq": seq, "id": command.id, "scope": scope, **outcome})
    else:
        where = f" {scope}" if scope else ""
        print(f"halted{where} at seq {seq}. {_words(outcome)}")
    is_done = not outcome.get("working") and outcome.get("confirmed", True)
    is_flat = outcome.get("flatten", "flat") == "flat"
    return Exit.DONE if is_done and is_flat else Exit.TIMED_OUT


def pause(project: str, env: str, *, json: bool, reason: str, scope: str) -> Exit:
    """Let the running engine take no new risk in a scope; nothing is cancelled.

    Raises:
        Failure: no engine runs, it refused, or it did not answer.
    """
    layout = layout_of(project, env)
    command = new_command("pause", reason, scope=scope_text(scope))
    why = "only a running engine can be paused; plimsoll halt leaves a request for the next one"
    answer = given(layout, command, why)
    if json:
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, **command.args})
    else:
        words = scope_text(scope) or "the account"
        print(f"paused {words} at seq {answer.seq}: no new risk, nothing was cancelled")
    return Exit.DONE


def resume(project: str, env: str, *, json: bool, reason: str, scope: str) -> Exit:
    """End the halt and the pause of one scope of the running engine.

    Raises:
        Failure: no engine runs, it refused, or it did not answer.
    """
    layout = layout_of(project, env)
    command = new_command("resume", reason, scope=scope_text(scope))
    answer = given(layout, command, "a halt is only ended where it can be seen")
    if json:
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, **command.args})
    else:
        whom = scope_text(scope) or "strategies"
        print(f"resumed at seq {answer.seq}: {whom} may add risk again")
    return Exit.DONE


def _must_be_understood(layout: Layout, args: dict[str, object]) -> None:
    """Refuse a standing request that the log says no engine could obey as it is meant.

    Raises:
        Failure: the scope names nothing the log knows.
    """
    from plimsoll.cli.watching import newest_journal, watching
    from plimsoll.core.engine.judging import CommandRefused, read_command

    folder = newest_journal(layout)
    if folder is None or not args:
        return
    with watching(folder) as watch:
        try:
            read_command(watch.core.state, "halt", args)
        except CommandRefused as error:
            hint = "plimsoll halt without a scope halts everything"
            raise Failure(Exit.REFUSED, "refused", str(error), hint) from error


def _request(layout: Layout, command: Command) -> Path:
    try:
        return write_request(layout.run_dir, command)
    except OSError as error:
        standing = layout.run_dir / REQUEST
        stands = f"; an earlier request stands in {standing}" if standing.exists() else ""
        raise Failure(
            Exit.CONFIGURATION,
            "not-written",
            f"no engine answers, and the halt cannot be written to {standing}: "
            f"{error.strerror}{stands}",
            "free space or give the right to write there, then halt again before an engine starts",
        ) from error


def _watch(layout: Layout, seq: int, scope: str, *, flattens: bool) -> dict[str, object]:
    """Return what the log shows of a halt, within five seconds, or those a flatten may take."""
    # Here and not above: the halt itself must not wait for this to be imported.
    from plimsoll.cli.watching import HaltWatch
    from plimsoll.core.model import scope_of

    watch = HaltWatch(layout, seq, scope_of(scope), flattens=flattens)
    deadline = time.monotonic() + (_FLATTEN_S if flattens else _WATCH_S)
    while not watch.is_done() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return watch.outcome()


def _words(outcome: dict[str, object]) -> str:
    if outcome.get("working") is None:
        return "The log could not be read; plimsoll status shows what is left."
    told = f"{outcome['canceled']} orders cancelled, "
    if outcome["working"]:
        told += f"{outcome['working']} that can add risk are still working: see plimsoll orders"
    elif not outcome["confirmed"]:
        told += "none that can add risk is known; the venue's lists have not confirmed it yet"
    else:
        told += "none that can add risk is working."
    if "flatten" in outcome:
        told += f"\nflatten: {outcome['flatten']}. {outcome['flatten_text']}".rstrip()
    return told
