"""How records about markets change the facts."""

from collections.abc import Callable
from typing import Any

from plimsoll.core.engine.facts import Facts, Relisted
from plimsoll.core.feed import BarMarket, Market
from plimsoll.core.model import Instrument, Regrid, common
from plimsoll.core.records import (
    BarChanged,
    BarWalked,
    FundingReported,
    InstrumentListed,
    LinkChanged,
    MarkBarChanged,
    PublicTraded,
    Record,
    StreamChanged,
    TickerChanged,
    Woken,
)


class Markets:
    """What is listed, and what streams and connections say."""

    def __init__(self, facts: Facts) -> None:
        """Change these."""
        self.facts = facts

    def table(self) -> dict[type[Record], Callable[[Any], None]]:
        """Return who applies which record."""
        return {
            InstrumentListed: self._listed,
            LinkChanged: self._link,
            StreamChanged: self._stream,
            Woken: self._woken,
            PublicTraded: self._public_trade,
            TickerChanged: self._ticker,
            BarChanged: self._bar,
            MarkBarChanged: self._mark_bar,
            BarWalked: self._walked,
            FundingReported: self._funding,
        }

    def _listed(self, record: InstrumentListed) -> None:
        instrument = self._counted(record.instrument)
        self.facts.ledger.instruments[instrument.name] = instrument
        market = self.facts.markets.get(instrument.name)
        if market is None:
            rules = self.facts.settings.by_bars if self.facts.settings is not None else None
            market = Market(instrument) if rules is None else BarMarket(instrument, rules)
            self.facts.markets[instrument.name] = market
        market.relist(instrument)
        if self.facts.settings is not None:
            market.adopt(self.facts.settings.timing)

    def _counted(self, stated: Instrument) -> Instrument:
        """Return an instrument in steps that fit all that is open, and bring that to them."""
        self.facts.relisted = None
        old = self.facts.instruments.get(stated.name)
        if old is None:
            return stated
        steps = (old.tick * old.price_step, old.lot * old.qty_step)
        try:
            new = common(old, stated)
        except ValueError as error:
            self.facts.relisted = Relisted(stated, Regrid(1, 1), str(error))
            return old
        regrid = Regrid.between(old, new)
        if (stated.tick, stated.lot) != steps:
            self.facts.relisted = Relisted(stated, regrid)
        if regrid.is_needed:
            self.facts.orders.regrid(new.name, regrid)
            self.facts.ledger.forget_order_of(new.name)
            self.facts.protections.regrid(new.name, regrid)
            for habits in self.facts.habits.values():
                habits.prices.clear()  # in ticks of before
        return new

    def _link(self, record: LinkChanged) -> None:
        self.facts.safety.on_link(record)
        kind, _, category = record.link.partition(".")
        if kind == "public" and not record.is_up:
            for name, market in self.facts.markets.items():
                if name.startswith(f"{category}:"):
                    market.drop("link down")

    def _stream(self, record: StreamChanged) -> None:
        market = self.facts.markets.get(record.instrument)
        if market is not None:
            market.on_stream(record)

    def _woken(self, record: Woken) -> None:
        self.facts.safety.on_woken(record)
        for market in self.facts.markets.values():
            market.drop("the process was paused")

    def _public_trade(self, record: PublicTraded) -> None:
        market = self.facts.markets.get(record.instrument)
        if market is not None:
            market.on_public_trade(record, self.facts.safety.clock_offset_ns)

    def _ticker(self, record: TickerChanged) -> None:
        market = self.facts.markets.get(record.instrument)
        if market is not None:
            market.on_ticker(record, self.facts.safety.clock_offset_ns)

    def _bar(self, record: BarChanged) -> None:
        market = self.facts.markets.get(record.instrument)
        if market is not None:
            market.on_bar(record, self.facts.safety.clock_offset_ns)

    def _mark_bar(self, record: MarkBarChanged) -> None:
        market = self.facts.markets.get(record.instrument)
        if isinstance(market, BarMarket):
            market.mark_bar = record

    def _funding(self, record: FundingReported) -> None:
        market = self.facts.markets.get(record.instrument)
        if isinstance(market, BarMarket):
            market.on_funding(record)

    def _walked(self, record: BarWalked) -> None:
        market = self.facts.markets.get(record.instrument)
        if isinstance(market, BarMarket):
            market.on_walk(record)
