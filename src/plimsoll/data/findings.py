"""One thing that is wrong with a row, a file or a span of time, as it is told."""

from enum import StrEnum
from typing import Final

import msgspec

EXAMPLES_MOST: Final = 100
"""Most examples of one fault in one file; counts are always whole."""


class Fault(StrEnum):
    """What may be wrong. The words are those of ``--drop-bad``."""

    CUT = "cut"
    TIME = "time"
    NUMBER = "number"
    PRICE = "price"
    RANGE = "range"
    VOLUME = "volume"
    FRAME = "frame"
    UNDER_WAY = "under_way"
    ORDER = "order"
    DUPLICATE = "duplicate"
    MONTH = "month"
    FILE = "file"
    OFF_TICK = "off_tick"
    GAP = "gap"
    ZERO_VOLUME = "zero_volume"


ROW_FAULTS: Final = (
    Fault.CUT,
    Fault.TIME,
    Fault.NUMBER,
    Fault.PRICE,
    Fault.RANGE,
    Fault.VOLUME,
    Fault.FRAME,
    Fault.UNDER_WAY,
    Fault.ORDER,
    Fault.DUPLICATE,
)
"""What refuses an import, in the order looked for: a row is told of its first one only."""

REMARKS: Final = frozenset({Fault.ZERO_VOLUME})
"""What is told and wrong with nothing: minutes without a trade are real."""

WHY: Final = {
    Fault.CUT: "another number of cells than the rows around it: cut short, or a stray delimiter",
    Fault.TIME: "its time cannot be read like those of the other rows",
    Fault.NUMBER: "a cell is empty, NaN, infinite or no number",
    Fault.PRICE: "a price is zero or below",
    Fault.RANGE: "open and close do not lie within low and high",
    Fault.VOLUME: "volume or turnover is negative",
    Fault.FRAME: "it does not begin where a bar of this frame begins",
    Fault.UNDER_WAY: "it is not over yet: half a bar, or a time of another unit or zone",
    Fault.ORDER: "it is earlier than a row before it",
    Fault.DUPLICATE: "its time has been there before",
    Fault.MONTH: "it belongs into the file of another month",
    Fault.FILE: "the file cannot be read",
    Fault.OFF_TICK: "a price is no multiple of the instrument's tick size",
    Fault.GAP: "bars are missing",
    Fault.ZERO_VOLUME: "nothing was traded",
}

AGAIN: Final = "delete the file and fetch or import its month again"
"""What to do about a stored file: no row of it is ever changed in place."""

HOW: Final = {
    Fault.CUT: "take the whole file from its source again",
    Fault.TIME: "mend the row, or say how times are written with --time-format",
    Fault.NUMBER: "mend the row from its source; decimals are written with a point",
    Fault.PRICE: "mend the row from its source",
    Fault.RANGE: "mend the row, or name the columns in their order with --columns",
    Fault.VOLUME: "mend the row, or name the columns in their order with --columns",
    Fault.FRAME: "give the frame the file really has with --bars, or the zone with --zone",
    Fault.UNDER_WAY: "leave it out, and take it from its source again once it is over",
    Fault.ORDER: "give --sort where the rows are whole and only their order is wrong",
    Fault.DUPLICATE: "delete one of the two rows",
    Fault.MONTH: AGAIN,
    Fault.FILE: AGAIN,
    Fault.OFF_TICK: "normal where the venue has changed the tick since, or from another venue",
    Fault.GAP: "`plimsoll data fetch` asks the venue for what is missing",
    Fault.ZERO_VOLUME: "nothing to do",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault at one place."""

    fault: Fault
    file: str
    row: int
    """Line of a text file, row of a Parquet file, from 1; 0 = the file or span as a whole."""

    value: str
    """The row as it stands there, or the span."""

    why: str
    how: str
    """What to do about it."""

    count: int = 1
    """How many bars it is about: of a gap those that are missing."""

    @classmethod
    def of(
        cls, fault: Fault, file: object, row: int, value: str, *, how: str = "", count: int = 1
    ) -> "Finding":
        """Return a finding in the usual words, ``how`` instead of them where given."""
        why, how = WHY[fault], how or HOW[fault]
        return cls(fault=fault, file=str(file), row=row, value=value, why=why, how=how, count=count)

    @property
    def where(self) -> str:
        """Return ``file:row``."""
        return f"{self.file}:{self.row}" if self.row else self.file

    @property
    def text(self) -> str:
        """Return what is wrong, where, with which value, and what to do about it."""
        return f"{self.where}: {self.fault}: {self.why}: {self.value}; {self.how}"


class Gap(msgspec.Struct, frozen=True):
    """Bars that are missing between two that are there."""

    from_ms: int
    """When the first missing bar begins."""

    to_ms: int
    """When the next bar that is there begins."""

    missing: int
