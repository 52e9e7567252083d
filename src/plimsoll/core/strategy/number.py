"""What a strategy may say for a price or a quantity, and what that is in whole steps.

Text, integers and Decimals must be on the step; a float is rounded by rule. What cannot be said
exactly is a refusal in words, never an exception.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, InvalidOperation

from plimsoll.core.model import Denied, Instrument, Refusal, Regrid
from plimsoll.core.model.instrument import whole_steps

Number = str | int | float | Decimal
"""Text, integers and Decimals are exact, floats are rounded by rule."""


def number_of(value: Number) -> Decimal | None:
    """Return an exact number, None where it is none or not finite."""
    try:
        number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return None
    return number if number.is_finite() else None


def _decimal(value: Number) -> Decimal:
    number = number_of(value)
    if number is None:
        raise ValueError(f"{value!r} is not a finite number")
    return number


def ticks_of(listed: Instrument, price: Number, rounding: str, name: str = "price") -> int | Denied:
    """Return a price in ticks, a float rounded as named; or why it is none."""
    if listed.price_step == 1 and isinstance(price, float):
        steps = whole_steps(price, listed.ticks_per_price)
        if steps is not None:
            return steps
    return _steps(name, listed.ticks_of, price, rounding, listed.price_step)


def lots_of(listed: Instrument, qty: Number) -> int | Denied:
    """Return a quantity in lots, a float rounded down; or why it is none."""
    if listed.qty_step == 1 and isinstance(qty, float):
        steps = whole_steps(qty, listed.lots_per_qty)
        if steps is not None:
            return steps
    return _steps("qty", listed.lots_of, qty, ROUND_DOWN, listed.qty_step)


def _steps(
    name: str, convert: Callable[..., int], value: Number, rounding: str, multiple: int
) -> int | Denied:
    """Convert exactly, floats by the named rounding; a refusal says what the step is."""
    number = number_of(value)
    if number is None:
        return Denied(Refusal.OFF_STEP, f"{name} {value!r} is not a finite number")
    is_float = isinstance(value, float)
    try:
        steps = convert(number, rounding=rounding if is_float else None)
    except ValueError as error:
        return Denied(Refusal.OFF_STEP, f"{error}; pass a float to have it rounded")
    off = steps % multiple
    if off and not is_float:
        text = f"{name} {value!r} is off the step; pass a float to round it"
        return Denied(Refusal.OFF_STEP, text)
    if not off:
        return steps
    return steps - off + (multiple if rounding == ROUND_CEILING else 0)


def price_of(listed: Instrument, name: str, price: Number) -> int | Denied:
    """Return a price that must be one, rounded down to a tick."""
    number = number_of(price)
    ticks = 0
    if number is not None:
        ticks = listed.on_price_step(listed.ticks_of(number, rounding=ROUND_FLOOR), up=False)
    if number is None or ticks <= 0:
        return Denied(
            Refusal.OFF_STEP,
            f"{name} {price!r} is not a price of {listed.name}: give a number above 0",
        )
    return ticks


def price_named(listed: Instrument, name: str, price: Number) -> int | Denied:
    """Return a price by its name; what is no float must be on the tick."""
    found = price_of(listed, name, price)
    if isinstance(found, Denied) or isinstance(price, float):
        return found
    return ticks_of(listed, price, ROUND_FLOOR)


def levels_of(
    listed: Instrument, stop: Number | None, take: Number | None, trail: Number | None
) -> tuple[int, int, int] | Denied:
    """Return stop, take and distance of a trail in ticks, 0 where there is none."""
    found = []
    for name, value in (("stop", stop), ("take", take), ("trail", trail)):
        ticks = level_of(listed, name, value)
        if isinstance(ticks, Denied):
            return ticks
        found.append(ticks)
    return found[0], found[1], found[2]


def level_of(listed: Instrument, name: str, price: Number | None) -> int | Denied:
    """Return a price that may be left out; so is zero."""
    return 0 if price is None or number_of(price) == 0 else price_of(listed, name, price)


def rows_moved(
    listed: Instrument, rows: list[tuple[int, int]], regrid: Regrid, *, up: bool
) -> list[tuple[int, int]]:
    """Return rows of a quote (ticks, lots) in new steps, rounded away from the market."""
    return [
        (listed.on_price_step(price * regrid.tick, up=up), listed.on_qty_step(qty * regrid.lot))
        for price, qty in rows
    ]


def row_of(listed: Instrument, row: tuple[Number, Number], rounding: str) -> tuple[int, int]:
    """Return a row of a quote in ticks and lots.

    Raises:
        ValueError: one of the two is no finite number.
    """
    price, qty = row
    ticks = listed.ticks_of(_decimal(price), rounding=rounding)
    return (
        listed.on_price_step(ticks, up=rounding == ROUND_CEILING),
        listed.on_qty_step(listed.lots_of(_decimal(qty), rounding=ROUND_DOWN)),
    )


def target_lots(
    listed: Instrument,
    qty: Number | None,
    notional: Number | None,
    weight: float | None,
    capital_units: int,
    reference: Callable[[Instrument], Decimal],
) -> int | Denied:
    """Return what ``Strategy.target`` says to hold, in lots; ``weight`` is of the capital.

    ``reference``: the price to size by, asked for where a quantity is not said.
    """
    given = [value for value in (qty, notional, weight) if value is not None]
    if len(given) != 1:
        text = f"target() takes one of qty, notional and weight, found {len(given)}"
        return Denied(Refusal.OFF_STEP, text)
    if isinstance(qty, float):
        steps = whole_steps(qty, listed.lots_per_qty)  # hot: most need no Decimal
        if steps is not None:
            return listed.on_qty_step(steps)
    number = number_of(given[0])
    if number is None:
        name = "qty" if qty is not None else "weight" if weight is not None else "notional"
        text = f"target(): {name} {given[0]!r} is not a finite number"
        return Denied(Refusal.OFF_STEP, text)
    if qty is not None:
        return listed.on_qty_step(listed.lots_of(number, rounding=ROUND_DOWN))
    if weight is not None:
        number = number * Decimal(capital_units) / 10**8
    price = reference(listed)
    if not price:
        return Denied(Refusal.NO_REFERENCE, f"{listed.name} has no price yet to size by")
    return listed.on_qty_step(listed.lots_of(number / price, rounding=ROUND_DOWN))
