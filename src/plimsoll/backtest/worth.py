"""Measures what an instance is worth: equity and exposure at each bar, in stretches.

Between two fills or fundings equity is what was firm at the first of them plus a value per tick of
what is held, so that the ledger need not be asked at each bar. What is held on spot, where fees
leave parts of a lot, and what has a mark price of its own is valued anew each time.
"""

from itertools import islice
from typing import Final

from plimsoll.backtest.plan import Plan, Row
from plimsoll.core.engine import Core
from plimsoll.core.settings import StrategySettings

_MS: Final = 1_000_000

Heard = tuple[int, Row, int]
"""A bar: place of its series, row, and when the strategies heard of it."""


class Worth:
    """Equity and gross value of one instance."""

    def __init__(self, plan: Plan, core: Core, settings: StrategySettings) -> None:
        """Begin flat, with the capital."""
        self.plan = plan
        self.core = core
        self.name = settings.name
        self.instruments = settings.instruments
        self.capital_units = settings.capital
        self.equity_units = settings.capital
        self.samples: Final[tuple[list[int], list[int], list[int]]] = [], [], []
        """Times, equities and gross values that were measured and are not counted yet."""
        names = [one.instrument.name for one in plan.series]
        self._place_of = {name: place for place, name in enumerate(names)}
        self.places = {place for place, name in enumerate(names) if name in self.instruments}
        self._hears_all = len(self.places) == len(names)
        self._by_mark = {place for place, one in enumerate(plan.series) if one.marks is not None}
        """Places of those whose mark price is known: what is held is worth that."""
        self._is_flat = True
        self._is_marked = False
        """Whether one of those held has a mark price of its own."""
        self._held: list[tuple[int, float, int]] = []
        """Perpetuals held: place, ticks per price, and quote cash units a tick moves each by."""
        self._firm_units = 0
        """Equity without what the held ones are worth at their last price."""

    @property
    def is_patient(self) -> bool:
        """Return whether equity follows from bars until the next fill: not on spot or by marks."""
        return self._is_flat or (bool(self._held) and not self._is_marked)

    def measure(self, heard: list[Heard], closes: list[float]) -> None:
        """Measure equity and exposure at each bar of a stretch without fills.

        Args:
            heard: Bars of all series, in order of time.
            closes: Of each series, before them.
        """
        own = heard if self._hears_all else [one for one in heard if one[0] in self.places]
        if not own:
            return
        times = [ts_ns for _, _, ts_ns in own]
        if self._held and self._is_marked:
            equities, grosses = self._marked()
        elif self._held:
            equities, grosses = self._valued(own, closes)
        else:
            gross = 0
            if not self._is_flat:
                gross = self._gross()
                self.equity_units = self.core.equity_of(self.name)
                self._is_flat = not gross
            equities, grosses = [self.equity_units] * len(own), [gross] * len(own)
        self.equity_units = equities[-1]
        for kept, found in zip(self.samples, (times, equities, grosses), strict=True):
            kept.extend(found)

    def booked(self) -> None:
        """Take it that a fill or a funding has been booked."""
        self._is_flat = False
        self._note_held()

    # ---- inside ----

    def _marked(self) -> tuple[list[int], list[int]]:
        """Return equity at the mark prices of now, and gross value at the last ones."""
        equity, gross, markets = self._firm_units, 0, self.core.markets
        for place, scale, units in self._held:
            market = markets[self.plan.series[place].instrument.name]
            equity += units * int(market.mark * scale + 0.5)
            gross += abs(units) * int(market.last * scale + 0.5)
        return [equity], [gross]

    def _valued(self, own: list[Heard], closes: list[float]) -> tuple[list[int], list[int]]:
        """Return equity and gross value at each bar, of what is held of perpetuals (hot)."""
        firm, held = self._firm_units, self._held
        if len(held) == 1 and len(self.places) == 1:
            ((_, scale, units),) = held
            values = [units * int(row[4] * scale + 0.5) for _, row, _ in own]
            return [firm + value for value in values], [abs(value) for value in values]
        values_of = {
            place: units * int(closes[place] * scale + 0.5) for place, scale, units in held
        }
        terms = {place: (scale, units) for place, scale, units in held}
        equities, grosses, at_ms = [], [], -1
        for number, (at, row, _) in enumerate(own):
            start_ms, known = row[0], {at: row[4]}
            if start_ms != at_ms:  # what closed at one time is known at one time
                at_ms = start_ms
                known = self._known(own, number)
            for place, close in known.items():
                if place in terms:
                    scale, units = terms[place]
                    values_of[place] = units * int(close * scale + 0.5)
            equities.append(firm + sum(values_of.values()))
            grosses.append(sum(map(abs, values_of.values())))
        return equities, grosses

    def _known(self, own: list[Heard], number: int) -> dict[int, float]:
        """Return the closes of the bars that closed with one, heard or not."""
        start_ms = own[number][1][0]
        found: dict[int, float] = {}
        for place, row, _ in islice(own, number, None):
            if row[0] != start_ms:
                return found
            found.setdefault(place, row[4])  # the first, where one comes twice
        for place in self.places - found.keys():  # they are heard in a moment
            market = self.core.markets[self.plan.series[place].instrument.name]
            if getattr(market, "walked_ms", 0) == start_ms + self.plan.span_ns // _MS:
                found[place] = market.last
        return found

    def _note_held(self) -> None:
        """Note what is held of perpetuals: their worth then follows from the price alone.

        Coins of a spot pair are valued anew each time: fees leave parts of a lot.
        """
        ledger, firm = self.core.ledger, self.capital_units
        self._held, self._is_marked = [], False
        for (owner, name), position in ledger.positions.items():
            if owner != self.name:
                continue
            firm += position.realised_units - position.fee_units - position.funding_units
            firm -= position.cost_units
            lots, one = ledger.qty_lots(owner, name), ledger.instruments[name]
            if lots and one.is_spot:
                self._held = []
                return
            if lots:
                held = self._place_of[name], one.ticks_per_price, lots * one.cash_per_tick_lot
                self._held.append(held)
                self._is_marked = self._is_marked or held[0] in self._by_mark
            elif position.qty_units:  # dust of a coin: at the price of now
                firm += position.cost_units + self.core.unrealised(owner, name)
        self._firm_units = firm

    def _gross(self) -> int:
        core, gross = self.core, 0
        for name in self.instruments:
            lots = core.ledger.qty_lots(self.name, name)
            if lots:
                instrument, market = core.ledger.instruments[name], core.markets[name]
                gross += instrument.notional_units(round(market.last * market.scale), abs(lots))
        return gross
