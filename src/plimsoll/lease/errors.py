"""Why a lease was not given."""


class LeaseError(Exception):
    """The lease was not given: do not send."""


class LeaseHeld(LeaseError):
    """Another process holds it.

    ``pid`` is 0 where the holder has not written who it is (it holds the lease all the same).
    """

    def __init__(self, message: str, pid: int) -> None:
        super().__init__(message)
        self.pid = pid


class EpochUnreadable(LeaseError):
    """The last epoch is not known, or the next one cannot be made durable: ids might repeat."""
