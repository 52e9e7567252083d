"""What can be wrong with stored or given bars: what, where, and how to fix it."""

from collections.abc import Sequence

from plimsoll.data.findings import Finding


class DataError(Exception):
    """Data cannot be used or kept. Nothing was changed by the step that raised it.

    Attributes:
        what: What was expected and what was found.
        where: The file with its line or row, or the address.
        how: What to do about it.
    """

    def __init__(self, what: str, where: str, how: str) -> None:
        super().__init__(f"{where}: {what}; {how}")
        self.what = what
        self.where = where
        self.how = how


class PackageMissing(DataError):
    """The package that reads and writes Parquet is not installed."""


class NotRecognised(DataError):
    """The file's columns or times can be read in more than one way, or in none."""


class FileCut(DataError):
    """A compressed or Parquet file ends before its end, or is damaged."""


class NothingStored(DataError):
    """The store holds nothing of what was asked for."""


class Overlaps(DataError):
    """Rows to be stored differ from rows of the same time that are stored already."""


class OtherVenue(DataError):
    """The store holds this instrument from another environment of the venue."""


class StoreBusy(DataError):
    """Another process writes the same instrument."""


class BadRows(DataError):
    """Rows that make no sense; nothing of the file was used.

    Attributes:
        findings: Examples, up to ``findings.EXAMPLES_MOST`` of each fault, in order of the file.
        counts: How many rows have each fault.
    """

    def __init__(
        self, where: str, findings: Sequence[Finding], counts: dict[str, int], how: str
    ) -> None:
        words = ", ".join(f"{count:,} {fault}" for fault, count in counts.items())
        super().__init__(f"expected sound rows, found faults: {words}", where, how)
        self.findings = list(findings)
        self.counts = counts
