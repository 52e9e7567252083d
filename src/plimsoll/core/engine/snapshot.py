"""A state as bytes: written at a clean stop, so that a restart applies only what came after."""

from collections import OrderedDict, deque

import msgspec

from plimsoll.core.engine.state import State
from plimsoll.core.feed import Market
from plimsoll.core.model import Instrument, Order, Position
from plimsoll.core.portfolio import History
from plimsoll.core.risk import Pacing

VERSION = 4


class _Pace(msgspec.Struct):
    recent: list[int]
    groups: dict[str, list[int]]
    day: int
    today: int


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
    halt: tuple[str, str]
    blocks: dict[str, str]
    losses: tuple[bool, int, int, int, int]
    pacings: dict[str, _Pace]
    paper_owners: list[str]
    checkpoints: dict[str, bytes]
    histories: list[tuple[str, str, History]] = []
    netted: dict[str, Position] = {}
    rates: dict[str, int] = {}


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
            halt=(state.safety.halt_reason, state.safety.halt_actor),
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
            rates=state.rates.limits,
            histories=[(owner, name, one) for (owner, name), one in ledger.histories.items()],
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
    state.paper_owners = frozenset(saved.paper_owners)
    state.checkpoints = saved.checkpoints
    for instrument in saved.instruments:
        state.ledger.instruments[instrument.name] = instrument
        state.markets[instrument.name] = Market(instrument)
    for order in (*saved.orders, *saved.closed):
        state.orders.restore(order)
    for owner, name, held in saved.positions:
        state.ledger.positions[owner, name] = held
    state.ledger.netted = saved.netted
    for owner, name, history in saved.histories:
        state.ledger.histories[owner, name] = history
    state.ledger.cash = saved.cash
    state.ledger.seen = OrderedDict(((name, one), at) for name, one, at in saved.seen)
    state.ledger.cursor_ms = saved.cursor_ms
    state.safety.halt_reason, state.safety.halt_actor = saved.halt
    state.safety.blocks = saved.blocks
    state.rates.limits.update(saved.rates)
    _restore_paces(state, saved)
    return state


def _restore_paces(state: State, saved: _Snapshot) -> None:
    losses = state.losses
    losses.is_known, losses.equity, losses.baseline, losses.peak, losses.day = saved.losses
    for scope, pace in saved.pacings.items():
        made = state.pacings[scope] = Pacing()
        made.recent.extend(pace.recent)
        made.groups = {group: deque(times) for group, times in pace.groups.items()}
        made.day, made.today = pace.day, pace.today
