"""Point an unmodified NautilusTrader at one loopback address: plain http and ws, every path."""

from typing import Any

from nautilus_trader.adapters.bybit import factories
from nautilus_trader.core import nautilus_pyo3


def data_factory(ws_url: str) -> Any:
    """Return the factory of data clients whose public sockets lead to ``ws_url``."""
    public = f"{ws_url}/v5/public/"
    if hasattr(factories, "get_ws_base_url_public"):  # up to 1.221: a function knows the address
        factories.get_ws_base_url_public = lambda product_type, **_: public + product_type.value
        return factories.BybitLiveDataClientFactory

    class OnLoopback(factories.BybitLiveDataClientFactory):
        @staticmethod
        def create(**given: Any) -> Any:
            """Replace the public sockets, which were given the address of REST."""
            client = factories.BybitLiveDataClientFactory.create(**given)
            for kind in client._ws_clients:
                client._ws_clients[kind] = nautilus_pyo3.BybitWebSocketClient.new_public(
                    product_type=kind,
                    environment=nautilus_pyo3.BybitEnvironment.MAINNET,
                    url=public + kind.name.lower(),
                )
            return client

    return OnLoopback
