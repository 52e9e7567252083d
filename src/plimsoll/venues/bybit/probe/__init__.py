"""Asks a venue how it really behaves, row by row, and records every byte of the answers.

In: a client, instruments, a budget. Out: one verdict a row, a recording. It sends orders of the
smallest size, never on mainnet, and takes back what it opened. Imported by ``cli``.
"""

from plimsoll.venues.bybit.probe.check import Check, Row, Verdict
from plimsoll.venues.bybit.probe.common import Pace
from plimsoll.venues.bybit.probe.errors import Unknown
from plimsoll.venues.bybit.probe.probe import Probe
from plimsoll.venues.bybit.probe.report import Report, document_of, page_of
from plimsoll.venues.bybit.probe.table import CHECKS
from plimsoll.venues.bybit.probe.tape import Tape

__all__ = [
    "CHECKS",
    "Check",
    "Pace",
    "Probe",
    "Report",
    "Row",
    "Tape",
    "Unknown",
    "Verdict",
    "document_of",
    "page_of",
]
