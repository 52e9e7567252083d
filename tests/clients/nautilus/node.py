"""Run by NautilusTrader's own interpreter: its live node trades, and one JSON line says how.

    python -m tests.clients.nautilus.node http://127.0.0.1:PORT linear|spot SECONDS

Exit code 0 once everything was seen, 1 where the seconds passed first or the node failed.
"""

import asyncio
import json
import os
import sys
from decimal import Decimal
from typing import Any, Final

import nautilus_trader
from nautilus_trader.adapters.bybit import factories
from nautilus_trader.adapters.bybit.config import BybitDataClientConfig, BybitExecClientConfig
from nautilus_trader.config import InstrumentProviderConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import BookType, OrderSide, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.trading.strategy import Strategy
from tests.clients.nautilus.shim import data_factory

VENUE: Final = Venue("BYBIT")
QTY, MORE = Decimal("0.010"), Decimal("0.012")
DEPTH: Final = 50
TRADES: Final = 3
"""Public trades to wait for before the end."""


class Round(Strategy):
    """One order rests, grows and is cancelled; one fills; what it bought is sold again."""

    def __init__(self, instrument: str) -> None:
        super().__init__()
        self.symbol = InstrumentId.from_str(instrument)
        self.done = asyncio.Event()
        self.seen: dict[str, Any] = {"deltas": 0, "trades": 0, "events": [], "fills": []}
        self.roles: dict[str, str] = {}

    def on_start(self) -> None:
        """Note what reconciliation left in the cache, and ask for book and trades."""
        self.seen["reconciled"] = {
            "orders": [order_of(order) for order in self.cache.orders_open()],
            "positions": [position_of(position) for position in self.cache.positions_open()],
            "balances": balances(self.cache),
        }
        self.instrument = self.cache.instrument(self.symbol)
        self.subscribe_order_book_deltas(self.symbol, BookType.L2_MBP, depth=DEPTH)
        self.subscribe_trade_ticks(self.symbol)

    def on_order_book_deltas(self, deltas: Any) -> None:
        """Let the first book start the round."""
        self.seen["deltas"] += 1
        book = self.book()
        if not self.roles and book.best_ask_price() is not None:
            self.seen["levels"] = [len(book.bids()), len(book.asks())]
            self.send("rest", OrderSide.BUY, QTY, book.best_bid_price(), "0.995", post_only=True)
        self.end_when_all_came()

    def on_trade_tick(self, tick: Any) -> None:
        """Count the tape."""
        self.seen["trades"] += 1

    def on_order_event(self, event: Any) -> None:
        """Amend, cancel, and let a second order fill."""
        name, role = type(event).__name__, self.roles.get(event.client_order_id.value, "")
        self.seen["events"].append([role, name])
        order = self.cache.order(event.client_order_id)
        if name == "OrderFilled":
            self.seen["fills"].append(fill_of(event))
        match role, name:
            case "rest", "OrderAccepted":
                self.modify_order(order, quantity=self.instrument.make_qty(MORE))
            case "rest", "OrderUpdated":
                self.cancel_order(order)
            case "rest", "OrderCanceled":
                self.send("open", OrderSide.BUY, QTY, self.book().best_ask_price(), "1.001")
            case _:
                pass

    def on_position_event(self, event: Any) -> None:
        """Sell what the second order bought, once it bought everything."""
        name, roles = type(event).__name__, self.roles.values()
        self.seen["events"].append(["position", name])
        order = self.cache.order(event.opening_order_id)
        if name == "PositionClosed":
            self.seen["realised"] = str(event.realized_pnl)
        elif order.status is OrderStatus.FILLED and "close" not in roles:
            self.seen["held"] = position_of(self.cache.position(event.position_id))
            bid = self.book().best_bid_price()
            closes = self.symbol.symbol.value.endswith("LINEAR")
            qty = event.quantity.as_decimal()
            self.send("close", OrderSide.SELL, qty, bid, "0.999", reduce_only=closes)

    def send(
        self, role: str, side: OrderSide, qty: Decimal, near: Any, factor: str, **more: Any
    ) -> None:
        """Submit a limit order at a price near the book."""
        price = self.instrument.make_price(near.as_decimal() * Decimal(factor))
        quantity = self.instrument.make_qty(qty)
        order = self.order_factory.limit(self.symbol, side, quantity, price, **more)
        self.roles[order.client_order_id.value] = role
        self.submit_order(order)

    def book(self) -> Any:
        """Return the book the node keeps."""
        return self.cache.order_book(self.symbol)

    def end_when_all_came(self) -> None:
        """End once the position is closed and the tape has moved."""
        if "realised" in self.seen and self.seen["trades"] >= TRADES:
            self.done.set()


