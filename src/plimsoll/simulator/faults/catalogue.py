"""Every fault by name: what it does, what a client sees, and what may be chosen about it."""

from enum import StrEnum
from typing import Final

import msgspec


class Manner(StrEnum):
    """When a fault has its effect."""

    EACH = "each"
    """On each message it reaches, with probability ``rate``."""
    WHILE = "while"
    """As long as it is active, on what it reaches; ``rate`` is the share of it that is hit."""
    ONCE = "once"
    """At its beginning, and every ``every_s`` seconds where that is given."""


class Kind(msgspec.Struct, frozen=True):
    """One entry of the catalogue."""

    name: str
    manner: Manner
    requirement: str
    """Which row of the requirements it makes possible to test."""
    does: str
    sees: str
    scope: tuple[str, ...] = ()
    """Which of account, kind, connection, topic, symbol, endpoint narrow it."""
    magnitude: float = 0.0
    unit: str = ""
    """What ``magnitude`` counts; "" where it has none."""
    code: int = 0
    """Default of ``code``; 0 where it has none."""
    values: tuple[str, ...] = ()
    """Keys ``values`` may hold."""
    drawn_most: float = 0.0
    """Highest rate the seed draws; 0 where it never draws this fault."""


_E, _W, _O = Manner.EACH, Manner.WHILE, Manner.ONCE
_LINK: Final = ("account", "kind", "connection")
_REQUEST: Final = ("account", "kind", "endpoint")
_PRIVATE: Final = ("account", "connection", "topic")
_BOOK: Final = ("kind", "connection", "topic", "symbol")
_FRAME: Final = (*_LINK, "topic")

NETWORK: Final = (
    Kind("stall", _W, "N1", "No byte moves on the connection, either way; then all of it does.",
         "Silence, unanswered pings; at the end everything at once.", _LINK, drawn_most=0.3),
    Kind("loss", _W, "N1", "A stall that ends in a reset.",
         "Silence, then the connection is reset; what was under way never comes.", _LINK,
         drawn_most=0.2),
    Kind("delay", _W, "N2", "Frames leave up to `magnitude` later, in their order.",
         "Old data, in order; answers of the trade socket late.", _LINK, 500, "ms", drawn_most=0.5),
    Kind("skew", _W, "N3", "Each connection gets one delay of its own, up to `magnitude`.",
         "Order and execution of one event arrive in another order than on other connections.",
         _LINK, 300, "ms", drawn_most=0.5),
    Kind("duplicate_frame", _E, "N4", "The frame is sent twice.", "Every frame of it again.",
         _FRAME, drawn_most=0.05),
    Kind("half_open_out", _W, "N5", "What we send disappears; at the end the connection is reset.",
         "Connected and silent; pings unanswered; its requests are still executed.", _LINK,
         drawn_most=0.2),
    Kind("half_open_in", _W, "N5", "What the client sends disappears; at the end it is reset.",
         "Pushes go on, pings and requests are never answered.", _LINK, drawn_most=0.2),
    Kind("reset", _E, "N6", "The connection is reset at a drawn byte of the frame.",
         "Part of a frame, then a reset (1006).", _FRAME, drawn_most=0.002),
    Kind("close", _E, "N6", "The connection is closed at a drawn byte of the frame.",
         "Part of a frame, then the end of the stream (1006).", _FRAME, drawn_most=0.002),
    Kind("cut", _O, "N6", "One connection is reset between frames.",
         "A reset (1006) without a close frame.", _LINK, drawn_most=1.0),
    Kind("goodbye", _O, "N6", "Connections are closed with a close frame of code `code`.",
         "A close frame.", _LINK, code=1001),
    Kind("split", _W, "N7", "Frames leave in pieces of 1 to `magnitude` bytes, each its own write.",
         "Headers and payloads torn anywhere.", _LINK, 7, "bytes", drawn_most=0.5),
    Kind("fragment", _W, "N7", "Messages leave as frames of `magnitude` bytes and continuations.",
         "Fragmented messages.", _LINK, 64, "bytes", drawn_most=0.3),
    Kind("malformed_frame", _E, "N7", "The frame is replaced by text that is not JSON.",
         "A frame that does not parse; what it replaced is missing.", _FRAME, drawn_most=0.01),
    Kind("huge_frame", _E, "N7", "The frame is replaced by one of `magnitude` bytes.",
         "A very large JSON text.", _FRAME, 20_000_000, "bytes"),
    Kind("deep_frame", _E, "N7", "The frame is replaced by arrays nested `magnitude` deep.",
         "JSON that overflows a recursive parser.", _FRAME, 100_000, "levels", drawn_most=0.01),
    Kind("nonfinite_frame", _E, "N7", "Numbers in the frame become NaN and Infinity.",
         "Text that is JSON to some parsers only.", _FRAME, drawn_most=0.01),
    Kind("bad_utf8_frame", _E, "N7", "The frame holds bytes that are not UTF-8.",
         "A text frame to be refused with 1007.", _FRAME, drawn_most=0.01),
    Kind("refuse_connects", _W, "N11", "New connections and REST requests are reset at once.",
         "Resets before any answer.", ("kind",), drawn_most=1.0),
    Kind("bad_gateway", _W, "N11", "Handshakes are answered 502.", "HTTP 502, an HTML body.",
         ("kind",), drawn_most=0.5),
    Kind("path_dead", _W, "N11",
         "One path is dead: its requests and connections hang, and are reset at the end.",
         "REST, public, private or trade never answers; the others work.", ("kind",),
         drawn_most=1.0),
    Kind("ban", _W, "N12, X11", "Every REST request is answered 403.",
         "HTTP 403 `access too frequent`; sockets go on.", ("account",), drawn_most=0.2),
    Kind("slow_answers", _E, "N2, X5", "Answers leave up to `magnitude` late; pushes do not wait.",
         "Timeouts; fills before the acknowledgement.", _REQUEST, 2000, "ms", drawn_most=0.3),
)  # fmt: skip

