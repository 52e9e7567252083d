"""Who may send orders at all: the key's rights and the account's modes."""

from collections.abc import Mapping
from typing import Any

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal


def check_may_order(account: Account, op: str, params: Mapping[str, Any], now_ms: int) -> None:
    """Refuse an order operation, such as ``order.create``, this key or account may not do.

    A socket stays open when its key changes, so the key is looked at again here.

    Raises:
        VenueRefusal: 10003, 33004, 10005 (key), 10001 (hedge mode), 10028 (classic account).
    """
    account.rights.check(now_ms)
    if not account.rights.may(f"/v5/{op.replace('.', '/')}", params, changes=True):
        raise VenueRefusal(10005)
    if not account.is_unified:
        raise VenueRefusal(10028)
    is_new = op.startswith("order.create")
    if is_new and account.is_hedge and params.get("category") == "linear":
        raise VenueRefusal(10001, "position idx not match position mode")
