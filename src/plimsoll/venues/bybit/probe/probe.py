"""Runs the checks: a flat account before, everything taken back after, whatever happens between."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Final, TextIO
from urllib.parse import urlsplit

from plimsoll import __version__
from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.api import BadRequest, BybitClient, CallFailed
from plimsoll.venues.bybit.dialect import PrivateDialect
from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    ParseError,
    VenueError,
    VenueUnreachable,
)
from plimsoll.venues.bybit.listing import load_instruments
from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.probe.check import Check, Row, Seen, row_of
from plimsoll.venues.bybit.probe.clearing import clear, dust_of, require_flat
from plimsoll.venues.bybit.probe.common import Common, Pace
from plimsoll.venues.bybit.probe.desk import Desk
from plimsoll.venues.bybit.probe.errors import Unknown
from plimsoll.venues.bybit.probe.purse import Purse
from plimsoll.venues.bybit.probe.pushing import login
from plimsoll.venues.bybit.probe.report import Report
from plimsoll.venues.bybit.probe.sockets import Frame, Socket
from plimsoll.venues.bybit.probe.tape import Tape
from plimsoll.venues.bybit.probe.watching import TOPICS
from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.venues.bybit.sign import Signer

ENVIRONMENTS: Final = ("demo", "testnet", "simulator")
"""Where a probe may run: never where money is real."""

_SAFE_HOSTS: Final = ("api-demo.bybit.com", "api-testnet.bybit.com", "127.0.0.1", "localhost")


class Probe:
    """One run on one account, which nobody else uses meanwhile."""

    def __init__(
        self,
        settings: BybitSettings,
        clock: Clock,
        environment: str,
        instruments: Sequence[str],
        *,
        budget: Decimal = Decimal(5),
        pace: Pace | None = None,
        out: TextIO | None = None,
        on_row: Callable[[Row], None] | None = None,
    ) -> None:
        """Prepare without touching the network.

        Args:
            settings: Where the venue is, and the key.
            clock: The session's clock.
            environment: ``demo``, ``testnet`` or ``simulator``.
            instruments: Names such as ``linear:BTCUSDT``.
            budget: What fees and spread may cost together, in quote coin.
            pace: How long to wait for what.
            out: Where the recording goes.
            on_row: Hears of each row when it is decided.

        Raises:
            AccountUnsupported: the environment or the address is one of real money.
            CredentialsRefused: there is no key, or it cannot be used.
        """
        host = urlsplit(settings.rest_url).hostname or ""
        if environment not in ENVIRONMENTS or host not in _SAFE_HOSTS:
            raise AccountUnsupported(
                f"a probe never runs where money is real: expected one of {ENVIRONMENTS} at its "
                f"own address, found {environment} at {settings.rest_url}"
            )
        if not settings.has_key:
            raise CredentialsRefused("a probe needs a key: set account.key and account.secret")
        self._settings = settings
        self._clock = clock
        self._names = tuple(dict.fromkeys(instruments))
        self._signer = Signer(settings.key, settings.secret)
        self._tape = Tape(clock, out, (settings.key, settings.secret.reveal()))
        self._purse = Purse(budget)
        self._pace = pace or Pace()
        self._on_row = on_row
        self._desks: list[Desk] = []
        self.report = Report(
            environment=environment,
            instruments=self._names,
            started_ms=clock.now_ns() // 1_000_000,
            program=__version__,
            budget=f"{budget}",
        )
        """What is known so far; complete, ``left`` included, once ``run`` has ended."""

    async def run(self, checks: Sequence[Check]) -> Report:
        """Run the checks in order and take back what they opened.

        Cancelled, it takes everything back before it lets go; ``report`` then holds what was found.

        Raises:
            AccountUnsupported: the account is not flat, or not in a mode we know.
            CredentialsRefused: the key is not accepted.
            UnknownInstrument: one does not trade there.
            VenueUnreachable: no connection.
            CallFailed: a question before the first check was refused.
        """
        async with AsyncExitStack() as stack:
            self._tape.head(
                environment=self.report.environment, instruments=self._names, program=__version__
            )
            client = BybitClient(self._settings, self._clock)
            client.rest.tap = self._tape.rest
            await stack.enter_async_context(client)
            await self._open(client, stack)
            try:
                for check in checks:
                    await self._look(check)
            except asyncio.CancelledError:
                self.report.is_interrupted = True
                raise
            finally:
                await self._clear()
        return self.report

    # ---- before and after --------------------------------------------------------------------

    async def _open(self, client: BybitClient, stack: AsyncExitStack) -> None:
        settings = self._settings
        has_fees = self.report.environment != "demo"
        items = await load_instruments(client.rest, self._names, with_fees=has_fees)
        await require_flat(client, items)
        dialect = PrivateDialect(self._signer, client.rest.signed_ms)
        private = await stack.enter_async_context(self._socket("private", settings.private_url))
        private.on_frame = self._take_private
        trade = None
        if settings.trade_url:
            trade = await stack.enter_async_context(self._socket("trade", settings.trade_url))
        common = Common(
            client=client,
            clock=self._clock,
            dialect=dialect,
            tape=self._tape,
            purse=self._purse,
            pace=self._pace,
            tag=f"probe-{self.report.started_ms // 1000:x}",
            private=private,
            trade=trade,
            started_ms=client.rest.signed_ms(),
        )
        for item in items:
            self._desks.append(Desk(common, item, await self._watch(item, stack)))
        await self._log_in(private, trade)

    def _socket(self, link: str, url: str) -> Socket:
        return Socket(link, url, self._tape, self._clock, proxy=self._settings.proxy)

    async def _watch(self, item: Instrument, stack: AsyncExitStack) -> Socket:
        """Open an instrument's own public socket and subscribe to all its topics."""
        link = f"public.{item.category}"
        url = f"{self._settings.public_url}/{item.category}"
        public = await stack.enter_async_context(self._socket(link, url))
        topics = [f"{topic}.{item.symbol}" for topic in TOPICS]
        await public.ask("subscribe", args=topics, patience_s=self._pace.patience_s)
        return public

    async def _log_in(self, private: Socket, trade: Socket | None) -> None:
        desk = self._desks[0]
        try:
            frames = [await login(desk, one) for one in (private, trade) if one is not None]
            topics = ["order", "execution", "position", "wallet"]
            told = await private.ask("subscribe", args=topics, patience_s=self._pace.patience_s)
        except Unknown as error:
            raise VenueUnreachable(f"{self._settings.private_url}: {error}") from error
        for frame in frames:
            if not (frame.found.get("success") or frame.found.get("retCode") == 0):
                raise CredentialsRefused(f"a socket refused the login: {frame.raw[:200]}")
        if told is None or not told.found.get("success"):
            answer = told.raw[:200] if told is not None else "nothing"
            raise VenueUnreachable(f"{self._settings.private_url}: topics were answered {answer}")

    def _take_private(self, frame: Frame) -> None:
        """Book executions the moment they come: the purse must know them before the next order."""
        if frame.topic.partition(".")[0] != "execution":
            return
        for row in frame.rows:
            for desk in self._desks:
                is_its = row.get("symbol") == desk.symbol and row.get("category") == desk.category
                if is_its:
                    self._purse.take(desk.instrument, row)

    async def _clear(self) -> None:
        """Take back what is open; a cancellation meanwhile waits until that is done."""
        task = asyncio.ensure_future(self._clear_all())
        is_cancelled = False
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                is_cancelled = True
        task.result()
        if is_cancelled:
            self.report.is_interrupted = True
            raise asyncio.CancelledError

    async def _clear_all(self) -> None:
        self._tape.check = "clearing"
        self.report.left = await clear(self._desks)
        self.report.dust = dust_of(self._desks)
        self.report.spent = f"{self._purse.spent.quantize(Decimal('1e-8')).normalize():f}"

    # ---- one check ---------------------------------------------------------------------------

    async def _look(self, check: Check) -> None:
        desk = self._desk_of(check)
        if desk is None:
            self._tell(row_of(check, "", None, f"no {check.category} instrument was given", 0))
            return
        self._tape.check = check.name
        started_ns = self._clock.monotonic_ns()
        desk.begin()
        seen, note = await self._find(check, desk)
        took_ms = (self._clock.monotonic_ns() - started_ns) // 1_000_000
        self._tell(row_of(check, desk.name, seen, note, took_ms))
        try:
            await desk.tidy()
        except (CallFailed, VenueError, ParseError, Unknown) as error:
            self._tape.frame("note", "out", f"behind {check.name}: {error}")
        self._tape.check = ""

    async def _find(self, check: Check, desk: Desk) -> tuple[Seen | None, str]:
        if not desk.private.is_open:  # what an order did could not be seen
            return None, "the venue has ended the private socket"
        try:
            found = await check.find(desk)
        except Unknown as error:
            return None, str(error)
        except CallFailed as failed:
            return None, f"a question was refused: {failed}"
        except (VenueError, ParseError, BadRequest) as error:
            return None, str(error)
        return (Seen(found) if isinstance(found, str) else found), ""

    def _desk_of(self, check: Check) -> Desk | None:
        fits = (desk for desk in self._desks if check.category in ("", desk.category))
        return next(fits, None)

    def _tell(self, row: Row) -> None:
        self.report.rows.append(row)
        self._tape.row(row)
        if self._on_row is not None:
            self._on_row(row)
