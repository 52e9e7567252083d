"""The practical limit as a receiver: decode and book, nothing else.

python -m benchmarks.receive.limit --ws PORT --count N --out FILE
"""

import argparse
import gc
from pathlib import Path

import picows
import uvloop
from benchmarks.limit import SortedBook, decode
from benchmarks.receive.noting import Noting

_SUBSCRIBE = b'{"op":"subscribe","args":["orderbook.50.BTCUSDT"],"req_id":"1"}'


class Feed(picows.WSListener):
    """The public socket."""

    def __init__(self, noting: Noting) -> None:
        super().__init__()
        self.noting = noting
        self.book: SortedBook | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Subscribe."""
        transport.send(picows.WSMsgType.TEXT, _SUBSCRIBE)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Decode and apply."""
        raw = frame.get_payload_as_bytes()
        if self.book is None:
            if b'"snapshot"' in raw:
                self.book = SortedBook(decode(raw))
            return
        message = decode(raw)
        self.book.apply(message)
        self.noting.took(message.data.u)


async def receive(port: int, noting: Noting) -> None:
    """Receive until the process is stopped."""
    url = f"ws://127.0.0.1:{port}/v5/public/linear"
    transport, _ = await picows.ws_connect(lambda: Feed(noting), url)
    gc.collect()
    gc.freeze()
    gc.disable()
    await transport.wait_disconnected()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the hand-written receiver")
    parser.add_argument("--ws", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    uvloop.run(receive(chosen.ws, Noting(chosen.count, chosen.out)))
