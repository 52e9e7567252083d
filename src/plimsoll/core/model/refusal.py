"""Why a request was refused: a code for programs, words for people."""

from enum import StrEnum
from typing import NamedTuple


class Refusal(StrEnum):
    """Codes of ``OrderDenied``."""

    STOPPING = "stopping"
    STRATEGY_STOPPED = "strategy_stopped"
    WARMING_UP = "warming_up"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    OFF_STEP = "off_step"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    NO_SUCH_ORDER = "no_such_order"
    ORDER_BUSY = "order_busy"
    HALTED = "halted"
    PAUSED = "paused"
    RUN_OFF = "run_off"
    NO_SPACE = "no_space"
    BLOCKED = "blocked"
    OBSERVED = "observed"
    UNEXPLAINED_CASH = "unexplained_cash"
    NOT_RECONCILED = "not_reconciled"
    LINK_DOWN = "link_down"
    DATA_NOT_LIVE = "data_not_live"
    CLOCK = "clock"
    NO_REFERENCE = "no_reference"
    PRICE_DISTANCE = "price_distance"
    ORDER_NOTIONAL = "order_notional"
    ORDER_QTY = "order_qty"
    RATE = "rate"
    DAY_RATE = "day_rate"
    OPEN_ORDERS = "open_orders"
    POSITION = "position"
    EXPOSURE = "exposure"
    NET_EXPOSURE = "net_exposure"
    LEVERAGE = "leverage"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    MARGIN = "margin"
    FREE_BALANCE = "free_balance"
    INITIAL_MARGIN = "initial_margin"
    BREAKER = "breaker"
    SELF_CROSS = "self_cross"
    NOT_HELD = "not_held"
    WRONG_SIDE = "wrong_side"
    PROTECTION = "protection"
    EXECUTOR = "executor"


class Denied(NamedTuple):
    """A refusal and its words: what was found, what the limit is, how to change it."""

    code: Refusal
    text: str
    detail: str = ""
    """A finer word for programs, where there is one: of ``data_not_live`` the ``Cause``."""
