"""Order operations, the same by REST and by the trade socket: limits and batches."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.admission import check_may_order
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.limits import RateLimits
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.trading import Trading

Params = Mapping[str, Any]
OPERATIONS: Final = frozenset(
    {
        "order.create",
        "order.amend",
        "order.cancel",
        "order.cancel-all",
        "order.create-batch",
        "order.amend-batch",
        "order.cancel-batch",
    }
)
_BATCH_MOST: Final = {"linear": 20, "spot": 10}


class Done(msgspec.Struct):
    """What became of an operation."""

    result: dict[str, Any] = {}
    refusal: VenueRefusal | None = None
    ext: dict[str, Any] = {}
    headers: dict[str, str] = {}


class OrderEntry:
    """Runs order operations within the account's limits."""

    def __init__(self, floor: Floor, limits: RateLimits, trading: Trading) -> None:
        """Trade on a floor."""
        self._floor = floor
        self._limits = limits
        self._trading = trading

    def run(self, account: Account, op: str, params: Params, now_ns: int) -> Done:
        """Run one operation, such as ``order.create``; refusals are in the result."""
        try:
            check_may_order(account, op, params, now_ns // 1_000_000)
        except VenueRefusal as refusal:
            return Done(refusal=refusal)
        if op.endswith("-batch"):
            return self._run_batch(account, op, params, now_ns)
        spot = params.get("category") == "spot"
        allowed, budget = self._limits.take(account.uid, _path(op), spot=spot, now_ns=now_ns)
        done = Done(headers=budget.headers())
        if not allowed:
            done.refusal = VenueRefusal(10006)
            return done
        try:
            done.result = self._one(account, op, params, now_ns)
        except VenueRefusal as refusal:
            done.refusal = refusal
        return done

    def _one(self, account: Account, op: str, params: Params, now_ns: int) -> dict[str, Any]:
        if op == "order.cancel-all":
            orders, all_taken = self._trading.cancel_all(account, params, now_ns)
            return {"list": [_ids(order) for order in orders], "success": "01"[all_taken]}
        if op == "order.create":
            order = self._trading.create(account, params, now_ns)
            given = str(params.get("orderLinkId") or "")
            return _ids(order) if order.listing.is_spot else _ids(order) | {"orderLinkId": given}
        act = self._trading.amend if op == "order.amend" else self._trading.cancel
        return _ids(act(account, params, now_ns))

    def _run_batch(self, account: Account, op: str, params: Params, now_ns: int) -> Done:
        category, items = params.get("category"), params.get("request")
        most = _BATCH_MOST.get(str(category), 0)
        if not isinstance(items, list) or not 0 < len(items) <= most:
            text = f"params error: request must be a list of 1 to {most} orders"
            return Done(refusal=VenueRefusal(10001, text))
        done = Done(result={"list": []}, ext={"list": []})
        for item in items:
            asked = dict(item) if isinstance(item, dict) else {}
            row, refusal = self._batch_item(
                account, op, asked | {"category": category}, done, now_ns
            )
            done.result["list"].append(row)
            code, text = (refusal.code, refusal.message) if refusal else (0, "OK")
            done.ext["list"].append({"code": code, "msg": text})
        return done

    def _batch_item(
        self, account: Account, op: str, params: Params, done: Done, now_ns: int
    ) -> tuple[dict[str, Any], VenueRefusal | None]:
        row = {"category": params["category"], "symbol": params.get("symbol", "")}
        row |= {"orderId": "", "orderLinkId": str(params.get("orderLinkId") or "")}
        if op == "order.create-batch":
            row["createAt"] = ""
        spot = params["category"] == "spot"
        allowed, budget = self._limits.take(account.uid, _path(op), spot=spot, now_ns=now_ns)
        done.headers = budget.headers()
        if not allowed:
            return row, VenueRefusal(10006)
        try:
            row |= self._one(account, op.removesuffix("-batch"), params, now_ns)
        except VenueRefusal as refusal:
            return row, refusal
        if "createAt" in row:
            row["createAt"] = str(now_ns // 1_000_000)
        return row, None


def _path(op: str) -> str:
    return f"/v5/{op.replace('.', '/')}"


def _ids(order: Order) -> dict[str, Any]:
    return {"orderId": order.order_id, "orderLinkId": order.link_id}
