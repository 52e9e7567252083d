"""Q7: a frozen engine with 1,200 open orders, cancel-all throttled, a fifth of cancels failing."""

import asyncio
import os
import time
from decimal import Decimal

from tests.watchdog.guarded import OPEN, Guarded, wait_for

from plimsoll.core.records import Halted, Woken, decode
from plimsoll.engine.clock import EngineClock
from plimsoll.journal import KIND_RECORD, TRADING, scan
from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.api import BybitClient, OrderRequest, TradingStop
from plimsoll.venues.bybit.settings import Secret, environment

ORDERS = int(os.environ.get("STORM_ORDERS", "1200"))
SYMBOLS = ("BTCUSDT", "ETHUSDT", "DOGEUSDT")
HELD = "BTCUSDT"
WITHIN_S = 10.0


async def _fill(client: BybitClient) -> int:
    """Place the orders, and a position with protection; return how many protect."""
    steps = {one.symbol: one for one in await client.market.linear_instruments()}
    tickers = await client.market.linear_tickers()
    prices = {one.symbol: one.last_price or Decimal(0) for one in tickers}
    symbols = [one for one in SYMBOLS if one in steps]
    each = ORDERS // len(symbols)

    def at(symbol: str, share: str) -> Decimal:
        tick = steps[symbol].price_filter.tick_size
        return (prices[symbol] * Decimal(share) / tick).to_integral_value() * tick

    def order(symbol: str, **fields: object) -> OrderRequest:
        lot = steps[symbol].lot_filter
        least = (Decimal(6) / prices[symbol] / lot.lot_size).to_integral_value("ROUND_UP")
        qty = max(lot.min_qty, least * lot.lot_size)
        defaults = {"category": "linear", "symbol": symbol, "side": "Buy", "qty": qty}
        return OrderRequest(**(defaults | fields))  # type: ignore[arg-type]

    bought = await client.orders.create(order(HELD, kind="Market"))
    assert bought.outcome == "accepted", bought
    await client.positions.trading_stop(TradingStop(symbol=HELD, stop_loss=at(HELD, "0.8")))
    trigger = {"trigger_price": at(HELD, "0.85"), "trigger_direction": 2}
    stop = order(HELD, side="Sell", price=at(HELD, "0.8"), reduce_only=True, **trigger)
    answer = await client.orders.create(stop)
    assert answer.outcome == "accepted", answer
    wanted = [
        order(symbol, price=at(symbol, "0.993") - n * steps[symbol].price_filter.tick_size)
        for n in range(each)
        for symbol in symbols
    ]
    wanted += [
        order(symbol, price=at(symbol, "1.02"), trigger_price=at(symbol, "1.02"),
              trigger_direction=1)
        for symbol in symbols
    ]  # fmt: skip
    for start in range(0, len(wanted), 20):
        answers = await client.orders.create_batch(wanted[start : start + 20])
        bad = [one for one in answers if one.outcome != "accepted"]
        assert not bad, bad[0]
    return 2


def fill(guarded: Guarded) -> int:
    hosts = environment("simulator", simulator_port=guarded.sim.port)
    settings = BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        key="sim-key",
        secret=Secret("sim-secret"),
    )

    async def run() -> int:
        async with BybitClient(settings, EngineClock()) as client:
            return await _fill(client)

    return asyncio.run(run())


def risky(lines):
    last = {line["orderId"]: line for line in lines if line["kind"] == "order"}
    return [one for one in last.values() if one["orderStatus"] in OPEN and not one["reduceOnly"]]


def test_a_frozen_engine_with_a_full_book_is_cleared_in_ten_seconds(tmp_path):
    guarded = Guarded(tmp_path, reach="account")
    try:
        guarded.up()
        protects = fill(guarded)
        wait_for("the record", lambda: len(risky(guarded.record())) >= ORDERS)
        kept = {k for k, one in guarded.open_orders().items() if one["reduceOnly"]}
        assert len(kept) == protects
        guarded.fault("refuse", rate=0.5, code=10006, endpoint="/v5/order/cancel-all")
        for path in ("cancel", "cancel-batch", "cancel-all"):
            guarded.fault("http_error", rate=0.2, endpoint=f"/v5/order/{path}")
        guarded.freeze()
        frozen_ns = time.time_ns()
        wait_for("an empty account", lambda: bool(guarded.watchdog.told("cleared")))
        lines = guarded.record()
        assert risky(lines) == []
        ended = [
            one["t_ns"]
            for one in lines
            if one["kind"] == "order" and one["orderStatus"] in ("Cancelled", "Deactivated")
        ]
        took_s = (max(ended) - frozen_ns) / 1e9
        last_n = lines[-1]["n"]
        guarded.thaw()
        wait_for("the halt", lambda: any(isinstance(one, Halted) for one in records(guarded)))
        wait_for("it to stand down", lambda: bool(guarded.watchdog.told("stands down")))
        assert guarded.engine.stop() == 143
        assert guarded.created_after(last_n) == []
        assert any(isinstance(one, Woken) for one in records(guarded))
        assert {k for k, one in guarded.open_orders().items() if one["reduceOnly"]} == kept
        print(f"{len(ended)} orders ended, the last {took_s:.1f} s after the freeze")
        assert took_s <= WITHIN_S
    finally:
        guarded.down()


def records(guarded):
    return [
        decode(entry.payload)
        for entry in scan(guarded.engine.journal_dir, TRADING)
        if entry.kind == KIND_RECORD
    ]
