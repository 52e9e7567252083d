"""The exchange as one pure object: a request and its time in, everything it causes out."""

from typing import Any, Final

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.candles import MINUTE_MS
from plimsoll.simulator.brain.dcp import Dcp
from plimsoll.simulator.brain.entry import OrderEntry
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funding_desk import FundingDesk
from plimsoll.simulator.brain.limits import RateLimits
from plimsoll.simulator.brain.liquidation import Liquidator
from plimsoll.simulator.brain.messages import (
    BookChanged,
    Deleverage,
    FeesChanged,
    FundingFixed,
    KeyChanged,
    Liquidate,
    MarketNote,
    Output,
    Past,
    Printed,
    Request,
    Rest,
    Send,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
    Transfer,
)
from plimsoll.simulator.brain.numbers import decimal_of
from plimsoll.simulator.brain.rest import RestDesk
from plimsoll.simulator.brain.settlement import settle
from plimsoll.simulator.brain.streams import Streams
from plimsoll.simulator.brain.trade_socket import TradeSocket, is_order_entry
from plimsoll.simulator.brain.trading import Trading
from plimsoll.simulator.brain.treasury import Treasury
from plimsoll.simulator.settings import SimSettings

_SAMPLE_NS: Final = 100_000_000
_SECOND_NS: Final = 1_000_000_000


