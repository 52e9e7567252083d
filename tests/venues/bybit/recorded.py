"""The recorded messages of the venue: what lies where, and a client whose network is a table.

The recordings are not part of the repository (see the fixture ``shared_data``).
"""

import ast
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.http import Reply
from plimsoll.venues.bybit.rest import RestClient

INSTRUMENTS, FEES = "/v5/market/instruments-info", "/v5/account/fee-rate"
KLINE, ACCOUNT = "/v5/market/kline", "/v5/account/info"
OWN_INSTRUMENTS = "/v5/account/instruments-info"
PREMIUM = "/v5/market/premium-index-price-kline"
PUBLIC = ("orderbook", "publicTrade", "tickers", "kline")
PRIVATE = ("order", "execution", "position", "wallet")
CATEGORIES = ("linear", "spot")

PLACES = {
    "nautilus_trader/http_get_account_info.json": (ACCOUNT, ""),
    "nautilus_trader/http_get_executions.json": ("/v5/execution/list", "linear"),
    "nautilus_trader/http_get_instruments_linear*.json": (INSTRUMENTS, "linear"),
    "nautilus_trader/http_get_instruments_spot.json": (INSTRUMENTS, "spot"),
    "nautilus_trader/http_get_instruments_inverse*.json": (INSTRUMENTS, "inverse"),
    "nautilus_trader/http_get_instruments_option.json": (INSTRUMENTS, "option"),
    "nautilus_trader/http_get_klines_linear.json": (KLINE, "linear"),
    "nautilus_trader/http_get_orders_history.json": ("/v5/order/history", "linear"),
    "nautilus_trader/http_get_orders_realtime.json": ("/v5/order/realtime", "linear"),
    "nautilus_trader/http_get_positions.json": ("/v5/position/list", "linear"),
    "*/http_get_wallet_balance.json": ("/v5/account/wallet-balance", ""),
    "burakoner*/account_wallet-balance*.json": ("/v5/account/wallet-balance", ""),
    "burakoner*/market_spot-instrument.json": (INSTRUMENTS, "spot"),
    "burakoner*/trade_execution-history.json": ("/v5/execution/list", "linear"),
    "hirokisan*/v5-account-get-account-info.json": (ACCOUNT, ""),
    "hirokisan*/v5-account-get-wallet-balance.json": ("/v5/account/wallet-balance", ""),
    "hirokisan*/v5-create-order.json": ("/v5/order/create", "linear"),
    "hirokisan*/v5-amend-order.json": ("/v5/order/amend", "linear"),
    "hirokisan*/v5-cancel-order.json": ("/v5/order/cancel", "linear"),
    "hirokisan*/v5-execution-get-execution-list.json": ("/v5/execution/list", "linear"),
    "hirokisan*/v5-get-open-orders.json": ("/v5/order/realtime", "spot"),
    "hirokisan*/v5-market-get-instruments-info-spot.json": (INSTRUMENTS, "spot"),
    "hirokisan*/v5-market-get-instruments-info-option.json": (INSTRUMENTS, "option"),
    "hirokisan*/v5-market-get-kline.json": (KLINE, "spot"),
    "hirokisan*/v5-position-get-position-info.json": ("/v5/position/list", "linear"),
    "pivotdude*/position-list*.json": ("/v5/position/list", "linear"),
    "pivotdude*/wallet-balance*.json": ("/v5/account/wallet-balance", ""),
    "burakoner*/account_account-instrument-linear.json": (OWN_INSTRUMENTS, "linear"),
    "burakoner*/account_account-instrument-spot.json": (OWN_INSTRUMENTS, "spot"),
    "burakoner*/account_dcp-info.json": ("/v5/account/query-dcp-info", ""),
    "burakoner*/account_transaction-log.json": ("/v5/account/transaction-log", ""),
    "burakoner*/market_order-price-limit.json": ("/v5/market/price-limit", ""),
    "burakoner*/market_recent-public-trade.json": ("/v5/market/recent-trade", "spot"),
    "burakoner*/position_add-or-reduce-margin.json": ("/v5/position/add-margin", "inverse"),
    "burakoner*/position_closed-pnl.json": ("/v5/position/closed-pnl", "linear"),
    "burakoner*/trade_batch-place-response.json": ("/v5/order/create-batch", "linear"),
    "burakoner*/trade_pre-check-order.json": ("/v5/order/pre-check", ""),
    "hirokisan*/v5-account-get-collateral-info.json": ("/v5/account/collateral-info", ""),
    "hirokisan*/v5-cancel-all-orders.json": ("/v5/order/cancel-all", ""),
    "hirokisan*/v5-market-get-funding-rate-history.json": ("/v5/market/funding/history", "linear"),
    "hirokisan*/v5-market-get-mark-price-kline.json": ("/v5/market/mark-price-kline", "linear"),
    "hirokisan*/v5-market-get-open-interest.json": ("/v5/market/open-interest", "linear"),
    "hirokisan*/v5-market-get-orderbook.json": ("/v5/market/orderbook", "spot"),
    "hirokisan*/v5-market-get-premium-index-price-kline.json": (PREMIUM, "linear"),
    "hirokisan*/v5-market-get-public-trading-history.json": ("/v5/market/recent-trade", "linear"),
    "hirokisan*/v5-market-get-tickers-inverse.json": ("/v5/market/tickers", "inverse"),
    "hirokisan*/v5-market-get-tickers-option.json": ("/v5/market/tickers", "option"),
    "nautilus_trader/http_get_funding_history.json": ("/v5/market/funding/history", "linear"),
    "nautilus_trader/http_get_orderbook.json": ("/v5/market/orderbook", "linear"),
    "pivotdude*/closed-pnl*.json": ("/v5/position/closed-pnl", "linear"),
    "nautilus_trader/ws_account_position_with_open_time.json": ("position", "linear"),
}
"""What the files are whose text does not say it: the endpoint and the category."""

