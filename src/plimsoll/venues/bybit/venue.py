"""The one object an engine uses to trade on Bybit v5: links, orders, queries, clock."""

from collections.abc import Sequence
from typing import Final

from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    ClockMeasured,
    ConnectionEnded,
    LinkChanged,
    OrderIntended,
    ProtectionIntended,
    QueryIntended,
    RetirementIntended,
)
from plimsoll.venues.bybit.account import Finding, Weight, check_account, check_key
from plimsoll.venues.bybit.answers import QueryRunner
from plimsoll.venues.bybit.background import Background
from plimsoll.venues.bybit.carriage import PublicCarriage, link_settings, private_url
from plimsoll.venues.bybit.counting import link_numbers
from plimsoll.venues.bybit.dialect import PrivateDialect, TradeDialect
from plimsoll.venues.bybit.disconnect import DisconnectGuard
from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    ParseError,
    VenueUnreachable,
)
from plimsoll.venues.bybit.http import Transport
from plimsoll.venues.bybit.links import LINKS, PRIVATE, TRADE
from plimsoll.venues.bybit.listing import load_instruments, reload_instruments
from plimsoll.venues.bybit.orders import OrderSender
from plimsoll.venues.bybit.ports import Clock, Inbox, Sent
from plimsoll.venues.bybit.private import parse_private
from plimsoll.venues.bybit.rest import RestClient
from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.venues.bybit.sign import Signer
from plimsoll.websocket import Dialect, Link, LinkPlace, LoopShell, Shell, SoleLink, TopicPhase

PRIVATE_TOPICS: Final = ("order", "execution", "position", "wallet")
_CLOCK_SAMPLES: Final = 5


