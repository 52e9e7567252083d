"""A journal as months of trading leave it: real records, many of them, and orders still open.

The open orders stand at a simulated exchange as well; everything that was traded went back to
flat, so that an engine which starts on this journal finds the books equal to the venue's.
"""

import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plimsoll.core.model import IdMaker, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    RECORD_KIND,
    CancelIntended,
    Configured,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    OrderIntended,
    OrderReported,
    OrderSent,
    PositionReported,
    Reconciled,
    Record,
    RequestAnswered,
    TimerFired,
    WalletAdopted,
    WalletReported,
    encode,
)
from plimsoll.journal import Journal
from plimsoll.venues.bybit.settings import Secret
from plimsoll.venues.bybit.sign import Signer

DAYS = 2
LOTS = 4
FEE = 2_400_000
OWNER = "resting"
_DAY_NS = 86_400_000_000_000
_PADDING = b'"field":"value as long as the venue sends it","'


class History:
    """Writes sessions of the past, record by record."""

    def __init__(self, directory: Path, account: str, tag: str, begun: list[Record]) -> None:
        """Begin a journal with the first records of a session that ran: who, what, which filters.

        Args:
            directory: An empty journal folder.
            account: Its account.
            tag: Of the account's orders.
            begun: ``LeaseTaken``, ``Configured``, ``InstrumentListed`` and ``WalletAdopted`` of it.
        """
        self.journal = Journal.open(directory, account, 1)
        self.ids = IdMaker(tag, 1)
        self.instruments = [one.instrument for one in begun if isinstance(one, InstrumentListed)]
        self.count = 0
        self._now_ns = time.time_ns() - DAYS * _DAY_NS
        self._step_ns = 1_000_000
        wanted = (LeaseTaken, Configured, InstrumentListed, WalletAdopted)
        for one in begun:
            if isinstance(one, wanted):
                fields = [getattr(one, name) for name in one.__struct_fields__[4:]]
                self.put(type(one), *fields)
        self.put(Reconciled, "private link up", 0, 0, self.now_ms)

    @property
    def now_ms(self) -> int:
        """Time of the newest record."""
        return self._now_ns // 1_000_000

    def put(self, kind: type[Record], *fields: Any) -> None:
        """Append one record."""
        self.count += 1
        self._now_ns += self._step_ns
        record = kind(self.count, self._now_ns, 1, 0, *fields)
        self.journal.trading(self.count, self._now_ns, RECORD_KIND, encode(record))

    def trade(self, records: int) -> None:
        """Append about so many records of orders that are all over, and a position back at flat."""
        self._step_ns = DAYS * _DAY_NS // (records + 10_000)
        fills = 0
        for number, (name, side) in enumerate(self._turns()):
            if self.count >= records and not number % 4:
                break
            self.put(TimerFired, self._now_ns)
            if number % 4 < 2:
                self._filled(name, side, number)
                fills += 1
            else:
                self._cancelled(name, side, number)
        self.put(WalletAdopted, "USDT", fills * FEE, "fees of the history, paid back")

    def close(self) -> None:
        """Say that the books agree with the venue's now; leave the journal as a killed process."""
        self._now_ns = time.time_ns()
        self.put(Reconciled, "sweep", 0, 0, self.now_ms)
        self.journal.close()

    def rest(self, place: "Venue", orders: int) -> None:
        """Append orders that are open here and at the venue."""
        for number in range(orders):
            instrument = self.instruments[number % len(self.instruments)]
            price = place.price(instrument.symbol) * (0.97 - number * 0.00001)
            ticks = int(price / float(instrument.tick_size))
            lots = place.lots(instrument, price)
            self._resting(place, instrument, ticks, lots)

    # ---- one order ----

    def _turns(self) -> Iterator[tuple[str, Side]]:
        while True:
            for instrument in self.instruments:
                for side in (Side.BUY, Side.SELL, Side.BUY, Side.SELL):
                    yield instrument.name, side

    def _create(self, name: str, side: Side, ticks: int, lots: int, venue_id: str) -> str:
        order_id = self._intend(name, side, ticks, lots)
        self.put(OrderSent, order_id, "create", f"1-{self.count}", self.now_ms, "trade")
        request = (order_id, "create", f"1-{self.count}", "accepted", 0, "OK", venue_id)
        self.put(RequestAnswered, *request)
        return order_id

    def _intend(self, name: str, side: Side, ticks: int, lots: int) -> str:
        order_id = self.ids.peek()
        self.ids.counter += 1
        terms = (OrderType.LIMIT, TimeInForce.GTC, ticks, lots, False, "quote")
        self.put(OrderIntended, order_id, OWNER, name, side, *terms)
        return order_id

    def _report(
        self, ids: tuple[str, str], name: str, side: Side, status: OrderState, terms: tuple
    ) -> None:
        cum = terms[1] if status is OrderState.FILLED else 0
        rest = (False, False, self.now_ms, "", "stream", 0, _PADDING * 25)
        self.put(OrderReported, *ids, name, side, status, *terms, cum, *rest)

    def _filled(self, name: str, side: Side, number: int) -> None:
        venue_id, terms = f"{number:036x}", (300_000, LOTS)
        order_id = self._create(name, side, *terms, venue_id)
        ids = (order_id, venue_id)
        self._report(ids, name, side, OrderState.OPEN, terms)
        fee = (FEE, "USDT", True, "Trade", self.now_ms, "stream", 0, _PADDING * 18, LOTS, number)
        self.put(ExecutionReported, f"e{number:035x}", *ids, name, side, *terms, *fee)
        self._report(ids, name, side, OrderState.FILLED, terms)
        held = LOTS * side.sign if number % 2 == 0 else 0
        self.put(PositionReported, name, held, "", self.now_ms, "stream", 0, _PADDING * 17)
        self.put(WalletReported, "USDT", 10**13, "stream", 0, _PADDING * 10)

    def _cancelled(self, name: str, side: Side, number: int) -> None:
        venue_id, terms = f"{number:036x}", (300_000, LOTS)
        order_id = self._create(name, side, *terms, venue_id)
        ids = (order_id, venue_id)
        self._report(ids, name, side, OrderState.OPEN, terms)
        self.put(CancelIntended, order_id, "quote withdrawn")
        self.put(OrderSent, order_id, "cancel", f"1-{self.count}", self.now_ms, "trade")
        answer = (order_id, "cancel", f"1-{self.count}", "accepted", 0, "OK", venue_id)
        self.put(RequestAnswered, *answer)
        self._report(ids, name, side, OrderState.CANCELED, terms)

    def _resting(self, place: "Venue", instrument: Any, ticks: int, lots: int) -> None:
        order_id = self._intend(instrument.name, Side.BUY, ticks, lots)
        self.put(OrderSent, order_id, "create", f"1-{self.count}", self.now_ms, "trade")
        price, qty = instrument.price_text(ticks), instrument.qty_text(lots)
        venue_id = place.create(instrument, order_id, price, qty)
        answer = (order_id, "create", f"1-{self.count}", "accepted", 0, "OK", venue_id)
        self.put(RequestAnswered, *answer)
        ids = (order_id, venue_id)
        self._report(ids, instrument.name, Side.BUY, OrderState.OPEN, (ticks, lots))


