"""A disk that fails ends the engine in order, wherever it is met (found by the simulated world)."""

import errno
from types import SimpleNamespace
from typing import Any

import pytest

from plimsoll.core.engine import Core
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.engine import Engine
from plimsoll.engine.refusing import Refused, refusing
from plimsoll.journal import JournalError
from plimsoll.observe import Log


def test_a_log_that_fails_under_telemetry_stops_the_engine():
    """Seed 66: the failure left by the task that writes each second, in a traceback."""

    def refuse(*_record):
        raise JournalError("takes no more records")

    journal: Any = SimpleNamespace(last_seq=0, trading=refuse, market=refuse)
    failures: list[BaseException] = []
    engine = Engine(Core(), journal, EngineClock(), 1, {}, Log(), failures.append)
    engine.tell({}, {})
    assert [type(one) for one in failures] == [JournalError]
    engine.tell({}, {})
    assert len(failures) == 1


def test_a_disk_that_cannot_be_used_refuses_the_start():
    """Seed 16: an error of the system ended the start in a traceback."""
    with pytest.raises(Refused, match="Input/output error") as refusal, refusing():
        raise OSError(errno.EIO, "Input/output error")
    assert refusal.value.code == 7
