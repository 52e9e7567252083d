"""``[limits]``: what orders may come to, of the account, of an instance, of an instrument."""

from pydantic import Field

from plimsoll.config.schema.kinds import (
    Cash,
    Count,
    Fraction,
    Instrument,
    Multiple,
    Quantity,
    Section,
)


class LimitKeys(Section):
    """``[limits]``: pre-trade limits (RSK-4). One left out is zero: nothing passes it."""

    price_distance: Fraction = Field(
        default=0,
        description="Worst distance of an order's price from the reference.",
        examples=["2 %"],
    )
    order_notional: Cash = Field(
        default=0, description="Value of one order.", examples=["500 USDT"]
    )
    orders_per_second: Count = Field(default=0, description="Creates and amends in any second.")
    orders_per_day: Count = Field(
        default=0, description="Creates and amends between two 00:00 UTC."
    )
    open_orders: Count = Field(default=0, description="Orders working at the same time.")
    position_notional: Cash = Field(
        default=0,
        description="Worst-case value of one instrument, everything in flight counted.",
        examples=["2_000 USDT"],
    )
    exposure: Cash = Field(
        default=0, description="Worst-case value over all instruments.", examples=["5_000 USDT"]
    )
    daily_loss: Cash = Field(
        default=0,
        description="Loss since 00:00 UTC after which no risk is added.",
        examples=["100 USDT"],
    )
    drawdown: Fraction = Field(
        default=0,
        description="Fall from the highest equity after which no risk is added.",
        examples=["5 %"],
    )
    leverage: Multiple = Field(
        default=0, description="Worst-case exposure over equity.", examples=[2]
    )


class InstrumentLimits(Section):
    """``[limits.instrument."NAME"]``: of one instrument, all live instances together."""

    price_distance: Fraction = Field(
        default=0, description="Worst distance of an order's price.", examples=["1 %"]
    )
    order_notional: Cash = Field(
        default=0, description="Value of one order.", examples=["200 USDT"]
    )
    order_qty: Quantity = Field(
        default=0, description="Quantity of one order, in base coin.", examples=["0.05 BTC"]
    )
    orders_per_second: Count = Field(default=0, description="Creates and amends in any second.")
    orders_per_day: Count = Field(
        default=0, description="Creates and amends between two 00:00 UTC."
    )
    open_orders: Count = Field(default=0, description="Orders working at the same time.")
    position_notional: Cash = Field(
        default=0,
        description="Worst-case value, everything in flight counted.",
        examples=["1_000 USDT"],
    )


class InstanceLimits(LimitKeys):
    """``[limits.strategy.NAME]``: of one instance, measured on what is its own."""

    net_exposure: Cash | None = Field(
        default=None,
        description="Worst-case value of longs less shorts over all instruments, either way.",
        examples=["3_000 USDT"],
    )


class Limits(InstanceLimits):
    """``[limits]``: of the account; those of instances and instruments narrow them."""

    margin: Fraction | None = Field(
        default=None,
        description="Initial margin rate of the account from which on no risk is added.",
        examples=["40 %"],
    )
    free_balance: Cash | None = Field(
        default=None,
        description="What must stay free after an order: of the account's available balance in "
        "USD, on spot of the quote coin. An order on a contract is taken to need its value over "
        "`account.leverage`.",
        examples=["100 USDT"],
    )
    strategy: dict[str, InstanceLimits] = Field(
        default={}, description="Limits by instance; a key left out narrows nothing."
    )
    instrument: dict[Instrument, InstrumentLimits] = Field(
        default={}, description="Limits by instrument; a key left out narrows nothing."
    )
