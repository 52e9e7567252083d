"""How a request reaches the venue and its answer us: a port, and HTTP behind it."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import aiohttp
from yarl import URL

from plimsoll.venues.bybit.settings import BybitSettings

_BODY_CAP: Final = 16 * 1024 * 1024


class Unanswered(Exception):
    """No whole answer came: timeout, lost connection, something too large."""


class Reply(NamedTuple):
    """An answer as it was on the wire."""

    status: int
    headers: Mapping[str, str]
    """Asked for by name without regard to case."""

    raw_headers: Sequence[tuple[bytes, bytes]]
    """In the case and order they were sent in."""

    content: bytes


class Transport(Protocol):
    """One kept-alive way to the venue's REST address."""

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """Send one request and return its answer.

        Raises:
            Unanswered: none came, or not all of one; what it did is not known.
        """

    async def close(self) -> None:
        """Close it; requests in flight end as ``Unanswered``."""


class HttpTransport:
    """HTTP by aiohttp, in the event loop that runs when it is first asked."""

    def __init__(self, settings: BybitSettings) -> None:
        """Prepare without touching the network."""
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """Send one request and return its answer.

        Raises:
            Unanswered: none came, or not all of one; what it did is not known.
        """
        try:
            async with self._open().request(
                method,
                # encoded=True: what was signed must not be written in another way.
                URL(self._settings.rest_url + target, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=self._settings.proxy or None,
            ) as response:
                content = await _content(response)
                return Reply(response.status, response.headers, response.raw_headers, content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unanswered(repr(error)) from error

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._settings.rest_timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session


async def _content(response: aiohttp.ClientResponse) -> bytes:
    content = await response.content.read(_BODY_CAP)
    while not response.content.at_eof():
        part = await response.content.read(_BODY_CAP)
        content += part
        if len(content) > _BODY_CAP:
            raise ValueError(f"an answer larger than {_BODY_CAP} bytes")
    return content
