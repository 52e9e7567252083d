"""A tradable thing and the filters its venue puts on orders."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cached_property

import msgspec

from plimsoll.core.model.money import CASH_SCALE, decimal_of


class Instrument(msgspec.Struct, frozen=True, dict=True):
    """One instrument, named ``linear:BTCUSDT``, with exact conversions to ticks, lots and cash.

    Decimal fields are decimal text so that a record of it is exact and canonical.
    ``min_notional``, ``max_qty`` of ``"0"`` mean "no such filter". Quantities are in base coin,
    notional in quote coin. Source of the filters: Bybit v5 docs, market/instrument.
    """

    name: str
    category: str
    symbol: str
    base: str
    quote: str
    settle: str
    tick_size: str
    lot_size: str
    min_qty: str
    max_qty: str
    max_market_qty: str
    min_notional: str
    taker_fee: str = "0.00055"
    maker_fee: str = "0.0002"
    status: str = "Trading"
    """The venue's word for whether it is traded."""
    delivery_ms: int = 0
    """When a delisting ends it, Unix ms; 0 = no end is known."""
    price_step: int = 1
    """Prices of orders are multiples of so many ticks; see ``core/model/grid.py``."""
    qty_step: int = 1
    """Quantities of orders are multiples of so many lots."""
    price_limit: str = "0"
    """How far from the index the venue takes a limit price, as a share of it; "0" = not known.
    Source: Bybit v5 docs, price-limit (ratio X)."""
    max_leverage: str = "0"
    """Largest leverage of a small position; "0" = not known."""
    risk_tiers: tuple[tuple[str, str], ...] = ()
    """Value up to which a tier goes, in settle coin, and its maintenance margin rate, smallest
    first; empty = not known. Source: Bybit v5 docs, market/risk-limit."""

    def __post_init__(self) -> None:
        """Refuse filters that exact integers cannot carry.

        Raises:
            ValueError: name does not match, or tick x lot is finer than a cash unit.
        """
        if self.name != f"{self.category}:{self.symbol}":
            raise ValueError(f"instrument name {self.name!r} is not {self.category}:{self.symbol}")
        tick, lot = decimal_of(self.tick_size), decimal_of(self.lot_size)
        if tick <= 0 or lot <= 0:
            raise ValueError(f"{self.name}: tick and lot must be positive, found {tick} and {lot}")
        value = tick * lot * 10**CASH_SCALE
        if value != value.to_integral_value() or (lot * 10**CASH_SCALE) % 1:
            raise ValueError(
                f"{self.name}: tick {tick} x lot {lot} is finer than 1e-{CASH_SCALE}; not supported"
            )

    @cached_property
    def is_spot(self) -> bool:
        """Return whether this trades the coin itself."""
        return self.category == "spot"

    @cached_property
    def tick(self) -> Decimal:
        """Smallest price step."""
        return decimal_of(self.tick_size)

    @cached_property
    def lot(self) -> Decimal:
        """Smallest quantity step."""
        return decimal_of(self.lot_size)

    @cached_property
    def price_limit_ppm(self) -> int:
        """The venue's price limit in parts per million; 0 = not known."""
        return int(decimal_of(self.price_limit) * 1_000_000)

    @cached_property
    def cash_per_tick_lot(self) -> int:
        """Quote cash units that one tick times one lot is worth; an exact integer."""
        return int(self.tick * self.lot * 10**CASH_SCALE)

    @cached_property
    def base_units_per_lot(self) -> int:
        """Base-coin cash units in one lot."""
        return int(self.lot * 10**CASH_SCALE)

    @cached_property
    def ticks_per_price(self) -> float:
        """Multiplier from a float price to (float) ticks; for market data only, never for money."""
        return float(1 / self.tick)

    @cached_property
    def lots_per_qty(self) -> float:
        """Multiplier from a float quantity to (float) lots; for market data only."""
        return float(1 / self.lot)

    @cached_property
    def min_lots(self) -> int:
        """Smallest order, in lots, rounded up to the step."""
        return max(1, self.lots_of(self.min_qty, rounding=ROUND_CEILING))

    @cached_property
    def max_lots(self) -> int:
        """Largest limit order in lots; 0 = no such filter."""
        return self.lots_of(self.max_qty, rounding=ROUND_FLOOR)

    @cached_property
    def min_notional_units(self) -> int:
        """Smallest order value in quote cash units; 0 = no such filter."""
        return int(decimal_of(self.min_notional) * 10**CASH_SCALE)

    def ticks_of(self, price: str | Decimal, *, rounding: str | None = None) -> int:
        """Return a price in ticks, exact unless a rounding is named.

        Raises:
            ValueError: off the tick and no ``rounding`` given, or not a number.
        """
        return _steps(price, self.tick, rounding, f"{self.name}: price", "tick_size")

    def lots_of(self, qty: str | Decimal, *, rounding: str | None = None) -> int:
        """Return a quantity in lots, exact unless a rounding is named.

        Raises:
            ValueError: off the lot step and no ``rounding`` given, or not a number.
        """
        return _steps(qty, self.lot, rounding, f"{self.name}: quantity", "lot_size")

    def price_text(self, ticks: int) -> str:
        """Return ticks as the venue's decimal text."""
        return format(self.tick * ticks, "f")

    def qty_text(self, lots: int) -> str:
        """Return lots as the venue's decimal text."""
        return format(self.lot * lots, "f")

    def on_price_step(self, ticks: int, *, up: bool) -> int:
        """Return the nearest price an order may have, rounded up or down."""
        return ticks if self.price_step == 1 else _multiple(ticks, self.price_step, up=up)

    def on_qty_step(self, lots: int, *, up: bool = False) -> int:
        """Return the nearest quantity an order may have, by default rounded towards zero."""
        if self.qty_step == 1:
            return lots
        found = _multiple(abs(lots), self.qty_step, up=up)
        return found if lots >= 0 else -found

    def price(self, ticks: int) -> float:
        """Return the float nearest to a price: that of its decimal text."""
        return ticks * self.cash_per_tick_lot / self.base_units_per_lot  # of integers: exact

    def qty(self, lots: int) -> float:
        """Return the float nearest to a quantity."""
        return lots * self.base_units_per_lot / 10**CASH_SCALE

    def notional_units(self, price_ticks: int, qty_lots: int) -> int:
        """Return price x quantity in quote cash units, signed like the quantity."""
        return price_ticks * qty_lots * self.cash_per_tick_lot


def _multiple(count: int, step: int, *, up: bool) -> int:
    return -(-count // step) * step if up else count // step * step


def whole_steps(value: float, per_unit: float) -> int | None:
    """Return how many steps a float's shortest text stands for, None where that takes a Decimal.

    Steps have at most eight decimals, so a multiple under ten million has at most the 15 digits
    that tell one float from the next: the float nearest to a multiple is that multiple's text.
    """
    if not -1e7 < value < 1e7 or not per_unit.is_integer():
        return None
    steps = round(value * per_unit)
    return steps if steps / per_unit == value else None


def _steps(value: str | Decimal, step: Decimal, rounding: str | None, what: str, rule: str) -> int:
    number = decimal_of(value) if isinstance(value, str) else value
    count = number / step
    if rounding is not None:
        return int(count.to_integral_value(rounding))
    whole = int(count.to_integral_value())
    if whole * step != number:
        raise ValueError(f"{what} {number} is not a multiple of {rule} {step}")
    return whole