REQUESTS: Final = (
    Kind("lose_ack", _E, "X1",
         "An order operation is executed, its answer never sent; `magnitude` later REST is reset.",
         "No answer; the order lives.", _REQUEST, 0, "ms", drawn_most=0.2),
    Kind("lose_request", _E, "X2",
         "An order operation never arrives; `magnitude` later REST is reset.",
         "No answer; there is no such order.", _REQUEST, 0, "ms", drawn_most=0.2),
    Kind("late_request", _E, "X3, X4",
         "An order operation arrives `magnitude` late, inside its window or after it.",
         "A late answer: accepted, or 10002.", _REQUEST, 3000, "ms", drawn_most=0.1),
    Kind("refuse", _E, "X11, X13", "The request is answered with `code` and not executed.",
         "10016 (or 10000, 10006, 10429, 20003, 429, ...); nothing happened.", _REQUEST,
         code=10016, drawn_most=0.3),
    Kind("refuse_after", _E, "X13", "The request is executed and answered with `code`.",
         "10016; it happened all the same.", _REQUEST, code=10016, drawn_most=0.2),
    Kind("http_error", _E, "X13", "The REST request is answered with status `code`, an HTML body.",
         "HTTP 502 (or 429, 500, 503, 504); nothing happened.", _REQUEST, code=502,
         drawn_most=0.3),
    Kind("http_error_after", _E, "X13", "Executed, and answered with status `code`.",
         "HTTP 502; it happened all the same.", _REQUEST, code=502, drawn_most=0.2),
    Kind("error_without_id", _E, "X13",
         "A trade socket operation is refused in the private style, without its reqId.",
         '`{"success": false, "ret_msg": "Params Error"}` that names no request.',
         ("account", "endpoint"), drawn_most=0.1),
    Kind("trade_restart", _O, "X14",
         "Trade sockets answer 10019; `magnitude` later they are closed.",
         "10019 for new operations, then 1006; earlier ones are answered.", ("account",),
         1000, "ms", drawn_most=1.0),
    Kind("session_limit", _W, "X11", "`auth` on a trade socket is refused with 10003.",
         "10003 too many sessions: not the 10003 of REST.", ("account",), drawn_most=0.2),
    Kind("clock_step", _W, "X12", "The venue's clock is `magnitude` off: windows, times, pongs.",
         "10002 until the offset is measured again.", (), -5000, "ms", drawn_most=0.2),
    Kind("clock_drift", _W, "X12", "The venue's clock gains `magnitude` each second.",
         "An offset that grows; 10002 in the end.", (), 200, "ms per s", drawn_most=0.2),
    Kind("history_missing", _E, "X28",
         "A share `magnitude` of a page of orders, executions or log is left out.",
         "An incomplete page with its usual cursor.", ("account", "endpoint"), 0.5, "share",
         drawn_most=0.2),
    Kind("history_doubled", _E, "X28", "Rows of a page come twice.", "Equal rows on one page.",
         ("account", "endpoint"), drawn_most=0.2),
    Kind("rest_lag", _W, "X1", "REST does not know orders and executions younger than `magnitude`.",
         "An accepted order is not found for a while.", ("account", "endpoint"), 5000, "ms",
         drawn_most=0.5),
    Kind("forget_closed", _O, "X28",
         "`/v5/order/realtime` forgets the orders that are closed; so it does at breaks.",
         "Not found in realtime; history still knows.", ("account",), drawn_most=1.0),
    Kind("cancel_all_partial", _E, "X30", "cancel-all leaves a share `magnitude` of the orders.",
         "Success, with a list that is shorter than the orders.", ("account",), 0.5, "share",
         drawn_most=0.5),
)  # fmt: skip

