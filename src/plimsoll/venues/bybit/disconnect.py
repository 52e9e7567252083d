"""The venue's own dead man's switch: it cancels when our private connections are gone (RSK-12).

Bybit v5 docs, order/dcp: opened by the venue for some accounts only; set per product, in force
about ten seconds later; armed by connections that subscribe its topic: only the engine's does.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import msgspec

from plimsoll.core.records import DisconnectReported
from plimsoll.venues.bybit.ports import Inbox
from plimsoll.venues.bybit.rest import Answer, RestClient

APPLIES_S: Final = 10.0
_MARGIN_S: Final = 2.0
_TRIES: Final = 3
_SET: Final = "/v5/order/disconnected-cancel-all"
_INFO: Final = "/v5/account/query-dcp-info"
_PRODUCTS: Final = {"linear": ("DERIVATIVES", "dcp.future"), "spot": ("SPOT", "dcp.spot")}


class _Product(msgspec.Struct):
    product: str
    dcpStatus: str = ""
    timeWindow: str | int = 0


class _Info(msgspec.Struct):
    dcpInfos: list[_Product] | None = None


class DisconnectGuard:
    """Sets the protection of one account, tells what became of it, and looks again."""

    def __init__(
        self,
        rest: RestClient,
        inbox: Inbox,
        window_s: int,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Prepare for a window; 0 asks for nothing."""
        self.topics: tuple[str, ...] = ()
        """What the engine's private connection subscribes besides."""
        self._rest = rest
        self._inbox = inbox
        self._sleep = sleep
        self._window_s = window_s
        self._waits: list[str] = []
        """Products that were set and not yet seen in force."""

    async def enable(self, categories: Iterable[str]) -> None:
        """Set it for the products in use where it is not so already; a refusal stops nothing."""
        if not self._window_s:
            return
        in_force = await self._in_force()
        for category in sorted(set(categories)):
            product, topic = _PRODUCTS[category]
            if in_force is not None and in_force.get(product) == self._window_s:
                self._tell(product, "on", "it was set before")
            else:
                answer = await self._set(product)
                if not answer.is_ok:
                    self._tell(product, "none", answer.reason)
                    continue
                self._waits.append(product)
                self._tell(product, "set", f"verified in {APPLIES_S:.0f} s")
            self.topics += (topic,)

    async def verify(self) -> None:
        """Look whether what was set is in force, after the time the venue takes for it."""
        if not self._waits:
            return
        await self._sleep(APPLIES_S + _MARGIN_S)
        in_force = None
        for _ in range(_TRIES):
            in_force = await self._in_force()
            if in_force is not None:
                break
            await self._sleep(_MARGIN_S)
        for product in self._waits:
            found = (in_force or {}).get(product)
            if found == self._window_s:
                self._tell(product, "on", "verified")
            else:
                what = (
                    "the venue does not answer" if in_force is None else f"found {found or 'off'}"
                )
                self._tell(product, "failed", f"expected {self._window_s} s, {what}")
        self._waits.clear()

    async def _set(self, product: str) -> Answer:
        body = msgspec.json.encode({"product": product, "timeWindow": self._window_s})
        return await self._rest.post(_SET, body, self._rest.signed_ms())

    async def _in_force(self) -> dict[str, int] | None:
        """Return the window by product, s; None where the venue does not say."""
        answer = await self._rest.get(_INFO, {}, signed=True)
        if not answer.is_ok:
            return None
        try:
            rows = msgspec.json.decode(answer.result, type=_Info).dcpInfos or []
            return {row.product: int(row.timeWindow) for row in rows if row.dcpStatus == "ON"}
        except (msgspec.MsgspecError, ValueError):
            return None

    def _tell(self, product: str, status: str, reason: str) -> None:
        window_s = self._window_s if status != "none" else 0
        self._inbox.put(
            DisconnectReported(*self._inbox.stamp(), product, status, window_s, reason[:200])
        )
