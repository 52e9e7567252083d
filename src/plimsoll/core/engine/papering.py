"""Paper orders at work: what the paper venue does to them, put on record as decisions."""

from collections.abc import Iterator

from plimsoll.core.engine.paying import Paying
from plimsoll.core.engine.placing import LAST, MARK
from plimsoll.core.engine.state import State
from plimsoll.core.feed import Market
from plimsoll.core.matching.paper import MarketRows, PaperEvent, PaperVenue
from plimsoll.core.model import OrderState, Regrid
from plimsoll.core.portfolio import fee_of
from plimsoll.core.records import BookChanged, PaperFilled, PaperReported, PublicTraded, Record
from plimsoll.core.settings import CoreSettings


class Papering:
    """Puts paper events on record."""

    def __init__(self, state: State, settings: CoreSettings) -> None:
        """Begin with the orders of earlier sessions out of their books."""
        self.state = state
        self.venue = PaperVenue(
            settings.timing.paper_latency_ns,
            state.orders.find,
            state.ledger.qty_lots,
            self._trusted_rows,
            state.instruments.__getitem__,
            settings.timing.paper_queue_ppm,
        )
        self.paying = Paying(state, settings.timing)
        self._is_shadow = False
        self._by_bars = settings.by_bars is not None
        self.pays = False
        """Whether funding is paid by what tickers tell; in a backtest the past is told."""
        self.rule = ""
        """What decides fills just now, where the data does not (``PaperFilled.rule``)."""
        self.resumes = [order for order in state.orders.working.values() if order.is_paper]
        """Orders of an earlier session, waiting for their instrument's first book."""
        self.follow()

    def follow(self) -> None:
        """Know whether there is anybody on paper now."""
        self.pays = bool(self.state.paper_owners) and not self._by_bars and not self._is_shadow

    def shadow(self) -> None:
        """Match nothing: what paper orders meet is on record already."""
        self._is_shadow = True
        self.pays = False
        self.venue.is_told = True
        self.resumes.clear()

    # ---- what the market does ----

    def on_book(self, change: BookChanged, market: Market) -> Iterator[Record]:
        """Match a book; put the orders back in that waited for it."""
        is_whole = market.book.fault is None  # a refused message moves no paper order either
        yield from self.round(self.venue.on_book(change) if is_whole else iter(()))
        if self.resumes:
            yield from self._resume(change.instrument)

    def on_public_trade(self, traded: PublicTraded, market: Market) -> Iterator[Record]:
        """Match prints."""
        if self.venue.matching or self.venue.waiting:
            rows = market.fresh_rows
            yield from self.round(self.venue.on_public_trade(traded.instrument, rows))

    def on_last(self, market: Market) -> Iterator[Record]:
        """Let in what waits for the last price."""
        yield from self.round(self._triggered(market, LAST, market.last))

    def on_prices(self, market: Market) -> Iterator[Record]:
        """Let in what waits for the mark price or the last one."""
        yield from self.round(self._triggered(market, MARK, market.mark))
        yield from self.on_last(market)

    def round(self, events: Iterator[PaperEvent]) -> Iterator[Record]:
        """Let requests take effect that are due, then events happen."""
        for event in self.venue.until(self.state.ts_ns):
            yield from self._put(event)
        for event in events:
            yield from self._put(event)

    def by_rule(self, events: Iterator[PaperEvent], rule: str) -> Iterator[Record]:
        """Put events on record that a rule decided, not the data."""
        self.rule = rule
        for event in events:
            yield from self._put(event)
        self.rule = ""

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Take an instrument's orders out of their books until the next one, in its new steps."""
        self.venue.regrid(instrument, regrid)
        for order in self.state.orders.on_instrument.get(instrument, {}).values():
            rests = order.state is not OrderState.INTENT  # one on its way comes by itself
            if order.is_paper and rests and order not in self.resumes:
                self.resumes.append(order)

    # ---- inside ----

    def _triggered(self, market: Market, by: str, price: float) -> Iterator[PaperEvent]:
        ticks = int(price * market.scale + 0.5)
        return self.venue.on_price(market.instrument.name, by, ticks)

    def _put(self, event: PaperEvent) -> Iterator[Record]:
        state = self.state
        order = state.orders.find(event.order_id)
        if order is None:
            return
        if event.status is not None:
            yield PaperReported(
                *state.stamp(),
                order.id,
                event.status,
                event.price_ticks,
                event.qty_lots,
                event.reason,
                event.is_untriggered,
                event.trigger_ticks,
            )
            return
        instrument = state.instruments[order.instrument]
        if self.pays and not instrument.is_spot:
            yield from self.paying.before_fill(instrument.name)
        fee_units, coin = fee_of(
            instrument, order.side, event.price_ticks, event.qty_lots, is_maker=event.is_maker
        )
        stamp = state.stamp()
        yield PaperFilled(
            *stamp,
            order.id,
            f"paper-{stamp[0]}",
            event.price_ticks,
            event.qty_lots,
            fee_units,
            coin,
            event.is_maker,
            self.rule or event.rule,
        )

    def _resume(self, instrument: str) -> Iterator[Record]:
        if self.state.markets[instrument].fault is None:
            back = [order for order in self.resumes if order.instrument == instrument]
            self.resumes = [order for order in self.resumes if order.instrument != instrument]
            for order in back:
                if not order.is_working:  # ended while it was out of the book
                    continue
                for event in self.venue.resume(order, self.state.ts_ns):
                    yield from self._put(event)

    def _trusted_rows(self, name: str) -> tuple[MarketRows, MarketRows]:
        book = self.state.markets[name].book
        return book.rows() if book.fault is None else ([], [])
