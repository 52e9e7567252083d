"""The whole adapter against the simulator, over real sockets on loopback."""

import asyncio
from typing import Any

import pytest

from plimsoll.core.model import OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    AmendIntended,
    BarReported,
    BookChanged,
    CancelIntended,
    ClockMeasured,
    ExecutionReported,
    HealthMeasured,
    LinkChanged,
    OrderIntended,
    OrderReported,
    PositionReported,
    QueryAnswered,
    QueryIntended,
    RequestAnswered,
    WalletReported,
)
from plimsoll.venues.bybit import (
    BybitSettings,
    CredentialsRefused,
    Secret,
    UnknownInstrument,
    VenueUnreachable,
    environment,
    parsers_for,
)
from plimsoll.venues.bybit.links import PRIVATE
from plimsoll.venues.bybit.venue import BybitVenue

simulator = pytest.importorskip("plimsoll.simulator")

NAMES = ("linear:BTCUSDT", "spot:BTCUSDT")
BELOW, OVER, SPOT_OVER = 30_000, 2_000, 20_000
"""Ticks to where the market does not come while a test runs, and over the ask wherever it has gone
since the first snapshot: a minute moves it by tens of dollars."""


class Desk:
    """One venue on one simulator, and what a test does with it."""

    def __init__(self, venue, inbox, running):
        self.venue, self.inbox, self.running = venue, inbox, running
        self.made = 0

    async def best_bid_ticks(self, link=2):
        parser, instrument = parsers_for()[link], self.venue.instruments[NAMES[link - 2]]

        def snapshots():
            inputs = (parser.parse(raw, 1, 2, 3) for at, raw, _ in self.inbox.frames if at == link)
            return [found for found in inputs if isinstance(found, BookChanged) and found.bids]

        await self.inbox.until(snapshots)
        return round(snapshots()[0].bids[0][0] * instrument.ticks_per_price)

    def order(self, price_ticks, **fields):
        self.made += 1
        base = {
            "client_order_id": f"plm-000003-{self.made:09d}-A",
            "owner": "s",
            "instrument": NAMES[0],
            "side": Side.BUY,
            "order_type": OrderType.LIMIT,
            "tif": TimeInForce.GTC,
            "price_ticks": price_ticks,
            "qty_lots": 10,
            "reduce_only": False,
            "label": "",
        }
        return self.inbox.make(OrderIntended, **(base | fields))

    def cancel_of(self, order):
        fields = {"client_order_id": order.client_order_id, "reason": "done"}
        return self.inbox.make(CancelIntended, **fields)

    def amend_of(self, order, price_ticks, qty_lots):
        fields = {"price_ticks": price_ticks, "qty_lots": qty_lots}
        return self.inbox.make(AmendIntended, client_order_id=order.client_order_id, **fields)

    async def ask(self, kind, **fields):
        base: dict[str, Any] = {
            "category": "linear",
            "settle": "USDT",
            "instrument": "",
            "client_order_id": "",
        }
        self.made += 1
        base |= {"query_id": self.made, "kind": kind, "since_ms": 0}
        query = self.inbox.make(QueryIntended, **(base | fields))
        self.venue.query(query)
        await self.inbox.until(lambda: self.inbox.of(QueryAnswered, query_id=self.made))
        (answer,) = self.inbox.of(QueryAnswered, query_id=self.made)
        assert answer.is_ok, answer.reason
        rows = [r for r in self.inbox.records if getattr(r, "query_id", 0) == self.made]
        assert all(row.cause == query.seq for row in rows)
        assert answer.rows == len(rows) - 1
        return rows[:-1]


def settings_for(running, **fields):
    hosts = environment("simulator", simulator_port=running.port)
    places = {name: getattr(hosts, name) for name in hosts.__struct_fields__}
    base = {"key": "sim-key", "secret": Secret("sim-secret"), "clock_period_s": 0.05}
    return BybitSettings(**(places | base | fields))


