"""What an order would do to the margin of an account, without placing it."""

from decimal import ROUND_CEILING, Decimal

from plimsoll.simulator.brain import funds
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.asking import Params, Result
from plimsoll.simulator.brain.drafting import drafts_of
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.margin import margin_of
from plimsoll.simulator.brain.numbers import ZERO


def pre_check(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/order/pre-check``: margin rates before and after, in 1e-4 (rounded up).

    The order is counted as if it rested; ids are used up by asking.

    Raises:
        VenueRefusal: 10001 for spot and conditional orders, and what a create is refused with.
    """
    if params.get("category") == "spot" or params.get("triggerPrice"):
        raise VenueRefusal(10001, "params error: pre-check is for plain linear orders")
    before = _rates(floor, account)
    order = drafts_of(floor, account, params, now_ns // 1_000_000)[0]
    if order.link_id and account.orders.is_link_used(order.listing, order.link_id):
        raise VenueRefusal(110072)
    funds.check_new(floor, account, order)
    account.orders.open[order.order_id] = order
    after = _rates(floor, account)
    del account.orders.open[order.order_id]
    names = ("preImrE4", "preMmrE4"), ("postImrE4", "postMmrE4")
    found: Result = {"orderId": order.order_id, "orderLinkId": order.link_id}
    for keys, rates in zip(names, (before, after), strict=True):
        found |= dict(zip(keys, rates, strict=True))
    return found


def _rates(floor: Floor, account: Account) -> tuple[int, int]:
    margin = margin_of(account, floor.mark_of)
    worth = account.ledger.balances.get("USDT", ZERO) + margin.unrealised
    return _e4(margin.initial, worth), _e4(margin.maintenance, worth)


def _e4(part: Decimal, whole: Decimal) -> int:
    if whole <= 0:
        return 0
    return int((part * 10_000 / whole).to_integral_value(ROUND_CEILING))
