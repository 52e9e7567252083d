"""Executors as the log tells them, for who reads it: no engine needs to run.

A run stands in its instance's newest checkpoint before any order of it is asked for, and so do its
cancel and its end. What its orders came to since stands in the books, and what was refused in the
records of refusals: both are put on top.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from plimsoll.core.engine.state import State
from plimsoll.core.model import Order
from plimsoll.core.strategy.executors import Run, refusal_in


class Refused(NamedTuple):
    """The newest refusal of a run; ``at_ns`` 0: of before the newest checkpoint, unknown when."""

    at_ns: int
    code: str
    text: str


class UnderWay(NamedTuple):
    """One executor of one instance."""

    owner: str
    run: Run
    working: list[Order]
    """Its orders that may still match, oldest first."""
    refused: Refused | None

    @property
    def name(self) -> str:
        """Return what a person calls it by."""
        return f"{self.owner}#{self.run.number}"


class _Checkpoint(msgspec.Struct):
    """As much of a checkpoint as is read here."""

    executors: list[Run] = []


def executors_of(state: State) -> Iterator[UnderWay]:
    """Yield the executors of all instances that run, those that have ended included, oldest first.

    Args:
        state: Of a replica; it is not changed.
    """
    for owner in _instances(state):
        runs = _runs_in(state.checkpoints.get(owner, b""))
        if runs:
            yield from _of(state, owner, runs)


def unreadable(state: State) -> list[str]:
    """Return the instances whose newest checkpoint says nothing here: of another release, say."""
    saved = ((owner, state.checkpoints.get(owner, b"")) for owner in _instances(state))
    return [owner for owner, payload in saved if _runs_in(payload) is None]


def _instances(state: State) -> list[str]:
    return [one.name for one in state.settings.strategies] if state.settings is not None else []


def _runs_in(payload: bytes) -> list[Run] | None:
    try:
        return msgspec.msgpack.decode(payload, type=_Checkpoint).executors if payload else []
    except msgspec.MsgspecError:
        return None


def _of(state: State, owner: str, runs: list[Run]) -> Iterator[UnderWay]:
    orders = state.orders
    own: dict[str, list[Order]] = {}
    for order in (*orders.closed.values(), *orders.working.values()):
        if order.owner == owner:
            own.setdefault(order.label, []).append(order)
    for run in runs:
        legs = {leg.label: leg for leg in run.legs}
        found = [order for label in legs for order in own.get(label, ())]
        found.sort(key=lambda order: order.created_ns)
        for order in found:
            legs[order.label].note(order)
        for leg in run.legs:
            leg.read(orders.find)
        if owner in state.faulty:  # told to its engine, and to no checkpoint any more
            run.ended = run.ended or "stopped"
        working = [order for order in found if order.is_working]
        yield UnderWay(owner, run, working, _refused(state, owner, run, found))


def _refused(state: State, owner: str, run: Run, orders: list[Order]) -> Refused | None:
    labels = {leg.label for leg in run.legs}
    known = [
        Refused(one.ts_ns, one.code, one.text)
        for one in state.denials
        if one.owner == owner and one.label in labels
    ]
    for order in orders:
        why = refusal_in(order)
        if why is not None:
            known.append(Refused(max(order.created_ns, order.updated_ms * 1_000_000), *why))
    if known:
        return max(known)
    return Refused(0, *run.refusal) if run.refusal[0] else None
