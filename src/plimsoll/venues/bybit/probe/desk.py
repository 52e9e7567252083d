"""What a check works with: one instrument, its sockets, small orders, and all that came back.

Everything placed here is known by its id, so that ``tidy`` can take it back behind each check.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, Literal, TypeVar, cast

from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.api import (
    AmendRequest,
    CallFailed,
    CancelRequest,
    OrderAnswer,
    OrderRequest,
)
from plimsoll.venues.bybit.api.parameters import Category
from plimsoll.venues.bybit.numbers import decimal_in
from plimsoll.venues.bybit.probe.common import Common
from plimsoll.venues.bybit.probe.errors import Unknown
from plimsoll.venues.bybit.probe.sockets import Frame, Socket
from plimsoll.venues.bybit.rest import Heard

FoundT = TypeVar("FoundT")
Side = Literal["Buy", "Sell"]

ENDED: Final = frozenset(
    {"Filled", "Cancelled", "Rejected", "Deactivated", "PartiallyFilledCanceled"}
)
NEAR, FAR = Decimal("0.002"), Decimal("0.1")
"""How far behind the best price a taking order's limit lies, and how far off a resting order."""

_A_SECOND: Final = 8
"""Order requests of one kind we send a second: below the smallest limit of the venue."""


class Desk:
    """One instrument."""

    def __init__(self, common: Common, instrument: Instrument, public: Socket) -> None:
        self.common = common
        self.client = common.client
        self.tape = common.tape
        self.pace = common.pace
        self.purse = common.purse
        self.private = common.private
        self.instrument = instrument
        self.public = public
        self.name = instrument.name
        self.symbol = instrument.symbol
        self.category = cast(Category, instrument.category)
        self.is_spot = instrument.is_spot
        self.orders: dict[str, OrderRequest] = {}
        """Orders of the running check, by client id, or the venue's where there is none."""

        self.since = 0
        """Number of the first private frame of the running check."""

    # ---- sizes -----------------------------------------------------------------------------

    async def best(self) -> tuple[Decimal, Decimal]:
        """Return best bid and ask now.

        Raises:
            Unknown: a side is empty.
        """
        book = await self.client.market.order_book(self.category, self.symbol, levels=1)
        if not book.bids or not book.asks:
            raise Unknown("a side of the book is empty")
        return book.bids[0].price, book.asks[0].price

    def on_tick(self, price: Decimal, rounding: str = ROUND_FLOOR) -> Decimal:
        """Return a price on the grid."""
        return (price / self.instrument.tick).to_integral_value(rounding) * self.instrument.tick

    def least(self, price: Decimal) -> Decimal:
        """Return the smallest quantity that is worth a tenth more than the least at ``price``."""
        item = self.instrument
        wanted = max(decimal_in(item.min_qty), decimal_in(item.min_notional) * 11 / 10 / price)
        return (wanted / item.lot).to_integral_value(ROUND_CEILING) * item.lot

    async def far(self, side: Side) -> Decimal:
        """Return a price at which an order of this side rests and is not reached."""
        bid, ask = await self.best()
        return self.on_tick(bid * (1 - FAR) if side == "Buy" else ask * (1 + FAR))

    # ---- orders ----------------------------------------------------------------------------

    def order(self, side: Side, qty: Decimal, price: Decimal | None, **more: Any) -> OrderRequest:  # noqa: ANN401 - fields of a request
        """Return a limit order, or a market order without a price, with an id of its own."""
        fields: dict[str, Any] = {
            "category": self.category,
            "symbol": self.symbol,
            "side": side,
            "kind": "Limit" if price is not None else "Market",
            "qty": qty,
            "price": price,
            "client_order_id": self.new_id(),
        }
        return OrderRequest(**(fields | more))

    def new_id(self) -> str:
        """Return a client order id nobody used."""
        self.common.count += 1
        return f"{self.common.tag}-{self.common.count:04d}"

    async def resting_order(self, side: Side = "Buy", **more: Any) -> OrderRequest:  # noqa: ANN401
        """Return an order of the smallest size that will rest."""
        price = await self.far(side)
        return self.order(side, self.least(price), price, **more)

    async def create(self, order: OrderRequest) -> OrderAnswer:
        """Send a create; what the venue may have taken is known from here on."""
        await self.turn("create")
        self.know(order, order.client_order_id)
        answer = await self.client.orders.create(order)
        self.settle(order, answer)
        return answer

    def know(self, order: OrderRequest, order_id: str) -> None:
        """Know an order as ours before it leaves."""
        if order_id:
            self.orders[order_id] = order
            self.common.ids.add(order_id)

    def settle(self, order: OrderRequest, answer: OrderAnswer) -> None:
        """Take the venue's id, or forget what was certainly refused."""
        if answer.venue_order_id:
            self.common.ids.add(answer.venue_order_id)
            if not order.client_order_id:
                self.know(order, answer.venue_order_id)
        duplicate = answer.code in (110072, 170141)
        if answer.outcome == "refused" and not duplicate:
            self.orders.pop(order.client_order_id, None)

    async def amend(
        self, order: OrderRequest, *, price: Decimal, qty: Decimal | None = None
    ) -> OrderAnswer:
        """Send an amend."""
        await self.turn("amend")
        target = AmendRequest(
            category=self.category,
            symbol=self.symbol,
            client_order_id=order.client_order_id,
            price=price,
            qty=qty,
        )
        return await self.client.orders.amend(target)

    async def cancel(self, order: OrderRequest, venue_order_id: str = "") -> OrderAnswer:
        """Send a cancel; on spot it names the kind an order is: conditional until it triggers."""
        await self.turn("cancel")
        states = self.statuses(venue_order_id or order.client_order_id)
        is_waiting = self.is_spot and states[-1:] in ([], ["Untriggered"])
        return await self.client.orders.cancel(
            CancelRequest(
                category=self.category,
                symbol=self.symbol,
                client_order_id="" if venue_order_id else order.client_order_id,
                venue_order_id=venue_order_id,
                order_filter=order.order_filter if is_waiting else "",
            )
        )

    async def rest_one(
        self,
        side: Side = "Buy",
        **more: Any,  # noqa: ANN401
    ) -> tuple[OrderRequest, dict[str, Any]]:
        """Place an order that rests; return it and the message that says so.

        Raises:
            Unknown: it does not.
        """
        order = await self.resting_order(side, **more)
        answer = await self.create(order)
        if answer.outcome != "accepted":
            raise Unknown(f"an order that should rest was answered {said(answer)}")
        wanted = ("Untriggered",) if order.trigger_price is not None else ("New",)
        return order, await self.told(order.client_order_id, *wanted)

    async def take(self, side: Side, qty: Decimal, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """Match a quantity now with a limit order behind the best price; return its end.

        Raises:
            Unknown: the budget is used up, or it was not matched.
        """
        order = await self.taking_order(side, qty, **more)
        answer = await self.create(order)
        if answer.outcome != "accepted":
            raise Unknown(f"an order that should match was answered {said(answer)}")
        end = await self.told(order.client_order_id, *ENDED)
        if end.get("orderStatus") != "Filled":
            raise Unknown(f"an order that should match ended {end.get('orderStatus')}")
        await self.matched(order.client_order_id, qty)
        return end

    async def taking_order(self, side: Side, qty: Decimal, **more: Any) -> OrderRequest:  # noqa: ANN401
        """Return an order that matches at once, inside the budget.

        Raises:
            Unknown: the budget is used up.
        """
        bid, ask = await self.best()
        price = self.on_tick(ask * (1 + NEAR) if side == "Buy" else bid * (1 - NEAR))
        self.purse.check(qty * price)
        return self.order(side, qty, price, **({"time_in_force": "IOC"} | more))

    async def buy_least(self, times: int = 1, /, **more: Any) -> tuple[Decimal, dict[str, Any]]:  # noqa: ANN401
        """Buy the smallest quantity so many times over; return it and the order's end."""
        _, ask = await self.best()
        qty = self.least(ask) * times
        return qty, await self.take("Buy", qty, **more)

    # ---- what came back --------------------------------------------------------------------

    def rows(self, topic: str, order_id: str = "", since: int = -1) -> list[dict[str, Any]]:
        """Return what the private socket told of our symbol in the running check, oldest first."""
        found = self.private.rows(topic, self.since if since < 0 else since)
        return [
            row
            for _, row in found
            if row.get("symbol") == self.symbol
            and row.get("category", self.category) == self.category
            and (not order_id or order_id in (row.get("orderLinkId"), row.get("orderId")))
        ]

    def statuses(self, order_id: str) -> list[str]:
        """Return the states an order was told in."""
        return [str(row.get("orderStatus")) for row in self.rows("order", order_id)]

    async def told(self, order_id: str, *statuses: str) -> dict[str, Any]:
        """Return the first message that tells an order in one of these states.

        Raises:
            Unknown: none came in time.
        """

        def test(row: dict[str, Any]) -> bool:
            ids = (row.get("orderLinkId"), row.get("orderId"))
            return order_id in ids and row.get("orderStatus") in statuses

        return await self.row("order", test, f"no order message with {' or '.join(statuses)}")

    async def row(
        self, topic: str, test: Callable[[dict[str, Any]], bool], else_: str, wait_s: float = 0
    ) -> dict[str, Any]:
        """Return the first item of the running check that passes; ``else_`` says what is missing.

        Raises:
            Unknown: none came in time.
        """
        wait_s = wait_s or self.pace.patience_s

        def found(frame: Frame) -> bool:
            if frame.topic.partition(".")[0] != topic:
                return False
            return any(
                row.get("symbol", self.symbol) == self.symbol and test(row) for row in frame.rows
            )

        frame = await self.private.first(found, self.since, wait_s)
        if frame is None:
            raise Unknown(f"{else_} within {wait_s:g} s")
        return next(row for row in frame.rows if test(row))

    async def matched(self, order_id: str, qty: Decimal) -> list[dict[str, Any]]:
        """Return the executions of an order once they are as many as its quantity.

        Raises:
            Unknown: they are not, in time.
        """
        await self.row(
            "execution",
            lambda _: self._matched(order_id) >= qty,
            f"no executions of {qty} together",
        )
        return self.rows("execution", order_id)

    def _matched(self, order_id: str) -> Decimal:
        rows = self.rows("execution", order_id)
        return sum((decimal_in(row.get("execQty")) for row in rows), Decimal(0))

    async def quiet(self) -> None:
        """Let come what may still come."""
        await asyncio.sleep(self.pace.quiet_s)

    async def eventually(
        self, ask: Callable[[], Awaitable[FoundT]], test: Callable[[FoundT], bool], wait_s: float
    ) -> tuple[FoundT | None, float]:
        """Ask until the answer passes; return it, and after how many seconds it was asked for.

        It is None where no answer passed to a question asked before ``wait_s``. How long an answer
        is on its way says nothing about when the venue knew it.
        """
        started = self.common.clock.monotonic_ns()
        while True:
            took_s = (self.common.clock.monotonic_ns() - started) / 1e9
            found = await ask()
            if test(found):
                return found, took_s
            if took_s >= wait_s:
                return None, took_s
            await asyncio.sleep(0.1)

    def answer_of(self, path: str, since: int) -> tuple[int, Heard]:
        """Return (received at, answer) of the newest request to a path.

        Raises:
            Unknown: it was not answered.
        """
        found = self.tape.last(path, since)
        if found is None:
            raise Unknown(f"{path} was not answered")
        return found

    def socket(self, link: str, *, ping_s: float = 15.0) -> AbstractAsyncContextManager[Socket]:
        """Return one more connection: ``public``, ``private`` or ``trade``.

        Raises:
            Unknown: the environment has none.
        """
        settings = self.client.rest.settings
        url = {
            "public": f"{settings.public_url}/{self.category}",
            "private": settings.private_url,
            "trade": settings.trade_url,
        }[link]
        if not url:
            raise Unknown("this environment has no trade socket")
        name = f"public.{self.category}" if link == "public" else link
        proxy = settings.proxy
        return Socket(
            f"{name}.extra", url, self.tape, self.common.clock, ping_s=ping_s, proxy=proxy
        )

    def trade_socket(self) -> Socket:
        """Return the trade socket, logged in.

        Raises:
            Unknown: the environment has none, or it is gone.
        """
        if self.common.trade is None:
            raise Unknown("this environment has no trade socket: orders go by REST")
        if not self.common.trade.is_open:
            raise Unknown("the venue has ended the trade socket")
        return self.common.trade

    async def turn(self, action: str) -> None:
        """Keep below the venue's rate; a limit is looked for by its own checks only."""
        times = self.common.sent.setdefault(f"{action}.{self.category}", deque(maxlen=_A_SECOND))
        loop = asyncio.get_running_loop()
        if len(times) == _A_SECOND and times[0] + 1.1 > loop.time():
            await asyncio.sleep(times[0] + 1.1 - loop.time())
        times.append(loop.time())

    # ---- behind each check -----------------------------------------------------------------

    def begin(self) -> None:
        """Begin a check: what came before does not count."""
        self.orders.clear()
        self.since = self.private.mark()

    async def tidy(self) -> None:
        """Cancel what the check left open and close what it holds; ``clear`` is the certainty."""
        for order_id, order in list(self.orders.items()):
            states = self.statuses(order_id)
            if states and states[-1] in ENDED:
                continue
            has_id = order_id == order.client_order_id
            answer = await self.cancel(order, "" if has_id else order_id)
            if answer.outcome == "accepted":
                await self._until_ended(order_id)
        await self.close()

    async def close(self) -> None:
        """Sell what was bought, or buy back: at the market, at most what our executions left."""
        held = self.purse.held(self.name)
        qty = abs(held) // self.instrument.lot * self.instrument.lot
        bid, _ = await self.best() if qty else (Decimal(0), None)
        if not qty or (
            self.is_spot and (held < 0 or qty * bid < decimal_in(self.instrument.min_notional))
        ):
            return
        more = {} if self.is_spot else {"reduce_only": True}
        order = self.order("Sell" if held > 0 else "Buy", qty, None, **more)
        if (await self.create(order)).outcome == "accepted":
            await self._until_ended(order.client_order_id)
            await self._until_booked(order.client_order_id, qty)

    async def _until_ended(self, order_id: str) -> None:
        try:
            await self.told(order_id, *ENDED)
        except Unknown:
            return  # told or not: the end of the run asks for what is left

    async def _until_booked(self, order_id: str, qty: Decimal) -> None:
        try:
            await self.matched(order_id, qty)
        except Unknown:
            return


def said(answer: OrderAnswer) -> str:
    """Return an answer's code and text."""
    return f"{answer.code} {answer.text}".strip()


def code_of(answer: OrderAnswer) -> str:
    """Return the code of a refusal, ``accepted`` where there is none."""
    return str(answer.code) if answer.code else "accepted"


async def refusal_of(asked: Awaitable[object]) -> str:
    """Return the code a question or setting was refused with, ``accepted`` where it was not."""
    try:
        await asked
    except CallFailed as failed:
        return str(failed.answer.code)
    return "accepted"
