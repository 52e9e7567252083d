"""The newest fills, live and paper, each once, read from the trading log."""

from collections import OrderedDict
from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.cli import text
from plimsoll.core.engine import Core
from plimsoll.core.portfolio.ledger import POSITION_KINDS
from plimsoll.core.records import ExecutionReported, PaperFilled, decode
from plimsoll.journal import KIND_RECORD, TRADING, Follower

_KEPT: Final = 200


class FillLine(NamedTuple):
    """One fill as shown."""

    time: str
    strategy: str
    instrument: str
    side: str
    qty: str
    price: str
    is_maker: bool


class FillTape:
    """Follows the log and keeps the last fills."""

    def __init__(self, journal_dir: Path) -> None:
        """Start at the beginning of the log; it may not exist yet."""
        self._follower = Follower(journal_dir, (TRADING,))
        self._lines: OrderedDict[str, FillLine] = OrderedDict()

    def poll(self, core: Core) -> None:
        """Take what is new; ``core`` knows orders and instruments."""
        while batch := self._follower.poll():
            for entry in batch:
                if entry.kind == KIND_RECORD:
                    record = decode(entry.payload)
                    if isinstance(record, ExecutionReported | PaperFilled):
                        self._add(core, record)

    def newest(self) -> list[FillLine]:
        """Return the fills kept, newest first."""
        return list(reversed(self._lines.values()))

    def close(self) -> None:
        """Close the file."""
        self._follower.close()

    def _add(self, core: Core, record: ExecutionReported | PaperFilled) -> None:
        order = core.orders.find(record.client_order_id)
        is_other = isinstance(record, ExecutionReported) and record.kind not in POSITION_KINDS
        if order is None or is_other or record.execution_id in self._lines:
            return
        instrument = core.ledger.instruments[order.instrument]
        self._lines[record.execution_id] = FillLine(
            text.clock(record.ts_ns),
            order.owner,
            order.instrument,
            str(order.side),
            instrument.qty_text(record.qty_lots),
            instrument.price_text(record.price_ticks),
            record.is_maker,
        )
        if len(self._lines) > _KEPT:
            self._lines.popitem(last=False)
