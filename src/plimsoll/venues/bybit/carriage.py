"""How the public streams of instruments are carried: topics, copies, links, and what is told."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from plimsoll.core.model import Instrument
from plimsoll.core.records import StreamChanged
from plimsoll.venues.bybit.dialect import BybitDialect
from plimsoll.venues.bybit.errors import UnknownInstrument
from plimsoll.venues.bybit.links import LINKS
from plimsoll.venues.bybit.ports import Clock, Inbox
from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.websocket import (
    ConnectBudget,
    LinkEvents,
    LinkPlace,
    PooledLink,
    PoolLimits,
    SessionSettings,
    Shell,
    TopicPhase,
)

PUBLIC_TOPICS: Final = ("orderbook.50", "publicTrade", "tickers", "kline.1")
"""What is subscribed for each instrument."""

STREAMS: Final[Mapping[str, str]] = MappingProxyType(
    {"orderbook": "book", "publicTrade": "trades", "tickers": "ticker", "kline": "bars"}
)
"""Streams as records name them, by the first part of their topics."""

HOST_CONNECTS: Final = 200
"""Connects in 5 minutes to one host, all links together.

The venue allows an address 500 (Bybit v5 docs, rate-limit); a standby and tools share it.
"""

PUBLIC_CONNECTS: Final = 140
"""Of these for public links: what they leave is enough for private and trade, 30 each (N2)."""

_SECOND: Final = 1_000_000_000
_SUSPECT: Final = "suspect"


class PublicCarriage:
    """The public links of one venue object."""

    def __init__(
        self,
        settings: BybitSettings,
        inbox: Inbox,
        clock: Clock,
        events: LinkEvents,
        shell: Shell | None = None,
    ) -> None:
        """Prepare without touching the network; ``events`` hears of the links."""
        self.links: dict[int, PooledLink] = {}
        self._settings = settings
        self._inbox = inbox
        self._clock = clock
        self._events = events
        self._shell = shell
        self._dialect = BybitDialect()
        self._budgets: dict[str, ConnectBudget] = {}
        self._followed: Counter[str] = Counter()
        self._names: dict[tuple[int, str], tuple[str, str]] = {}
        self._told: dict[tuple[str, str], tuple[str, bool]] = {}

    def budget_of(self, url: str) -> ConnectBudget:
        """Return the budget of attempts that all links to a host share."""
        return self._budgets.setdefault(urlsplit(url).netloc, ConnectBudget(HOST_CONNECTS))

    def follow(self, instruments: Iterable[Instrument]) -> None:
        """Carry the streams of instruments, once more where they are carried."""
        wanted: dict[tuple[str, int], list[str]] = {}
        for item in instruments:
            self._followed[item.name] += 1
            for kind in PUBLIC_TOPICS:
                topic = f"{kind}.{item.symbol}"
                stream = STREAMS[kind.partition(".")[0]]
                self._names[_index_of(item.category), topic] = (item.name, stream)
                wanted.setdefault((item.category, self._copies(kind)), []).append(topic)
        for (category, copies), topics in wanted.items():
            self._link(category).want(topics, copies)

    def unfollow(self, instruments: Sequence[str]) -> None:
        """Take back one ``follow`` of each.

        Raises:
            UnknownInstrument: one is not followed; nothing was changed.
        """
        for name, times in Counter(instruments).items():
            if self._followed[name] < times:
                raise UnknownInstrument(f"{name} is not followed")
        for name in instruments:
            category, _, symbol = name.partition(":")
            self._followed[name] -= 1
            link = self.links[_index_of(category)]
            link.release([f"{kind}.{symbol}" for kind in PUBLIC_TOPICS])

    def renew_book(self, instrument: str) -> None:
        """Renew a book wherever it is carried."""
        category, _, symbol = instrument.partition(":")
        link = self.links.get(_index_of(category))
        if link is not None:
            link.renew([f"{PUBLIC_TOPICS[0]}.{symbol}"])

    def topic_changed(
        self, index: int, topic: str, phase: TopicPhase, reason: str, is_void: bool
    ) -> None:
        """Record how a stream is carried now, where that changed.

        Before its first word a stream is suspect and void, and the core holds it for that.
        """
        name = self._names.get((index, topic))
        if name is None:
            return
        told = (self._status(topic, phase), is_void)
        if self._told.get(name, (_SUSPECT, True)) == told:
            return
        self._told[name] = told
        instrument, stream = name
        self._inbox.put(
            StreamChanged(*self._inbox.stamp(), instrument, stream, told[0], reason, is_void)
        )

    def _status(self, topic: str, phase: TopicPhase) -> str:
        if phase in (TopicPhase.DEAD, TopicPhase.REFUSED):
            return "dead"
        may_be_silent = not self._dialect.silence_ns(topic)
        is_live = phase is TopicPhase.LIVE or (phase is TopicPhase.CONFIRMED and may_be_silent)
        return "live" if is_live else _SUSPECT

    def _copies(self, kind: str) -> int:
        return 2 if kind.partition(".")[0] in self._settings.redundant else 1

    def _link(self, category: str) -> PooledLink:
        index = _index_of(category)
        if index not in self.links:
            own = self._settings
            url = f"{own.public_url}/{category}"
            place = LinkPlace(index, url, self._dialect, link_settings(own), own.proxy)
            limits = PoolLimits(topics=own.topics_per_connection, chars=self._dialect.args_chars)
            self.links[index] = PooledLink(
                place,
                self._clock,
                self._inbox.frame,
                self._events,
                self._budget(url),
                limits,
                self._shell,
            )
        return self.links[index]

    def _budget(self, url: str) -> ConnectBudget:
        """Return what all public links to a host may use of its budget."""
        key = f"public {urlsplit(url).netloc}"
        if key not in self._budgets:
            self._budgets[key] = ConnectBudget(PUBLIC_CONNECTS, parent=self.budget_of(url))
        return self._budgets[key]


def link_settings(own: BybitSettings, max_active_s: int = 0) -> SessionSettings:
    """Return the times of a link; with ``max_active_s`` its connections have successors in time.

    The venue looks each 30 s whether a connection is too old, so that it cuts late, never early
    (Bybit v5 docs, ws/connect); a tenth of the time, and 10 s at least, is left for the change.
    """
    age_s = max_active_s - max(10, max_active_s // 10) if max_active_s else 0
    return SessionSettings(
        ping_period_ns=int(own.ping_s * _SECOND),
        pong_deadline_ns=int(own.pong_s * _SECOND),
        late_pong_ns=int(own.late_pong_s * _SECOND),
        max_age_ns=age_s * _SECOND,
    )


def private_url(url: str, max_active_s: int) -> str:
    """Return the address of a private or trade socket that is to be cut after ``max_active_s``."""
    return f"{url}?max_active_time={max_active_s}s" if max_active_s else url


def _index_of(category: str) -> int:
    return next((index for index, name in LINKS.items() if name == f"public.{category}"), -1)
