"""The whole typed client: one object, four groups, and the table of every endpoint."""

from types import TracebackType
from typing import Any, Final, Self

from plimsoll.venues.bybit.api import account, market, orders, positions
from plimsoll.venues.bybit.api.account import AccountApi
from plimsoll.venues.bybit.api.caller import Caller
from plimsoll.venues.bybit.api.endpoint import Endpoint
from plimsoll.venues.bybit.api.market import MarketApi
from plimsoll.venues.bybit.api.orders import OrdersApi
from plimsoll.venues.bybit.api.positions import PositionsApi
from plimsoll.venues.bybit.errors import VenueUnreachable
from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.rest import RestClient
from plimsoll.venues.bybit.settings import BybitSettings
from plimsoll.venues.bybit.sign import Signer

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    *market.ENDPOINTS,
    *orders.ENDPOINTS,
    *positions.ENDPOINTS,
    *account.ENDPOINTS,
)
"""Every endpoint of the client; its reference page is made from it."""

_CLOCK_SAMPLES: Final = 3


class BybitClient:
    """Bybit v5, spot and linear, by REST; without a key only ``market`` answers.

    Use it with ``async with``. Amounts are decimals, times Unix ms.
    """

    def __init__(self, settings: BybitSettings, clock: Clock) -> None:
        """Prepare without touching the network.

        Raises:
            CredentialsRefused: there is a key, but it cannot be used for signing.
        """
        signer = Signer(settings.key, settings.secret) if settings.has_key else None
        self.rest = RestClient(settings, clock, signer)
        self._caller = Caller(self.rest)
        self.market = MarketApi(self._caller)
        self.orders = OrdersApi(self._caller)
        self.positions = PositionsApi(self._caller)
        self.account = AccountApi(self._caller)

    @property
    def strange_words(self) -> dict[tuple[str, str], int]:
        """Return how often a word (kind, word) came that the venue's pages do not list."""
        return dict(self._caller.reader.strange)

    async def __aenter__(self) -> Self:
        """Measure the venue's clock: signatures carry its time.

        Raises:
            VenueUnreachable: it does not answer.
        """
        answer = await self.rest.measure_offset(_CLOCK_SAMPLES)
        if not answer.is_ok:
            where = self.rest.settings.rest_url
            await self.rest.close()
            raise VenueUnreachable(f"{where}: expected the venue's time, found {answer.reason}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.rest.close()
