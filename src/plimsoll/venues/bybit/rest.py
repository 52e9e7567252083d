"""REST: signed requests whose every possible end is a value, not an exception."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import quote

import msgspec

from plimsoll.venues.bybit.codes import CLOCK_CODES, LIMIT_CODES
from plimsoll.venues.bybit.errors import shortened
from plimsoll.venues.bybit.http import HttpTransport, Reply, Transport, Unanswered
from plimsoll.venues.bybit.numbers import Stored
from plimsoll.venues.bybit.offset import OffsetEstimate
from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.rates import Grant, ReadBudget, read_grant
from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.venues.bybit.sign import Signer

_BEHIND_CAP_NS: Final = 250_000_000
"""Most we stamp behind the best estimate, so that an error never lands us ahead of the venue."""

_NS_DIGITS: Final = 19
"""Of Unix time in ns, from 2001 to 2286."""

_READ_RETRIES: Final = 3
_LIMIT_WINDOW_NS: Final = 1_000_000_000
"""The venue counts requests in rolling windows of one second."""

_PAGE_LIMIT: Final = 1000
"""Most pages of one list; reaching it is a failure, never a shorter answer."""


class End(StrEnum):
    """How a request ended."""

    OK = "ok"
    REFUSED = "refused"
    """An error code of the venue; ``code`` says which."""

    BANNED = "banned"
    """HTTP 403: address limit or region. Nothing is sent for 10 minutes."""

    LIMITED = "limited"
    """Too many requests (HTTP 429 or a limit code)."""

    BROKEN = "broken"
    """Timeout, lost connection, server error or unreadable text: the outcome is not known."""

    NOT_SENT = "not_sent"
    """Not sent at all: the address is banned."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one request. ``code`` is the venue's, or the HTTP status where there is none."""

    end: End
    code: int
    text: str
    result: bytes = b"{}"
    grant: Grant | None = None
    """What the answer's headers say about the rate of its endpoint."""

    ext: bytes = b"{}"
    """What stands beside the result: of a batch, the code of each item."""

    @property
    def is_ok(self) -> bool:
        """Return whether the venue answered with success."""
        return self.end is End.OK

    @property
    def reason(self) -> str:
        """Return end, code and text for a message."""
        return f"{self.end} {self.code}: {self.text}"


class Heard(NamedTuple):
    """A request and the whole answer to it, as they were on the wire, for who records them."""

    method: str
    target: str
    body: bytes
    status: int
    headers: Sequence[tuple[bytes, bytes]]
    """Of the answer, in the case and order they were sent in."""

    content: bytes


class _Envelope(msgspec.Struct):
    retCode: Stored | None = None
    ret_code: Stored | None = None  # gateway errors keep the older spelling
    retMsg: str | None = ""
    ret_msg: str | None = ""
    result: msgspec.Raw = msgspec.Raw(b"null")  # none at all is not an empty one
    retExtInfo: msgspec.Raw = msgspec.Raw(b"{}")


class _Page(msgspec.Struct):
    rows: list[msgspec.Raw] = msgspec.field(name="list")  # no list is no answer, not "none"
    nextPageCursor: str | None = ""


class _Time(msgspec.Struct):
    timeNano: str | int


_envelope: Final = msgspec.json.Decoder(_Envelope, strict=False).decode
_page: Final = msgspec.json.Decoder(_Page).decode
_time: Final = msgspec.json.Decoder(_Time).decode


