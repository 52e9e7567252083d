"""The whole Bybit v5 client for spot and linear, typed: arguments in, rows and outcomes out.

For commands, tools and users' programs; the engine has its own, narrower way to the venue beside
this folder and shares requests, signatures, codes and number reading with it.
"""

from plimsoll.venues.bybit.api.caller import SETTLE_COINS, CallFailed, Change
from plimsoll.venues.bybit.api.client import ENDPOINTS, BybitClient
from plimsoll.venues.bybit.api.create import OrderRequest
from plimsoll.venues.bybit.api.frames import frame
from plimsoll.venues.bybit.api.outcomes import (
    CancelAllAnswer,
    OrderAnswer,
    SocketAnswer,
    batch_answers,
    order_answer,
    read_socket_answer,
)
from plimsoll.venues.bybit.api.parameters import BadRequest
from plimsoll.venues.bybit.api.positions import TradingStop
from plimsoll.venues.bybit.api.reading import Reader
from plimsoll.venues.bybit.api.requests import (
    AmendRequest,
    CancelAllRequest,
    CancelRequest,
    batch_body,
)
from plimsoll.venues.bybit.api.streams import Pushed, read_pushed

__all__ = [
    "ENDPOINTS",
    "SETTLE_COINS",
    "AmendRequest",
    "BadRequest",
    "BybitClient",
    "CallFailed",
    "CancelAllAnswer",
    "CancelAllRequest",
    "CancelRequest",
    "Change",
    "OrderAnswer",
    "OrderRequest",
    "Pushed",
    "Reader",
    "SocketAnswer",
    "TradingStop",
    "batch_answers",
    "batch_body",
    "frame",
    "order_answer",
    "read_pushed",
    "read_socket_answer",
]
