"""Mistakes about ids and epochs."""

from tests.simulation.mutants.mutant import Mutant, replaced

from plimsoll.core.engine.applying import Orders, Sessions
from plimsoll.core.model import IdMaker
from plimsoll.engine import claiming
from plimsoll.lease import file
from plimsoll.lease.epoch import read_epoch, write_epoch


def _counted_anew(lease):
    def broken(self, record):
        lease(self, record)
        self.facts.ids = IdMaker(record.tag, 1)

    return broken


def _not_noted(intended):
    def broken(self, record):
        counter = self.facts.ids.counter
        intended(self, record)
        if record.reduce_only:
            self.facts.ids.counter = counter

    return broken


def _same_epoch(take):
    def broken(directory, account, holder, floor=0):
        lock, path = file._paths(directory, account)
        fd = file._locked(lock)
        epoch = max(floor, read_epoch(path), 1)
        write_epoch(path, epoch)
        return file.FileLease(fd, epoch)

    return broken


MUTANTS = (
    Mutant(
        "the id counter starts anew with the session",
        "ids carry no number of the session, and count from one in each",
        "ORD-1",
        replaced(Sessions, "_lease", _counted_anew),
    ),
    Mutant(
        "an id given twice",
        "a reduce-only order does not count: the next order gets its id",
        "ORD-1",
        replaced(Orders, "_intended", _not_noted),
    ),
    Mutant(
        "the epoch stays",
        "a start takes the last epoch instead of the next one",
        "ORD-2",
        replaced(claiming, "take", _same_epoch),
    ),
)
