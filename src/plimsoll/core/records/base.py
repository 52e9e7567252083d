"""What every record carries."""

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What every record carries."""

    seq: int
    ts_ns: int
    epoch: int
    cause: int
