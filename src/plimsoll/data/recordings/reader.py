"""What all readers of recorded lines share: where they are, whose line it is, and its order."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from plimsoll.core.feed import DEPTH
from plimsoll.core.records import BookChanged, Record
from plimsoll.data.errors import DataError, FileCut, NotRecognised
from plimsoll.data.files import lines_of
from plimsoll.data.findings import Fault

Make = Callable[[Any, int, int, int], Record | None]
"""Makes an input of what a line holds, its seq, time and epoch; None where it says nothing."""

Arrival = tuple[int, int, Make, Any]
"""When it arrived (Unix ns), the number of its reader, and what makes an input of what it holds."""

Names = Mapping[str, str]
"""Instrument by the venue's symbol."""

AGAIN: Final = "take it from its source again"
_SHOWN: Final = 100
MS: Final = 1_000_000


class Reader(ABC):
    """Reads a file of lines, one input a line; a new one is made for each time it is read.

    ``line`` is the number of the line that was given last: a reader is asked to make an input of
    it before it goes on to the next, so that whatever is wrong is told with its place.
    """

    def __init__(self, path: Path, names: Names, delay_ns: int = 0) -> None:
        """Begin before the first line.

        Args:
            path: The file.
            names: The instruments it may be about.
            delay_ns: From the venue's time to the arrival, where the file knows only the first.
        """
        self.path = path
        self.names = names
        self.delay_ns = delay_ns
        self.line = 0
        self._before_ns = 1
        self._updates: dict[str, int] = {}
        """Newest update id of each book."""

    @abstractmethod
    def arrived_ns(self, raw: bytes) -> int:
        """Return when a line arrived, 0 where it is to be passed over."""

    @abstractmethod
    def make(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> Record | None:
        """Return the input of a line, None where it says nothing of use."""

    def arrivals(self, number: int) -> Iterator[Arrival]:
        """Yield the lines in their order, which must be that of time.

        Raises:
            DataError: a line has no time, or an earlier one than the line before.
        """
        make, arrived_ns = self.make, self.arrived_ns
        for line, raw in enumerate(lines_of(self.path), start=1):
            self.line = line
            ts_ns = arrived_ns(raw)
            if ts_ns < self._before_ns:
                if not ts_ns:
                    continue
                raise self.disordered(ts_ns)
            self._before_ns = ts_ns
            yield ts_ns, number, make, raw

    # ---- whose and in which order ----

    def instrument(self, symbol: str) -> str:
        """Return the instrument a line is about.

        Raises:
            NotRecognised: nobody asked for it.
        """
        found = self.names.get(symbol)
        if found is None:
            raise NotRecognised(
                f"expected {' or '.join(self.names)}, found {symbol!r}",
                self.where,
                "name every instrument of the file with --instruments, or leave its lines out",
            )
        return found

    def check_order(self, book: BookChanged, before_id: int) -> None:
        """Refuse a delta that does not follow the message before it (hot).

        ``before_id``: the update id it says, or has to say, that it follows.
        """
        updates, name = self._updates, book.instrument
        if not book.is_snapshot:
            newest = updates.get(name)
            if newest != before_id:
                raise self._out_of_order(book.update_id, before_id, newest)
        updates[name] = book.update_id

    def _out_of_order(self, update_id: int, before_id: int, newest: int | None) -> DataError:
        if newest is None:
            return DataError(
                "expected a snapshot of the book first, found a delta",
                self.where,
                "give the recording from its snapshot on",
            )
        if update_id <= newest:
            return self.bad(
                Fault.DUPLICATE,
                f"an update id above {newest}, found {update_id} (again, or out of order)",
                "leave out what stands there twice, oldest first",
            )
        return self.bad(
            Fault.GAP,
            f"the update after {newest}, found one that follows {before_id}",
            "messages are missing: end the recording before this line, or begin it at the next "
            "snapshot",
        )

    # ---- what is wrong ----

    @property
    def where(self) -> str:
        """Return the place of the line given last."""
        return f"{self.path}:{self.line}"

    def disordered(self, ts_ns: int) -> DataError:
        """Return the refusal of a line that is earlier than the one before."""
        return self.bad(
            Fault.ORDER,
            f"no time before {self._before_ns / 1e9:.6f}, found {ts_ns / 1e9:.6f}",
            "sort its lines by time, oldest first",
        )

    def bad(self, fault: Fault, found: str, how: str) -> DataError:
        """Return the refusal of a line; ``found`` says what was expected and what was found."""
        return BadLine(fault, f"expected {found}", self.where, how)

    def number(self, found: str) -> DataError:
        """Return the refusal of a price or quantity that is none."""
        return self.bad(
            Fault.NUMBER, f"a price above 0 and a quantity from 0, found {found}", AGAIN
        )

    def unreadable(self, raw: bytes, expected: str, why: object = "") -> DataError:
        """Return the refusal of a line that is none of these."""
        shown = raw[:_SHOWN].decode("utf-8", "replace")
        more = f" ({why})" if why else ""
        if not raw.rstrip().endswith((b"}", b"]")) and raw.lstrip(b"0123456789 ").startswith(b"{"):
            return FileCut(f"expected {expected}, found half of one: {shown!r}", self.where, AGAIN)
        return DataError(f"expected {expected}, found {shown!r}{more}", self.where, AGAIN)


class BadLine(DataError):
    """A line that makes no sense among the others.

    Attributes:
        fault: What is wrong, in one word.
    """

    def __init__(self, fault: Fault, what: str, where: str, how: str) -> None:
        super().__init__(what, where, how)
        self.fault = fault


def traded_on(book: BookChanged) -> BookChanged:
    """Return a message of a book as one of the depth that is traded on."""
    if book.depth == DEPTH:
        return book
    return BookChanged(
        book.seq,
        book.ts_ns,
        book.epoch,
        0,
        book.instrument,
        DEPTH,
        book.is_snapshot,
        book.update_id,
        book.venue_seq,
        book.venue_ms,
        book.bids,
        book.asks,
    )
