"""Everything that is known: what the records say, and what readers ask of it.

Restart, replicas, dashboards and the trading process all hold the same, from the log. What happened
to orders while one record was applied is left in ``news`` for ``decide``.
"""

from collections import defaultdict, deque
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.engine.changes import Changes
from plimsoll.core.execution import OrderStore
from plimsoll.core.execution.graduation.stages import Standing
from plimsoll.core.execution.modes import Modes
from plimsoll.core.execution.protection import Protections
from plimsoll.core.feed import Market
from plimsoll.core.model import FOREIGN, IdMaker, Instrument, Order, Regrid, strategy_of
from plimsoll.core.portfolio import Ledger, Streak
from plimsoll.core.records import (
    AskRefused,
    CashMoved,
    DifferenceFound,
    DisconnectReported,
    ExecutionReported,
    FlattenBegun,
    FlattenEnded,
    IncidentRaised,
    OrderDenied,
    Record,
    Swept,
)
from plimsoll.core.risk import (
    Exposure,
    Health,
    LimitBook,
    Losses,
    OwnLosses,
    Pacing,
    Safety,
    Trips,
    VenueRates,
)
from plimsoll.core.risk.habits import Habits
from plimsoll.core.settings import CoreSettings

KEEP: Final = 200
"""Newest incidents, differences and denials kept for readers; all of them stand in the log."""

MODE: Final = "mode"
"""Code of ``StrategyStopped`` where a switch ends an instance: no trouble, and nothing to free."""

NEVER: Final = 1 << 62

FAULTS: Final = frozenset({"raised", "repeats", "quarantine"})
"""Codes of ``StrategyStopped`` that only a person takes back (RSK-8)."""


class Relisted(NamedTuple):
    """A change of an instrument's steps; ``trouble``: why it could not be taken over."""

    stated: Instrument
    regrid: Regrid
    trouble: str = ""


class FundingOwed(msgspec.Struct):
    """A span of time whose fundings a paper position has not paid; see ``PaperFundingOwed``."""

    owner: str
    instrument: str
    since_ms: int
    until_ms: int
    qty_units: int


