"""A state as bytes: written at a clean stop, so that a restart applies only what came after."""

from collections import OrderedDict, deque

import msgspec

from plimsoll.core.engine.changes import Change, Taken
from plimsoll.core.engine.facts import FundingOwed
from plimsoll.core.engine.state import State
from plimsoll.core.execution import graduation, modes
from plimsoll.core.execution.protection import Protection, Wish
from plimsoll.core.feed import Market
from plimsoll.core.model import OUTSIDE, Instrument, Order, Position, Scope
from plimsoll.core.portfolio import Cause, History, Streak
from plimsoll.core.records import AskRefused, FlattenBegun
from plimsoll.core.risk import Halt, OwnLosses, Pacing, Pause
from plimsoll.core.risk.breakers import Trip
from plimsoll.core.risk.habits import Habits
from plimsoll.core.settings import CoreSettings

VERSION = 5


class _Pace(msgspec.Struct):
    recent: list[int]
    groups: dict[str, list[int]]
    day: int
    today: int


class _Guard(msgspec.Struct):
    """Breakers, limits and what instances have lost."""

    trips: list[Trip]
    days: list[tuple[str, str, int, int]]
    limits: list[tuple[str, str, int]]
    own_losses: dict[str, OwnLosses]
    streaks: list[tuple[str, str, Streak]]
    habits: dict[str, Habits]


class _Snapshot(msgspec.Struct):
    version: int
    seq: int
    ts_ns: int
    epoch: int
    account: str
    orders: list[Order]
    closed: list[Order]
    instruments: list[Instrument]
    positions: list[tuple[str, str, Position]]
    cash: dict[str, int]
    seen: list[tuple[str, str, int]]
    cursor_ms: int
    halts: list[tuple[str, str, Halt]]
    pauses: list[tuple[str, str, Pause]]
    flattens: list[FlattenBegun]
    faulty: dict[str, tuple[str, str]]
    """Code and reason of instances that only a person frees."""
    blocks: dict[str, str]
    losses: tuple[bool, int, int, int, int]
    pacings: dict[str, _Pace]
    paper_owners: list[str]
    checkpoints: dict[str, bytes]
    histories: dict[str, History] = {}
    netted: dict[str, Position] = {}
    causes: dict[str, dict[str, Cause]] = {}
    rows: list[tuple[str, int]] = []
    cash_ms: int = 0
    begun_ms: int = 0
    observed: dict[str, str] = {}
    wallet_doubt: str = ""
    wishes: list[tuple[str, str, Wish]] = []
    protections: dict[str, Protection] = {}
    guard: _Guard | None = None
    rates: dict[str, int] = {}
    funding_owed: dict[int, FundingOwed] = {}
    settings: CoreSettings | None = None
    """Of the session it was taken in: who goes on from here within that session needs them."""
    codes: dict[str, str] = {}
    parameters: dict[str, dict[str, Change]] = {}
    signals: dict[str, dict[str, Taken]] = {}
    standings: list[modes.Standing] = []
    live_owners: list[str] | None = None
    """None in snapshots of before there were switches."""
    stages: dict[str, graduation.Standing] = {}
    refused: list[AskRefused] = []


def snapshot(state: State) -> bytes:
    """Return the durable part of a state: markets, links and readiness begin anew anyway."""
    losses, ledger = state.losses, state.ledger
    return msgspec.msgpack.encode(
        _Snapshot(
            version=VERSION,
            seq=state.seq,
            ts_ns=state.ts_ns,
            epoch=state.epoch,
            account=state.account,
            orders=list(state.orders.working.values()),
            closed=list(state.orders.closed.values()),
            instruments=list(ledger.instruments.values()),
            positions=[(owner, name, held) for (owner, name), held in ledger.positions.items()],
            cash=ledger.cash,
            seen=[(name, one, at) for (name, one), at in ledger.seen.items()],
            cursor_ms=ledger.cursor_ms,
            halts=[(*scope, halt) for scope, halt in state.safety.halts.items()],
            pauses=[(*scope, pause) for scope, pause in state.safety.pauses.items()],
            flattens=list(state.flattens.values()),
            faulty={owner: (code, state.stopped[owner]) for owner, code in state.faulty.items()},
            blocks=state.safety.blocks,
            losses=(losses.is_known, losses.equity, losses.baseline, losses.peak, losses.day),
            pacings={
                scope: _Pace(
                    list(pace.recent),
                    {group: list(times) for group, times in pace.groups.items()},
                    pace.day,
                    pace.today,
                )
                for scope, pace in state.pacings.items()
            },
            paper_owners=sorted(state.paper_owners),
            checkpoints=state.checkpoints,
            netted=ledger.netted,
            histories=ledger.histories,
            causes=ledger.causes,
            rows=list(ledger.rows.items()),
            cash_ms=ledger.cash_ms,
            begun_ms=ledger.begun_ms,
            observed=state.safety.observed,
            wallet_doubt=state.safety.wallet_doubt,
            wishes=[(who, name, one) for (who, name), one in state.protections.wishes.items()],
            protections=state.protections.at_venue,
            guard=_guard_of(state),
            rates=state.rates.limits,
            funding_owed=state.funding_owed,
            settings=state.modes.configuration,
            codes=state.codes,
            parameters=state.changes.parameters,
            signals=state.changes.signals,
            standings=list(state.modes.standings.values()),
            live_owners=sorted(state.modes.live_owners),
            stages=state.stages,
            refused=list(state.refused.values()),
        )
    )


