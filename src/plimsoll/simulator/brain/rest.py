"""REST: routes, signatures, limits and the response envelope."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from plimsoll.simulator.brain import account_queries as account_asks
from plimsoll.simulator.brain import dcp
from plimsoll.simulator.brain import history_queries as history_asks
from plimsoll.simulator.brain import market_queries as market_asks
from plimsoll.simulator.brain import order_queries as order_asks
from plimsoll.simulator.brain import position_queries as position_asks
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.asking import checked
from plimsoll.simulator.brain.auth import account_of_request
from plimsoll.simulator.brain.entry import OPERATIONS, OrderEntry
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.limits import RateLimits
from plimsoll.simulator.brain.messages import Answer, Rest
from plimsoll.simulator.brain.pre_check import pre_check
from plimsoll.simulator.brain.trading_stop import trading_stop

Params = Mapping[str, Any]
Result = dict[str, Any]
PublicAsk = Callable[[Floor, Params, int], Result]
SignedAsk = Callable[[Floor, Account, Params, int], Result]

PUBLIC: Final[dict[str, PublicAsk]] = {
    "/v5/market/time": market_asks.server_time,
    "/v5/market/instruments-info": market_asks.instruments,
    "/v5/market/orderbook": market_asks.order_book,
    "/v5/market/tickers": market_asks.tickers,
    "/v5/market/full_orderbook": market_asks.full_book,
    "/v5/market/kline": history_asks.klines,
    "/v5/market/mark-price-kline": history_asks.mark_klines,
    "/v5/market/index-price-kline": history_asks.index_klines,
    "/v5/market/premium-index-price-kline": history_asks.premium_klines,
    "/v5/market/funding/history": history_asks.funding_history,
    "/v5/market/open-interest": history_asks.open_interest,
    "/v5/market/insurance": history_asks.insurance,
    "/v5/market/recent-trade": market_asks.recent_trades,
    "/v5/market/price-limit": market_asks.price_limit,
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
    "/v5/account/query-dcp-info": dcp.query,
    "/v5/account/transaction-log": account_asks.transactions,
    "/v5/account/instruments-info": account_asks.instruments,
    "/v5/account/collateral-info": account_asks.collateral,
    "/v5/account/user-setting-config": account_asks.user_settings,
    "/v5/account/smp-group": account_asks.smp_group,
    "/v5/user/query-api": account_asks.key_info,
    "/v5/asset/coin/query-info": account_asks.coins,
}
SIGNED_POST: Final[dict[str, SignedAsk]] = {
    "/v5/order/pre-check": pre_check,
    "/v5/order/disconnected-cancel-all": dcp.set_window,
    "/v5/position/trading-stop": trading_stop,
    "/v5/position/set-leverage": position_asks.set_leverage,
    "/v5/position/switch-mode": position_asks.switch_mode,
    "/v5/position/add-margin": position_asks.add_margin,
    "/v5/position/set-auto-add-margin": position_asks.set_auto_add_margin,
    "/v5/account/set-margin-mode": account_asks.set_margin_mode,
    "/v5/account/demo-apply-money": account_asks.apply_demo_money,
    "/v5/account/set-limit-px-action": account_asks.set_price_action,
}
_FIELDS_MOST: Final = 100
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
            self._floor.record(now_ns, "answer", 0, {"path": request.path, "status": 403})
            return Answer(b"access too frequent", 403)
        refusal = self._wrong_at_the_door(request)
        if refusal is not None:
            return envelope(self._seen(now_ns), refusal)
        if request.path in PUBLIC:
            return self._public(request, now_ns)
        return self._signed(request, now_ns)

    def _wrong_at_the_door(self, request: Rest) -> VenueRefusal | None:
        """Return what the gateway refuses with an HTTP status (Bybit v5 docs, error)."""
        path, is_get = request.path, request.method == "GET"
        is_read = path in PUBLIC or path in SIGNED_GET
        is_write = path in SIGNED_POST or path in _ORDER_PATHS
        if not (is_read or is_write):
            return VenueRefusal(10017, status=404)
        if not (is_read if is_get else is_write and request.method == "POST"):
            return VenueRefusal(10001, f"method {request.method} is not supported", status=400)
        if is_get and request.body:
            return VenueRefusal(10001, "a GET request has no body", status=403)
        return None

    def _seen(self, now_ns: int) -> int:
        """Return the time by the clock requests are checked with."""
        return now_ns + self._floor.skew_ms * 1_000_000

    def _public(self, request: Rest, now_ns: int) -> Answer:
        try:
            params = _query(request)
            seen = self._seen(now_ns)
            at_ns = seen if request.path == "/v5/market/time" else now_ns
            return envelope(seen, PUBLIC[request.path](self._floor, params, at_ns))
        except VenueRefusal as refusal:
            return envelope(self._seen(now_ns), refusal)

    def _signed(self, request: Rest, now_ns: int) -> Answer:
        account: Account | None = None
        headers: dict[str, str] = {}
        params: Params = {}
        ext: Result = {}
        outcome: Result | VenueRefusal
        try:
            account = account_of_request(
                self._floor.accounts, request, self._seen(now_ns) // 1_000_000
            )
            params = _params(request)
            asked = self._record_request(account, request, params, now_ns)
            if request.path in _ORDER_PATHS:
                op = _ORDER_PATHS[request.path]
                done = self._entry.run(account, op, params, now_ns)
                headers, ext = done.headers, done.ext
                outcome = done.refusal or done.result
            else:
                headers, outcome = self._ask(account, request, params, now_ns)
        except VenueRefusal as refusal:
            asked = 0
            outcome = refusal
        code = outcome.code if isinstance(outcome, VenueRefusal) else 0
        uid = account.uid if account else 0
        if request.method == "POST" or code:
            fields = {"path": request.path, "request": asked, "retCode": code}
            if isinstance(outcome, VenueRefusal):
                fields["retMsg"] = outcome.message
            self._floor.record(now_ns, "answer", uid, fields)
        answer = envelope(self._seen(now_ns), outcome, ext)
        return Answer(answer.body, answer.status, headers)

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
        return _query(request)
    try:
        found = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise VenueRefusal(10001, f"params error: body is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise VenueRefusal(10001, "params error: body is not an object")
    return checked(found)


def _query(request: Rest) -> dict[str, str]:
    try:
        return dict(parse_qsl(request.query, max_num_fields=_FIELDS_MOST))
    except ValueError as error:
        raise VenueRefusal(10001, "params error: too many parameters", status=400) from error


def envelope(now_ns: int, outcome: Result | VenueRefusal, ext: Result | None = None) -> Answer:
    """Return the body every answer has, around a result or a refusal."""
    refused = outcome if isinstance(outcome, VenueRefusal) else None
    body = {
        "retCode": refused.code if refused else 0,
        "retMsg": refused.message if refused else "OK",
        "result": refused.result if refused else outcome,
        "retExtInfo": ext or {},
        "time": now_ns // 1_000_000,
    }
    return Answer(msgspec.json.encode(body), refused.status if refused else 200)
