"""What a probe has spent, from the executions themselves; and whether one more order fits."""

from decimal import Decimal
from typing import Any, Final

from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.numbers import decimal_in
from plimsoll.venues.bybit.probe.errors import Unknown

_COST: Final = Decimal("0.004")
"""Of an order's value: what buying and selling it again may cost in fees and spread."""


class Purse:
    """The budget of a run, in quote coin; what was bought counts at its last price."""

    def __init__(self, budget: Decimal) -> None:
        """Allow ``budget`` to be lost in fees and spread, over all instruments."""
        self.budget = budget
        self._cash: dict[str, Decimal] = {}
        self._held: dict[str, Decimal] = {}
        self._price: dict[str, Decimal] = {}
        self._seen: set[tuple[str, str]] = set()

    @property
    def spent(self) -> Decimal:
        """Return what is gone, open quantities valued at the last execution's price."""
        value = sum((qty * self._price[name] for name, qty in self._held.items()), Decimal(0))
        return -sum(self._cash.values(), Decimal(0)) - value

    def held(self, name: str) -> Decimal:
        """Return the base quantity our executions left, fees in base coin taken off."""
        return self._held.get(name, Decimal(0))

    def take(self, instrument: Instrument, row: dict[str, Any]) -> None:
        """Book an execution, once however often it is told; other kinds than trades are passed."""
        key = (instrument.name, str(row.get("execId", "")))
        if key in self._seen or row.get("execType", "Trade") != "Trade":
            return
        self._seen.add(key)
        qty, price = decimal_in(row.get("execQty")), decimal_in(row.get("execPrice"))
        fee, coin = decimal_in(row.get("execFee")), str(row.get("feeCurrency") or "")
        sign = 1 if row.get("side") == "Buy" else -1
        is_base = coin == instrument.base or (not coin and instrument.is_spot and sign > 0)
        name = instrument.name
        self._price[name] = price
        self._held[name] = self.held(name) + sign * qty - (fee if is_base else 0)
        cash = -sign * qty * price - (Decimal(0) if is_base else fee)
        self._cash[name] = self._cash.get(name, Decimal(0)) + cash

    def check(self, value: Decimal) -> None:
        """Refuse an order that may match where its cost is more than what is left.

        Raises:
            Unknown: the budget is used up.
        """
        if self.spent + value * _COST > self.budget:
            raise Unknown(
                f"the budget of {self.budget} is used up: {self.spent:.4f} spent, and an order of "
                f"{value:.2f} may cost {value * _COST:.4f}"
            )
