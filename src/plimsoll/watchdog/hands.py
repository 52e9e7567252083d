"""The one way of the watchdog and of a direct halt to the venue: look, cancel, reduce.

It holds the client, gives it to nobody, and has no method that could add risk (RSK-5).
"""

import asyncio
from collections.abc import Callable
from typing import Final, Literal

import msgspec

from plimsoll.venues.bybit.api import BybitClient
from plimsoll.venues.bybit.api.order_rows import Order
from plimsoll.venues.bybit.api.position_rows import Position
from plimsoll.venues.bybit.errors import ParseError, VenueError
from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.rates import Holder
from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.watchdog.plan import Step
from plimsoll.watchdog.requests import Slice, cancel_all_of, cancel_of, reduction_of

CATEGORIES: Final[tuple[Literal["linear", "spot"], ...]] = ("linear", "spot")
PATIENCE_S: Final = 2.0
"""Longest wait for one answer: a venue that hangs must not keep us from the next request."""


class LookFailed(Exception):
    """The venue gave no whole list; what it holds is not known."""


class Hands:
    """An account at the venue, for who may only make it smaller."""

    def __init__(self, settings: BybitSettings, clock: Clock) -> None:
        """Prepare without touching the network.

        Raises:
            CredentialsRefused: there is a key, but it cannot be used for signing.
        """
        own = msgspec.structs.replace(
            settings,
            holder=Holder.WATCHDOG,
            rest_timeout_s=min(settings.rest_timeout_s, PATIENCE_S),
        )
        self._client = BybitClient(own, clock)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.rest.close()

    async def measure(self) -> str:
        """Take samples of the venue's clock, which signatures carry; return why not, or nothing."""
        answer = await self._client.rest.measure_offset(3)
        return "" if answer.is_ok else answer.reason

    async def orders(self) -> list[Order]:
        """Return every open order of both categories, conditional ones too.

        Raises:
            LookFailed: one of the lists could not be had whole.
        """
        found = await asyncio.gather(*map(self._orders_of, CATEGORIES), return_exceptions=True)
        orders: list[Order] = []
        for part in found:
            if isinstance(part, BaseException):
                raise _failed(part) from part
            orders += part
        return orders

    async def positions(self) -> list[Position]:
        """Return every open position of contracts.

        Raises:
            LookFailed: the list could not be had whole.
        """
        try:
            return [one for one in await self._client.positions.open() if one.size]
        except (VenueError, ParseError) as error:
            raise _failed(error) from error

    async def cancel(self, step: Step) -> str:
        """Carry out one step; return why not all of it was accepted, or nothing."""
        orders = self._client.orders
        try:
            if step.kind == "all":
                whole = await orders.cancel_all(cancel_all_of(step))
                return "" if whole.outcome == "accepted" else f"{whole.code}: {whole.text}"
            if step.kind == "batch":
                answers = await orders.cancel_batch([cancel_of(one) for one in step.orders])
            else:
                answers = [await orders.cancel(cancel_of(one)) for one in step.orders]
        except (VenueError, ParseError) as error:
            return str(error)
        bad = [one for one in answers if one.outcome not in ("accepted", "gone")]
        return f"{len(bad)} of {len(answers)}: {bad[0].code}: {bad[0].text}" if bad else ""

    async def reduce(self, position: Position, number: Callable[[], str]) -> str:
        """Send a reduction of a position under the next id; return why not, or nothing."""
        try:
            (listed,) = await self._client.market.linear_instruments(position.symbol)
            request = reduction_of(Slice(position, listed, number()))
            if request is None:
                return f"{position.symbol}: nothing can be sent: no mark price, or below one lot"
            answer = await self._client.orders.create(request)
        except (VenueError, ParseError, ValueError) as error:
            return f"{position.symbol}: {error}"
        if answer.outcome == "accepted":
            return ""
        return f"{position.symbol}: {answer.code}: {answer.text}"

    async def _orders_of(self, category: Literal["linear", "spot"]) -> list[Order]:
        found = await self._client.orders.open(category)
        # By REST the category stands beside the list and not in its rows.
        return [msgspec.structs.replace(order, category=category) for order in found]


def _failed(error: BaseException) -> BaseException:
    if isinstance(error, VenueError | ParseError):
        return LookFailed(str(error))
    return error