def node_of(url: str, category: str) -> TradingNode:
    """Return a node with a data and an execution client on the simulator."""
    ws = url.replace("http", "ws", 1)
    kinds = [factories.BybitProductType.LINEAR, factories.BybitProductType.SPOT]
    kind = kinds[category == "spot"]
    common = {
        "api_key": "sim-key",
        "api_secret": "sim-secret",
        "base_url_http": url,
        "product_types": (kind,),
        "instrument_provider": InstrumentProviderConfig(load_all=True),
    }
    sockets: dict[str, Any] = {
        "base_url_ws_private": f"{ws}/v5/private",
        "base_url_ws_trade": f"{ws}/v5/trade",
    }
    if "use_ws_trade_api" in BybitExecClientConfig.__struct_fields__:  # later it is the only way
        sockets["use_ws_trade_api"] = True
    node = TradingNode(
        TradingNodeConfig(
            trader_id=TraderId("SIM-001"),
            logging=LoggingConfig(log_level="INFO", log_colors=False),
            data_clients={"BYBIT": BybitDataClientConfig(**common)},
            exec_clients={"BYBIT": BybitExecClientConfig(**common, **sockets)},
            timeout_post_stop=1.0,
        )
    )
    node.add_data_client_factory("BYBIT", data_factory(ws))
    node.add_exec_client_factory("BYBIT", factories.BybitLiveExecClientFactory)
    return node


async def trade(node: TradingNode, strategy: Round, seconds: float) -> bool:
    """Run until the strategy is done, read everything back, stop; return whether it was done."""
    running = asyncio.create_task(node.run_async())
    try:
        async with asyncio.timeout(seconds):
            await strategy.done.wait()
            strategy.seen["read_back"] = await read_back(node, strategy)
    except TimeoutError:
        return False
    finally:
        strategy.seen["orders"] = [
            order_of(order) | {"role": strategy.roles[order.client_order_id.value]}
            for order in node.cache.orders(strategy_id=strategy.id)
        ]
        await node.stop_async()
        running.cancel()
    return True


async def read_back(node: TradingNode, strategy: Round) -> dict[str, Any]:
    """Ask the venue, through the node's client, for orders, fills, positions and wallet."""
    (client,) = node.kernel.exec_engine.get_clients_for_orders(node.cache.orders())
    found = await client.generate_mass_status()
    told = asyncio.Event()
    node.kernel.msgbus.subscribe("events.account.*", lambda state: told.set())
    strategy.query_account(node.cache.account_for_venue(VENUE).id)
    await told.wait()
    fills = [fill for fills in found.fill_reports.values() for fill in fills]
    positions = [held for rows in found.position_reports.values() for held in rows]
    return {
        "orders": [report_of(report) for report in found.order_reports.values()],
        "fills": [fill_of(fill) for fill in fills],
        "positions": [[held.instrument_id.value, str(held.quantity)] for held in positions],
        "balances": balances(node.cache),
    }


def order_of(order: Any) -> dict[str, str]:
    """Return an order as the node's cache has it."""
    return {
        "id": str(order.venue_order_id),
        "client_id": str(order.client_order_id),
        "instrument": str(order.instrument_id),
        "side": order.side_string(),
        "status": order.status_string(),
        "qty": str(order.quantity),
        "price": str(getattr(order, "price", "")),
        "filled": str(order.filled_qty),
    }


def report_of(report: Any) -> dict[str, str]:
    """Return an order as the venue reported it."""
    return {
        "id": str(report.venue_order_id),
        "client_id": str(report.client_order_id),
        "status": report.order_status.name,
        "filled": str(report.filled_qty),
    }


def fill_of(fill: Any) -> dict[str, str]:
    """Return an execution: an event of the node, or a report of the venue."""
    return {
        "id": str(fill.trade_id),
        "order": str(fill.venue_order_id),
        "price": str(fill.last_px),
        "qty": str(fill.last_qty),
        "commission": str(fill.commission),
        "liquidity": fill.liquidity_side.name,
    }


def position_of(position: Any) -> dict[str, Any]:
    """Return a position as the node's cache has it."""
    return {
        "instrument": str(position.instrument_id),
        "side": position.side.name,
        "qty": str(position.quantity),
        "entry": float(position.avg_px_open),
    }


def balances(cache: Any) -> dict[str, str]:
    """Return the total of each currency of the account."""
    account = cache.account_for_venue(VENUE)
    return {money.currency.code: str(money) for money in account.balances_total().values()}


def main(url: str, category: str, seconds: str) -> int:
    """Trade, print, and return the exit code."""
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the node logs on stdout
    node = node_of(url, category)
    strategy = Round(f"BTCUSDT-{category.upper()}.{VENUE}")
    node.trader.add_strategy(strategy)
    node.build()
    done = node.get_event_loop().run_until_complete(trade(node, strategy, float(seconds)))
    found = {"version": nautilus_trader.__version__, "done": done}
    print(json.dumps(found | strategy.seen), file=report, flush=True)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
