"""The nouns of trading: instruments, orders, money, ids.

In: decimal text at the venue's door. Out: exact integers (ticks, lots, cash units).
Every room may import it; it imports nothing of ours.
"""

from plimsoll.core.model.books import live_name, paper_name, strategy_of
from plimsoll.core.model.buckets import grown_bounds, quantile_of
from plimsoll.core.model.grid import Regrid, common
from plimsoll.core.model.ids import (
    IdMaker,
    check_tag,
    epoch_of,
    guard_id,
    is_guard,
    is_own,
)
from plimsoll.core.model.instrument import Instrument
from plimsoll.core.model.money import CASH_SCALE, cash_text, cash_units, decimal_of
from plimsoll.core.model.order import (
    TERMINAL,
    LiveStage,
    Mode,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)
from plimsoll.core.model.refusal import Denied, Refusal
from plimsoll.core.model.scope import ACCOUNT, SCOPE_FORMS, Scope, scope_of
from plimsoll.core.model.slippage import slipped
from plimsoll.core.model.time import DAY_NS, day_text
from plimsoll.core.model.working import (
    FOREIGN,
    MANUAL,
    NOT_OURS,
    OUTSIDE,
    PROTECTION_LABEL,
    VENUE,
    Order,
    Position,
)

__all__ = [
    "ACCOUNT",
    "CASH_SCALE",
    "DAY_NS",
    "FOREIGN",
    "MANUAL",
    "NOT_OURS",
    "OUTSIDE",
    "PROTECTION_LABEL",
    "SCOPE_FORMS",
    "TERMINAL",
    "VENUE",
    "Denied",
    "IdMaker",
    "Instrument",
    "LiveStage",
    "Mode",
    "Order",
    "OrderState",
    "OrderType",
    "Position",
    "Refusal",
    "Regrid",
    "Scope",
    "Side",
    "TimeInForce",
    "cash_text",
    "cash_units",
    "check_tag",
    "common",
    "day_text",
    "decimal_of",
    "epoch_of",
    "grown_bounds",
    "guard_id",
    "is_guard",
    "is_own",
    "live_name",
    "paper_name",
    "quantile_of",
    "scope_of",
    "slipped",
    "strategy_of",
]
