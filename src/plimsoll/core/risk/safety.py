"""Halts, pauses, blocks and readiness: what forbids new risk (RSK-6, RSK-9).

Halts and pauses have a scope: the account, an instance, an instrument, or one instance on one.
"""

import msgspec

from plimsoll.core.model import ACCOUNT, Denied, Refusal, Scope, scope_of
from plimsoll.core.records import (
    Blocked,
    ClockMeasured,
    Halted,
    LeaseTaken,
    LinkChanged,
    Observed,
    ObservingEnded,
    Paused,
    Rearmed,
    Reconciled,
    Released,
    SpaceChanged,
    Unpaused,
    WalletDoubted,
    Woken,
)


class Halt(msgspec.Struct, frozen=True):
    """What stands about a halt in force."""

    reason: str
    actor: str
    keeps_orders: bool = False
    with_protections: bool = False
    is_dedicated: bool = False


class Pause(msgspec.Struct, frozen=True):
    """Why an owner, an instrument or both take no new risk, and who said so."""

    reason: str
    actor: str


class Safety:
    """What forbids new risk right now. Halts, pauses and blocks survive a restart."""

    def __init__(self) -> None:
        """Start not ready: nothing is connected, nothing reconciled."""
        self.halts: dict[Scope, Halt] = {}
        self.pauses: dict[Scope, Pause] = {}
        self.restrained: dict[str, str] = {}
        """Live books whose strategy went to paper, and why: they may only reduce."""
        self.blocks: dict[str, str] = {}
        self.observed: dict[str, str] = {}
        """Instruments with a foreign holding nobody has decided about yet, and what it is."""
        self.wallet_doubt = ""
        """Why the wallet is not what our books say, where that stops new risk."""
        self.links: dict[str, bool] = {}
        self.is_reconciled = False
        self.is_stopping = False
        self.is_space_low = False
        self.clock_offset_ns = 0
        self.clock_uncertainty_ns = 1 << 62
        self.clock_ns = 0

    @property
    def is_halted(self) -> bool:
        """Return whether the whole account is halted: a person must re-arm it."""
        return ACCOUNT in self.halts

    @property
    def halt_reason(self) -> str:
        """Return why the account is halted, empty where it is not."""
        return self.halts[ACCOUNT].reason if ACCOUNT in self.halts else ""

    @property
    def halt_actor(self) -> str:
        """Return who halted the account, empty where nobody did."""
        return self.halts[ACCOUNT].actor if ACCOUNT in self.halts else ""

    def stand(self, owner: str, instrument: str) -> Denied | None:
        """Return what a person, or a breaker, put in the way of new risk here; halts first."""
        if owner in self.restrained:
            reason = f"it may only reduce: {self.restrained[owner]}"
            return self.stop(owner, instrument) or Denied(Refusal.RUN_OFF, reason)
        return self.stop(owner, instrument)

    def stop(self, owner: str, instrument: str) -> Denied | None:
        """Return the halt or pause that covers this, halts first."""
        for scope, halt in self.halts.items():
            if scope.covers(owner, instrument):
                return Denied(Refusal.HALTED, _words("halted", scope, halt))
        for scope, pause in self.pauses.items():
            if scope.covers(owner, instrument):
                return Denied(Refusal.PAUSED, _words("paused", scope, pause))
        return None

    def on_lease(self, _record: LeaseTaken) -> None:
        """Begin a session: connections and reconciliation start anew, halts and blocks stay."""
        self.links.clear()
        self.is_reconciled = False
        self.is_stopping = False
        self.is_space_low = False
        self.clock_uncertainty_ns = 1 << 62

    def on_space(self, record: SpaceChanged) -> None:
        """Note whether the journal has room for more than cancels and reductions."""
        self.is_space_low = record.is_low

    def on_link(self, record: LinkChanged) -> None:
        """Note a connection; losing the private one makes the books unreconciled."""
        self.links[record.link] = record.is_up
        if record.link == "private":
            self.is_reconciled = False

    def on_woken(self, _record: Woken) -> None:
        """Know neither the books nor the venue's time any more."""
        self.is_reconciled = False
        self.clock_uncertainty_ns = 1 << 62

    def on_clock(self, record: ClockMeasured) -> None:
        """Take the venue clock's offset and how wrong it may be."""
        self.clock_offset_ns = record.offset_ns
        self.clock_uncertainty_ns = record.uncertainty_ns
        self.clock_ns = record.ts_ns

    def on_reconciled(self, _record: Reconciled) -> None:
        """Allow new risk again as far as the books go."""
        self.is_reconciled = True

    def on_halted(self, record: Halted) -> None:
        """Halt. A second halt of the same scope takes nothing back of what the first one does."""
        scope = _scope(record.scope)
        before = self.halts.get(scope)
        self.halts[scope] = Halt(
            record.reason,
            record.actor,
            record.keeps_orders and (before is None or before.keeps_orders),
            record.with_protections or (before is not None and before.with_protections),
            record.is_dedicated or (before is not None and before.is_dedicated),
        )

    def on_rearmed(self, record: Rearmed) -> None:
        """End the halt of one scope; others that cover it stay."""
        self.halts.pop(_scope(record.scope), None)

    def on_paused(self, record: Paused) -> None:
        """Pause."""
        self.pauses[Scope(record.owner, record.instrument)] = Pause(record.reason, record.actor)

    def on_unpaused(self, record: Unpaused) -> None:
        """End one pause."""
        self.pauses.pop(Scope(record.owner, record.instrument), None)

    def on_blocked(self, record: Blocked) -> None:
        """Forbid new risk on one instrument."""
        self.blocks[record.instrument] = record.reason

    def on_released(self, record: Released) -> None:
        """End the block of one instrument."""
        self.blocks.pop(record.instrument, None)

    def pause_of(self, owner: str, instrument: str) -> str:
        """Return why an owner takes no new risk on an instrument, empty where he may."""
        for scope, pause in self.pauses.items():
            if scope.covers(owner, instrument):
                return pause.reason
        return ""

    def on_observed(self, record: Observed) -> None:
        """Wait with new risk on an instrument for a person's decision."""
        self.observed[record.instrument] = record.reason

    def on_observing_ended(self, record: ObservingEnded) -> None:
        """Go on: it is decided."""
        self.observed.pop(record.instrument, None)

    def on_wallet_doubted(self, record: WalletDoubted) -> None:
        """Forbid new risk while money is not explained, or end that."""
        self.wallet_doubt = record.reason


def _scope(text: str) -> Scope:
    """Return the scope of a record; what cannot be read covers the account."""
    try:
        return scope_of(text)
    except ValueError:
        return ACCOUNT


def _words(what: str, scope: Scope, stop: Halt | Pause) -> str:
    command = f"plimsoll resume {scope.text}".rstrip()
    return f"{scope.words} is {what} by {stop.actor}: {stop.reason}; `{command}` ends it"
