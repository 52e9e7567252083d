"""Every recorded message of the venue, read by us and by a second, independent reading.

The recordings are not part of the repository (see the fixture ``shared_data``). ``pytest -rA``
shows the table: file, endpoint or topic, parsed, refused with the reason, or not supported yet.
"""

import json
import random
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import pytest
from tests.venues.bybit.recorded import (
    ACCOUNT,
    CATEGORIES,
    FEES,
    INSTRUMENTS,
    KLINE,
    PRIVATE,
    PUBLIC,
    Canned,
    Fixed,
    Payload,
    payloads,
    rows_of,
)

from plimsoll.core.model import Instrument, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    BarChanged,
    BarReported,
    BookChanged,
    ExecutionReported,
    HealthMeasured,
    MarketInput,
    OrderIntended,
    OrderReported,
    PositionReported,
    PublicTraded,
    QueryAnswered,
    QueryIntended,
    Record,
    RequestAnswered,
    TickerChanged,
    WalletReported,
)
from plimsoll.venues.bybit import ParseError, PublicParser, VenueError
from plimsoll.venues.bybit.account import check_account
from plimsoll.venues.bybit.answers import QueryRunner
from plimsoll.venues.bybit.listing import load_instruments
from plimsoll.venues.bybit.orders import OrderSender
from plimsoll.venues.bybit.private import parse_private
from plimsoll.venues.bybit.trade import read_answer

MUTATIONS = 2000
QUERIES = {
    "/v5/order/realtime": "orders",
    "/v5/order/history": "order",
    "/v5/execution/list": "executions",
    "/v5/position/list": "positions",
    "/v5/account/wallet-balance": "wallet",
    KLINE: "bars",
}
ORDER_PATHS = ("/v5/order/create", "/v5/order/amend", "/v5/order/cancel")
ORDER_OPS = ("order.create", "order.amend", "order.cancel")

REFUSED = {
    # Made wrong on purpose by their authors.
    "pivotdude_sanitised/position-list.linear.mixed-market.core.json": "size: .* found 'bad'",
    "pivotdude_sanitised/position-list.linear.partial-malformed.json": "got `null` .*symbol",
    "pivotdude_sanitised/wallet-balance.unified.linear.malformed.json": r"got `int` - at `\$.coin`",
    # A pair whose amounts are finer than our unit: told at start.
    "hirokisan_sdk_testnet/v5-market-get-instruments-info-spot.json": "finer than 1e-8",
    # We subscribe one-minute bars only; the same rows as one-minute bars are compared below.
    "nautilus_trader/ws_kline.json": "interval 5",
    "hirokisan_sdk_testnet/public-v5-kline.json": "interval 5",
    "jkorf_bybit_net/ws_option_Klines.txt": "interval 5",
}
"""Each supported payload that is refused, and the cause that its reason must name."""

STATES = {"New": "open", "Untriggered": "open", "Filled": "filled", "Cancelled": "canceled"}


def is_supported(payload: Payload) -> bool:
    """Return whether the engine reads a message of this kind."""
    if payload.place.startswith("/"):
        known = {*QUERIES, *ORDER_PATHS, INSTRUMENTS, FEES, ACCOUNT}
        return payload.place in known and payload.category in ("", *CATEGORIES)
    if payload.topic in PUBLIC:
        return payload.category in CATEGORIES
    return payload.topic in PRIVATE or payload.place in ORDER_OPS


class Reading(NamedTuple):
    """What came of a payload: our rows, the second reading's rows, why it went no further."""

    found: list[Any]
    wanted: list[Any]
    reason: str


class Inline:
    """Runs background work at once: nothing here waits."""

    def start(self, work, name):
        with pytest.raises(StopIteration):
            work.send(None)


# ---- our reading -----------------------------------------------------------------------------


