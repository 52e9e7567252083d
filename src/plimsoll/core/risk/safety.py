"""Halts, blocks and readiness: the durable switches that forbid new risk (RSK-6, RSK-9)."""

from plimsoll.core.records import (
    Blocked,
    ClockMeasured,
    Halted,
    LeaseTaken,
    LinkChanged,
    Rearmed,
    Reconciled,
    Released,
    SpaceChanged,
    Woken,
)


class Safety:
    """What forbids new risk right now. A halt and a block survive a restart; readiness does not."""

    def __init__(self) -> None:
        """Start not ready: nothing is connected, nothing reconciled."""
        self.halt_reason = ""
        self.halt_actor = ""
        self.blocks: dict[str, str] = {}
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