class Venue:
    """As much of a client of the simulated exchange as it takes to place orders."""

    def __init__(self, port: int) -> None:
        """Talk to the simulator on a port of this machine, with its own key."""
        self._base = f"http://127.0.0.1:{port}"
        self._signer = Signer("sim-key", Secret("sim-secret"))
        self._prices: dict[str, float] = {}

    def price(self, symbol: str) -> float:
        """Return the last price of a perpetual, asked once."""
        if symbol not in self._prices:
            path = f"/v5/market/tickers?category=linear&symbol={symbol}"
            with urllib.request.urlopen(self._base + path) as answer:  # noqa: S310 - loopback
                rows = json.load(answer)["result"]["list"]
            self._prices[symbol] = float(rows[0]["lastPrice"])
        return self._prices[symbol]

    def lots(self, instrument: Any, price: float) -> int:
        """Return lots of the smallest order the exchange takes at a price."""
        smallest = max(float(instrument.min_qty), 1.2 * float(instrument.min_notional) / price)
        return int(smallest / float(instrument.lot_size)) + 1

    def create(self, instrument: Any, order_id: str, price: str, qty: str) -> str:
        """Place a limit buy; return the venue's id."""
        order = {"category": "linear", "symbol": instrument.symbol, "side": "Buy"}
        order |= {"orderType": "Limit", "qty": qty, "price": price, "orderLinkId": order_id}
        body = json.dumps(order).encode()
        headers = {"Content-Type": "application/json"}
        headers |= self._signer.headers(body, time.time_ns() // 1_000_000, 5_000)
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self._base}/v5/order/create", body, headers
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
            found = json.load(answer)
        if found["retCode"]:
            raise RuntimeError(f"the exchange refused an order: {found['retMsg']}")
        made: str = found["result"]["orderId"]
        return str(uuid.UUID(made))
