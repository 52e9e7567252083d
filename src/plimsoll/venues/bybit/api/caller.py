"""Asks endpoints: whole answers as typed rows, or an error; never a shorter answer."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from plimsoll.venues.bybit.api.endpoint import Done, Endpoint, Paging
from plimsoll.venues.bybit.api.parameters import Json, encoded
from plimsoll.venues.bybit.api.reading import Reader, RowT
from plimsoll.venues.bybit.codes import CodeClass, class_of
from plimsoll.venues.bybit.errors import CredentialsRefused, VenueError
from plimsoll.venues.bybit.queries import KEPT_MS, WEEK_MS
from plimsoll.venues.bybit.rest import Answer, RestClient

Params = Mapping[str, str | int]

SETTLE_COINS: Final = ("USDT", "USDC")
"""Coins that linear contracts settle in; a question without a symbol is asked for each."""

_PAGES_CAP: Final = 1000


class CallFailed(VenueError):
    """A question got no whole answer, or a setting was refused; ``answer`` says how it ended."""

    def __init__(self, endpoint: str, answer: Answer) -> None:
        super().__init__(f"{endpoint}: {answer.reason}")
        self.answer = answer


class Change(msgspec.Struct, frozen=True):
    """What a setting did; ``is_changed`` is False where the account was so already."""

    is_changed: bool
    code: int = 0
    text: str = ""


class Caller:
    """One way to the venue for all groups of the client."""

    def __init__(self, rest: RestClient) -> None:
        self.rest = rest
        self.reader = Reader()

    async def one(self, endpoint: Endpoint[RowT], params: Params) -> RowT:
        """Return the result of an endpoint that has no list.

        Raises:
            CallFailed: no answer, or a refusal.
            ParseError: the answer cannot be read.
        """
        self._check_key(endpoint)
        answer = await self.rest.get(endpoint.path, params, signed=endpoint.signed)
        if not answer.is_ok:
            raise CallFailed(endpoint.path, answer)
        return self.reader.row(endpoint.row, answer.result, endpoint.path)

    async def rows(
        self, endpoint: Endpoint[RowT], params: Params, since_ms: int = 0, until_ms: int = 0
    ) -> list[RowT]:
        """Return every row of a list, each once, oldest first where rows have a time.

        Args:
            endpoint: What is asked.
            params: Its parameters, without limit, cursor and times; "" leaves one out.
            since_ms: First millisecond; 0 leaves the span to the venue.
            until_ms: Last millisecond; 0 means now.

        Raises:
            CallFailed: a page could not be had; what the others held is not given out.
            ParseError: a row cannot be read.
        """
        asked = {"limit": endpoint.limit or "", **params}
        if endpoint.paging is Paging.BACKWARDS:
            return await self._backwards(endpoint, asked, since_ms, until_ms)
        found: list[RowT] = []
        for window in self._windows(endpoint, since_ms, until_ms):
            found += self._read(endpoint, await self._all(endpoint, {**asked, **window}))
        return ordered(endpoint, found)

    async def done(self, endpoint: Endpoint[RowT], body: Json) -> RowT:
        """Post and return the result.

        Raises:
            CallFailed: refused, or its end is not known.
            ParseError: the answer cannot be read; what was asked for is done.
        """
        answer = await self.post(endpoint, body)
        if not answer.is_ok:
            raise CallFailed(endpoint.path, answer)
        result = b"{}" if endpoint.row is Done else answer.result  # "done" needs no words
        return self.reader.row(endpoint.row, result, endpoint.path)

    async def change(self, endpoint: Endpoint[RowT], body: Json) -> Change:
        """Post a setting; "it is so already" is success.

        Raises:
            CallFailed: refused, or its end is not known.
        """
        answer = await self.post(endpoint, body)
        if answer.is_ok:
            return Change(is_changed=True)
        if answer.code and class_of(answer.code) is CodeClass.OK:
            return Change(False, answer.code, answer.text)
        raise CallFailed(endpoint.path, answer)

    async def post(self, endpoint: Endpoint[RowT], body: Json) -> Answer:
        """Post a body and return the answer, whatever it says; nothing is sent twice."""
        self._check_key(endpoint)
        return await self.rest.post(endpoint.path, encoded(body), self.rest.signed_ms())

    def _check_key(self, endpoint: Endpoint[RowT]) -> None:
        if endpoint.signed and not self.rest.settings.has_key:
            raise CredentialsRefused(f"{endpoint.path} needs a key, and none is set")

    # ---- lists -----------------------------------------------------------------------------

    def _windows(
        self, endpoint: Endpoint[RowT], since_ms: int, until_ms: int
    ) -> Iterable[dict[str, int]]:
        """Yield the times of each request; the last is left open where it ends now.

        What is older than the venue keeps is not asked for: it would be refused.
        """
        first, last = endpoint.bounds
        if endpoint.paging is not Paging.WEEKS:
            times = {first: since_ms, last: until_ms}
            yield {name: at for name, at in times.items() if at}
            return
        if not since_ms:
            yield {last: until_ms} if until_ms else {}
            return
        now_ms = self.rest.signed_ms()
        start, end = max(since_ms, now_ms - KEPT_MS), until_ms or now_ms
        while start + WEEK_MS <= end:
            yield {first: start, last: start + WEEK_MS - 1}
            start += WEEK_MS
        yield {first: start, last: until_ms} if until_ms else {first: start}

    async def _all(self, endpoint: Endpoint[RowT], params: Params) -> list[bytes]:
        self._check_key(endpoint)
        rows = await self.rest.rows(endpoint.path, params, signed=endpoint.signed)
        if isinstance(rows, Answer):
            raise CallFailed(endpoint.path, rows)
        return rows

    async def _backwards(
        self, endpoint: Endpoint[RowT], params: Params, since_ms: int, until_ms: int
    ) -> list[RowT]:
        """Ask for ever older rows until the first millisecond is reached or nothing is older.

        Without a first millisecond one page is enough: the newest rows.
        """
        first, last = endpoint.bounds
        found: list[RowT] = []
        end = until_ms or (self.rest.signed_ms() if since_ms else 0)
        for _ in range(_PAGES_CAP):
            times = {first: since_ms or "", last: end or ""}
            page = self._read(endpoint, await self._all(endpoint, {**params, **times}))
            found += page
            oldest = min((getattr(row, endpoint.time) for row in page), default=0)
            if not since_ms or not page or oldest <= since_ms:
                return ordered(endpoint, found)
            end = oldest - 1
        raise VenueError(f"{endpoint.path}: more than {_PAGES_CAP} pages since {since_ms}")

    def _read(self, endpoint: Endpoint[RowT], rows: Iterable[bytes]) -> list[RowT]:
        read, kind, path = self.reader.row, endpoint.row, endpoint.path
        return [read(kind, row, f"{path} row {place}") for place, row in enumerate(rows, 1)]


def ordered(endpoint: Endpoint[RowT], rows: Iterable[RowT]) -> list[RowT]:
    """Return rows each once, the one told last standing; oldest first where they have a time."""
    names = endpoint.key or tuple(endpoint.row.__struct_fields__)
    once = {tuple(getattr(row, name) for name in names): row for row in rows}
    if not endpoint.time:
        return list(once.values())
    # Told newest first: turned round, rows of one millisecond stay in the order they happened.
    return sorted(reversed(once.values()), key=lambda row: getattr(row, endpoint.time))
