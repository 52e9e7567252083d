"""``status``: what an account is doing, from its logs alone."""

import shutil
from pathlib import Path
from typing import Any

from plimsoll.auditor import Verdict
from plimsoll.cli import auditor, text
from plimsoll.cli.books import holder_of, replica_of, wall_ns
from plimsoll.cli.changed import changed_document, changed_lines
from plimsoll.cli.executors import executor_lines
from plimsoll.cli.exits import Exit
from plimsoll.cli.mode_words import document as modes_of
from plimsoll.cli.mode_words import mode_lines
from plimsoll.cli.output import print_json
from plimsoll.cli.refused import refused_document, refused_lines
from plimsoll.cli.rows import (
    live_totals,
    position_rows,
    stopped_strategies,
    strategy_rows,
    waiting_lines,
)
from plimsoll.cli.watchdog_words import words_of
from plimsoll.config.books import Books, load_books
from plimsoll.core.engine import Core
from plimsoll.core.engine.underway import executors_of
from plimsoll.core.model import ACCOUNT, Scope, scope_of
from plimsoll.core.risk import Halt, Pause
from plimsoll.journal import MARKET, TRADING, usage
from plimsoll.lease import Holder

ALLOWED = "trading allowed"
"""What `safety_words` says when nothing stands against new risk."""

SILENT_NS = 5_000_000_000
"""A running engine measures its equity every second; one that is silent for so long hangs."""

_SHOWN_INCIDENTS = 5


def status(project: str, env: str, *, json: bool) -> Exit:
    """Print the state of an account; see `health` for the exit code."""
    found = load_books(Path(project), env)
    with replica_of(found) as replica:
        core, holder = replica.core, holder_of(found)
        state, verdict = engine_state(core, holder), auditor.verdict_of(found)
        if json:
            audit = {
                "auditor": auditor.document(verdict) if verdict else None,
                "logs": {log: usage(found.journal_dir, log)._asdict() for log in (TRADING, MARKET)},
            }
            print_json(_document(found, core, holder, state) | audit)
        else:
            print(_page(found, core, holder, state, verdict))
        has_finding = verdict is not None and verdict.finding is not None
        return Exit.UNHEALTHY if has_finding else health(core, state)


def engine_state(core: Core, holder: Holder | None) -> str:
    """Return ``running``, ``silent`` (it lives and writes nothing), ``stopped`` or ``died``."""
    if holder is not None:
        return "running" if wall_ns() - core.ts_ns < SILENT_NS or core.ts_ns == 0 else "silent"
    return "stopped" if core.is_ended else "died"


def health(core: Core, state: str) -> Exit:
    """Return 4 where the engine died, is halted, or runs and may not do all it is there for."""
    safety = core.safety
    is_stood = bool(safety.halts or safety.pauses or safety.blocks or core.state.flattens)
    is_stood = is_stood or bool(safety.observed or safety.wallet_doubt)
    is_bad = state in ("died", "silent") or is_stood or bool(core.state.trips.active)
    if state == "running" and not safety.is_stopping:
        is_ready = safety.is_reconciled and all(safety.links.values())
        is_bad = is_bad or not is_ready or bool(stopped_strategies(core) or core.state.doubts)
    return Exit.UNHEALTHY if is_bad else Exit.DONE


def safety_words(core: Core) -> str:
    """Return whether new risk is allowed, and what forbids it."""
    safety = core.safety
    if safety.is_halted:
        return f"HALTED by {safety.halt_actor}: {safety.halt_reason}; `plimsoll resume` ends it"
    if ACCOUNT in safety.pauses:
        pause = safety.pauses[ACCOUNT]
        return f"PAUSED by {pause.actor}: {pause.reason}; `plimsoll resume` ends it"
    if safety.is_stopping:
        return "stopping"
    if safety.is_space_low:
        return "no new risk: the disk under the journal is nearly full"
    if not safety.is_reconciled:
        return "no new risk: the books are not yet compared with the venue's"
    if safety.wallet_doubt:
        return f"no new risk: {safety.wallet_doubt}"
    found = [f"{name} blocked: {why}" for name, why in safety.blocks.items()]
    trips = core.state.trips.active.values()
    found += [f"{one.breaker} tripped for {one.scope}: {one.text}" for one in trips]
    return "; ".join(found) or ALLOWED