@pytest.fixture
def trade(inbox, clock):
    """Run a scenario with a connected venue."""

    def run(scenario, links=4, **settings):
        async def main():
            async with simulator.running(simulator.SimSettings()) as running:
                venue = BybitVenue(settings_for(running, **settings), inbox, clock)
                try:
                    await venue.open(NAMES)
                    await venue.connect()
                    await inbox.until(lambda: len(inbox.of(LinkChanged, is_up=True)) == links)
                    await scenario(Desk(venue, inbox, running))
                finally:
                    await venue.close()

        asyncio.run(main())

    return run


def test_links_are_up_only_after_login_and_acknowledgement(trade, inbox):
    async def scenario(desk):
        names = {record.link for record in inbox.of(LinkChanged, is_up=True)}
        assert names == {"private", "trade", "public.linear", "public.spot"}
        assert inbox.of(ClockMeasured)

    trade(scenario)


def test_an_order_lives_from_create_over_amend_to_cancel(trade, inbox):
    async def scenario(desk):
        price = await desk.best_bid_ticks() - BELOW
        order = desk.order(price)
        sent = desk.venue.create(order)
        assert (sent.via, sent.request_id) == ("trade", "3-1")
        await inbox.until(lambda: inbox.of(OrderReported, status=OrderState.OPEN))
        await inbox.until(lambda: inbox.of(RequestAnswered))
        (answer,) = inbox.of(RequestAnswered)
        assert (answer.outcome, answer.cause) == ("accepted", order.seq)
        amend = desk.amend_of(order, price + 100, 12)
        desk.venue.amend(amend, order.instrument)
        await inbox.until(lambda: inbox.of(OrderReported, price_ticks=price + 100, qty_lots=12))
        cancel = desk.cancel_of(order)
        desk.venue.cancel(cancel, order.instrument)
        await inbox.until(lambda: inbox.of(OrderReported, status=OrderState.CANCELED))
        desk.venue.cancel(cancel, order.instrument)
        await inbox.until(lambda: inbox.of(RequestAnswered, outcome="gone"))

    trade(scenario)


def test_executions_positions_and_wallets_are_reported(trade, inbox):
    async def scenario(desk):
        price = await desk.best_bid_ticks()
        desk.venue.create(desk.order(price + OVER, tif=TimeInForce.IOC, qty_lots=1))
        await inbox.until(lambda: inbox.of(ExecutionReported))
        await inbox.until(lambda: inbox.of(PositionReported, qty_lots=1))
        (execution,) = inbox.of(ExecutionReported)
        assert execution.fee_units > 0
        assert execution.fee_coin == "USDT"
        (found,) = await desk.ask("executions")
        assert found.execution_id == execution.execution_id
        assert [p.qty_lots for p in await desk.ask("positions")] == [1]
        assert {w.coin for w in await desk.ask("wallet", category="")} >= {"USDT", "BTC"}
        assert all(isinstance(w, WalletReported) for w in await desk.ask("wallet"))
        (health,) = await desk.ask("health", category="")
        assert isinstance(health, HealthMeasured)
        assert 0 < health.available_units < health.equity_units
        assert 0 < health.maintenance_ppm < health.initial_ppm < 1_000_000

    trade(scenario)


def test_spot_fees_are_paid_in_the_received_coin(trade, inbox):
    async def scenario(desk):
        price = await desk.best_bid_ticks(3)
        order = desk.order(
            price + SPOT_OVER, instrument=NAMES[1], tif=TimeInForce.IOC, qty_lots=1000
        )
        desk.venue.create(order)
        await inbox.until(lambda: inbox.of(ExecutionReported))
        assert inbox.of(ExecutionReported)[0].fee_coin == "BTC"

    trade(scenario)


def test_queries_find_orders_and_bars(trade, inbox):
    async def scenario(desk):
        order = desk.order(await desk.best_bid_ticks() - BELOW)
        desk.venue.create(order)
        await inbox.until(lambda: inbox.of(OrderReported))
        (open_order,) = await desk.ask("orders")
        assert open_order.client_order_id == order.client_order_id
        found = await desk.ask("order", instrument=NAMES[0], client_order_id=order.client_order_id)
        assert {row.client_order_id for row in found} == {order.client_order_id}
        absent = await desk.ask("order", instrument=NAMES[0], client_order_id="plm-000001-1-A")
        assert absent == []
        (flat,) = await desk.ask("positions")
        assert flat.qty_lots == 0
        bars = await desk.ask("bars", instrument=NAMES[0], since_ms=sent_ms(desk) - 600_000)
        assert len(bars) >= 8
        assert all(isinstance(bar, BarReported) for bar in bars)

    trade(scenario)


