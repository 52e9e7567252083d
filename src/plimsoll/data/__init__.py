"""The past on disk: bars, mark bars and funding rates as Parquet, one file a month.

In: the venue's public REST, and files somebody has. Out: sound rows in chunks, or what is wrong
with them, where, and how to mend it; nothing is ever repaired silently. The command line and rooms
above may import it. Recorded books and prints are read by ``recordings``. Bars need the extra
``data`` (DuckDB), which is imported when it is used.
"""

from plimsoll.data.errors import (
    BadRows,
    DataError,
    FileCut,
    NothingStored,
    NotRecognised,
    OtherVenue,
    Overlaps,
    PackageMissing,
    StoreBusy,
)
from plimsoll.data.fetching import Fetched, Progress, fetch, fetch_filters
from plimsoll.data.findings import Fault, Finding, Gap
from plimsoll.data.frames import FRAMES, KINDS, Frame, Series, series_in, series_of
from plimsoll.data.importing import Imported, drops_of, import_file
from plimsoll.data.reading import CHUNK, Rate, Row, read_bars, read_file, read_funding
from plimsoll.data.store import Filters, Listed, Store
from plimsoll.data.times import TimeWords
from plimsoll.data.verifying import Verified, verify

__all__ = [
    "CHUNK",
    "FRAMES",
    "KINDS",
    "BadRows",
    "DataError",
    "Fault",
    "Fetched",
    "FileCut",
    "Filters",
    "Finding",
    "Frame",
    "Gap",
    "Imported",
    "Listed",
    "NotRecognised",
    "NothingStored",
    "OtherVenue",
    "Overlaps",
    "PackageMissing",
    "Progress",
    "Rate",
    "Row",
    "Series",
    "Store",
    "StoreBusy",
    "TimeWords",
    "Verified",
    "drops_of",
    "fetch",
    "fetch_filters",
    "import_file",
    "read_bars",
    "read_file",
    "read_funding",
    "series_in",
    "series_of",
    "verify",
]