def stop_lines(core: Core) -> list[str]:
    """Return the halts and pauses in force, and the flattens under way."""
    safety = core.safety
    stops = (("halted", safety.halts), ("paused", safety.pauses))
    told = [
        f"  {scope.words} {word} by {one.actor}: {one.reason}"
        for word, standing in stops
        for scope, one in standing.items()
    ]
    told += [
        f"  {scope_of(one.scope).words} is being flattened by {one.actor}: {one.reason}"
        for one in core.state.flattens.values()
    ]
    return ["", "stops (`plimsoll resume SCOPE` ends one)", *told] if told else []


def stage_lines(core: Core) -> list[str]:
    """Return where instances stand on their way to real money, where anybody decided."""
    told = [
        f"  {name} is {now.stage}{f' step {now.step}' * bool(now.step)} by {now.actor}: "
        f"{now.reason}"
        for name, now in core.state.stages.items()
    ]
    return ["", "stages (`plimsoll graduate` shows the evidence)", *told] if told else []


def doubt_lines(core: Core) -> list[str]:
    """Return the markets on which no new risk was taken for so long that it was told."""
    doubts = core.state.doubts.values()
    told = [f"  {one.subject}: {one.text}" for one in doubts]
    return ["", "markets in doubt", *told] if told else []


def _disconnect_lines(core: Core) -> list[str]:
    """Return how the venue's disconnect protection stands, where it is asked for."""
    words = {
        "set": "set for {} s, not yet seen in force",
        "on": "on, {} s",
        "none": "the account has none",
        "failed": "NOT IN FORCE",
    }
    return [
        f"dcp        {name.lower()} {words[one.status].format(one.window_s)} ({one.reason})"
        for name, one in core.state.disconnect.items()
    ]


def _space_words(books: Books) -> str:
    """Return what the logs take, how fast they grow and how long the disk lasts at that rate."""
    found = {log: usage(books.journal_dir, log) for log in (TRADING, MARKET)}
    parts = [
        f"{log} {text.size(one.held)}" + (f" ({text.size(one.per_day)} a day)" * bool(one.per_day))
        for log, one in found.items()
    ]
    free = shutil.disk_usage(books.journal_dir).free
    growth = sum(one.per_day for one in found.values())
    left = f", {free / growth:,.0f} days at that rate" if growth else ""
    return f"{', '.join(parts)}; {text.size(free)} free{left}"


def _standing(core: Core) -> str:
    """Return what stays in force while no engine runs."""
    is_stopped = core.safety.is_halted or ACCOUNT in core.safety.pauses
    return safety_words(core) if is_stopped else "no engine, no new risk"


