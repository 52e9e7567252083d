"""What is missing in the bars of a series, counted while they are read: told, never filled in."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

from msgspec import Struct

Row = tuple[int, float, float, float, float, float]


class Survey(Struct):
    """Counts of one series."""

    rows: int = 0
    gaps: int = 0
    missing: int = 0
    """Bars that are not there between the first and the last."""
    longest: int = 0
    """Bars missing in the longest gap, which begins at ``longest_ms``."""
    longest_ms: int = 0
    idle: int = 0
    """Bars in which nothing was traded."""
    first_ms: int = -1
    last_ms: int = -1

    def of(self, chunks: Iterable[list[Row]], span_ms: int) -> Iterator[list[Row]]:
        """Yield the chunks, and count them (hot: once a chunk where nothing is missing)."""
        for chunk in chunks:
            if chunk:
                self._take(chunk, span_ms)
            yield chunk

    def _take(self, chunk: list[Row], span_ms: int) -> None:
        first, last = chunk[0][0], chunk[-1][0]
        if self.rows and first - self.last_ms > span_ms:
            self._gap(self.last_ms, first, span_ms)
        if last - first > (len(chunk) - 1) * span_ms:
            for before, after in pairwise(row[0] for row in chunk):
                if after - before > span_ms:
                    self._gap(before, after, span_ms)
        if not self.rows:
            self.first_ms = first
        self.rows += len(chunk)
        self.idle += [row[5] for row in chunk].count(0.0)
        self.last_ms = last

    def _gap(self, before_ms: int, after_ms: int, span_ms: int) -> None:
        missing = (after_ms - before_ms - 1) // span_ms
        self.gaps += 1
        self.missing += missing
        if missing > self.longest:
            self.longest, self.longest_ms = missing, before_ms + span_ms

    def told(self, name: str, span_ms: int, began_ms: int, ended_ms: int) -> list[str]:
        """Return what has to be said of it, in words; of all series the first and last bar begin.

        Strategies begin once all their instruments have; what is held keeps its last price.
        """
        found = []
        if self.rows and self.first_ms > began_ms:
            found.append(
                f"{name}: its bars begin at {_moment(self.first_ms)}, others at "
                f"{_moment(began_ms)}: who trades it waits until then"
            )
        if self.rows and self.last_ms < ended_ms:
            found.append(
                f"{name}: its bars end at {_moment(self.last_ms + span_ms)}, others at "
                f"{_moment(ended_ms + span_ms)}: what is held of it keeps its last price"
            )
        if self.gaps:
            ends_ms = self.longest_ms + self.longest * span_ms
            found.append(
                f"{name}: bars are missing: {self.missing:,}, gaps: {self.gaps:,}, the longest "
                f"from {_moment(self.longest_ms)} to {_moment(ends_ms)}; nothing is filled in: "
                "what is held or rests meets the price after a gap"
            )
        if self.idle:
            found.append(
                f"{name}: in {self.idle:,} of {self.rows:,} bars nothing was traded (volume 0); "
                "orders fill at their prices all the same"
            )
        return found


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