class BybitVenue:
    """Bybit v5, or the simulator that speaks like it, for one account.

    Call ``open``, then ``connect``; ``close`` at the end. All inputs go to ``inbox`` from inside
    the event loop; ``create``, ``amend`` and ``cancel`` write before they return.
    """

    def __init__(
        self,
        settings: BybitSettings,
        inbox: Inbox,
        clock: Clock,
        shell: Shell | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Prepare without touching the network; ``shell`` and ``transport`` are the way there.

        Without them it lives in the running event loop, on sockets and HTTP.

        Raises:
            CredentialsRefused: there is a key, but it cannot be used for signing.
        """
        self.settings = settings
        self.instruments: dict[str, Instrument] = {}
        self._stated: dict[str, Instrument] = {}
        """Instruments as the venue stated them last; messages are read by ``instruments``."""
        self.links: dict[int, Link] = {}
        self._shell = shell or LoopShell()
        self.public = PublicCarriage(settings, inbox, clock, self, self._shell)
        self.unlisted = 0
        self.parse_errors = 0
        self._inbox = inbox
        self._clock = clock
        self._signer = Signer(settings.key, settings.secret) if settings.has_key else None
        self._rest = RestClient(settings, clock, self._signer, transport, self._shell.sleep)
        self._rest.on_clock_refused = self._doubt_clock
        self._is_doubting = False
        self._background = Background(self._shell)
        self._orders = OrderSender(self._rest, inbox, clock, self._background)
        self._disconnect = DisconnectGuard(self._rest, inbox, settings.dcp_s, self._shell.sleep)
        self._queries = QueryRunner(self._rest, inbox, self._skip_unlisted, settings.stored)
        self._catalogue: dict[tuple[str, str], Instrument] = {}
        self._told_down: set[int] = set()

    # ---- opening and closing ---------------------------------------------------------------

    async def open(self, instruments: Sequence[str]) -> list[Instrument]:
        """Measure the clock, check key and account, and list the instruments.

        Raises:
            VenueUnreachable: no usable answer.
            CredentialsRefused: the key is not accepted, or may do more or less than trade.
            AccountUnsupported: the account's mode is outside what is supported.
            UnknownInstrument: one does not exist, does not trade, or cannot be counted.
        """
        clock = await self._rest.measure_offset(_CLOCK_SAMPLES)
        if not clock.is_ok:
            where = self.settings.rest_url
            raise VenueUnreachable(f"{where}: expected the venue's time, found {clock.reason}")
        self._put_clock()
        has_key = self.settings.has_key
        if has_key:
            self._judge(await check_key(self._rest))
        listed = await load_instruments(self._rest, instruments, with_fees=has_key)
        if has_key:
            self._judge(await check_account(self._rest, listed))
            await self._disconnect.enable(item.category for item in listed)
        self._list(listed)
        return listed

    async def connect(self) -> None:
        """Start the links and the clock; they keep themselves alive until ``close``."""
        if self._signer is not None:
            self._start_private(self._signer)
        self.public.follow(self.instruments.values())
        self.links |= self.public.links
        self._background.start(self._keep_clock(), "clock")

    async def follow(self, instruments: Sequence[str]) -> list[Instrument]:
        """List instruments and carry their streams from now on, besides those there are.

        One that is followed already is followed once more: each ``follow`` needs its ``unfollow``.

        Raises:
            VenueUnreachable: no usable answer.
            AccountUnsupported: the account's mode is outside what is supported for one.
            UnknownInstrument: one does not exist, does not trade, or cannot be counted.
        """
        unlisted = [name for name in instruments if name not in self.instruments]
        if unlisted:
            has_key = self.settings.has_key
            listed = await load_instruments(self._rest, unlisted, with_fees=has_key)
            if has_key:
                self._judge(await check_account(self._rest, listed))
            self._list([*self.instruments.values(), *listed])
        followed = [self.instruments[name] for name in instruments]
        self.public.follow(followed)
        self.links |= self.public.links
        return followed

    def unfollow(self, instruments: Sequence[str]) -> None:
        """Take back one ``follow`` of each; the last one ends the streams.

        The instruments stay listed: what the venue still reports of orders on them is understood.

        Raises:
            UnknownInstrument: one is not followed; nothing was changed.
        """
        self.public.unfollow(instruments)

    async def close(self) -> None:
        """Close every link, end every task, close the REST session."""
        for link in self.links.values():
            await link.close()
        await self._background.close()
        await self._rest.close()

    async def refresh(self, *, with_fees: bool) -> list[Instrument]:
        """Read filters, and where wanted fee rates, again; return the instruments that changed.

        Messages are read by the filters of before until ``adopt``.

        Raises:
            VenueUnreachable: no usable answer.
            UnknownInstrument: one cannot be counted any more.
        """
        self._orders.has_misfit = False
        stated = self._stated
        fees = with_fees and self.settings.has_key
        listed = await reload_instruments(self._rest, list(stated.values()), with_fees=fees)
        self._stated = stated | {item.name: item for item in listed}
        return [item for item in listed if item != stated[item.name]]

    def adopt(self, instruments: Sequence[Instrument]) -> None:
        """Read and write messages of listed instruments by these filters from now on."""
        found = {item.name: item for item in instruments}
        stated = self._stated
        self._list([found.get(name, item) for name, item in self.instruments.items()])
        self._stated = stated

    @property
    def has_misfit(self) -> bool:
        """Return whether an order was refused because of filters since they were read."""
        return self._orders.has_misfit

    # ---- orders (hot) ----------------------------------------------------------------------

    def create(self, order: OrderIntended) -> Sent | str:
        """Write a create now, or return the reason why not a byte was written."""
        return self._orders.create(order)

    def practise(self, order: OrderIntended) -> None:
        """Write a create into memory, for nobody."""
        self._orders.practise(order)

    def amend(self, order: AmendIntended, instrument: str) -> Sent | str:
        """Write an amend now, or return the reason why not a byte was written."""
        return self._orders.amend(order, instrument)

    def cancel(self, order: CancelIntended, instrument: str) -> Sent | str:
        """Write a cancel now, or return the reason why not a byte was written."""
        return self._orders.cancel(order, instrument)

    def protect(self, level: ProtectionIntended) -> Sent | str:
        """Set the exits of a position now, or return the reason why not a byte was written."""
        return self._orders.protect(level)

    # ---- everything else the engine asks for -----------------------------------------------

    def query(self, query: QueryIntended) -> None:
        """Ask the venue; rows come in as reports with the query's id, then ``QueryAnswered``."""
        self._background.start(self._queries.answer(query), f"query {query.query_id}")

    def retire(self, retirement: RetirementIntended) -> None:
        """Let a connection end, followed by another one: an answer on it will never come."""
        self._orders.retire(retirement.connection, retirement.client_order_id)

    def resubscribe(self, instrument: str) -> None:
        """Renew an instrument's book, whose content has a gap (reliability MKT-3)."""
        self.public.renew_book(instrument)

    def restart_link(self, link: int, reason: str) -> None:
        """Drop the connection whose frame cannot be read; it comes back by itself.

        Called while that frame is handled, it is the one that brought it.
        """
        if link in self.links:
            self.links[link].restart(reason)

    def metrics(self, *, with_topics: bool = False) -> tuple[dict[str, int], dict[str, float]]:
        """Return (counters, gauges); ``with_topics`` by connection and topic as well."""
        offset_ns, uncertainty_ns = self._rest.offset.at(self._clock.now_ns())
        counters = {
            "orders_sent": self._orders.sent,
            "rest_requests": self._rest.requests,
            "rest_failures": self._rest.failures,
            "rest_waited_ms": self._rest.waited_ns // 1_000_000,
            "rate_refusals": self._orders.rate_refusals,
            "parse_errors": self.parse_errors,
            "unlisted_items": self.unlisted,
        }
        gauges: dict[str, float] = {
            "clock_offset_ms": offset_ns / 1e6,
            "clock_uncertainty_ms": uncertainty_ns / 1e6,
            "requests_pending": self._orders.pending,
            "background_tasks": len(self._background),
        }
        for index, link in self.links.items():
            counted, measured = link_numbers(LINKS[index], link, with_topics=with_topics)
            counters |= counted
            gauges |= measured
        gauges |= {f"limit_left{path}": left for path, left in self._rest.limits_left.items()}
        return counters, gauges

    # ---- link events (called by the links) ---------------------------------------------------

    def link_up(self, index: int) -> None:
        """Record that a link is authenticated and subscribed."""
        self._told_down.discard(index)
        self._put_link(index, is_up=True, reason="subscribed")

    def link_down(self, index: int, reason: str, was_up: bool) -> None:
        """Record that a link broke; of attempts that fail only the first in a row is told."""
        if was_up and index == TRADE:
            self._orders.link_lost()
        if was_up:
            self._put_link(index, is_up=False, reason=reason)
        elif index not in self._told_down:
            self._inbox.trouble("link-failed", LINKS[index], reason)
        self._told_down.add(index)

    def link_report(self, index: int, code: str, subject: str, text: str) -> None:
        """Pass on what a link has to tell."""
        self._inbox.trouble(code, f"{LINKS[index]} {subject}".strip(), text)

    def topic_changed(
        self, index: int, topic: str, phase: TopicPhase, reason: str, is_void: bool
    ) -> None:
        """Record how an instrument's stream is carried now, where that changed."""
        self.public.topic_changed(index, topic, phase, reason, is_void)

    def connection_ended(self, index: int, number: int) -> None:
        """Forget requests whose answers can never come, and record that none will."""
        if index == TRADE:
            self._orders.connection_ended(number)
            self._inbox.put(ConnectionEnded(*self._inbox.stamp(), LINKS[index], number))

    # ---- frames ----------------------------------------------------------------------------

    def _take_private(self, link: int, raw: bytes, received_ns: int) -> None:
        try:
            for record in parse_private(
                raw, self._catalogue, self._inbox.stamp, self._skip_unlisted, self._skip_item
            ):
                self._inbox.put(record)
        except ParseError as error:
            self._skip_item(error)
            self.restart_link(link, "an unreadable private frame")

    def _take_answer(self, link: int, raw: bytes, received_ns: int) -> None:
        self._orders.take_answer(raw)

    def _skip_unlisted(self, name: str) -> None:
        self.unlisted += 1
        self._inbox.trouble("unlisted", name, "the venue reports an instrument we do not list")

    def _skip_item(self, error: ParseError) -> None:
        self.parse_errors += 1
        self._inbox.trouble("parse-error", LINKS[PRIVATE], str(error))

    # ---- starting links --------------------------------------------------------------------

    def _start_private(self, signer: Signer) -> None:
        settings, venue_ms = self.settings, self._rest.signed_ms
        dialect = PrivateDialect(signer, venue_ms)
        place = self._place(PRIVATE, settings.private_url, dialect)
        budget = self.public.budget_of(place.url)
        topics = (*PRIVATE_TOPICS, *self._disconnect.topics)
        self._background.start(self._disconnect.verify(), "disconnect protection")
        link = SoleLink(
            place,
            topics,
            self._clock,
            self._take_private,
            self,
            budget,
            shell=self._shell,
        )
        self.links[PRIVATE] = link
        link.start()
        if settings.trade_url:
            self._start_trade(TradeDialect(signer, venue_ms))

    def _start_trade(self, dialect: Dialect) -> None:
        place = self._place(TRADE, self.settings.trade_url, dialect)
        budget, is_drained = self.public.budget_of(place.url), self._orders.is_drained
        link = SoleLink(
            place,
            (),
            self._clock,
            self._take_answer,
            self,
            budget,
            is_drained,
            shell=self._shell,
        )
        self.links[TRADE] = self._orders.link = link
        link.start()

    def _place(self, index: int, url: str, dialect: Dialect) -> LinkPlace:
        own = self.settings
        times = link_settings(own, own.max_active_s)
        return LinkPlace(index, private_url(url, own.max_active_s), dialect, times, own.proxy)

    # ---- clock, lists, findings --------------------------------------------------------------

    def remeasure(self) -> None:
        """Measure the venue's clock now: ours may have stood still."""
        self._background.start(self._measure(), "clock now")

    async def _measure(self) -> None:
        self._rest.offset.forget()
        await self._look_at_clock(_CLOCK_SAMPLES)

    async def _keep_clock(self) -> None:
        while True:
            await self._shell.sleep(self.settings.clock_period_s)
            await self._look_at_clock(1)

    def _doubt_clock(self) -> None:
        """Measure now, once a second at most: an answer said that our stamps are off (10002).

        What was measured before is forgotten only where a sample contradicts it: the request may
        have been late, and the clock right.
        """
        if not self._is_doubting:
            self._is_doubting = True
            self._inbox.trouble("clock", "stamps", "refused as outside the window: measured anew")
            self._background.start(self._measure_again(), "clock again")

    async def _measure_again(self) -> None:
        await self._look_at_clock(_CLOCK_SAMPLES)
        await self._shell.sleep(1.0)
        self._is_doubting = False

    async def _look_at_clock(self, samples: int) -> None:
        answer = await self._rest.measure_offset(samples)
        if not answer.is_ok:
            self._inbox.trouble("clock", "venue's time", answer.reason)
        self._put_clock()

    def _put_clock(self) -> None:
        offset_ns, uncertainty_ns = self._rest.offset.at(self._clock.now_ns())
        self._inbox.put(ClockMeasured(*self._inbox.stamp(), offset_ns, uncertainty_ns))

    def _put_link(self, index: int, *, is_up: bool, reason: str) -> None:
        self._inbox.put(LinkChanged(*self._inbox.stamp(), LINKS[index], is_up, reason))

    def _list(self, listed: Sequence[Instrument]) -> None:
        self.instruments = {item.name: item for item in listed}
        self._stated = dict(self.instruments)
        self._catalogue = {(item.category, item.symbol): item for item in listed}
        self._orders.list_instruments(self.instruments)
        self._queries.list_instruments(self.instruments)

    def _judge(self, findings: Sequence[Finding]) -> None:
        """Refuse by the gravest finding; tell the rest."""
        for finding in findings:
            text = f"{finding.text}; {finding.fix}"
            if finding.weight is Weight.KEY:
                raise CredentialsRefused(text)
            if finding.weight is Weight.ACCOUNT:
                raise AccountUnsupported(text)
            self._inbox.trouble(finding.code, "account", text)