def _page(
    books: Books, core: Core, holder: Holder | None, state: str, verdict: Verdict | None
) -> str:
    age_s = max(0.0, (wall_ns() - core.ts_ns) / 1e9)
    who = f", process {holder.pid}" if holder else ""
    links = ", ".join(f"{name} {'up' if up else 'DOWN'}" for name, up in core.safety.links.items())
    losses = core.losses
    words = "runs but writes nothing: it hangs or still starts" if state == "silent" else state
    lines = [
        f"account    {books.account} on {books.venue}, {books.layout.environment}",
        f"engine     {words}{who}; epoch {core.epoch}, seq {core.seq:,}, newest record "
        f"{text.moment(core.ts_ns)} UTC ({age_s:,.1f} s ago)",
        f"safety     {safety_words(core) if holder else _standing(core)}",
        f"links      {links if state == 'running' and links else 'none'}",
        f"watchdog   {words_of(books.layout.run_dir)}",
        f"auditor    {auditor.words(verdict) if verdict else 'never ran'}",
        *_disconnect_lines(core),
        f"logs       {_space_words(books)}",
    ]
    if losses.is_known:
        today = text.money(losses.equity - losses.baseline, signed=True)
        drawdown = text.percent(losses.drawdown_ppm)
        lines.append(f"equity     {text.money(losses.equity)}, today {today}, drawdown {drawdown}")
    counts = core.counts
    lines.append(
        f"orders     {len(core.orders.working)} working, {counts.get('sent', 0):,} requests sent, "
        f"{counts.get('deny', 0):,} denied; {live_totals(core)[2]:,} fills, "
        f"{counts.get('paper-fill', 0):,} on paper"
    )
    for title, rows in (("strategies", strategy_rows(core)), ("positions", position_rows(core))):
        if len(rows) > 1:
            lines += ["", title, text.table(rows[0], rows[1:], "  ")]
    lines += mode_lines(core) + changed_lines(core) + executor_lines(core.state)
    lines += stage_lines(core) + stop_lines(core)
    lines += doubt_lines(core) + waiting_lines(core)
    if refused := refused_lines(core.state):
        lines += ["", *refused]
    if core.incidents:
        lines += ["", f"incidents ({counts.get('incident', 0)} in all, newest last)"]
        newest = list(core.incidents)[-_SHOWN_INCIDENTS:]
        lines += [
            f"  {text.clock(one.ts_ns)}  {one.code} {one.subject}: {one.text}" for one in newest
        ]
    return "\n".join(lines)


def _document(books: Books, core: Core, holder: Holder | None, state: str) -> dict[str, Any]:
    safety, losses = core.safety, core.losses
    return {
        "account": books.account,
        "environment": books.layout.environment,
        "venue": books.venue,
        "state": state,
        "pid": holder.pid if holder else 0,
        "epoch": core.epoch,
        "seq": core.seq,
        "ts_ns": core.ts_ns,
        "halted": safety.is_halted,
        "halt_reason": safety.halt_reason,
        "halts": [_stop(scope, one) for scope, one in safety.halts.items()],
        "pauses": [_stop(scope, one) for scope, one in safety.pauses.items()],
        "flattens": [
            {"id": one.id, "scope": one.scope, "actor": one.actor, "reason": one.reason}
            for one in core.state.flattens.values()
        ],
        "flattened": [
            {"ts_ns": one.ts_ns, "id": one.id, "outcome": one.outcome, "text": one.text}
            for one in core.state.flattened
        ],
        "stages": {
            name: {"stage": str(now.stage), "step": now.step, "actor": now.actor}
            for name, now in core.state.stages.items()
        },
        "blocks": safety.blocks,
        "observed": safety.observed,
        "wallet_doubt": safety.wallet_doubt,
        "tripped": [f"{name} {scope}" for name, scope in core.state.trips.active],
        "links": safety.links if state == "running" else {},
        "reconciled": safety.is_reconciled,
        "disconnect_protection": {
            name: {"status": one.status, "window_s": one.window_s, "reason": one.reason}
            for name, one in core.state.disconnect.items()
        },
        "watchdog": words_of(books.layout.run_dir),
        "doubts": {
            name: {"code": one.code, "subject": one.subject, "text": one.text}
            for name, one in core.state.doubts.items()
        },
        "modes": modes_of(core),
        "parameters": changed_document(core),
        "refused_at_once": refused_document(core.state),
        "executors": [one.name for one in executors_of(core.state) if not one.run.ended],
        "stopped_strategies": stopped_strategies(core),
        "equity": text.exact(losses.equity) if losses.is_known else None,
        "today": text.exact(losses.equity - losses.baseline) if losses.is_known else None,
        "drawdown_ppm": losses.drawdown_ppm,
        "working_orders": len(core.orders.working),
        "fills": live_totals(core)[2],
        "counts": core.counts,
        "incidents": [
            {"ts_ns": one.ts_ns, "code": one.code, "subject": one.subject, "text": one.text}
            for one in core.incidents
        ],
    }


def _stop(scope: Scope, one: Halt | Pause) -> dict[str, str]:
    return {"scope": scope.text, "actor": one.actor, "reason": one.reason}