STREAMS: Final = (
    Kind("drop_push", _E, "X6", "A private message is not sent.", "A hole nothing announces.",
         _PRIVATE, drawn_most=0.1),
    Kind("duplicate_push", _E, "X7", "A private message is sent twice.",
         "The same execId or order state again.", _PRIVATE, drawn_most=0.2),
    Kind("delay_push", _E, "N3, X5", "A private message comes `magnitude` late; others overtake.",
         "Topics and states out of order.", _PRIVATE, 500, "ms", drawn_most=0.3),
    Kind("reorder_push", _E, "N3", "A private message waits for the next one, `magnitude` at most.",
         "Old states after new ones.", _PRIVATE, 500, "ms", drawn_most=0.2),
    Kind("execution_first", _W, "X5", "Order messages wait `magnitude`, executions do not.",
         "A fill before `New`, and `New` may be missing.", ("account", "connection"), 50, "ms",
         drawn_most=0.5),
    Kind("silent_topic", _W, "X16", "Topics send nothing; the connection lives.",
         "Pongs, and no data.", (*_BOOK, "account"), drawn_most=0.3),
    Kind("drop_delta", _E, "X18", "A book change is not sent.", "A gap in `u`.", _BOOK,
         drawn_most=0.01),
    Kind("book_restart", _O, "X18", "Books are numbered anew.", "A snapshot with `u` = 1.",
         ("kind", "symbol"), drawn_most=1.0),
    Kind("sudden_snapshot", _O, "X18", "A snapshot comes unasked.", "A snapshot among deltas.",
         ("kind", "symbol"), drawn_most=1.0),
    Kind("crossed_book", _E, "X19", "A book frame becomes a snapshot with its sides crossed.",
         "Best bid above best ask, until the snapshot that follows.", _BOOK, drawn_most=0.01),
    Kind("empty_book", _E, "X19", "A book frame becomes a snapshot without levels.",
         "An empty book, until the snapshot that follows.", _BOOK, drawn_most=0.01),
    Kind("zero_book", _E, "X19", "A book frame becomes a snapshot with prices of zero.",
         "Price 0, until the snapshot that follows.", _BOOK, drawn_most=0.01),
    Kind("negative_book", _E, "X19", "A book frame becomes a snapshot with negative numbers.",
         "Price and quantity below zero, until the snapshot that follows.", _BOOK,
         drawn_most=0.01),
    Kind("frozen_cts", _W, "X17", "The engine's time in book frames stands still.",
         "`ts` goes on, `cts` does not.", _BOOK, drawn_most=0.3),
    Kind("unknown_enum", _E, "X31", "Words of enumerations become `SomethingNew`.",
         "Unknown orderStatus, cancelType, execType, ...", (*_FRAME, "endpoint"), drawn_most=0.01),
    Kind("new_fields", _E, "X31", "Objects get fields nobody knows.",
         "Unknown fields, text, number and object.", (*_FRAME, "endpoint"), drawn_most=0.3),
    Kind("empty_strings", _E, "X31", "Optional numbers become empty text.",
         '`""` for avgPrice, leavesQty, markPrice, ...', (*_FRAME, "endpoint"), drawn_most=0.01),
    Kind("exponent_numbers", _E, "X31", "Decimal text is written with an exponent.",
         "`6.0E+4` for `60000`: the same number.", (*_FRAME, "endpoint"), drawn_most=0.1),
)  # fmt: skip

