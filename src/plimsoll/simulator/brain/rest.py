"""REST: routes, signatures, limits and the response envelope."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from plimsoll.simulator.brain import account_queries as account_asks
from plimsoll.simulator.brain import market_queries as market_asks
from plimsoll.simulator.brain import order_queries as order_asks
from plimsoll.simulator.brain import position_queries as position_asks
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.auth import account_of_request
from plimsoll.simulator.brain.entry import OPERATIONS, OrderEntry
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.limits import RateLimits
from plimsoll.simulator.brain.messages import Answer, Rest

Params = Mapping[str, Any]
Result = dict[str, Any]
PublicAsk = Callable[[Floor, Params, int], Result]
SignedAsk = Callable[[Floor, Account, Params, int], Result]

PUBLIC: Final[dict[str, PublicAsk]] = {
    "/v5/market/time": market_asks.server_time,
    "/v5/market/instruments-info": market_asks.instruments,
    "/v5/market/orderbook": market_asks.order_book,
    "/v5/market/tickers": market_asks.tickers,
    "/v5/market/kline": market_asks.klines,
    "/v5/market/recent-trade": market_asks.recent_trades,
    "/v5/market/price-limit": market_asks.price_limit,
    "/v5/market/funding/history": market_asks.funding_history,
    "/v5/market/risk-limit": market_asks.risk_limits,
}
SIGNED_GET: Final[dict[str, SignedAsk]] = {
    "/v5/order/realtime": order_asks.open_orders,
    "/v5/order/history": order_asks.order_history,
    "/v5/execution/list": order_asks.executions,
    "/v5/order/spot-borrow-check": account_asks.borrow_check,
    "/v5/position/list": position_asks.positions,
    "/v5/position/closed-pnl": position_asks.closed_pnl,
    "/v5/account/wallet-balance": account_asks.wallet,
    "/v5/account/info": account_asks.account_info,
    "/v5/account/fee-rate": account_asks.fee_rates,
    "/v5/account/transaction-log": account_asks.transactions,
    "/v5/account/instruments-info": account_asks.instruments,
    "/v5/account/collateral-info": account_asks.collateral,
    "/v5/account/user-setting-config": account_asks.user_settings,
    "/v5/account/smp-group": account_asks.smp_group,
    "/v5/user/query-api": account_asks.key_info,
    "/v5/asset/coin/query-info": account_asks.coins,
}
SIGNED_POST: Final[dict[str, SignedAsk]] = {
    "/v5/position/set-leverage": position_asks.set_leverage,
    "/v5/position/switch-mode": position_asks.switch_mode,
    "/v5/position/add-margin": position_asks.add_margin,
    "/v5/position/set-auto-add-margin": position_asks.set_auto_add_margin,
    "/v5/account/set-margin-mode": account_asks.set_margin_mode,
    "/v5/account/demo-apply-money": account_asks.apply_demo_money,
    "/v5/account/set-limit-px-action": account_asks.set_price_action,
}
_ORDER_PATHS: Final = {f"/v5/{op.replace('.', '/')}": op for op in OPERATIONS}


class RestDesk:
    """Answers every HTTP request."""

    def __init__(self, floor: Floor, limits: RateLimits, entry: OrderEntry) -> None:
        """Answer from a floor, within limits, with orders going through ``entry``."""
        self._floor = floor
        self._limits = limits
        self._entry = entry

    def handle(self, request: Rest, now_ns: int) -> Answer:
        """Return the answer, recording request and answer of everything signed."""
        if not self._limits.allow_address(request.address, now_ns):
            self._floor.record(now_ns, "fault", 0, {"event": "address-limit", "retCode": 403})
            return Answer(b"access too frequent", 403)
        path, is_get = request.path, request.method == "GET"
        if path in PUBLIC and is_get:
            return self._public(request, now_ns)
        known = path in SIGNED_GET if is_get else path in SIGNED_POST or path in _ORDER_PATHS
        if request.method not in ("GET", "POST") or not known:
            return _envelope(now_ns, VenueRefusal(10017, status=404))
        return self._signed(request, now_ns)

    def _public(self, request: Rest, now_ns: int) -> Answer:
        try:
            params = dict(parse_qsl(request.query))
            return _envelope(now_ns, PUBLIC[request.path](self._floor, params, now_ns))
        except VenueRefusal as refusal:
            return _envelope(now_ns, refusal)

    def _signed(self, request: Rest, now_ns: int) -> Answer:
        account: Account | None = None
        headers: dict[str, str] = {}
        params: Params = {}
        ext: Result = {}
        is_lost = False
        outcome: Result | VenueRefusal
        try:
            account = account_of_request(self._floor.accounts, request, now_ns // 1_000_000)
            params = _params(request)
            asked = self._record_request(account, request, params, now_ns)
            if request.path in _ORDER_PATHS:
                op = _ORDER_PATHS[request.path]
                done = self._entry.run(account, op, params, now_ns)
                headers, ext, is_lost = done.headers, done.ext, done.is_lost
                outcome = done.refusal or done.result
            else:
                headers, outcome = self._ask(account, request, params, now_ns)
        except VenueRefusal as refusal:
            asked = 0
            outcome = refusal
        code = outcome.code if isinstance(outcome, VenueRefusal) else 0
        uid = account.uid if account else 0
        if request.method == "POST" or code:
            fields = {"path": request.path, "request": asked, "retCode": code, "lost": is_lost}
            if isinstance(outcome, VenueRefusal):
                fields["retMsg"] = outcome.message
            self._floor.record(now_ns, "answer", uid, fields)
        answer = _envelope(now_ns, outcome, ext)
        return Answer(answer.body, answer.status, headers, is_lost)

    def _ask(
        self, account: Account, request: Rest, params: Params, now_ns: int
    ) -> tuple[dict[str, str], Result | VenueRefusal]:
        spot = params.get("category") == "spot"
        allowed, budget = self._limits.take(account.uid, request.path, spot=spot, now_ns=now_ns)
        if not allowed:
            return budget.headers(), VenueRefusal(10006)
        asks = SIGNED_GET if request.method == "GET" else SIGNED_POST
        try:
            changes = request.method == "POST"
            if not account.rights.may(request.path, params, changes=changes):
                raise VenueRefusal(10005)
            return budget.headers(), asks[request.path](self._floor, account, params, now_ns)
        except VenueRefusal as refusal:
            return budget.headers(), refusal

    def _record_request(self, account: Account, request: Rest, params: Params, now_ns: int) -> int:
        if request.method == "GET":
            fields: Result = {"method": "GET", "path": request.path, "query": request.query}
        else:
            fields = {"method": "POST", "path": request.path, "body": params}
        return self._floor.record(now_ns, "request", account.uid, fields)


def _params(request: Rest) -> Params:
    if request.method == "GET":
        return dict(parse_qsl(request.query))
    try:
        found = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise VenueRefusal(10001, f"params error: body is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise VenueRefusal(10001, "params error: body is not an object")
    return found


def _envelope(now_ns: int, outcome: Result | VenueRefusal, ext: Result | None = None) -> Answer:
    refused = outcome if isinstance(outcome, VenueRefusal) else None
    body = {
        "retCode": refused.code if refused else 0,
        "retMsg": refused.message if refused else "OK",
        "result": refused.result if refused else outcome,
        "retExtInfo": ext or {},
        "time": now_ns // 1_000_000,
    }
    return Answer(msgspec.json.encode(body), refused.status if refused else 200)
