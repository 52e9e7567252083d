"""What a demo did: the account's end, the comparison with the exchange, the proof by replay."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from plimsoll.auditor import Verdict
from plimsoll.cli import auditor, reconcile, replay, text
from plimsoll.cli.books import replica_of
from plimsoll.cli.compare import Difference
from plimsoll.cli.demo.children import Supervisor
from plimsoll.cli.orders import strategies
from plimsoll.cli.rows import live_totals, strategy_rows
from plimsoll.cli.sides import our_side, read_record, their_side
from plimsoll.config.project import Project
from plimsoll.core.engine import Core
from plimsoll.core.records import OrderSent, Telemetry, decode
from plimsoll.engine.replay import ReplayReport
from plimsoll.journal import KIND_RECORD, MARKET, TRADING, scan
from plimsoll.observe import merged, quantile, size_of


@dataclass(frozen=True, slots=True)
class Measured:
    """Totals over all sessions, from the telemetry of each."""

    messages: int
    gaps: int
    reconnects: int
    buckets: list[int]
    """Tick to order: from a public frame in our hands to the socket write it led to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the end of a demo tells."""

    fields: dict[str, Any]
    page: str
    has_findings: bool


def outcome(project: Project, supervisor: Supervisor, seconds: float) -> Outcome:
    """Return what the logs and the exchange's record say after both have stopped.

    Raises:
        Failure: a log or the record cannot be read.
    """
    differences = reconcile.differences_of(project, reconcile.record_of(project))
    proofs = [replay.proof(project, epoch) for epoch in replay.epochs(project)]
    measured = measure(project)
    with replica_of(project.books) as replica:
        core = replica.core
        sent = _creates_sent(project)
        fields = _fields(project, core, differences, proofs, measured, supervisor)
        verdict = auditor.verdict_of(project.books)
        fields |= {"orders_sent": sent, "seconds": round(seconds, 1)}
        fields["auditor"] = auditor.document(verdict) if verdict else None
        page = _page(project, core, differences, proofs, fields, verdict)
    has_findings = bool(differences) or not all(proof.identical for proof in proofs)
    has_findings = has_findings or (verdict is not None and verdict.finding is not None)
    return Outcome(fields, page, has_findings)


def measure(project: Project) -> Measured:
    """Return the totals: counters start anew with each session, so the last of each is summed."""
    last: dict[int, Telemetry] = {}
    for entry in scan(project.journal_dir, MARKET):
        if entry.kind == KIND_RECORD:
            record = decode(entry.payload)
            if isinstance(record, Telemetry):
                last[record.epoch] = record
    return Measured(
        messages=_sum(last.values(), "feed_messages"),
        gaps=_sum(last.values(), "feed_gaps"),
        reconnects=sum(map(reconnects, last.values())),
        buckets=merged(one.histograms.get("tick_to_order_us", []) for one in last.values()),
    )


def reconnects(telemetry: Telemetry) -> int:
    """Return how often connections of a session were lost and came back."""
    counters = telemetry.counters.items()
    return sum(n for name, n in counters if name.endswith(".drops") and "#" not in name)


def account_equity(core: Core) -> int:
    """Return the live account's equity in cash units of the quote coin."""
    return core.losses.equity


def _fields(
    project: Project,
    core: Core,
    differences: list[Difference],
    proofs: list[ReplayReport],
    measured: Measured,
    supervisor: Supervisor,
) -> dict[str, Any]:
    realised, fees, fills = live_totals(core)
    return {
        "project": str(project.root),
        "fills": fills,
        "equity": text.exact(account_equity(core)),
        "realised_pnl": text.exact(realised),
        "fees": text.exact(fees),
        "per_strategy": strategies(core),
        "reconcile": reconcile.document(differences),
        "replay": {
            "identical": all(proof.identical for proof in proofs),
            "decisions": sum(proof.decisions for proof in proofs),
            "sessions": [replay.fields(proof) for proof in proofs],
        },
        "tick_to_order_us": {
            "p50": round(quantile(measured.buckets, 0.5), 1),
            "p99": round(quantile(measured.buckets, 0.99), 1),
            "n": size_of(measured.buckets),
        },
        "feed": {
            "messages": measured.messages,
            "gaps": measured.gaps,
            "reconnects": measured.reconnects,
        },
        "restarts": supervisor.restarts,
        "kills": supervisor.kills,
        "incidents": core.counts.get("incident", 0),
    }


def _page(
    project: Project,
    core: Core,
    differences: list[Difference],
    proofs: list[ReplayReport],
    fields: dict[str, Any],
    verdict: Verdict | None,
) -> str:
    rows = strategy_rows(core)
    latency = fields["tick_to_order_us"]
    feed = fields["feed"]
    lines = [
        f"{fields['seconds']:,.0f} s, {fields['orders_sent']:,} orders sent, "
        f"{fields['fills']:,} fills, {feed['messages']:,} market messages, "
        f"{feed['gaps']} gaps, {feed['reconnects']} reconnects",
        f"engine killed {fields['kills']} times, started again {fields['restarts']} times; "
        f"{fields['incidents']} incidents",
        f"tick to order: p50 {latency['p50']:,.0f} us, p99 {latency['p99']:,.0f} us "
        f"({latency['n']:,} measured)",
        "",
        text.table(("account", ">the venue's", ">ours"), _account_rows(project, core)),
        "",
        text.table(rows[0], rows[1:]),
        "",
        reconcile.page(differences, reconcile.record_of(project)),
        *(f"replay of {replay.words(proof)}" for proof in proofs),
        f"auditor: {auditor.words(verdict) if verdict else 'never ran'}",
    ]
    return "\n".join(lines)


def _account_rows(project: Project, core: Core) -> list[tuple[str, str, str]]:
    """Return balances and positions, the exchange's and ours side by side, exact."""
    record = reconcile.record_of(project)
    ours, theirs = (
        our_side(project.journal_dir, core),
        their_side(read_record(record), project.settings.account.tag),
    )
    flat = Decimal(0)
    rows = [
        (f"wallet {coin}", _plain(theirs.wallet[coin]), _plain(ours.wallet.get(coin, flat)))
        for coin in sorted(theirs.wallet)
    ]
    rows += [
        (
            f"position {name}",
            _plain(theirs.positions.get(name, flat)),
            _plain(ours.positions.get(name, flat)),
        )
        for name in sorted(theirs.positions.keys() | ours.positions.keys())
    ]
    rows.append(("executions", f"{len(theirs.executions):,}", f"{sum(ours.booked.values()):,}"))
    return rows


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _creates_sent(project: Project) -> int:
    count = 0
    for entry in scan(project.journal_dir, TRADING):
        if entry.kind == KIND_RECORD:
            record = decode(entry.payload)
            count += isinstance(record, OrderSent) and record.action == "create"
    return count


def _sum(telemetry: Iterable[Telemetry], name: str) -> int:
    return sum(one.counters.get(name, 0) for one in telemetry)
