"""Order requests as frames of the trade socket (Bybit v5 docs, websocket/trade/guideline)."""

from typing import Final, Literal, get_args

from plimsoll.venues.bybit.api.parameters import Json, encoded
from plimsoll.venues.bybit.trade import frame_template

Operation = Literal[
    "order.create",
    "order.amend",
    "order.cancel",
    "order.create-batch",
    "order.amend-batch",
    "order.cancel-batch",
]
"""What the trade socket takes; cancel-all is not among it."""

_TEMPLATES: Final = {op: frame_template(op) for op in get_args(Operation)}


def frame(
    operation: Operation, body: Json, request_id: str, signed_ms: int, recv_window_ms: int
) -> bytes:
    """Return the frame of one request or batch.

    Args:
        operation: What the body asks for.
        body: Of a request, or of ``batch_body``.
        request_id: Unique for the life of the connection, at most 36 characters.
        signed_ms: Venue time of signing, Unix ms.
        recv_window_ms: How long after ``signed_ms`` the venue may still take it.
    """
    text = encoded(body)
    return _TEMPLATES[operation] % (request_id.encode(), signed_ms, recv_window_ms, text)