class RestClient:
    """One kept-alive session to the venue's REST address."""

    def __init__(
        self,
        settings: BybitSettings,
        clock: Clock,
        signer: Signer | None,
        transport: Transport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare; without a ``transport`` it is HTTP in the running event loop."""
        self.settings = settings
        self.offset = OffsetEstimate()
        self.requests = 0
        self.failures = 0
        self.limits_left: dict[str, int] = {}
        """Remaining requests by path, as the venue's last answer said."""

        self.waited_ns = 0
        """How long reads have waited for their turn, in all."""

        self.tap: Callable[[Heard], None] | None = None
        """Hears every request that was answered; nothing of a signature is in it."""

        self.on_clock_refused: Callable[[], None] = lambda: None
        """Called where an answer says that our stamps are off."""

        self._budget = ReadBudget(settings.holder)

        self._clock = clock
        self._signer = signer
        self._banned_until_ns = 0
        self._transport = transport or HttpTransport(settings)
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the session; requests in flight end as BROKEN."""
        await self._transport.close()

    @property
    def is_banned(self) -> bool:
        """Return whether the address is banned at the moment."""
        return self._clock.monotonic_ns() < self._banned_until_ns

    def signed_ms(self) -> int:
        """Return venue time for a stamp: the best estimate, held back by its uncertainty.

        The venue takes stamps at most 1 s ahead but ``recv_window`` behind (V-2).
        """
        now_ns = self._clock.now_ns()
        offset_ns, uncertainty_ns = self.offset.at(now_ns)
        return (now_ns + offset_ns - min(uncertainty_ns, _BEHIND_CAP_NS)) // 1_000_000

    async def get(self, path: str, params: Mapping[str, str | int], *, signed: bool) -> Answer:
        """Ask when it is our turn; empty parameters are left out. What is signed is what is sent.

        A cursor is percent-encoded text already and goes back as it came. What came too late for
        its stamp is asked once more with another one: the clock may be right, and the way long.
        """
        given = {name: value for name, value in params.items() if value != ""}
        query = query_of(given)
        answer = await self._get(path, query, signed=signed)
        if signed and needs_clock(answer):
            answer = await self._get(path, query, signed=signed)
        return answer

    async def _get(self, path: str, query: str, *, signed: bool) -> Answer:
        await self._turn(path, signed=signed)
        headers = self._headers(query.encode()) if signed else {}
        return await self._request("GET", f"{path}?{query}" if query else path, headers, None)

    async def post(self, path: str, body: bytes, signed_ms: int) -> Answer:
        """Send a body signed at ``signed_ms``; an end of BROKEN says nothing about its effect."""
        self._budget.note(self._clock.monotonic_ns())
        headers = self._headers(body, signed_ms) | {"Content-Type": "application/json"}
        return await self._request("POST", path, headers, body)

    async def pages(
        self, path: str, params: Mapping[str, str | int], *, signed: bool
    ) -> AsyncIterator[Answer | list[bytes]]:
        """Yield the rows of each page of a list; a failed page is yielded as its answer, last."""
        cursor = ""
        for _ in range(_PAGE_LIMIT):
            answer = await self._patiently(path, {**params, "cursor": cursor}, signed=signed)
            if not answer.is_ok:
                yield answer
                return
            try:
                page = _page(answer.result)
            except msgspec.MsgspecError as error:
                yield _broken(200, f"{path}: {error}")
                return
            yield [bytes(row) for row in page.rows]
            if not page.nextPageCursor or page.nextPageCursor == cursor:
                return
            cursor = page.nextPageCursor
        yield _broken(200, f"{path}: more than {_PAGE_LIMIT} pages")

    async def _patiently(
        self, path: str, params: Mapping[str, str | int], *, signed: bool
    ) -> Answer:
        """Ask again where the venue says "too many", when its time has come: reads may repeat."""
        answer = await self.get(path, params, signed=signed)
        for _ in range(_READ_RETRIES):
            if answer.end is not End.LIMITED:
                break
            answer = await self.get(path, params, signed=signed)
        return answer

    async def rows(
        self, path: str, params: Mapping[str, str | int], *, signed: bool
    ) -> Answer | list[bytes]:
        """Return every row of a list over all pages, or the answer that failed."""
        rows: list[bytes] = []
        async for page in self.pages(path, params, signed=signed):
            if isinstance(page, Answer):
                return page
            rows += page
        return rows

    async def measure_offset(self, samples: int) -> Answer:
        """Take samples of the venue's clock; return the last answer that failed, else the last."""
        answer = failed = None
        for _ in range(samples):
            sent_ns = self._clock.now_ns()
            answer = await self.get("/v5/market/time", {}, signed=False)
            received_ns = self._clock.now_ns()
            if not answer.is_ok:
                failed = answer
                continue
            try:
                self.offset.add(sent_ns, _venue_ns(answer.result), received_ns)
            except (msgspec.MsgspecError, ValueError) as error:
                failed = _broken(200, f"/v5/market/time: {error}")
        return failed or answer or _broken(0, "no sample was asked for")

    async def _turn(self, path: str, *, signed: bool) -> None:
        now_ns = self._clock.monotonic_ns()
        wait_ns = self._budget.turn_ns(path, now_ns, signed=signed) - now_ns
        if wait_ns > 0:
            self.waited_ns += wait_ns
            await self._sleep(wait_ns / 1e9)

    # ---- one request -----------------------------------------------------------------------

    def _headers(self, payload: bytes, signed_ms: int = 0) -> dict[str, str]:
        assert self._signer is not None, "a signed request needs a key"
        stamp = signed_ms or self.signed_ms()
        return self._signer.headers(payload, stamp, self.settings.recv_window_ms)

    async def _request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        if self.is_banned:
            return Answer(end=End.NOT_SENT, code=403, text="this address is banned: waiting")
        self.requests += 1
        try:
            reply = await self._transport.ask(method, target, headers, body)
            if self.tap is not None:
                sent, told = body or b"", reply.raw_headers
                self.tap(Heard(method, target, sent, reply.status, told, reply.content))
            answer = self._read(reply, target)
        except (Unanswered, ValueError) as error:
            answer = _broken(0, f"{method} {target.partition('?')[0]}: {error}")
        if not answer.is_ok:
            self.failures += 1
            if needs_clock(answer):
                self.on_clock_refused()
        return answer

    def _read(self, reply: Reply, target: str) -> Answer:
        path, grant = target.partition("?")[0], read_grant(reply.headers)
        if grant is not None:
            self.limits_left[path] = grant.left
            self._budget.learn(path, grant)
        answer = self._judge(reply.status, reply.content)
        if answer.end is End.LIMITED:
            self._budget.close(path, self._clock.monotonic_ns() + _LIMIT_WINDOW_NS)
        return msgspec.structs.replace(answer, grant=grant)

    def _judge(self, status: int, content: bytes) -> Answer:
        if status == 403:
            self._banned_until_ns = self._clock.monotonic_ns() + int(self.settings.ban_s * 1e9)
            return Answer(end=End.BANNED, code=403, text=_shown(content))
        if status == 429:
            return Answer(end=End.LIMITED, code=429, text=_shown(content))
        if status >= 500 or 300 <= status < 400:
            return _broken(status, _shown(content))
        try:
            content.decode()  # the result is kept unread: what is no text must not get that far
            envelope = _envelope(content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            end = End.REFUSED if status in (400, 401, 404) else End.BROKEN
            return Answer(end=end, code=status, text=_shown(content))
        return _answer(envelope, status)


def _venue_ns(result: bytes) -> int:
    """Return the venue's time.

    Raises:
        MsgspecError: the answer has another shape.
        ValueError: it is no time of this age: every stamp and every record would carry it on.
    """
    text = f"{_time(result).timeNano}"
    if not (text.isascii() and text.isdecimal() and len(text) == _NS_DIGITS):
        raise ValueError(f"expected Unix time in ns, found {text[:40]!r}")
    return int(text)


def query_of(params: Mapping[str, str | int]) -> str:
    """Return a query string, each value percent-encoded exactly once."""
    return "&".join(
        f"{name}={quote(str(value), safe='%' if name == 'cursor' else '')}"
        for name, value in params.items()
    )


def needs_clock(answer: Answer) -> bool:
    """Return whether the answer says that our stamps are off (10002)."""
    return answer.end is End.REFUSED and answer.code in CLOCK_CODES


def _answer(envelope: _Envelope, status: int) -> Answer:
    code = envelope.ret_code if envelope.retCode is None else envelope.retCode
    text = shortened(envelope.retMsg or envelope.ret_msg or "")
    if code is None:
        return _broken(status, f"no retCode in the answer: {text}")
    if code == 0 and status >= 400:
        return _broken(status, f"an error by its status, a success by its text: {text}")
    end = End.OK if code == 0 else End.LIMITED if code in LIMIT_CODES else End.REFUSED
    result, ext = bytes(envelope.result), bytes(envelope.retExtInfo)
    return Answer(end=end, code=code, text=text, result=result, ext=ext)


def _broken(code: int, text: str) -> Answer:
    return Answer(end=End.BROKEN, code=code, text=text)


def _shown(content: bytes) -> str:
    return " ".join(content[:160].decode("utf-8", "replace").split())
