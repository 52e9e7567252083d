"""The recording of a probe: every frame and every answer, one JSON object a line.

==========  ====================================================================================
``t_ns``    Unix ns when we had it, or sent it
``check``   the check that was running, empty between two
``link``    ``head``, ``public.linear``, ``private``, ``trade``, ``rest`` or ``row``
``way``     ``out`` from us, ``in`` from the venue (sockets); ``answer`` (REST); absent else
``frame``   the text of a frame, byte for byte
``method``, ``target``, ``body``, ``status``, ``headers``, ``text``   a REST request and its answer
``row``     the verdict on a check
==========  ====================================================================================

Key, secret and signatures are replaced by ``***``. What the venue says of the key and its owner is
left out whole.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

import msgspec

from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.rest import Heard

FORMAT: Final = 1
_KEPT: Final = 2000
_PRIVATE_PATHS: Final = ("/v5/user/query-api",)


class Tape:
    """Writes the recording, and keeps the newest REST answers for the checks."""

    def __init__(self, clock: Clock, out: TextIO | None = None, hidden: Iterable[str] = ()) -> None:
        """Begin.

        Args:
            clock: Gives each line its time.
            out: Where lines go; nowhere without.
            hidden: Texts that must not appear: key and secret.
        """
        self.check = ""
        self.heard: list[tuple[int, Heard]] = []
        """(received at, request and answer), newest last."""

        self.lines = 0
        self._forgotten = 0
        self._clock = clock
        self._out = out
        self._hidden = [text for text in hidden if text]

    def head(self, **fields: object) -> None:
        """Write the first line: what this is a recording of."""
        self._write("head", {"format": FORMAT, **fields})

    def frame(self, link: str, way: str, text: str) -> None:
        """Write a frame."""
        self._write(link, {"way": way, "frame": text})

    def rest(self, heard: Heard) -> None:
        """Write a request and its answer."""
        self.heard.append((self._clock.now_ns(), heard))
        self._forgotten += len(self.heard[:-_KEPT])
        del self.heard[:-_KEPT]
        path = heard.target.partition("?")[0]
        is_private = path in _PRIVATE_PATHS
        headers = [[name.decode("latin-1"), text.decode("latin-1")] for name, text in heard.headers]
        self._write(
            "rest",
            {
                "way": "answer",
                "method": heard.method,
                "target": heard.target,
                "body": heard.body.decode("utf-8", "replace"),
                "status": heard.status,
                "headers": headers,
                "text": "***" if is_private else heard.content.decode("utf-8", "replace"),
            },
        )

    def row(self, row: msgspec.Struct) -> None:
        """Write the verdict on a check, and let everything so far reach the file."""
        self._write("row", {"row": row})
        if self._out is not None:
            self._out.flush()

    def mark(self) -> int:
        """Return the number of the next answer, to look at what comes from now on."""
        return self._forgotten + len(self.heard)

    def since(self, mark: int) -> list[tuple[int, Heard]]:
        """Return the answers from number ``mark`` on that are still kept."""
        return self.heard[max(0, mark - self._forgotten) :]

    def last(self, path: str, since: int = 0) -> tuple[int, Heard] | None:
        """Return the newest answer of a path, among those from number ``since`` on."""
        for at_ns, heard in reversed(self.since(since)):
            if heard.target.partition("?")[0] == path:
                return at_ns, heard
        return None

    def _write(self, link: str, fields: Mapping[str, Any]) -> None:
        self.lines += 1
        if self._out is None:
            return
        head = {"t_ns": self._clock.now_ns(), "check": self.check, "link": link}
        text = msgspec.json.encode({**head, **fields}).decode()
        for hidden in self._hidden:
            text = text.replace(hidden, "***")
        self._out.write(text + "\n")
