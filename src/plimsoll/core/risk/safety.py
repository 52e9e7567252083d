"""Halts, blocks and readiness: the durable switches that forbid new risk (RSK-6, RSK-9)."""

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
)


class Safety:
    """What forbids new risk right now. A halt and a block survive a restart; readiness does not."""

    def __init__(self) -> None:
        """Start not ready: nothing is connected, nothing reconciled."""
        self.halt_reason = ""
        self.halt_actor = ""
        self.blocks: dict[str, str] = {}
        self.pauses: dict[tuple[str, str], str] = {}
        """Why, by (owner, instrument); an empty part stands for all of them."""
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
        """Return whether a person must re-arm before new risk is taken."""
        return bool(self.halt_reason)

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

    def on_clock(self, record: ClockMeasured) -> None:
        """Take the venue clock's offset and how wrong it may be."""
        self.clock_offset_ns = record.offset_ns
        self.clock_uncertainty_ns = record.uncertainty_ns
        self.clock_ns = record.ts_ns

    def on_reconciled(self, _record: Reconciled) -> None:
        """Allow new risk again as far as the books go."""
        self.is_reconciled = True

    def on_halted(self, record: Halted) -> None:
        """Halt."""
        self.halt_reason = record.reason
        self.halt_actor = record.actor

    def on_rearmed(self, _record: Rearmed) -> None:
        """End the halt."""
        self.halt_reason = self.halt_actor = ""

    def on_blocked(self, record: Blocked) -> None:
        """Forbid new risk on one instrument."""
        self.blocks[record.instrument] = record.reason

    def on_released(self, record: Released) -> None:
        """End the block of one instrument."""
        self.blocks.pop(record.instrument, None)

    def pause_of(self, owner: str, instrument: str) -> str:
        """Return why an owner takes no new risk on an instrument, empty where he may."""
        pauses = self.pauses
        if not pauses:
            return ""
        keys = ((owner, instrument), (owner, ""), ("", instrument), ("", ""))
        return next((pauses[key] for key in keys if key in pauses), "")

    def on_paused(self, record: Paused) -> None:
        """Forbid new risk of an owner, on an instrument, or on all."""
        self.pauses[record.owner, record.instrument] = record.reason

    def on_unpaused(self, record: Unpaused) -> None:
        """End exactly this pause."""
        self.pauses.pop((record.owner, record.instrument), None)

    def on_observed(self, record: Observed) -> None:
        """Wait with new risk on an instrument for a person's decision."""
        self.observed[record.instrument] = record.reason

    def on_observing_ended(self, record: ObservingEnded) -> None:
        """Go on: it is decided."""
        self.observed.pop(record.instrument, None)

    def on_wallet_doubted(self, record: WalletDoubted) -> None:
        """Forbid new risk while money is not explained, or end that."""
        self.wallet_doubt = record.reason