FRAME_CATEGORIES = {
    "*ws_spot_*": "spot",
    "*ws_ticker_frames.jsonl:1": "spot",
    "*ws_ticker_frames.jsonl:2": "option",
    "*ws_ticker_frames.jsonl:[78]": "inverse",
    "*ticker-option.json": "option",
    "*ws_option_Ticker.txt": "option",
    "*ws_option_Trades.txt": "option",
}
"""Public frames of another category than linear: it stands in the address, not in the frame."""


class Payload(NamedTuple):
    """One message: a frame, or the whole body of an answer."""

    name: str
    place: str
    category: str
    message: Any

    @property
    def topic(self) -> str:
        """The kind of frame, empty for an answer."""
        return "" if self.place.startswith("order.") else self.place.partition(".")[0]


# ---- the directory ---------------------------------------------------------------------------


def payloads(root: Path) -> list[Payload]:
    """Return every message below the directory, each file giving at least one."""
    found = []
    for path in sorted(item for item in root.rglob("*") if item.is_file()):
        file = f"{path.parent.name}/{path.name}"
        messages = list(_messages(path.read_text(errors="replace"), path.suffix))
        for number, (place, message) in enumerate(messages, 1):
            name = f"{file}:{number}" if len(messages) > 1 else file
            found.append(_payload(name, file, place, _wire(message)))
    return found


def _messages(text: str, suffix: str) -> Iterator[tuple[str, Any]]:
    """Yield (path where the file names it, message)."""
    if suffix == ".txt" and text.startswith((">", "<", "=")):
        for block in re.split(r"^(?=[><=])", text, flags=re.MULTILINE):
            if block.startswith("="):
                yield "", json.loads(block[1:])
    elif suffix == ".txt":
        _, path, _, body = text.split(None, 3)
        yield path, json.loads(body)
    elif suffix in (".jsonl", ".pylog"):
        read = json.loads if suffix == ".jsonl" else ast.literal_eval
        yield from (("", read(line)) for line in text.splitlines() if line.strip())
    else:
        yield "", json.loads(text)


def _payload(name: str, file: str, path: str, message: Any) -> Payload:
    place, category = next(
        (where for pattern, where in PLACES.items() if fnmatch(file, pattern)), (path, "")
    )
    if place.startswith("/"):
        body = message if "retCode" in message else {"retCode": 0, "result": message}
        said = body["result"].get("category", "") if isinstance(body["result"], dict) else ""
        return Payload(name, place, category or said, body)
    if place == "position":  # an item without its frame
        return Payload(name, place, category, {"topic": place, "data": [message]})
    topic: Any = message.get("topic", message.get("op", "")) if isinstance(message, dict) else ""
    kind = next((kind for mark, kind in FRAME_CATEGORIES.items() if fnmatch(name, mark)), "linear")
    is_public = topic.partition(".")[0] in PUBLIC
    return Payload(name, topic, kind if is_public else "", message)


def _wire(message: Any) -> Any:
    """Return a message as the venue sends it where an SDK wrapped it or made objects of rows."""
    if not isinstance(message, dict):
        return message
    if "LinearInverse" in message:
        return _wire(next((part for part in message.values() if part), message))
    if isinstance(message.get("data"), dict):
        message["data"] = _wire(message["data"])
    for key in ("a", "b", "list"):
        rows: Any = message.get(key)
        is_row = bool(rows) and isinstance(rows, list) and isinstance(rows[0], dict)
        if is_row and {"price", "StartTime"} & rows[0].keys() and "symbol" not in rows[0]:
            message[key] = [list(row.values()) for row in rows]
    return message


def rows_of(message: Any) -> list[Any]:
    """Return the rows of an answer or frame."""
    rows = message.get("data", message.get("result", {}))
    rows = rows.get("list", [rows]) if isinstance(rows, dict) else rows
    return rows if isinstance(rows, list) else [rows]


# ---- the client, with answers in place of a network ------------------------------------------


class Fixed:
    """A clock that stands still."""

    def __init__(self, now_ms: int) -> None:
        self._now_ns = now_ms * 1_000_000

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic_ns(self) -> int:
        return self._now_ns


SETTINGS = BybitSettings(rest_url="http://x", public_url="", private_url="", trade_url="", key="k")
EMPTY = b'{"retCode":0,"result":{"list":[]}}'


class Canned(RestClient):
    """The client with its requests replaced: answers by path, one page each."""

    def __init__(self, answers: dict[str, bytes], now_ms: int) -> None:
        super().__init__(SETTINGS, Fixed(now_ms), None)
        self._answers = answers

    async def get(self, path, params, *, signed):
        content = EMPTY if params.get("cursor") else self._answers.get(path, EMPTY)
        return self._read(Reply(200, {}, (), content), path)

    async def post(self, path, body, signed_ms):
        return self._read(Reply(200, {}, (), self._answers[path]), path)