def read(payload: Payload, raw: bytes, listed: dict[str, Instrument], inbox: Any) -> list[Any]:
    """Return what our client makes of a message.

    Raises:
        ParseError: as the client does.
        VenueError: as the client does.
    """
    if payload.topic in PUBLIC:
        record = PublicParser(payload.category).parse(raw, 1, 2, 3)
        return [] if record is None else [record]
    if payload.topic in PRIVATE:
        catalogue = {(item.category, item.symbol): item for item in listed.values()}
        return list(parse_private(raw, catalogue, inbox.stamp, _telling(inbox)))
    if payload.place in ORDER_OPS:
        return [read_answer(raw)]
    work = _ask(payload, {payload.place: raw}, listed, inbox)
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the client waited for something")


async def _ask(
    payload: Payload, answers: dict[str, bytes], listed: dict[str, Instrument], inbox: Any
) -> list[Any]:
    starts = _starts(payload)
    rest = Canned(answers, max(starts, default=0) + 86_400_000)
    if payload.place == INSTRUMENTS:
        symbols = [row["symbol"] for row in payload.message["result"]["list"]]
        names = [f"{payload.category}:{symbol}" for symbol in symbols]
        return await load_instruments(rest, names, with_fees=False)
    if payload.place == FEES:
        symbol = payload.message["result"]["list"][0]["symbol"]
        answers[INSTRUMENTS] = json.dumps(_listing(symbol)).encode()
        return await load_instruments(rest, [f"linear:{symbol}"], with_fees=True)
    if payload.place == ACCOUNT:
        return await check_account(rest, [])
    if payload.place in ORDER_PATHS:
        return _create(rest, answers, payload.place, next(iter(listed.values())), inbox)
    runner = QueryRunner(rest, inbox, _telling(inbox))
    runner.list_instruments({item.name: item for item in listed.values()})
    name = next((item.name for item in listed.values()), "")
    kind = QUERIES[payload.place]
    since_ms = min(starts, default=0)
    query = QueryIntended(
        1, 2, 3, 0, 7, kind, payload.category, "USDT", name, "x" * (kind == "order"), since_ms
    )
    inbox.records.clear()
    await runner.answer(query)
    return inbox.records


def _create(rest: Canned, answers: dict[str, bytes], place: str, item: Instrument, inbox: Any):
    answers["/v5/order/create"] = answers[place]  # the three answers have one shape
    sender = OrderSender(rest, inbox, Fixed(0), cast("Any", Inline()))
    sender.list_instruments({item.name: item})
    order = (OrderType.LIMIT, TimeInForce.GTC, 1, 1, False, "")
    sender.create(OrderIntended(1, 2, 3, 0, "id", "owner", item.name, Side.BUY, *order))
    return inbox.records[-1:]


def _telling(inbox: Any) -> Any:
    return lambda name: inbox.trouble("unlisted", name, "")


def _starts(payload: Payload) -> list[int]:
    """Return the bars' times, none for anything else."""
    rows = payload.message["result"]["list"] if payload.place == KLINE else []
    return [int(row[0]) for row in rows]


def _listing(symbol: str) -> dict[str, Any]:
    row = {"symbol": symbol, "status": "Trading", "baseCoin": "B", "quoteCoin": "USDT"}
    filters = {"lotSizeFilter": {"qtyStep": "1"}, "priceFilter": {"tickSize": "0.01"}}
    return {"retCode": 0, "result": {"list": [row | filters]}}


# ---- instruments, from the precision of the messages themselves ------------------------------

PRICES = ("price", "execPrice")
QUANTITIES = ("qty", "cumExecQty", "execQty", "orderQty", "size")


def instruments_of(payload: Payload) -> dict[str, Instrument]:
    """Return an instrument for each symbol of a message, its steps as fine as the numbers."""
    steps: dict[str, tuple[int, int]] = {}
    message = payload.message
    rows = rows_of(message)
    if payload.place == KLINE:
        prices = max(_places(text) for row in rows for text in row[1:5])
        steps[message["result"]["symbol"] or "X"] = (prices, 0)
        rows = []
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("symbol"), str):
            tick, lot = steps.get(row["symbol"], (0, 0))
            price = max(_places(row.get(field)) for field in PRICES)
            qty = max(_places(row.get(field)) for field in QUANTITIES)
            steps[row["symbol"]] = (max(tick, price), max(lot, qty))
    if payload.place in ORDER_PATHS:
        steps["X"] = (0, 0)
    kind = payload.category or "linear"
    return {symbol: _instrument(kind, symbol, *places) for symbol, places in steps.items()}


