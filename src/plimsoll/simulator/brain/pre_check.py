"""What an order would do to the margin of an account, without placing it."""

from decimal import ROUND_CEILING, Decimal

from plimsoll.simulator.brain import funds
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.asking import Params, Result
from plimsoll.simulator.brain.drafting import drafts_of
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.margin import totals_of
from plimsoll.simulator.brain.reserves import claim_of
from plimsoll.simulator.brain.wallet_rows import margin_rate


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
    account.reserves.put(order.order_id, claim_of(order, account.orders))
    after = _rates(floor, account)
    account.reserves.put(order.order_id, None)
    names = ("preImrE4", "preMmrE4"), ("postImrE4", "postMmrE4")
    found: Result = {"orderId": order.order_id, "orderLinkId": order.link_id}
    for keys, rates in zip(names, (before, after), strict=True):
        found |= dict(zip(keys, rates, strict=True))
    return found


def _rates(floor: Floor, account: Account) -> tuple[int, int]:
    total = totals_of(account, floor.quotes())
    return _e4(total.initial, total.base), _e4(total.maintenance, total.base)


def _e4(needed: Decimal, base: Decimal) -> int:
    return int((margin_rate(needed, base) * 10_000).to_integral_value(ROUND_CEILING))
