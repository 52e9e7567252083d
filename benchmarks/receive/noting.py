"""When the book stood after each frame, and what processor time it took: kept by every client."""

import json
import time
from pathlib import Path

FIRST = 20_000_000
"""Update id of the snapshot; each delta's is one more."""


class Noting:
    """One number for each frame: monotonic ns when the book had taken it."""

    def __init__(self, count: int, out: Path) -> None:
        self.done = [0] * count
        self.out = out
        self.seen = 0
        self.cpu_ns = 0
        self._begun_ns = 0

    def took(self, update_id: int) -> None:
        """Note that the book has taken the frame with this update id."""
        place = update_id - FIRST - 1
        if 0 <= place < len(self.done):
            self.done[place] = time.monotonic_ns()
            self.seen += 1
            if self.seen == 1:
                self._begun_ns = time.process_time_ns()
            elif place == len(self.done) - 1:
                self.cpu_ns = time.process_time_ns() - self._begun_ns
                self.out.write_text(json.dumps({"done": self.done, "cpu_ns": self.cpu_ns}))