VENUE: Final = (
    Kind("short_break", _O, "X15", "Unannounced: sockets are cut, nothing is taken for "
         "`magnitude`.", "Resets, refused connections; then books with `u` = 1.", (), 5000, "ms",
         drawn_most=1.0),
    Kind("maintenance", _W, "X15",
         "Announced on `system.status` `magnitude` before; then closed to everyone to the end.",
         "A notice, then 503 and no sockets; then `completed`.", (), 10_000, "ms"),
    Kind("price_spike", _O, "X20", "One print `magnitude` away, and the next one back.",
         "One tick of nonsense in tape, ticker and candle.", ("symbol",), 0.1, "share",
         drawn_most=1.0),
    Kind("crash", _O, "X20", "The outside market moves by `magnitude` within 5 s and stays there.",
         "A fall of 20 %: book, prints, mark, index.", ("symbol",), -0.2, "share"),
    Kind("halt_instrument", _W, "X21", "The instrument does not trade: new orders are refused.",
         "Status `Closed` in instruments-info; 110074, 170151.", ("symbol",), drawn_most=0.1),
    Kind("delist", _W, "X21", "A delivery time `magnitude` ahead; no new positions.",
         "`deliveryTime` in instruments-info; 30228 for orders that are not reduce-only.",
         ("symbol",), 86_400, "s"),
    Kind("filters_changed", _W, "X22", "Filters of instruments-info change to `values`.",
         "Other steps and minimums; orders off them are refused with 10001.", ("symbol",),
         values=("tickSize", "qtyStep", "minOrderQty", "maxLeverage")),
    Kind("hand_order", _O, "X23", "Somebody places an order on the account by hand.",
         "An order that is not its own; fields in `values`.", ("account", "symbol"),
         values=("side", "qty", "price", "orderType", "category", "reduceOnly")),
    Kind("hand_cancel", _O, "X23", "Somebody cancels the account's oldest order by hand.",
         "`CancelByUser` nobody asked for.", ("account", "symbol"), drawn_most=1.0),
    Kind("hand_close", _O, "X23", "Somebody closes the account's positions by hand.",
         "Executions of a market order that is not its own.", ("account", "symbol")),
    Kind("liquidation", _O, "X24",
         "A share `magnitude` of the positions is liquidated, whatever their margin is.",
         "`CancelAllBeforeLiq`, then executions of an order `CreateByLiq`; `Liq` in the position.",
         ("account", "symbol"), 0.25, "share of one"),
    Kind("adl", _O, "X24", "A share `magnitude` of the positions is deleveraged at the mark.",
         "`CancelAllBeforeAdl`, then an execution `AdlTrade` without a fee.", ("account", "symbol"),
         1.0, "share of one"),
    Kind("funding_rate", _W, "X25", "The funding rate is `magnitude`.",
         "`fundingRate` in tickers and history; paid or received at the next instants.",
         ("symbol",), 0.003, "rate"),
    Kind("fees_changed", _O, "X25",
         "The account pays other fee rates from now on; a negative maker rate is a rebate.",
         "`fee-rate`, and `feeRate` of executions: `values`, or taker 0.001 and maker -0.0001.",
         ("account",), values=("category", "taker", "maker")),
    Kind("venue_cancel", _O, "X27", "The venue cancels the account's orders by itself.",
         "`cancelType` `CancelByAdmin`, or `values.cancelType`.", ("account", "symbol"),
         values=("cancelType",), drawn_most=1.0),
    Kind("key_revoked", _W, "X26", "The key does not exist any more; its sockets are cut.",
         "10003, and refused `auth`.", ("account",)),
    Kind("key_expired", _W, "X26", "The key has expired; its sockets are cut.", "33004.",
         ("account",)),
    Kind("permission_lost", _W, "X26", "The key may only read.",
         "10005 for everything that changes something; `readOnly` 1.", ("account",)),
    Kind("address_unbound", _W, "X26", "The key is bound to another address.",
         "10010, and refused `auth`.", ("account",)),
)  # fmt: skip

CATALOGUE: Final = {kind.name: kind for kind in (*NETWORK, *REQUESTS, *STREAMS, *VENUE)}