def sent_ms(desk):
    return desk.inbox.of(OrderReported)[0].updated_ms


def test_orders_go_by_rest_where_there_is_no_trade_socket(trade, inbox):
    async def scenario(desk):
        order = desk.order(await desk.best_bid_ticks() - BELOW)
        assert desk.venue.create(order).via == "rest"
        await inbox.until(lambda: inbox.of(RequestAnswered, outcome="accepted"))
        await inbox.until(lambda: inbox.of(OrderReported, status=OrderState.OPEN))
        cancel = desk.cancel_of(order)
        desk.venue.cancel(cancel, order.instrument)
        await inbox.until(lambda: inbox.of(OrderReported, status=OrderState.CANCELED))

    trade(scenario, links=3, trade_url="")


def test_a_lost_trade_link_moves_orders_to_rest(trade, inbox):
    async def scenario(desk):
        price = await desk.best_bid_ticks() - BELOW
        desk.venue.restart_link(1, "a test cuts it")
        assert inbox.of(LinkChanged, link="trade", is_up=False)
        await inbox.until(lambda: len(inbox.of(LinkChanged, link="trade", is_up=True)) == 2)
        assert desk.venue.create(desk.order(price)).via == "rest"
        await inbox.until(lambda: inbox.of(RequestAnswered, outcome="accepted"))

    trade(scenario)


def test_a_refused_order_is_refused(trade, inbox):
    async def scenario(desk):
        price = await desk.best_bid_ticks() - BELOW
        desk.venue.create(desk.order(price, qty_lots=1_000_000))
        await inbox.until(lambda: inbox.of(RequestAnswered, outcome="refused"))
        assert "not listed" in desk.venue.create(desk.order(price, instrument="linear:NOPE"))

    trade(scenario)


def test_a_dropped_private_link_returns(trade, inbox):
    async def scenario(desk):
        desk.venue.restart_link(PRIVATE, "a test cuts it")
        await inbox.until(lambda: len(inbox.of(LinkChanged, link="private", is_up=True)) == 2)
        desk.venue.create(desk.order(await desk.best_bid_ticks() - BELOW))
        await inbox.until(lambda: inbox.of(OrderReported))

    trade(scenario)


def test_a_renewed_book_begins_with_a_snapshot(trade, inbox):
    async def scenario(desk):
        await desk.best_bid_ticks()
        inbox.frames.clear()
        desk.venue.resubscribe(NAMES[0])
        await inbox.until(
            lambda: any(
                b'"snapshot"' in raw and b"orderbook" in raw
                for link, raw, _ in inbox.frames
                if link == 2
            )
        )

    trade(scenario)


def test_paper_needs_no_key(trade, inbox):
    async def scenario(desk):
        await desk.best_bid_ticks()
        names = {record.link for record in inbox.of(LinkChanged)}
        assert names == {"public.linear", "public.spot"}
        counters, gauges = desk.venue.metrics()
        assert counters["public.linear.messages"] > 0
        assert gauges["public.linear.up"]

    trade(scenario, links=2, key="")


def opening(inbox, clock, names, **fields):
    async def main():
        async with simulator.running(simulator.SimSettings()) as running:
            venue = BybitVenue(settings_for(running, **fields), inbox, clock)
            try:
                await venue.open(names)
            finally:
                await venue.close()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["linear:NOPEUSDT", "BTCUSDT", "linear:btcusdt", "option:X"])
def test_unknown_instruments_are_named(inbox, clock, name):
    with pytest.raises(UnknownInstrument, match=name):
        opening(inbox, clock, [name])


def test_a_wrong_secret_is_refused(inbox, clock):
    with pytest.raises(CredentialsRefused):
        opening(inbox, clock, NAMES, secret=Secret("wrong"))


def test_nobody_listening_is_unreachable(inbox, clock):
    with pytest.raises(VenueUnreachable, match="time"):
        opening(inbox, clock, NAMES, rest_url="http://127.0.0.1:9")
