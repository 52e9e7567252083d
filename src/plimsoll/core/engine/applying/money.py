"""How records about money change the facts."""

from collections.abc import Callable
from typing import Any

from plimsoll.core.engine.facts import Facts, FundingOwed
from plimsoll.core.portfolio import PAR, is_flow
from plimsoll.core.records import (
    CashMoved,
    EquityMeasured,
    FlowMeasured,
    PaperFunded,
    PaperFundingOwed,
    PaperFundingSettled,
    PositionAdopted,
    PositionMoved,
    ProfitMeasured,
    Reconciled,
    Record,
    WalletAdopted,
)
from plimsoll.core.risk import OwnLosses


class Money:
    """Cash, fundings, and positions that change hands without an order."""

    def __init__(self, facts: Facts) -> None:
        """Change these."""
        self.facts = facts

    def table(self) -> dict[type[Record], Callable[[Any], None]]:
        """Return who applies which record."""
        return {
            EquityMeasured: self._measured,
            ProfitMeasured: self._profit,
            PaperFunded: self._paper_funded,
            PaperFundingOwed: self._paper_owed,
            PaperFundingSettled: self._paper_settled,
            Reconciled: self._reconciled,
            CashMoved: self._cash_moved,
            FlowMeasured: self._flow,
            PositionAdopted: self._adopt_position,
            PositionMoved: self._move_position,
            WalletAdopted: self._adopt_cash,
        }

    def _measured(self, record: EquityMeasured) -> None:
        self.facts.losses.measure(record.equity_units, record.ts_ns)

    def _profit(self, record: ProfitMeasured) -> None:
        own = self.facts.own_losses.setdefault(record.owner, OwnLosses())
        own.measure(record.profit_units, record.ts_ns)

    def _reconciled(self, record: Reconciled) -> None:
        self.facts.safety.on_reconciled(record)
        if not self.facts.ledger.cursor_ms:
            self.facts.ledger.begun_ms = record.cash_ms
        self.facts.ledger.cursor_ms = max(self.facts.ledger.cursor_ms, record.cursor_ms)

        self.facts.ledger.cash_ms = max(self.facts.ledger.cash_ms, record.cash_ms)

    def _cash_moved(self, record: CashMoved) -> None:
        cause = self.facts.ledger.book_row(record)
        if not cause:
            return
        self.facts.moved.append((record, cause))
        if is_flow(record) and record.coin in PAR:
            self.facts.losses.flow(record.change_units)

    def _flow(self, record: FlowMeasured) -> None:
        self.facts.losses.flow(record.worth_units)

    def _paper_funded(self, record: PaperFunded) -> None:
        if record.instrument not in self.facts.instruments:
            return
        if record.owed:
            owed = self.facts.funding_owed.get(record.owed)
            if owed is None or record.funding_ms <= owed.since_ms:
                return
            owed.since_ms = record.funding_ms
        self.facts.ledger.book_paper_funding(record)

    def _paper_owed(self, record: PaperFundingOwed) -> None:
        if record.instrument not in self.facts.instruments:
            return
        terms = (record.since_ms, record.until_ms, record.qty_units)
        self.facts.funding_owed[record.seq] = FundingOwed(record.owner, record.instrument, *terms)
        held = self.facts.ledger.position(record.owner, record.instrument)
        held.funded_ms = max(held.funded_ms, record.until_ms)

    def _paper_settled(self, record: PaperFundingSettled) -> None:
        self.facts.funding_owed.pop(record.owed, None)

    def _move_position(self, record: PositionMoved) -> None:
        if record.instrument not in self.facts.instruments:
            return
        self.facts.ledger.move_position(
            record.from_owner,
            record.to_owner,
            record.instrument,
            record.qty_lots,
            record.cost_units,
        )
        self.facts.protections.handed(record.instrument, record.from_owner, record.to_owner)

    def _adopt_position(self, record: PositionAdopted) -> None:
        self.facts.ledger.adopt_position(
            record.owner, record.instrument, record.qty_lots, record.cost_units
        )

    def _adopt_cash(self, record: WalletAdopted) -> None:
        self.facts.ledger.adopt_cash(record.coin, record.delta_units)
        if record.coin in PAR:
            self.facts.losses.flow(record.delta_units)