class Facts:
    """The books and switches of one account."""

    def __init__(self) -> None:
        """Start before the first record."""
        self.seq = 0
        self.ts_ns = 0
        self.epoch = 0
        self.known_epoch = 0
        """Epoch of the session before: ids above it that the log does not know show an old copy."""
        self.cause = 0
        """Seq of the input being handled."""
        self.account = ""
        self.settings: CoreSettings | None = None
        """Of the newest session, with the instances that run now (``Modes``)."""
        self.modes: Final = Modes()
        self.ids = IdMaker("x", 0)
        self.orders = OrderStore("")
        self.ledger = Ledger()
        self.instruments: Final = self.ledger.instruments
        """Listed instruments by name."""
        self.safety = Safety()
        self.exposure = Exposure()
        self.losses = Losses()
        self.own_losses: dict[str, OwnLosses] = {}
        """By instance."""
        self.limits = LimitBook()
        self.changes = Changes()
        self.codes: dict[str, str] = {}
        """Hash of the code of strategies that got another one since the session began."""
        self.trips = Trips()
        self.streaks: dict[tuple[str, str], Streak] = {}
        """By instance and instrument."""
        self.health = Health()
        self.habits: defaultdict[str, Habits] = defaultdict(Habits)
        """What is usual for each instance."""
        self.noted = 0
        """How often something was noted of them."""
        self.pacings: defaultdict[str, Pacing] = defaultdict(Pacing)
        self.rates = VenueRates()
        self.markets: dict[str, Market] = {}
        self.paper_owners: frozenset[str] = frozenset()
        self.funding_owed: dict[int, FundingOwed] = {}
        """Spans of paper positions the venue is asked about, by the seq of their record."""
        self.checkpoints: dict[str, bytes] = {}
        self.stopped: dict[str, str] = {}
        """Instances stopped, and why."""
        self.faulty: dict[str, str] = {}
        """Those of them that only a person frees, by code (RSK-8)."""
        self.stages: dict[str, Standing] = {}
        """Where strategies stand on their way to real money; one left out is on paper."""
        self.flattens: dict[str, FlattenBegun] = {}
        """Flattens under way."""
        self.flattened: deque[FlattenEnded] = deque(maxlen=KEEP)
        """Newest ends of flattens, for readers."""
        self.swept: dict[str, Swept] = {}
        """Scopes whose cancels the venue's lists have confirmed in this session."""
        self.is_ended = False
        self.incidents: deque[IncidentRaised] = deque(maxlen=KEEP)
        self.differences: deque[DifferenceFound] = deque(maxlen=KEEP)
        self.denials: deque[OrderDenied] = deque(maxlen=KEEP)
        self.refused: dict[tuple[str, str, str], AskRefused] = {}
        """What strategies asked for and were refused at once in this session, for readers: the
        newest record by instance, call and reason."""
        self.doubts: dict[str, IncidentRaised] = {}
        """Markets told of as dead or long SUSPECT, by instrument, until told of as LIVE again."""
        self.disconnect: dict[str, DisconnectReported] = {}
        """Disconnect protection by product, of this session."""
        self.coalesced = 0
        """Book messages no strategy heard, because a newer state was there (MKT-5)."""
        self.behind_ns = NEVER
        """When a book that strategies have not heard yet is due at the latest."""
        self.alarms = 0
        """Times an input moved when the core wakes by itself without deciding anything (hot)."""
        self.tally: dict[type[Record], int] = {}
        """Records applied so far, by type."""
        self.protections = Protections()
        self.relisted: Relisted | None = None
        """Change of steps by the record being applied."""
        self.news: list[tuple[Order, Record | None]] = []
        """Orders changed by the record being applied; a fill carries its record."""
        self.taken: list[tuple[str, ExecutionReported, int]] = []
        """Instances the record being applied took something from, by whom, how many base units."""
        self.moved: list[tuple[CashMoved, str]] = []
        """Rows of the transaction log the record being applied booked, and under which cause."""
        self.orders.listener = self.exposure.on_order
        self.orders.protected_by = self.protected_by

    def stamp(self) -> tuple[int, int, int, int]:
        """Return seq, time, epoch and cause of the next decision."""
        return self.seq + 1, self.ts_ns, self.epoch, self.cause

    def rearm(self) -> None:
        """Say that the time at which the core wakes by itself may have moved."""
        self.alarms += 1

    @property
    def counts(self) -> dict[str, int]:
        """Records applied so far, by tag."""
        return {str(kind.__struct_config__.tag): count for kind, count in self.tally.items()}

    @property
    def venue_ms(self) -> int:
        """Return the venue's time of the newest record."""
        return (self.ts_ns + self.safety.clock_offset_ns) // 1_000_000

    def is_paper(self, owner: str) -> bool:
        """Return whether the owner is a paper instance."""
        return owner in self.paper_owners

    def keeps_at_venue(self, owner: str, instrument: str) -> bool:
        """Return whether the owner's stop stands at the venue: a live one's on a perpetual."""
        listed = self.instruments.get(instrument)
        return listed is not None and not listed.is_spot and owner not in self.paper_owners

    def protected_by(self, instrument: str) -> str:
        """Return whom an order belongs to that the venue makes to protect a position (ORD-12)."""
        found = self.protections.at_venue.get(instrument)
        return found.owner if found is not None and found.owner else self.holder(instrument)

    def holder(self, instrument: str) -> str:
        """Return the live owner of a position: funding is paid on it, exits protect it."""
        for (owner, name), held in self.ledger.positions.items():
            if name == instrument and held.qty_units and owner not in self.paper_owners:
                return owner
        return FOREIGN

    def held_lots(self, scope: str, instrument: str) -> int:
        """Return the signed position of a scope: a paper instance, or the live account."""
        if scope:
            return self.ledger.qty_lots(scope, instrument)
        return self.ledger.account_lots(instrument, self.paper_owners)

    def standing(self, owner: str) -> Standing:
        """Return where the strategy of a book stands; on paper where nobody has decided."""
        return self.stages.get(strategy_of(owner)) or Standing()
