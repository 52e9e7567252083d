"""Mistakes about what is kept, and what of it is believed."""

from collections import OrderedDict

from tests.simulation.mutants.mutant import Mutant, both, replaced

from plimsoll.engine import process, restoring
from plimsoll.journal import segment_reader
from plimsoll.journal.frames import Stop
from plimsoll.journal.layout import FRAME, FRAME_BYTES, Entry, padded
from plimsoll.journal.writer import LogWriter


def _unchecked(_parse):
    def broken(chunk, last_seq, epoch, out):
        offset = 0
        while offset + FRAME_BYTES <= len(chunk):
            length, _crc, seq, ts_ns, kind = FRAME.unpack_from(chunk, offset)
            if not length:
                return offset, Stop.END
            following = padded(offset + length)
            if length < FRAME_BYTES or following > len(chunk):
                return offset, Stop.SHORT if length >= FRAME_BYTES else Stop.BAD
            content = chunk[offset + FRAME_BYTES : offset + length]
            out.append(Entry(seq, ts_ns, kind, content, epoch))
            offset = following
        return offset, Stop.SHORT if any(chunk[offset : offset + 4]) else Stop.END

    return broken


def _buffered_append(append):
    def broken(self, *record):
        held = self.__dict__.setdefault("held", [])
        held.append(record)
        if len(held) >= 8:
            _flush(self, append)

    return broken


def _flush(self, append):
    held, self.__dict__["held"] = self.__dict__.get("held", []), []
    for record in held:
        append(self, *record)


def _flushing(method):
    append = LogWriter.append

    def broken(self):
        _flush(self, append)
        return method(self)

    return broken


def _forgiving(force):
    def broken(self):
        failure = self.failure
        try:
            force(self)
        except Exception:
            self.failure = failure

    return broken


def _without_halts(snapshot):
    def broken(state):
        halts, state.safety.halts = state.safety.halts, {}
        try:
            return snapshot(state)
        finally:
            state.safety.halts = halts

    return broken


def _without_ids(snapshot):
    def broken(state):
        seen, state.ledger.seen = state.ledger.seen, OrderedDict()
        try:
            return snapshot(state)
        finally:
            state.ledger.seen = seen

    return broken


def _without_working(snapshot):
    def broken(state):
        working = state.orders.working
        state.orders.working = {key: one for key, one in working.items() if not one.is_busy}
        try:
            return snapshot(state)
        finally:
            state.orders.working = working

    return broken


def _everywhere(make):
    return both(*(replaced(module, "snapshot", make) for module in (process, restoring)))


MUTANTS = (
    Mutant(
        "records are gathered before they are written",
        "eight at a time: the death of the process takes those that wait",
        "ORD-4, JRN-1",
        both(
            replaced(LogWriter, "force", _flushing),
            replaced(LogWriter, "close", _flushing),
            replaced(LogWriter, "append", _buffered_append),
        ),
    ),
    Mutant(
        "a torn tail is read",
        "records are taken by their length, and their checksum is not looked at",
        "JRN-2",
        replaced(segment_reader, "parse", _unchecked),
    ),
    Mutant(
        "a failed force is forgiven",
        "the log goes on as if the data were on disk",
        "JRN-3",
        replaced(LogWriter, "force", _forgiving),
    ),
    Mutant(
        "a snapshot without the halts",
        "a stop in order forgets them",
        "RSK-9, JRN-5",
        _everywhere(_without_halts),
    ),
    Mutant(
        "a snapshot without the ids of executions",
        "after a stop in order what the comparison brings again is new",
        "ACC-1, JRN-5",
        _everywhere(_without_ids),
    ),
)
