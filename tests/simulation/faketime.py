"""``libfaketime`` under an engine: its wall clock can be moved while it runs."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class WallClock:
    """The wall clock of one process; its monotonic clock stays as it is."""

    def __init__(self, file: Path) -> None:
        """Begin with the right time; skip the test where there is no library."""
        if not LIBRARIES:
            if os.environ.get("CI"):
                raise AssertionError("libfaketime is missing: .ci/run installs it")
            pytest.skip("libfaketime is not installed (Debian package libfaketime)")
        self._file = file
        self.step(0)

    def step(self, off_s: float) -> None:
        """Put the clock this many seconds off the right time, from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{off_s:+.3f}s\n")
        fresh.rename(self._file)

    @property
    def env(self) -> Mapping[str, str]:
        """Return the environment of a process that shall have this clock."""
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
