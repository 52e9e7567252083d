"""The practical limit as a client: decode, book, a byte template. No risk, no log, no recovery.

python -m benchmarks.tick_to_order.limit --ws PORT
"""

import argparse
import gc
import time

import picows
import uvloop
from benchmarks.limit import SortedBook, decode

_ORDER = (
    b'{"reqId":"%d","header":{"X-BAPI-TIMESTAMP":"%d","X-BAPI-RECV-WINDOW":"2000"},'
    b'"op":"order.create","args":[{"category":"linear","symbol":"BTCUSDT","side":"Buy",'
    b'"orderType":"Limit","timeInForce":"IOC","qty":"0.001","price":"%.2f","orderLinkId":"l-%d"}]}'
)
_AUTH = b'{"op":"auth","args":["bench-key",0,""]}'
_SUBSCRIBE = b'{"op":"subscribe","args":["orderbook.50.BTCUSDT"],"req_id":"1"}'


class Orders(picows.WSListener):
    """The trade socket; what it answers is not looked at."""

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Log in."""
        self.transport = transport
        transport.send(picows.WSMsgType.TEXT, _AUTH)


class Feed(picows.WSListener):
    """The public socket: buy at each new best bid."""

    def __init__(self, orders: Orders) -> None:
        super().__init__()
        self.orders = orders
        self.book: SortedBook | None = None
        self.best = 0.0
        self.count = 0

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Subscribe."""
        transport.send(picows.WSMsgType.TEXT, _SUBSCRIBE)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Decode, apply, decide, send."""
        raw = frame.get_payload_as_bytes()
        if self.book is None:
            if b'"snapshot"' in raw:
                self.book = SortedBook(decode(raw))
                self.best = self.book.bid_keys[-1]
            return
        best = self.book.apply(decode(raw))
        if best != self.best:
            self.best = best
            self.count += 1
            count = self.count
            order = _ORDER % (count, time.time_ns() // 1_000_000, best, count)
            self.orders.transport.send(picows.WSMsgType.TEXT, order)


async def trade(port: int) -> None:
    """Trade until the process is stopped."""
    url = f"ws://127.0.0.1:{port}/v5"
    _, orders = await picows.ws_connect(Orders, f"{url}/trade")
    assert isinstance(orders, Orders)
    transport, _ = await picows.ws_connect(lambda: Feed(orders), f"{url}/public/linear")
    gc.collect()
    gc.freeze()
    gc.disable()
    await transport.wait_disconnected()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the hand-written client")
    parser.add_argument("--ws", type=int, required=True)
    chosen = parser.parse_args()
    uvloop.run(trade(chosen.ws))