class Exchange:
    """Bybit v5 in small: ``handle`` is the only door. ``now_ns`` is Unix time and never falls."""

    def __init__(self, settings: SimSettings) -> None:
        """Open with the given accounts and no prices; market events bring them."""
        self.floor = Floor(settings)
        limits = RateLimits(
            is_on=settings.limits == "venue",
            ban_s=settings.ban_s,
            vip={account.uid: account.vip for account in settings.accounts},
        )
        self._trading = Trading(self.floor)
        entry = OrderEntry(self.floor, limits, self._trading)
        self._dcp = Dcp(self.floor)
        self._rest = RestDesk(self.floor, limits, entry)
        self._streams = Streams(self.floor)
        self._trade = TradeSocket(self.floor, entry, limits)
        self._funding = FundingDesk(self.floor)
        self._liquidator = Liquidator(self.floor)
        treasury = Treasury(self.floor)
        self.entry = entry
        self.limits = limits
        self.streams = self._streams
        self._output = Output()
        self._sampled_ns = 0
        self._second_ns = 0
        self._minute = 0
        self._told: dict[str, int] = {}
        """Sequence of each market at its last line in the record."""
        self._handlers: dict[type, Any] = {
            Rest: self._on_rest,
            SocketOpened: self._on_opened,
            SocketText: self._on_text,
            SocketClosed: self._on_closed,
            Tick: self._on_tick,
            BookChanged: self._on_book,
            Printed: self._on_print,
            Past: self._on_past,
            MarketNote: self._on_note,
            Transfer: treasury.transfer,
            FeesChanged: treasury.set_fees,
            KeyChanged: treasury.change_key,
            Liquidate: self._on_liquidate,
            Deleverage: self._on_deleverage,
            FundingFixed: self._on_funding_fixed,
        }

    def open(self, now_ns: int) -> Output:
        """Write the first line of the record: the settings, secrets left out."""
        shown = msgspec.to_builtins(self.floor.settings)
        for account in shown["accounts"]:
            del account["secret"]
        self.floor.record(now_ns, "config", 0, {"event": "start", "settings": shown})
        return self._take()

    def handle(self, now_ns: int, request: Request) -> Output:
        """Apply one request and return its answer, frames, record lines and drops."""
        self._trading.catch_up(now_ns)
        self._handlers[type(request)](now_ns, request)
        self._trading.look(now_ns)
        self._liquidator.look(now_ns)
        if not self._streams.is_paced:
            self._output.sends += self._unpaced_frames(now_ns, request)
        for push in self.floor.pushes:
            self._output.sends += self._streams.private_frames(push, now_ns)
        self.floor.pushes.clear()
        return self._take()

    def is_watched(self, name: str) -> bool:
        """Return whether anybody subscribes to an instrument or has an order working on it."""
        return self._streams.is_heard(name) or any(
            order.listing.name == name for order in self.floor.working.values()
        )

    def state(self, now_ns: int) -> dict[str, Any]:
        """Return the health of the exchange, for ``GET /sim/state``."""
        return {
            "time_ns": now_ns,
            "accounts": [
                {
                    "uid": account.uid,
                    "key": account.key,
                    "open_orders": len(account.orders.open),
                    "executions": len(account.executions),
                }
                for account in self.floor.accounts.values()
            ],
            "connections": len(self._streams.connections),
            "markets": {
                name: {
                    "last": market.listing.prices.text(market.last_ticks),
                    "mark": market.listing.prices.text(market.mark_ticks),
                    "seq": market.seq,
                    "ready": market.is_ready,
                }
                for name, market in self.floor.markets.items()
            },
        }

    def _unpaced_frames(self, now_ns: int, request: Request) -> list[Send]:
        """Return what one event caused, before the next can change it."""
        if isinstance(request, (BookChanged, Printed)):
            return self._streams.frames_of(request.name, now_ns // 1_000_000)
        return self._streams.public_frames(now_ns // 1_000_000)

    def _take(self) -> Output:
        output, self._output = self._output, Output()
        output.lines = self.floor.lines
        self.floor.lines = []
        return output

    def _on_rest(self, now_ns: int, request: Rest) -> None:
        self._output.answer = self._rest.handle(request, now_ns)

    def _on_opened(self, now_ns: int, request: SocketOpened) -> None:
        self._streams.open(request, now_ns)
        fields = {"event": "open", "conn": request.connection, "path": request.path}
        self.floor.record(now_ns, "connection", 0, fields)

    def _on_closed(self, now_ns: int, request: SocketClosed) -> None:
        connection = self._streams.close(request.connection)
        if connection is not None:
            uid = connection.account.uid if connection.account else 0
            fields = {"event": "close", "conn": request.connection, "reason": request.reason}
            self.floor.record(now_ns, "connection", uid, fields)

    def _on_text(self, now_ns: int, request: SocketText) -> None:
        connection = self._streams.connections.get(request.connection)
        if connection is None:
            return
        connection.heard_ns = now_ns
        try:
            message = msgspec.json.decode(request.text)
        except (msgspec.DecodeError, RecursionError) as error:
            message = None
            text = f"Failed to decode incoming data:{error}"
        else:
            text = "Failed to decode incoming data:not an object"
        if not isinstance(message, dict):
            failure = {"success": False, "ret_msg": text, "conn_id": connection.conn_id, "op": ""}
            frame = msgspec.json.encode(failure)
            self._output.sends.append(Send((connection.number,), frame, is_push=False))
        elif is_order_entry(connection, message):
            self._output.sends += self._trade.handle(connection, message, now_ns)
        else:
            self._output.sends += self._streams.handle(connection, message, now_ns)

    def _on_book(self, now_ns: int, event: BookChanged) -> None:
        market = self.floor.markets[event.name]
        fills = market.change_book(event, now_ns // 1_000_000)
        if fills:
            batch = Batch(self.floor, market, now_ns)
            batch.fills(fills)
            settle(batch)

    def _on_print(self, now_ns: int, event: Printed) -> None:
        market = self.floor.markets[event.name]
        batch = Batch(self.floor, market, now_ns)
        fills = market.book.public_trade(event.taker, event.price_ticks, event.qty_lots)
        market.print_trade(event.taker, event.price_ticks, event.qty_lots, batch.now_ms)
        if fills:
            market.touch(batch.now_ms)
        batch.fills(fills, printed_ticks=event.price_ticks)
        settle(batch)

    def _on_past(self, now_ns: int, event: Past) -> None:
        self.floor.markets[event.name].add_past(event, now_ns // 1_000_000)

    def _on_note(self, now_ns: int, event: MarketNote) -> None:
        fields = {"event": "note", "symbol": event.name, "text": event.text}
        self.floor.record(now_ns, "market", 0, fields)

    def _on_liquidate(self, now_ns: int, request: Liquidate) -> None:
        market, account = self.floor.perpetual(request.name), self.floor.account(request.uid)
        self._liquidator.force(account, market, request.lots, now_ns)

    def _on_deleverage(self, now_ns: int, request: Deleverage) -> None:
        market, account = self.floor.perpetual(request.name), self.floor.account(request.uid)
        lots = request.lots or abs(account.ledger.position(market.listing).lots)
        price = request.price_ticks or market.mark_ticks
        self._liquidator.deleveraging.close_one(account, market, lots, price, now_ns)

    def _on_funding_fixed(self, now_ns: int, request: FundingFixed) -> None:
        rate = decimal_of(request.rate) if request.rate else None
        self.floor.perpetual(request.name).funding.fix(rate)
        fields = {"event": "funding-rate", "symbol": request.name, "fundingRate": request.rate}
        self.floor.record(now_ns, "config", 0, fields)

    def _on_tick(self, now_ns: int, request: Tick) -> None:
        now_ms = now_ns // 1_000_000
        if now_ms // MINUTE_MS != self._minute:
            self._minute = now_ms // MINUTE_MS
            for market in self.floor.markets.values():
                market.roll(now_ms)
        if now_ns - self._sampled_ns >= _SAMPLE_NS:
            self._sampled_ns = now_ns
            for market in self.floor.markets.values():
                market.sample(now_ms)
        if now_ns - self._second_ns >= _SECOND_NS:
            self._second_ns = now_ns
            self._each_second(now_ns)
        self._dcp.look(self._streams.connections.values(), now_ns)
        self._funding.advance(now_ns)
        self._output.sends += self._streams.public_frames(now_ms)
        self._output.drops += self._streams.idle(now_ns)

    def _each_second(self, now_ns: int) -> None:
        self._funding.sample()
        self._liquidator.forget()
        for name, market in self.floor.markets.items():
            market.sample_premium()
            if market.is_at_rest and self._told.get(name) == market.seq:
                continue
            self._told[name] = market.seq
            prices = market.listing.prices
            fields = {
                "symbol": name,
                "lastPrice": prices.text(market.last_ticks),
                "bid1Price": prices.text(market.best(Side.BUY)),
                "ask1Price": prices.text(market.best(Side.SELL)),
                "markPrice": prices.text(market.mark_ticks),
            }
            self.floor.record(now_ns, "market", 0, fields)
