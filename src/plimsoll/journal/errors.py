"""What can go wrong with a log, told apart by what the caller may do next."""

from pathlib import Path


class JournalError(Exception):
    """The journal cannot do what was asked; after a failed write or force it never will again."""


class JournalDamaged(JournalError):
    """A log is not what was written to it: do not trade, offer a rebuild from the venue."""

    def __init__(self, file: Path, offset: int, seq: int, what: str) -> None:
        """Name the place.

        Args:
            file: The damaged file.
            offset: Byte offset in it.
            seq: Last seq known to be good before the damage.
            what: What was expected and what was found.
        """
        super().__init__(
            f"{file}: damaged at byte {offset}, after seq {seq}: {what}. Do not trade on it; "
            f"restore it from a copy, or `plimsoll journal rebuild` begins anew from the venue"
        )
        self.file = file
        self.offset = offset
        self.seq = seq
        self.what = what