def _places(text: Any) -> int:
    match = re.fullmatch(r"-?\d+(?:\.(\d*?)0*)?", str(text))
    return len(match[1] or "") if match else 0


def _instrument(category: str, symbol: str, tick_places: int, lot_places: int) -> Instrument:
    settle = "USDC" if symbol.endswith(("PERP", "USDC")) else "USDT"
    tick, lot = (format(Decimal(1).scaleb(-places), "f") for places in (tick_places, lot_places))
    name = f"{category}:{symbol}"
    return Instrument(name, category, symbol, "BASE", settle, settle, tick, lot, "0", "0", "0", "0")


# ---- the second reading: json and Decimal only -----------------------------------------------


def number(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def wanted_of(payload: Payload) -> list[Any]:
    """Return the key values of every row, as far as they can be read."""
    rows = rows_of(payload.message)
    if payload.topic in PUBLIC:
        return [_public(payload.topic, payload.message)]
    if payload.place in ORDER_OPS:
        answer = payload.message
        return [(answer["reqId"], answer["retCode"], answer["data"]["orderId"])]
    if payload.place in ORDER_PATHS:
        return [(payload.message["retCode"], payload.message["result"]["orderId"])]
    if payload.place == ACCOUNT:
        return []  # nothing to find fault with
    kind = QUERIES.get(payload.place, payload.topic).removesuffix("s")
    if kind == "wallet":
        pushed = [[account] if "topic" in payload.message else [] for account in rows]
        rows = [
            row
            for account, more in zip(rows, pushed, strict=True)
            for row in account["coin"] + more
        ]
    if kind == "execution":
        rows = sorted(rows, key=lambda row: int(row["execTime"]))
    if kind == "bar":
        rows = sorted(rows, key=lambda row: int(row[0]))
    second = {"order": _order, "execution": _execution, "position": _position, "bar": _bar}
    second |= {"wallet": _coin, INSTRUMENTS: _filters, FEES: _fees}
    wanted = []
    for row in rows:
        try:
            wanted.append(second[payload.place if payload.place in second else kind](row))
        except (ArithmeticError, TypeError):  # made wrong on purpose: ours must stop here too
            break
    return wanted


def _order(row: Any) -> Any:
    link, state = row.get("orderLinkId") or "", STATES[row["orderStatus"]]
    numbers = (number(row["price"]), number(row["qty"]), number(row["cumExecQty"]))
    is_reducing = row["reduceOnly"] or row["closeOnTrigger"]
    at = int(row["updatedTime"])
    return row["symbol"], row["orderId"], link, row["side"], state, *numbers, is_reducing, at


def _execution(row: Any) -> Any:
    coin = row.get("feeCurrency") or ("USDC" if row["symbol"].endswith("PERP") else "USDT")
    whole = number(row["orderQty"]) if row["execType"] == "Trade" else Decimal(0)
    numbers = [number(row[field]) for field in ("execPrice", "execQty", "execFee")]
    words = [row[field] for field in ("symbol", "execId", "orderId", "orderLinkId", "side")]
    return *words, *numbers, coin, row["isMaker"], row["execType"], int(row["execTime"]), whole


def _position(row: Any) -> Any:
    size = Decimal(row["size"]) * (-1 if row["side"] == "Sell" else 1)
    entry = number(row.get("entryPrice") or row.get("avgPrice"))
    return row["symbol"] + "", size, entry, int(row.get("updatedTime") or 0)


def _coin(row: Any) -> Any:
    if "totalEquity" in row:  # the account, after its coins
        texts = (row["totalEquity"], row["totalAvailableBalance"])
        rates = (row.get("accountIMRate"), row.get("accountMMRate"))
        sums = [Decimal(text or "-1e-8") for text in texts]
        return *sums, *(Decimal(text or "-1e-6") for text in rates)
    return row["coin"], Decimal(row["walletBalance"])


def _bar(row: Any) -> Any:
    return int(row[0]), *(Decimal(text) for text in row[1:5]), Decimal(row[5])


def _filters(row: Any) -> Any:
    lots = row["lotSizeFilter"]
    step, most = lots.get("qtyStep", lots.get("basePrecision")), lots.get("maxMarketOrderQty")
    least = lots.get("minNotionalValue", lots.get("minOrderAmt"))
    texts = (row["priceFilter"]["tickSize"], step, lots["minOrderQty"])
    limits = (lots.get("maxLimitOrderQty", lots["maxOrderQty"]), lots.get("maxMktOrderQty", most))
    coins = (row["baseCoin"], row["quoteCoin"], row.get("settleCoin", row["quoteCoin"]))
    return row["symbol"], *coins, *(number(text) for text in (*texts, *limits, least))


def _fees(row: Any) -> Any:
    return Decimal(row["takerFeeRate"]), Decimal(row["makerFeeRate"])


def _public(topic: str, frame: Any) -> Any:
    data, symbol = frame["data"], frame["topic"].rpartition(".")[2]
    if topic == "orderbook":
        sides = [[tuple(map(Decimal, row)) for row in data[side]] for side in "ba"]
        at = (data["u"], data["seq"], frame.get("cts", 0))
        return symbol, frame["type"] == "snapshot", *at, *sides
    if topic == "publicTrade":
        rows = [(Decimal(row["p"]), Decimal(row["v"]), row["S"], row["T"]) for row in data]
        return symbol, frame["ts"], rows
    if topic == "tickers":
        fields = ("lastPrice", "markPrice", "indexPrice", "fundingRate", "nextFundingTime")
        return symbol, frame["ts"], *(number(data.get(field)) for field in fields)
    (row,) = data
    texts = [Decimal(row[field]) for field in ("open", "high", "low", "close", "volume")]
    return symbol, frame["ts"], row["start"], *texts, row["confirm"]


# ---- our records, brought to the same shape --------------------------------------------------


def shaped(record: Any, listed: dict[str, Instrument]) -> Any:
    """Return the key values of one of our records, numbers as the decimals they stand for."""
    if isinstance(record, MarketInput):
        return _shaped_market(record)
    if isinstance(record, Record):
        return _shaped_report(record, listed)
    if isinstance(record, Instrument):
        texts: tuple[str, ...] = (record.tick_size, record.lot_size, record.min_qty, record.max_qty)
        texts += (record.max_market_qty, record.min_notional)
        coins = (record.base, record.quote, record.settle)
        return record.symbol, *coins, *(Decimal(text) for text in texts)
    return record.request_id, record.code, record.venue_order_id


def _shaped_market(record: Any) -> Any:
    def exact(value: float) -> Decimal:
        return Decimal(repr(value))

    symbol = record.instrument.partition(":")[2]
    match record:
        case BookChanged(bids=bids, asks=asks):
            sides = [[tuple(map(exact, row)) for row in side] for side in (bids, asks)]
            at = (record.update_id, record.venue_seq, record.venue_ms)
            return symbol, record.is_snapshot, *at, *sides
        case PublicTraded(rows=rows):
            side = {True: "Buy", False: "Sell"}
            return (
                symbol,
                record.venue_ms,
                [(exact(price), exact(qty), side[is_buy], at) for price, qty, is_buy, at in rows],
            )
        case TickerChanged():
            values: tuple[float, ...] = (
                record.last,
                record.mark,
                record.index,
                record.funding_rate or 0.0,
            )
            funding_ms = Decimal(record.next_funding_ms)
            return symbol, record.venue_ms, *map(exact, values), funding_ms
        case BarChanged():
            values = (record.open, record.high, record.low, record.close, record.volume)
            return symbol, record.venue_ms, record.start_ms, *map(exact, values), record.is_final
        case _:
            raise AssertionError(record)


def _shaped_report(record: Any, listed: dict[str, Instrument]) -> Any:
    if isinstance(record, WalletReported):
        return record.coin, Decimal(record.balance_units).scaleb(-8)
    if isinstance(record, HealthMeasured):
        sums = (record.equity_units, record.available_units)
        rates = (record.initial_ppm, record.maintenance_ppm)
        return *(Decimal(one).scaleb(-8) for one in sums), *(
            Decimal(one).scaleb(-6) for one in rates
        )
    if isinstance(record, RequestAnswered):
        return record.code, record.venue_order_id
    symbol = record.instrument.partition(":")[2]
    tick, lot = listed[symbol].tick, listed[symbol].lot
    match record:
        case OrderReported():
            ids: tuple[str, ...] = (symbol, record.venue_order_id, record.client_order_id)
            numbers = (record.price_ticks * tick, record.qty_lots * lot, record.cum_lots * lot)
            words = (record.side.title(), str(record.status))
            return *ids, *words, *numbers, record.reduce_only, record.updated_ms
        case ExecutionReported():
            ids = (symbol, record.execution_id, record.venue_order_id, record.client_order_id)
            fee = Decimal(record.fee_units).scaleb(-8)
            numbers = (record.price_ticks * tick, record.qty_lots * lot, fee)
            rest = (record.fee_coin, record.is_maker, record.kind, record.executed_ms)
            return *ids, record.side.title(), *numbers, *rest, record.order_qty_lots * lot
        case PositionReported():
            entry = number(record.entry_price)
            return symbol, record.qty_lots * lot, entry, record.updated_ms
        case BarReported():
            prices = [record.open_ticks, record.high_ticks, record.low_ticks, record.close_ticks]
            volume = Decimal(repr(record.volume_lots))
            return record.start_ms, *(ticks * tick for ticks in prices), volume
        case _:
            raise AssertionError(record)


def compared(payload: Payload, inbox: Any) -> Reading:
    """Read a message both ways."""
    listed, raw = instruments_of(payload), json.dumps(payload.message).encode()
    wanted, reason, records = wanted_of(payload), "", []
    try:
        records = list(read(payload, raw, listed, inbox))
    except (ParseError, VenueError) as error:
        reason, wanted = str(error), []
    if records and isinstance(records[-1], QueryAnswered):
        reason = records.pop().reason
    assert not inbox.troubles
    if payload.place == FEES:
        found = [(Decimal(item.taker_fee), Decimal(item.maker_fee)) for item in records]
        return Reading(found, wanted, reason)
    found = [shaped(record, listed) for record in records]
    if payload.topic == "kline" and not found:
        return Reading([], [], f"interval {payload.message['data'][0]['interval']}")
    return Reading(found, wanted, reason)


# ---- tests -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[Payload]:
    return payloads(shared_data / "bybit_v5_payloads")


def test_every_payload_is_read_exactly_or_refused_for_a_listed_reason(recorded, inbox):
    table, refused = [], set()
    for payload in recorded:
        if not is_supported(payload):
            what = payload.place or "no v5 frame or endpoint of ours"
            table.append((payload.name, what, payload.category, "not supported", 0))
            continue
        reading = compared(payload, inbox)
        assert reading.found == reading.wanted, payload.name
        end = f"refused: {reading.reason[:90]}" if reading.reason else "parsed"
        table.append((payload.name, payload.place, payload.category, end, len(reading.found)))
        if reading.reason:
            refused.add(payload.name)
            assert re.search(REFUSED.get(payload.name, "^$"), reading.reason), table[-1]
    for row in table:
        print(" | ".join(map(str, row)))
    ends = [row[3].partition(":")[0] for row in table]
    print({end: ends.count(end) for end in dict.fromkeys(ends)})
    assert refused == REFUSED.keys()
    assert ends.count("parsed") >= 60


def test_other_intervals_hold_exact_values_as_minute_bars(recorded, inbox):
    frames = [item for item in recorded if item.topic == "kline" and is_supported(item)]
    assert len(frames) >= 3
    for payload in frames:
        message = payload.message | {"data": [payload.message["data"][0] | {"interval": "1"}]}
        reading = compared(payload._replace(message=message), inbox)
        assert len(reading.found) == 1
        assert reading.found == reading.wanted, payload.name


def test_every_listed_instrument_has_exact_filters_or_is_too_fine(recorded, inbox):
    fine = exact = 0
    for payload in recorded:
        rows = payload.message["result"]["list"] if payload.place == INSTRUMENTS else []
        for row in rows if is_supported(payload) else []:
            result = {"list": [row | {"status": "Trading"}]}
            one = payload._replace(message={"retCode": 0, "result": result})
            reading = compared(one, inbox)
            assert reading.found == reading.wanted, row
            assert not reading.reason or "is finer than 1e-8" in reading.reason
            fine += bool(reading.reason)
            exact += not reading.reason
    print(f"{exact} instruments exact, {fine} too fine for exact cash")
    assert exact > fine > 0


def test_mutated_payloads_raise_only_the_named_errors(recorded, inbox):
    seeded = random.Random(2026)
    files: dict[str, list[Payload]] = {}
    for payload in recorded:
        if is_supported(payload):
            files.setdefault(re.sub(r":\d+$", "", payload.name), []).append(payload)
    accepted = 0
    for group in files.values():
        for payload in map(_trimmed, group):
            listed, spoiled = instruments_of(payload), _trimmed(payload).message
            for raw in _mutations(spoiled, seeded, MUTATIONS // len(group) + 1):
                accepted += _survives(payload, raw, listed, inbox)
    assert accepted > len(files) * MUTATIONS // 10, "most mutations must reach past the envelope"


def _trimmed(payload: Payload) -> Payload:
    """Return a message with two rows at most: more only cost time."""
    message = json.loads(json.dumps(payload.message))
    result = message.get("result", message)
    if isinstance(result.get("list"), list):
        del result["list"][2:]
    return payload._replace(message=message)


def _survives(payload: Payload, raw: bytes, listed: dict[str, Instrument], inbox: Any) -> bool:
    """Return whether something was read; what was read must be fit for the log."""
    inbox.troubles.clear()
    try:
        records = read(payload, raw, listed, inbox)
    except (ParseError, VenueError):
        return False
    for record in records:
        if isinstance(record, TickerChanged) and record.funding_rate is None:
            record = msgspec.structs.replace(record, funding_rate=0.0)
        text = msgspec.json.encode(record)
        assert payload.topic not in PUBLIC or b"null" not in text, raw  # null: not a number
    return bool(records)


ODD: list[Any] = [
    *(None, "", [], {}, "x", True, 5, -1, 1.5, "1E-8", "-1", "null", "\ud7ff", " 1"),
    *(10**400, 1e300, "9" * 400, "1e999999", "1e900000", "-1e30", "NaN", "nan", "inf", "-Infinity"),
]


def _mutations(message: Any, seeded: random.Random, count: int) -> Iterator[bytes]:
    """Yield texts of the message with one thing changed, cut off, or spoiled."""
    spots = list(_spots(message))
    whole = msgspec.json.encode(message)
    for _ in range(count):
        way = seeded.random()
        at = seeded.randrange(len(whole))
        if way < 0.05:
            yield whole[:at]
        elif way < 0.1:
            yield whole[:at] + seeded.randbytes(2) + whole[at + 1 :]
        elif way < 0.25:
            holder, key = seeded.choice(spots)
            kept = dict(holder) if isinstance(holder, dict) else list(holder)
            del holder[key]
            yield msgspec.json.encode(message)
            holder.clear()
            (holder.update if isinstance(holder, dict) else holder.extend)(kept)
        else:
            holder, key = seeded.choice(spots)
            kept, holder[key] = holder[key], seeded.choice(ODD)
            yield msgspec.json.encode(message)
            holder[key] = kept


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (holder, key) of everything inside."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _spots(inner)