def restore(payload: bytes) -> State:
    """Return the state a snapshot holds.

    Raises:
        msgspec.ValidationError: not a snapshot of this build.
        ValueError: another version.
    """
    saved = msgspec.msgpack.decode(payload, type=_Snapshot)
    if saved.version != VERSION:
        raise ValueError(f"snapshot version {saved.version}, expected {VERSION}")
    state = State()
    state.seq, state.ts_ns, state.epoch = saved.seq, saved.ts_ns, saved.epoch
    state.account = saved.account
    _restore_modes(state, saved)
    state.checkpoints = saved.checkpoints
    for instrument in saved.instruments:
        state.ledger.instruments[instrument.name] = instrument
        state.markets[instrument.name] = Market(instrument)
    for order in (*saved.orders, *saved.closed):
        state.orders.restore(order)
    for owner, name, held in saved.positions:
        state.ledger.positions[owner, name] = held
    state.ledger.netted = saved.netted
    state.ledger.histories = saved.histories
    state.ledger.cash, state.ledger.causes = saved.cash, saved.causes
    state.ledger.rows, state.ledger.cash_ms = OrderedDict(saved.rows), saved.cash_ms
    state.protections.wishes = {(who, name): one for who, name, one in saved.wishes}
    state.protections.at_venue = saved.protections
    state.ledger.seen = OrderedDict(((name, one), at) for name, one, at in saved.seen)
    state.ledger.cursor_ms, state.ledger.begun_ms = saved.cursor_ms, saved.begun_ms
    for owner, name, halt in saved.halts:
        state.safety.halts[Scope(owner, name)] = halt
    for owner, name, pause in saved.pauses:
        state.safety.pauses[Scope(owner, name)] = pause
    state.flattens = {one.id: one for one in saved.flattens}
    for owner, (code, reason) in saved.faulty.items():
        state.faulty[owner], state.stopped[owner] = code, reason
    state.safety.blocks = saved.blocks
    state.safety.observed, state.safety.wallet_doubt = saved.observed, saved.wallet_doubt
    state.rates.limits.update(saved.rates)
    state.funding_owed = saved.funding_owed
    state.stages = saved.stages
    state.refused = {(one.owner, one.ask, one.code): one for one in saved.refused}
    _restore_paces(state, saved)
    state.changes.restore(saved.parameters, saved.signals)
    if saved.guard is not None:
        _restore_guard(state, saved.guard)
    if saved.settings is not None:
        state.resume(saved.settings, saved.codes)
    return state


def _restore_modes(state: State, saved: _Snapshot) -> None:
    modes = state.modes
    modes.standings = {one.strategy: one for one in saved.standings}
    state.paper_owners = modes.paper_owners = frozenset(saved.paper_owners)
    live = saved.live_owners
    if live is None:  # whoever traded and was not on paper was live
        live = [owner for owner, *_ in saved.positions]
    modes.live_owners = frozenset(live) - modes.paper_owners - OUTSIDE
    state.safety.restrained = modes.restrained()


def _guard_of(state: State) -> _Guard:
    return _Guard(
        list(state.trips.active.values()),
        [(name, scope, *counted) for (name, scope), counted in state.trips.days.items()],
        [(scope, key, value) for (scope, key), value in state.limits.changes.items()],
        state.own_losses,
        [(owner, name, one) for (owner, name), one in state.streaks.items()],
        state.habits,
    )


def _restore_guard(state: State, saved: _Guard) -> None:
    state.trips.active = {(trip.breaker, trip.scope): trip for trip in saved.trips}
    state.trips.days = {(name, scope): (day, count) for name, scope, day, count in saved.days}
    state.limits.changes = {(scope, key): value for scope, key, value in saved.limits}
    state.own_losses.update(saved.own_losses)
    state.habits.update(saved.habits)
    state.streaks = {(owner, name): one for owner, name, one in saved.streaks}


def _restore_paces(state: State, saved: _Snapshot) -> None:
    losses = state.losses
    losses.is_known, losses.equity, losses.baseline, losses.peak, losses.day = saved.losses
    for scope, pace in saved.pacings.items():
        made = state.pacings[scope] = Pacing()
        made.recent.extend(pace.recent)
        made.groups = {group: deque(times) for group, times in pace.groups.items()}
        made.day, made.today = pace.day, pace.today
